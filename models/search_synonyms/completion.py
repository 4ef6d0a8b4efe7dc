r"""What somebody who has typed the beginning of a query may want to search for.

Offered are queries that at least k users searched, and that work more often than they fail. They are ordered by

.. math:: \frac{n_u(q) + \mu \, p(q)}{n_u + \mu}, \qquad p(q) = \frac{w(q)}{\sum_{q'} w(q')}

over the queries that begin so: :math:`n_u` counts the user's own searches among them, and w is the number of users times the Wilson lower
bound of the success rate. Whoever searched for something once is likely to search for it again; whoever did not gets what works
for most. What a user searched for alone is not offered even to that user: fewer than k know it.

References
----------
J. Teevan, E. Adar, R. Jones and M. Potts, "Information re-retrieval" (2007): up to 40% of searches repeat one's own.
Z. Bar-Yossef and N. Kraus, "Context-sensitive query auto-completion" (2011), section 3: completion by popularity.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.search_synonyms.rules import normal
from models.search_synonyms.texts import SortedTexts
from models.wilson import Z95

REPEATED = 0.4
MU = (1 - REPEATED) / REPEATED
"""With one search of one's own among the queries, its share is `REPEATED`."""

MOST = 50
"""Completions that can be asked for."""

MOST_REMEMBERED = 30
"""Queries of one user, the most frequent."""

_SCANNED = 2048
"""Queries that are ranked while the user waits; for beginnings of more, the best are known beforehand."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Completed(NamedTuple):
    """A query that begins as asked."""

    query: str
    share: float
    """Part of the searches that begin so which are expected to be this one, by this user."""
    mine: bool
    """Whether the user searched for it before."""


class Completions:
    """Completes queries.

    Parameters
    ----------
    queries
        Those that may be offered.
    users, searches, successes
        Of each: distinct users, their searches, and how many of these found something.
    people
        Who has a history.
    history
        Rows of (person, query, searches), as places in `people` and `queries`, in this order.
    """

    def __init__(self, queries: SortedTexts, users: Ints, searches: Ints, successes: Ints, people: SortedTexts, history: Ints) -> None:
        self.queries, self.people, self.history = queries, people, history
        self.users, self.searches, self.successes = users, searches, successes
        self._weight = users * wilson_lower(successes, searches)
        self._sums = np.concatenate([[0.0], np.cumsum(self._weight)])
        self._first = history[:, 0].searchsorted(np.arange(len(people) + 1))
        self._best = self._best_of_long_ranges()

    @classmethod
    def learned(
        cls,
        queries: Sequence[str],
        users: Ints,
        searches: Ints,
        successes: Ints,
        history: Iterable[tuple[str, str, int]] = (),
        *,
        k: int = 5,
        least_success: float = 0.5,
    ) -> Self:
        """Keep what may be offered.

        Parameters
        ----------
        queries
            Different normal queries, of which personal data was left out.
        users, searches, successes
            Of each.
        history
            Who searched for which query how often.
        k
            Distinct users below which a query is not offered.
        least_success
            Share of its searches that must have found something: 0.5 leaves out what usually fails.
        """
        offered = (users >= k) & (successes >= least_success * searches) & (successes > 0)
        order = sorted(np.flatnonzero(offered).tolist(), key=lambda place: queries[place].encode("utf-8", "replace"))
        texts = SortedTexts.of([queries[place] for place in order])
        people, rows = _remembered(history, {queries[place]: number for number, place in enumerate(order)})
        return cls(texts, users[order], searches[order], successes[order], people, rows)

    def complete(self, typed: str, user: str | None = None, limit: int = 10) -> list[Completed]:
        """Queries that begin as typed, the likeliest first; a space at the end of what was typed ends a word."""
        prefix = normal(typed)
        begin, end = self.queries.beginning(prefix + " " if prefix and typed[-1:].isspace() else prefix)
        own = {query: count for query, count in self._history(user).items() if begin <= query < end}
        total = self._sums[end] - self._sums[begin]
        searched = sum(own.values())
        scores = {
            query: (own.get(query, 0) + MU * (self._weight[query] / total)) / (searched + MU)
            for query in {*own, *self._most_popular(begin, end).tolist()}
        }
        best = sorted(scores, key=lambda query: (-scores[query], query))[: min(limit, MOST)]
        return [Completed(self.queries[query], min(1.0, float(scores[query])), query in own) for query in best]

    def without(self, person: str) -> Completions:
        """The same, with what one person searched forgotten; others' completions stay."""
        place = self.people.find(person)
        if place is None:
            return self
        names = [self.people[number] for number in range(len(self.people)) if number != place]
        kept = self.history[self.history[:, 0] != place]
        kept = np.column_stack([kept[:, 0] - (kept[:, 0] > place), kept[:, 1:]])
        return Completions(self.queries, self.users, self.searches, self.successes, SortedTexts.of(names), kept)

    def state(self) -> dict[str, NDArray[Any]]:
        """All of it as arrays; the inverse of `restored`."""
        counts = {"users": self.users, "searches": self.searches, "successes": self.successes, "history": self.history}
        return counts | self.queries.parts("queries") | self.people.parts("people")

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """The completions that gave a `state`."""
        queries, people = SortedTexts.restored(state, "queries"), SortedTexts.restored(state, "people")
        return cls(queries, state["users"], state["searches"], state["successes"], people, state["history"])

    def _history(self, user: str | None) -> dict[int, int]:
        place = None if user is None else self.people.find(user)
        if place is None:
            return {}
        rows = self.history[self._first[place] : self._first[place + 1]]
        return dict(rows[:, 1:].tolist())

    def _most_popular(self, begin: int, end: int) -> Ints:
        known = self._best.get((begin, end))
        return self._top(begin, end) if known is None else known

    def _top(self, begin: int, end: int) -> Ints:
        """Places of the greatest weights of a range, in no particular order; in doubt the first."""
        weights = self._weight[begin:end]
        if len(weights) <= MOST:
            return np.arange(begin, end)
        least = np.partition(weights, -MOST)[-MOST]
        above, equal = np.flatnonzero(weights > least), np.flatnonzero(weights == least)
        return begin + np.concatenate([above, equal[: MOST - len(above)]])

    def _best_of_long_ranges(self) -> dict[tuple[int, int], Ints]:
        best: dict[tuple[int, int], Ints] = {}
        ranges = [(0, len(self.queries), 0)]
        while ranges:
            begin, end, depth = ranges.pop()
            if end - begin > _SCANNED:
                best[begin, end] = self._top(begin, end)
                letters = self.queries.at(slice(begin, end), depth)
                cuts = [begin, *(begin + 1 + np.flatnonzero(np.diff(letters))).tolist(), end]
                ranges += [(left, right, depth + 1) for left, right in pairwise(cuts)]
        return best


