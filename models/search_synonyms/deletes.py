"""Words near a word, by symmetric deletion: two words within some edits share a string that both reach by deleting letters.

SymSpell keeps these strings as keys of a dictionary. Here each is a 32-bit hash beside the number of its word, in one sorted array:
a lookup hashes the variants of a word at once and finds them by bisection. A few collisions cost a comparison, never an answer.

References
----------
W. Garbe, "1000x faster spelling correction algorithm" (2012), https://wolfgarbe.medium.com/1000x-faster-spelling-correction-7d4ef8e7a6b3.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

PREFIX = 7
"""Letters of a word that are indexed, as in SymSpell: later ones add many variants and few answers."""

MAX_DELETES = 2

_KEPT = [
    [place for place in range(PREFIX) if place not in dropped] + [PREFIX] * deletes
    for deletes in range(MAX_DELETES + 1)
    for dropped in combinations(range(PREFIX), deletes)
]
_PLACES = np.array(_KEPT)  # of shape (variants, PREFIX); place PREFIX holds a zero
_DELETED = (_PLACES == PREFIX).sum(axis=1)
_FACTORS = np.array([pow(0x9E3779B97F4A7C15, power + 1, 2**64) for power in range(PREFIX)], dtype=np.uint64)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_CHUNK = 8192


class Deletes:
    """Finds the words that may be within some edits of a word.

    Parameters
    ----------
    words
        Are numbered in this order.
    deletes
        Letters that may be deleted from either side: finds all words within as many edits of a word of at most `PREFIX` letters.
    """

    def __init__(self, words: Sequence[str], deletes: int = MAX_DELETES) -> None:
        self._variants = _PLACES[deletes >= _DELETED]
        chunks = [self._entries(words, start) for start in range(0, len(words), _CHUNK)]
        entries = np.unique(np.concatenate(chunks)) if chunks else np.empty(0, dtype=np.uint64)
        self._hashes = (entries >> np.uint64(32)).astype(np.uint32)
        self._numbers = entries.astype(np.uint32)

    @property
    def nbytes(self) -> int:
        """Memory of the index."""
        return self._hashes.nbytes + self._numbers.nbytes

    def near(self, word: str) -> list[int]:
        """Numbers of the words that share a variant with this one, ascending."""
        hashes = self._hash(_codes([word]))[0]
        begins = self._hashes.searchsorted(hashes).tolist()
        ends = self._hashes.searchsorted(hashes, "right").tolist()
        found: set[int] = set()
        for begin, end in zip(begins, ends, strict=True):
            if end > begin:
                found.update(self._numbers[begin:end].tolist())
        return sorted(found)

    def _entries(self, words: Sequence[str], start: int) -> NDArray[np.uint64]:
        chunk = words[start : start + _CHUNK]
        hashes = self._hash(_codes(chunk)).astype(np.uint64)
        numbers = np.arange(start, start + len(chunk), dtype=np.uint64)[:, None]
        return np.unique(hashes << np.uint64(32) | numbers)

    def _hash(self, codes: NDArray[np.uint64]) -> NDArray[np.uint32]:
        """Array of shape (words, variants)."""
        mixed = (codes[:, self._variants] * _FACTORS).sum(axis=2, dtype=np.uint64)
        mixed = (mixed ^ (mixed >> np.uint64(29))) * _MIX
        hashes: NDArray[np.uint32] = (mixed >> np.uint64(32)).astype(np.uint32)
        return hashes


def _codes(words: Sequence[str]) -> NDArray[np.uint64]:
    """Code points of the first `PREFIX` letters, of shape (words, PREFIX + 1), filled up with zeros."""
    codes = np.zeros((len(words), PREFIX + 1), dtype=np.uint64)
    for row, word in enumerate(words):
        letters = [ord(letter) for letter in word[:PREFIX]]
        codes[row, : len(letters)] = letters
    return codes
