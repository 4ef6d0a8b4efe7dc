"""Profiles of candidates, each made once: kept in memory and on disk by the hash of what was given."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from models.resume_ranking.kept import KeptProfiles
from models.resume_ranking.profile import Profile, document_of, draft_of, encoded, source_of
from models.resume_ranking.records import Candidate
from models.resume_ranking.vectors import PassageEncoder

_SIDE_BY_SIDE = 2
"""Resumes that are read at once: files wait for their processes."""

_TOGETHER = 64
"""Resumes whose passages are encoded in one call, so that the encoder finds many of the same length."""


class Profiles:
    """Makes profiles, and keeps the latest. May be used from several threads.

    Parameters
    ----------
    bound
        How many are kept in memory.
    disk_mib
        How much is kept below FORETELL_HOME.
    """

    def __init__(self, encoder: PassageEncoder, meaning_words: int, bound: int, disk_mib: int) -> None:
        self._encoder = encoder
        self._meaning_words = meaning_words
        self._bound = bound
        self._disk = KeptProfiles(f"{meaning_words} {encoder.encoder.sha256}", disk_mib)
        self._latest: OrderedDict[str, Profile] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, candidates: Sequence[Candidate]) -> list[tuple[str, Profile]]:
        """The hash of what each gave, and the profile, in order."""
        sources = [source_of(candidate) for candidate in candidates]
        with self._lock:
            found = {source: self._latest[source] for source in sources if source in self._latest}
        missing = {source: candidate for source, candidate in zip(sources, candidates, strict=True) if source not in found}
        on_disk = {source: profile for source in missing if (profile := self._disk.get(source)) is not None}
        found |= on_disk
        found |= self._new({source: candidate for source, candidate in missing.items() if source not in on_disk})
        self._remember(found)
        return [(source, found[source]) for source in sources]

    def _new(self, candidates: Mapping[str, Candidate]) -> dict[str, Profile]:
        """Read and understood side by side; meanwhile those before them are encoded."""
        profiles: dict[str, Profile] = {}
        with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
            drafts = zip(candidates, pool.map(lambda candidate: draft_of(document_of(candidate)), candidates.values()), strict=True)
            for batch in _batches(drafts):
                made = encoded([draft for _, draft in batch], self._encoder, self._meaning_words)
                for (source, _), profile in zip(batch, made, strict=True):
                    self._disk.put(source, profile)
                    profiles[source] = profile
        return profiles

    def _remember(self, profiles: Mapping[str, Profile]) -> None:
        with self._lock:
            for source, profile in profiles.items():
                self._latest[source] = profile
                self._latest.move_to_end(source)
            while len(self._latest) > self._bound:
                self._latest.popitem(last=False)


def _batches(drafts: Iterator[tuple[str, Profile]]) -> Iterator[list[tuple[str, Profile]]]:
    while batch := list(islice(drafts, _TOGETHER)):
        yield batch
