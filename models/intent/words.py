"""The fast tier's classifier: one linear support vector machine per intent over words and pieces.

References
----------
Joachims (1998), Text categorization with support vector machines. Fan et al. (2008), LIBLINEAR.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.intent.vocabulary import Floats, Sparse, Vocabulary


@dataclass(frozen=True)
class Words:
    """A linear score per intent, and one of being out of scope.

    Parameters
    ----------
    vocabulary
        What the vectors are made of.
    weights
        Of shape (features, intents + 1); kept on disk in half precision, which is all that a score needs, and widened once.
    bias
        One per intent, and one more.
    """

    vocabulary: Vocabulary
    weights: Floats
    bias: Floats

    @cached_property
    def usual(self) -> Floats:
        """What a feature says for the mean intent."""
        means: Floats = self.weights[:, :-1].mean(axis=1)
        return means

    def scores(self, sparse: Sparse) -> Floats:
        """One score per intent, and last that of being out of scope: +1 and -1 are the margins of the machine."""
        return sparse.values @ self.weights[sparse.ids] + self.bias

    def contributions(self, sparse: Sparse, intent: int) -> dict[str, float]:
        """How far each word of the text speaks for an intent, against the mean intent; pairs of words are left out."""
        ids = sparse.ids
        parts = sparse.values * (self.weights[ids, intent] - self.usual[ids]) / sparse.counts  # words that share a piece share what it says
        part_of = dict(zip(ids.tolist(), parts.tolist(), strict=True)).__getitem__
        return {token: times * sum(map(part_of, self.vocabulary.places_of(token))) for token, times in Counter(sparse.tokens).items()}

    @classmethod
    def restore(cls, names: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Self:
        """From what the vocabulary's `dump` and `arrays` gave."""
        return cls(Vocabulary.restore(names, arrays["idf"]), arrays["weights"].astype(np.float32), arrays["bias"])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The numbers as arrays."""
        return {"idf": self.vocabulary.idf, "weights": self.weights.astype(np.float16), "bias": self.bias}
