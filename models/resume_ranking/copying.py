"""A quick look whether two texts share a run of words, before a slow one says which."""

from __future__ import annotations

import re
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from models.resume_ranking.abuse import COPIED_WORDS

_WORD = re.compile(r"[^\W_]+")

Runs = NDArray[np.uint64]


def runs(text: str) -> Runs:
    """Every run of `COPIED_WORDS` words of a text, as sorted hashes.

    Each word counts by its place in the run, so the hash of a run is a sum over a window of the hashes of words.
    """
    hashes = np.array([crc32(word.encode("utf-8", "replace")) for word in _WORD.findall(text.casefold())], dtype=np.uint64)
    length = len(hashes) - COPIED_WORDS + 1
    if length < 1:
        return np.zeros(0, np.uint64)
    total = np.zeros(length, np.uint64)
    for place in range(COPIED_WORDS):
        total = total * np.uint64(0x9E3779B97F4A7C15) + hashes[place : place + length]
    return np.unique(total)


def may_share(one: Runs, other: Runs) -> bool:
    """``False`` only if no run of words is in both."""
    return bool(np.isin(one, other, assume_unique=True).any())
