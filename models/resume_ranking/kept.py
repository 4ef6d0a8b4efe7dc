"""Understood resumes on disk, by the hash of what was given: a new process reads none of them again.

A file holds the blinded text and what was found in it, and never the original. It is known by the resume, by whatever has a say in how
it is understood (the code, the settings and the encoder), and by a hash of its own, so that neither a change nor damage is ever served.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from pydantic import TypeAdapter, ValidationError

from models.environment import environment
from models.resume_ranking.abuse import Trick
from models.resume_ranking.blinding import Blinded
from models.resume_ranking.profile import Profile
from models.resume_ranking.reading import Document
from models.resume_ranking.spans import Span
from models.resume_ranking.understanding import Resume

_HASH_BYTES = 32
_LENGTH_BYTES = 8
_PRUNE_EVERY = 256

_Tricks = tuple[Trick, ...]
_Said = tuple[Document, Blinded, _Tricks, _Tricks, Resume, tuple[Span, ...], dict[str, tuple[int, ...]], tuple[str, ...], tuple[int, int]]
_SAID: TypeAdapter[_Said] = TypeAdapter(_Said)


class KeptProfiles:
    """Profiles below FORETELL_HOME.

    Parameters
    ----------
    settings
        Whatever else has a say in a profile: another value finds none of the others' files.
    mib
        MiB that are kept, the oldest dropped first; 0: none.
    """

    def __init__(self, settings: str, mib: int) -> None:
        self._settings = settings
        self._bound = mib << 20
        self._writes = 0

    def get(self, source: str) -> Profile | None:
        """The profile of a resume, by the hash of what was given; ``None`` if it is not there, or damaged."""
        if not self._bound:
            return None
        try:
            content = self._path(source).read_bytes()
        except OSError:
            return None
        digest, data = content[:_HASH_BYTES], content[_HASH_BYTES:]
        return _profile(data) if hashlib.sha256(data).digest() == digest else None

    def put(self, source: str, profile: Profile) -> None:
        """Keep a profile; a full or read-only disk costs the next caller time, and nobody an answer.

        What could not be read is not kept: it may have been for want of time.
        """
        if not self._bound or not profile.document.readable:
            return
        data = _bytes(profile)
        path = self._path(source)
        part = path.with_name(f".{uuid4().hex}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(hashlib.sha256(data).digest() + data)
            part.replace(path)
            self._writes += 1
            if self._writes % _PRUNE_EVERY == 1:
                _prune(_folder(), self._bound)
        except OSError:
            part.unlink(missing_ok=True)

    def _path(self, source: str) -> Path:
        name = hashlib.sha256("\0".join([source, self._settings, _code()]).encode()).hexdigest()
        return _folder() / name[:2] / name


def _bytes(profile: Profile) -> bytes:
    """The length of the JSON, the JSON, and the two arrays."""
    document = replace(profile.document, text="", hidden="")
    found = (profile.tricks, profile.withheld, profile.resume, profile.passages, dict(profile.where), profile.lines)
    said = _SAID.dump_json((document, profile.blinded, *found, profile.vectors.shape))
    return len(said).to_bytes(_LENGTH_BYTES, "big") + said + profile.vectors.tobytes() + profile.runs.tobytes()


def _profile(data: bytes) -> Profile | None:
    end = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "big")
    try:
        document, blinded, tricks, withheld, resume, passages, where, lines, shape = _SAID.validate_json(data[_LENGTH_BYTES:end])
    except ValidationError:
        return None
    vectors = np.frombuffer(data, np.int8, shape[0] * shape[1], end).reshape(shape)
    runs = np.frombuffer(data[end + vectors.size :], np.uint64)
    return Profile(document, blinded, tricks, withheld, resume, passages, vectors, where, lines, runs)


def _folder() -> Path:
    return environment().home / "resumes"


@cache
def _code() -> str:
    """The hash of everything in this package, and so of how a resume is understood."""
    files = sorted(path for path in Path(__file__).parent.rglob("*") if path.suffix in (".py", ".txt"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


def _prune(folder: Path, bound: int) -> None:
    """Drop the oldest files until all together keep the bound."""
    entries: list[tuple[float, int, Any]] = []
    for inner in os.scandir(folder):
        if inner.is_dir():
            entries += [((stat := entry.stat()).st_mtime, stat.st_size, entry) for entry in os.scandir(inner)]
    total = sum(size for _, size, _ in entries)
    for _, size, entry in sorted(entries, key=lambda each: each[0]):
        if total <= bound:
            return
        Path(entry.path).unlink(missing_ok=True)
        total -= size
