"""Vectors of passages as whole numbers: what is computed from them is the same to the last digit, in any order, on any machine."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from models.encoder import Encoder
from models.resume_ranking.records import UNIT

Vectors = NDArray[np.int8]

SCALE = 400
"""Steps of a coordinate, in a unit: no coordinate of 6,391 passages of resumes reached 127 of them, and a cosine moves by about .0007."""


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
    """Encodes passages; the vector of one depends on no other passage of the call, not even in the last digit."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One vector per text."""
        return whole(self.encoder.encode(texts, exact=True)) if texts else np.zeros((0, self.encoder.dimension), np.int8)

    def encode_each(self, groups: Sequence[Sequence[str]]) -> list[Vectors]:
        """One vector per text of each group; what several say is encoded once."""
        place = {text: number for number, text in enumerate(dict.fromkeys(chain.from_iterable(groups)))}
        vectors = self.encode(list(place))
        return [vectors[[place[text] for text in texts]] for texts in groups]
