"""How searches for a phrase go, whatever else is in the query: how many, with what success, and which documents are clicked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.search_synonyms.visits import FAILURES, Visits

LONGEST = 6
"""Words of the longest phrase that is looked for inside queries."""

Floats = NDArray[np.float64]
Matrix = Any
"""A scipy CSR array; scipy has no types."""


class Phrases:
    """Statistics of chosen phrases.

    Parameters
    ----------
    chosen
        The phrases to count.

    Attributes
    ----------
    number
        Row of each phrase in the arrays.
    searches, successes, nothing, users
        Searches for queries with the phrase; how many had a click, how many had no result; distinct users.
    clicks
        CSR of shape (phrases, documents): how often each document was clicked.
    """

    def __init__(self, visits: Visits, queries: Sequence[str], chosen: Collection[str]) -> None:
        self.number = {phrase: place for place, phrase in enumerate(sorted(chosen))}
        used, place = np.unique(visits.query, return_inverse=True)
        holds = self._containing([queries[query] for query in used.tolist()])
        totals = [
            np.bincount(place, weights, minlength=len(used))
            for weights in (None, visits.succeeded, visits.outcome == FAILURES.index("no_results"))
        ]
        self.searches, self.successes, self.nothing = (holds @ total for total in totals)
        documents = int(visits.doc.max(initial=-1)) + 1
        clicked = sparse.csr_array((np.ones(len(visits.doc)), (place[visits.docs_of], visits.doc)), shape=(len(used), documents))
        self.clicks = (holds @ clicked).tocsr()
        self.users = _users(holds, place, visits.person)

    def overlap(self, left: str, right: str) -> float:
        """Cosine of the documents that are clicked for two phrases; NaN if one of them has fewer than three clicks."""
        a, b = (self.clicks[[self.number[phrase]]] for phrase in (left, right))
        if a.sum() < 3 or b.sum() < 3:
            return float("nan")
        return float((a @ b.T).sum() / np.sqrt((a * a).sum() * (b * b).sum()))

    def _containing(self, queries: Sequence[str]) -> Matrix:
        """Which phrase is in which query: CSR of shape (phrases, queries)."""
        rows: list[int] = []
        columns: list[int] = []
        for column, query in enumerate(queries):
            words = query.split()
            inside = {
                number
                for start in range(len(words))
                for end in range(start + 1, min(start + LONGEST, len(words)) + 1)
                if (number := self.number.get(" ".join(words[start:end]))) is not None
            }
            rows += inside
            columns += [column] * len(inside)
        return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(self.number), len(queries)))


def _users(holds: Matrix, place: NDArray[Any], person: NDArray[Any]) -> NDArray[Any]:
    """Distinct users of each phrase: of the queries with it."""
    inside = np.diff(holds.tocsc().indptr)[place] > 0  # most queries of a long tail hold no phrase
    pairs = place[inside].astype(np.int64) << 32 | person[inside]
    pairs.sort()
    pairs = pairs[np.diff(pairs, prepend=-1) != 0]
    asked = sparse.csr_array(
        (np.ones(len(pairs), dtype=bool), (pairs >> 32, pairs & 0xFFFFFFFF)), shape=(holds.shape[1], int(person.max(initial=0)) + 1)
    )
    return np.array([len(np.unique(asked[holds.indices[start:end]].indices)) for start, end in pairwise(holds.indptr)])
