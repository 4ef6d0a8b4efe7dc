r"""Words, pairs of words and pieces of words as a sparse TF-IDF vector.

The weight of a feature that stands :math:`f` times in a text, and in :math:`d` of :math:`n` training texts, is
:math:`(1 + \ln f)\,(1 + \ln\frac{1 + n}{1 + d})`. Words and pieces are brought to unit length apart. A feature that training never saw
counts in the length with :math:`d = 0`: a text of unknown words has a short vector, and so a low score, and so little confidence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Self

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from models.intent.text import pieces, words

Ids = NDArray[np.intp]
Floats = NDArray[np.float32]

MAX_WORDS = 60_000
MAX_PIECES = 60_000
"""The most frequent ones are kept: bounds the model whatever is written."""

_CACHED_WORDS = 50_000
_ONE_TEXT = 0.9
"""Between ln 2, by which the idf of a feature in one text is below the unknown one, and ln 3."""


@dataclass(frozen=True)
class Sparse:
    """A text's vector: values at places, how often each feature stands there, and the words it came from."""

    ids: Ids
    values: Floats
    counts: Ids
    tokens: list[str]


@dataclass(frozen=True)
class Vocabulary:
    """The features of the training texts.

    Parameters
    ----------
    words, pieces
        The place of each word or pair of words, and of each piece; pieces come after words.
    idf
        Inverse document frequency by place.
    unknown_idf
        That of a feature in no training text.
    """

    words: dict[str, int]
    pieces: dict[str, int]
    idf: Floats
    unknown_idf: float
    _seen: dict[str, tuple[list[int], int]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """The features of readable texts; a piece must be in two of them."""
        terms: Counter[str] = Counter()
        parts: Counter[str] = Counter()
        for text in texts:
            tokens = words(text)
            terms.update({*tokens, *_pairs(tokens)})
            parts.update({piece for token in set(tokens) for piece in pieces(token)})
        kept = _most_frequent(terms, 1, MAX_WORDS), _most_frequent(parts, 2, MAX_PIECES)
        places = [{name: start + place for place, name in enumerate(names)} for names, start in zip(kept, (0, len(kept[0])), strict=True)]
        counts = np.array([*(terms[name] for name in kept[0]), *(parts[name] for name in kept[1])])
        unknown = 1 + np.log1p(len(texts))
        return cls(places[0], places[1], (unknown - np.log1p(counts)).astype(np.float32), float(unknown))

    def dump(self) -> dict[str, Any]:
        """The features as JSON, in the order of their places."""
        return {"words": list(self.words), "pieces": list(self.pieces), "unknown_idf": self.unknown_idf}

    @classmethod
    def restore(cls, names: dict[str, Any], idf: Floats) -> Self:
        """From what `dump` gave."""
        words = {name: place for place, name in enumerate(names["words"])}
        pieces = {name: place for place, name in enumerate(names["pieces"], start=len(words))}
        return cls(words, pieces, idf, names["unknown_idf"])

    def __len__(self) -> int:
        return len(self.idf)

    def vector(self, readable_text: str, *, left_out: bool = False) -> Sparse:
        """The vector of a readable text.

        With ``left_out`` the text is one of the training texts, and is seen as if it were not: what stands in no other is unknown.
        """
        tokens = words(readable_text)
        terms = [*tokens, *_pairs(tokens)]
        places = [place for term in terms if (place := self.words.get(term)) is not None]
        parts: list[int] = []
        unknown_words, unknown_pieces = len(terms) - len(places), 0
        for token in tokens:
            known, unknown = self._pieces(token)
            parts += known
            unknown_pieces += unknown
        found = Counter(places), Counter(parts)  # of so few, faster than by numpy
        n_words = len(found[0])
        ids = np.array([*found[0], *found[1]], dtype=np.intp)
        counts = np.array([*found[0].values(), *found[1].values()], dtype=np.intp)
        if left_out:
            elsewhere = self.idf[ids] < self.unknown_idf - _ONE_TEXT
            unknown_words += int(np.count_nonzero(~elsewhere[:n_words]))
            unknown_pieces += int(np.count_nonzero(~elsewhere[n_words:]))
            n_words = int(np.count_nonzero(elsewhere[:n_words]))
            ids, counts = ids[elsewhere], counts[elsewhere]
        values = (1 + np.log(counts)).astype(np.float32) * self.idf[ids]
        for half, unknown in ((values[:n_words], unknown_words), (values[n_words:], unknown_pieces)):
            half /= np.float32(max(2 * (float(half @ half) + unknown * self.unknown_idf**2), 1e-12) ** 0.5)
        return Sparse(ids, values, counts, tokens)

    def matrix(self, texts: Sequence[str], *, left_out: bool = False) -> scipy.sparse.csr_matrix:
        """The vectors of readable texts as rows."""
        vectors = [self.vector(text, left_out=left_out) for text in texts]
        starts = np.cumsum([0, *(len(vector.ids) for vector in vectors)])
        ids = np.concatenate([np.zeros(0, dtype=np.intp), *(vector.ids for vector in vectors)])
        values = np.concatenate([np.zeros(0, dtype=np.float32), *(vector.values for vector in vectors)])
        return scipy.sparse.csr_matrix((values, ids, starts), shape=(len(vectors), len(self)))

    def places_of(self, token: str) -> list[int]:
        """The places of a word itself and of its pieces."""
        own = self.words.get(token)
        return [*([] if own is None else [own]), *self._pieces(token)[0]]

    def _pieces(self, token: str) -> tuple[list[int], int]:
        """Places of a word's known pieces, and how many are unknown; remembered, since words come again and again."""
        found = self._seen.get(token)
        if found is None:
            cut = pieces(token)
            known = [place for piece in cut if (place := self.pieces.get(piece)) is not None]
            found = known, len(cut) - len(known)
            if len(self._seen) < _CACHED_WORDS:
                self._seen[token] = found
        return found


def _pairs(tokens: Sequence[str]) -> Iterable[str]:
    return [f"{left} {right}" for left, right in pairwise(tokens)]


def _most_frequent(counts: Counter[str], at_least: int, most: int) -> list[str]:
    found = [name for name, count in counts.items() if count >= at_least]
    return sorted(sorted(found, key=lambda name: (-counts[name], name))[:most])
