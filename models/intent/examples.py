"""Training examples that an answer can show: the landmarks, with their texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from models.intent.records import OUT_OF_SCOPE, Neighbour
from models.intent.vocabulary import Floats, Ids, Sparse, Vocabulary

PER_INTENT = 40
"""Examples of an intent that the fast tier compares with; more would cost more time than its answer."""

_FEW = 200
"""So many are sorted sooner than parted."""


@dataclass(frozen=True)
class Examples:
    """Readable texts with the place of their intent in `intents`, or -1 out of scope."""

    texts: Sequence[str]
    codes: NDArray[np.intp]
    intents: Sequence[str]

    def nearest(self, cosines: NDArray[np.float32], most: int) -> tuple[Neighbour, ...]:
        """The most similar examples, given the similarity to each."""
        return tuple(self.neighbour(place, float(cosines[place])) for place in _greatest(cosines, most))

    def neighbour(self, place: int, similarity: float) -> Neighbour:
        """An example as it is shown."""
        code = int(self.codes[place])
        return Neighbour(text=self.texts[place], intent=self.intents[code] if code >= 0 else OUT_OF_SCOPE, similarity=similarity)

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return {"intents": list(self.intents), "texts": list(self.texts), "codes": self.codes.tolist()}

    @classmethod
    def restore(cls, values: dict[str, Any]) -> Self:
        """From what `dump` gave."""
        return cls(values["texts"], np.array(values["codes"], dtype=np.intp), values["intents"])


class _Compared(NamedTuple):
    """Examples of one intent: their places, their vectors as rows, and the feature of each column; the last column is of none."""

    places: Ids
    vectors: scipy.sparse.csr_matrix
    features: Ids


class ByWords:
    """The first examples of each intent, compared by words."""

    def __init__(self, examples: Examples, vocabulary: Vocabulary) -> None:
        self._examples = examples
        self._of = [
            self._vectors(np.flatnonzero(examples.codes == intent)[:PER_INTENT], vocabulary) for intent in range(len(examples.intents))
        ]

    def _vectors(self, places: Ids, vocabulary: Vocabulary) -> _Compared:
        whole = vocabulary.matrix([self._examples.texts[place] for place in places])
        features, columns = np.unique(whole.indices, return_inverse=True)
        vectors = scipy.sparse.csr_matrix((whole.data, columns, whole.indptr), shape=(len(places), len(features) + 1))
        return _Compared(places, vectors, np.append(features, len(vocabulary)).astype(np.intp))

    def cosines(self, intent: int, sparse: Sparse) -> Floats:
        """Similarity to each of the examples of one intent."""
        compared = self._of[intent]
        at = compared.features.searchsorted(sparse.ids)
        shared = compared.features[at] == sparse.ids
        query = np.zeros(len(compared.features), dtype=np.float32)
        query[at[shared]] = sparse.values[shared]
        similar: Floats = compared.vectors @ query
        return similar

    def nearest(self, intent: int, cosines: Floats, most: int) -> tuple[Neighbour, ...]:
        """The most similar examples of one intent, given the similarity to each."""
        places = self._of[intent].places
        return tuple(self._examples.neighbour(int(places[at]), float(cosines[at])) for at in _greatest(cosines, most))


def _greatest(cosines: Floats, most: int) -> list[int]:
    """Places of the greatest, of equals the first; without sorting all of them."""
    places = np.arange(len(cosines))
    if _FEW < len(cosines) > most > 0:
        places = np.flatnonzero(cosines >= np.partition(cosines, -most)[-most])
    found: list[int] = places[np.argsort(-cosines[places], kind="stable")[:most]].tolist()
    return found
