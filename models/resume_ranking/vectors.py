"""Vectors of passages as whole numbers: what is computed from them is the same to the last digit, in any order, on any machine."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from models.encoder import Encoder
from models.environment import environment
from models.resume_ranking.records import UNIT

Vectors = NDArray[np.int8]

SCALE = 400
"""Steps of a coordinate, in a unit: no coordinate of 6,391 passages of resumes reached 127 of them, and a cosine moves by about .0007."""

_HASH_BYTES = 32
_PRUNE_EVERY = 256


def whole(vectors: NDArray[np.float32]) -> Vectors:
    """Unit vectors in steps of 1 / `SCALE`."""
    return np.clip(np.rint(vectors * SCALE), -127, 127).astype(np.int8)


def cosines(left: Vectors, right: Vectors) -> NDArray[np.int64]:
    """Cosine similarity in millionths, of shape (left, right).

    Sums of 384 products of at most 127 squared stay below 2**24, so 32-bit floats hold them exactly, whatever the order of adding.
    """
    dots = left.astype(np.float32) @ right.astype(np.float32).T
    return np.rint(dots.astype(np.float64) * (UNIT / SCALE**2)).astype(np.int64)


def whole_cosine(passages: Vectors, other: Vectors) -> int:
    """Cosine of the sum of `passages` to one vector, in millionths; 0 without passages."""
    total = passages.sum(axis=0, dtype=np.int64)
    length = float(np.sqrt(float(total @ total)) * np.sqrt(float(np.square(other, dtype=np.int64).sum())))
    return round(UNIT * int(total @ other.astype(np.int64)) / length) if length else 0


class PassageEncoder:
    """Encodes the passages of one resume at a time, and remembers them on disk by the hash of what was encoded.

    One resume is one call of the encoder: its vectors then depend on no other resume, not even in the last digit.

    Parameters
    ----------
    disk_mib
        MiB of vectors that are kept below FORETELL_HOME, the oldest dropped first; 0: none.
    """

    def __init__(self, encoder: Encoder, disk_mib: int) -> None:
        self.encoder = encoder
        self._bound = disk_mib << 20
        self._writes = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One vector per text."""
        if not texts:
            return np.zeros((0, self.encoder.dimension), np.int8)
        if not self._bound:
            return whole(self.encoder.encode(texts))
        name = hashlib.sha256("\0".join([self.encoder.sha256, *texts]).encode("utf-8", "surrogatepass")).hexdigest()
        path = _folder() / name[:2] / name
        known = _read(path, (len(texts), self.encoder.dimension))
        if known is not None:
            return known
        vectors = whole(self.encoder.encode(texts))
        self._write(path, vectors)
        return vectors

    def _write(self, path: Path, vectors: Vectors) -> None:
        """Keep vectors; a full or read-only disk costs the next caller time, and nobody an answer."""
        data = vectors.tobytes()
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


def _folder() -> Path:
    return environment().home / "passages"


def _read(path: Path, shape: tuple[int, int]) -> Vectors | None:
    """What is remembered; ``None`` if it is nothing, or damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, data = content[:_HASH_BYTES], content[_HASH_BYTES:]
    sound = len(data) == shape[0] * shape[1] and hashlib.sha256(data).digest() == digest
    return np.frombuffer(data, np.int8).reshape(shape) if sound else None


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