def wilson_lower(successes: Ints, attempts: Ints) -> Floats:
    """`wilson_bounds`, the lower one, for arrays; there must be attempts."""
    share = successes / attempts
    spread = Z95 * np.sqrt(share * (1 - share) / attempts + Z95**2 / (4.0 * attempts * attempts))
    lower: Floats = np.maximum(0.0, (share + Z95**2 / (2 * attempts) - spread) / (1 + Z95**2 / attempts))
    return lower


def _remembered(history: Iterable[tuple[str, str, int]], places: Mapping[str, int]) -> tuple[SortedTexts, Ints]:
    """Who searched for what of the offered queries how often."""
    numbers, columns = dict[str, int](), array("q")
    for person, query, searches in history:
        place = places.get(query)
        if place is not None:
            columns.extend((numbers.setdefault(person, len(numbers)), place, searches))
    people = sorted(numbers, key=lambda person: person.encode("utf-8", "replace"))
    ranks = np.empty(len(people), dtype=np.int64)
    ranks[[numbers[person] for person in people]] = np.arange(len(people))
    counts = np.asarray(columns, dtype=np.int64).reshape(-1, 3)
    rows = pl.DataFrame({"person": ranks[counts[:, 0]], "place": counts[:, 1], "searches": counts[:, 2]})
    rows = rows.group_by("person", "place").agg(pl.col("searches").sum())
    rows = rows.sort("person", "searches", "place", descending=[False, True, False])
    rows = rows.filter(pl.int_range(pl.len()).over("person") < MOST_REMEMBERED)
    return SortedTexts.of(people), rows.select("person", "place", "searches").to_numpy().astype(np.int64)
