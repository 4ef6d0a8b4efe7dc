"""A candidate as the matching sees one: read, blinded, understood and encoded; nothing of it depends on a job or on other candidates."""

from __future__ import annotations

import base64
import binascii
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from models.resume_ranking.abuse import Trick, tricks
from models.resume_ranking.blinding import Blinded, blind
from models.resume_ranking.copying import Runs, runs, said
from models.resume_ranking.passages import passages
from models.resume_ranking.reading import Document, Mark, read
from models.resume_ranking.reading.document import unreadable
from models.resume_ranking.records import MAX_TEXT, Candidate, Place
from models.resume_ranking.spans import Span
from models.resume_ranking.understanding import Resume, understand
from models.resume_ranking.vectors import PassageEncoder, Vectors
from models.resume_ranking.words import words

_EXCERPT = 240
_SIDE_BY_SIDE = 4
"""Resumes that are worked on at once."""


@dataclass(frozen=True, eq=False)
class Profile:
    """What can be said of a resume before a job is known.

    Parameters
    ----------
    document
        The text as it was given or read, or the reason why there is none.
    blinded
        The text without who the person is.
    tricks
        Passages of the blinded text that are marked whatever the job; line ends stand in their place in `resume`.
    withheld
        Those of the original text that the blinding took out already.
    resume
        The blinded text, understood.
    passages
        Places in the blinded text.
    vectors
        Of the first passages, as far as the bound on words allows.
    where
        Passages by the words they hold.
    lines
        The words of each passage, however written.
    runs
        Of the blinded text, to see quickly whether it can hold a copy of the job.
    """

    document: Document
    blinded: Blinded
    tricks: tuple[Trick, ...]
    withheld: tuple[Trick, ...]
    resume: Resume
    passages: tuple[Span, ...]
    vectors: Vectors
    where: Mapping[str, tuple[int, ...]]
    lines: tuple[str, ...]
    runs: Runs

    @property
    def counts(self) -> dict[str, int]:
        """In how many passages each word stands: repeating it within one proves nothing."""
        return {word: len(places) for word, places in self.where.items()}

    def place(self, span: Span) -> Place:
        """Where a span of the blinded text stands in the original, and what it says of the work."""
        original, excerpt = self.blinded.original(span), " ".join(span.of(self.blinded.text).split())
        return Place(start=original.start, end=original.end, excerpt=excerpt[:_EXCERPT])


def source_of(candidate: Candidate) -> str:
    """What the candidate gave, by hash; the same for the same bytes, whoever it is."""
    kind, content = ("text", candidate.text) if candidate.text is not None else ("document", candidate.document or "")
    return hashlib.sha256(f"{kind}\0{content}".encode("utf-8", "surrogatepass")).hexdigest()


def document_of(candidate: Candidate) -> Document:
    """The candidate's text, or the reason why there is none."""
    if candidate.text is not None:
        return Document(candidate.text, pages=1) if candidate.text.strip() else unreadable("the text is empty")
    try:
        data = base64.b64decode(candidate.document or "", validate=True)
    except (binascii.Error, ValueError):
        return unreadable("expected the document in base64, got something else")
    document = read(data, candidate.id)
    if document.readable and len(document.text) > MAX_TEXT:
        detail = f"the document has {len(document.text):,} characters, of which the first {MAX_TEXT:,} are read"
        return Document(document.text[:MAX_TEXT], True, None, document.pages, document.hidden, (*document.marks, Mark("partial", detail)))
    return document


def profile_of(document: Document, encoder: PassageEncoder, meaning_words: int) -> Profile:
    """Blind, understand and encode what was read."""
    blinded = blind(document.text)
    seen = tricks(document.text)
    marked = tricks(blinded.text) if seen else ()
    withheld = tuple(trick for trick in seen if trick.kind not in {each.kind for each in marked})
    honest = without(blinded.text, [trick.span for trick in marked])
    spans = passages(honest)
    texts = [" ".join(span.of(honest).split()) for span in spans]
    vectors = encoder.encode(texts[: _within(texts, meaning_words)])
    where: dict[str, list[int]] = {}
    for place, text in enumerate(texts):
        for word in dict.fromkeys(words(text)):
            where.setdefault(word, []).append(place)
    held = {word: tuple(places) for word, places in where.items()}
    lines = tuple(said(text) for text in texts)
    return Profile(document, blinded, marked, withheld, understand(honest), spans, vectors, held, lines, runs(honest))


def without(text: str, spans: Sequence[Span]) -> str:
    """The text with line ends in the place of some spans; every offset stays what it was."""
    for span in spans:
        text = text[: span.start] + "\n" * (span.end - span.start) + text[span.end :]
    return text


def _within(texts: Sequence[str], bound: int) -> int:
    """How many of the first texts have no more words than the bound together; at least one."""
    total = 0
    for number, text in enumerate(texts):
        total += len(text.split())
        if total > bound:
            return max(number, 1)
    return len(texts)


class Profiles:
    """Makes profiles, and keeps the latest in memory by the hash of what the candidate gave. May be used from several threads.

    Parameters
    ----------
    bound
        How many are kept.
    """

    def __init__(self, encoder: PassageEncoder, meaning_words: int, bound: int) -> None:
        self._make: Callable[[Document], Profile] = lambda document: profile_of(document, encoder, meaning_words)
        self._bound = bound
        self._kept: OrderedDict[str, Profile] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, candidates: Sequence[Candidate]) -> list[tuple[str, Profile]]:
        """The hash of what each gave, and the profile, in order."""
        sources = [source_of(candidate) for candidate in candidates]
        with self._lock:
            found = {source: self._kept[source] for source in sources if source in self._kept}
        missing = {source: candidate for source, candidate in zip(sources, candidates, strict=True) if source not in found}
        found |= dict(zip(missing, self._new(list(missing.values())), strict=True))
        self._keep(found)
        return [(source, found[source]) for source in sources]

    def _new(self, candidates: Sequence[Candidate]) -> list[Profile]:
        """Read, understood and encoded side by side: files wait for their processes, and the encoder for no other thread."""
        if len(candidates) < 2:
            return [self._make(document_of(candidate)) for candidate in candidates]
        with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
            return list(pool.map(lambda candidate: self._make(document_of(candidate)), candidates))

    def _keep(self, profiles: Mapping[str, Profile]) -> None:
        with self._lock:
            for source, profile in profiles.items():
                self._kept[source] = profile
                self._kept.move_to_end(source)
            while len(self._kept) > self._bound:
                self._kept.popitem(last=False)
