"""The fast tier's classifier: one linear support vector machine per intent over words and pieces.

References
----------
Joachims (1998), Text categorization with support vector machines. Fan et al. (2008), LIBLINEAR.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.intent.vocabulary import Floats, Sparse, Vocabulary


@dataclass(frozen=True)
class Words:
    """A linear score per intent.

    Parameters
    ----------
    vocabulary
        What the vectors are made of.
    weights
        Of shape (features, intents), in half precision: all that a score needs.
    bias
        One per intent.
    """

    vocabulary: Vocabulary
    weights: NDArray[np.float16]
    bias: Floats

    def scores(self, sparse: Sparse) -> Floats:
        """One score per intent: +1 and -1 are the margins of the machine."""
        return sparse.values @ self.weights[sparse.ids].astype(np.float32) + self.bias

    def contributions(self, sparse: Sparse, intent: int) -> dict[str, float]:
        """How far each word of the text speaks for an intent, against the mean intent; pairs of words are left out."""
        rows = self.weights[sparse.ids].astype(np.float32)
        parts = sparse.values * (rows[:, intent] - rows.mean(axis=1))
        tokens = list(dict.fromkeys(sparse.tokens))
        places = [self.vocabulary.places_of(token) for token in tokens]
        at = np.searchsorted(sparse.ids, np.fromiter((place for found in places for place in found), dtype=np.intp))
        owner = np.repeat(np.arange(len(tokens)), [len(found) for found in places])
        share = parts[at] / np.bincount(at, minlength=len(parts))[at]  # words that have a piece in common share what it says
        return dict(zip(tokens, np.bincount(owner, weights=share, minlength=len(tokens)).tolist(), strict=True))

    @classmethod
    def restore(cls, names: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Self:
        """From what the vocabulary's `dump` and `arrays` gave."""
        return cls(Vocabulary.restore(names, arrays["idf"]), arrays["weights"], arrays["bias"])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The numbers as arrays."""
        return {"idf": self.vocabulary.idf, "weights": self.weights, "bias": self.bias}
