"""What a resume took from the job word for word: a quick look whether anything was, and then which passages."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
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


_LEAST_WORDS = 6  # of a line that is the job's own, to be no coincidence by itself
_MOSTLY = 0.8  # of a passage's words, in one line of the job, once the resume is known to copy


def said(text: str) -> str:
    """The words of a passage, however it is written."""
    return " ".join(_WORD.findall(text.casefold()))


def is_telling(line: str) -> bool:
    """Whether a line is long enough that nobody writes it by chance."""
    return line.count(" ") + 1 >= _LEAST_WORDS


def copied_lines(lines: Sequence[str], job: Collection[str]) -> list[int]:
    """Places of the lines that are the job's, or nearly; for a resume that is known to copy."""
    known = [set(line.split()) for line in job]
    return [place for place, line in enumerate(lines) if line in job or _nearly(set(line.split()), known)]


def _nearly(words: set[str], known: Iterable[set[str]]) -> bool:
    return len(words) > 2 and any(len(words & other) >= _MOSTLY * len(words) for other in known)
