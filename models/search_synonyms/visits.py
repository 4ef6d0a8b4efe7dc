"""Visits, and what came of each search in them; without bots."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from models.search_synonyms.records import SearchSynonymsConfig
from models.search_synonyms.searches import Ints, Searches, Times

Failure = Literal["no_results", "scrolled", "bounced", "abandoned"]
"""Nothing was found; results were looked through and none was clicked; a click was left at once; nothing was clicked."""

FAILURES = get_args(Failure)
UNKNOWN, SUCCESS = -2, -1

SECOND = 1_000_000
HOUR = 3600 * SECOND

FEW_QUERIES, MANY_SEARCHES = 0.08, 60
"""A bot searches `MANY_SEARCHES` times and more, and less than this share of its queries differ: people seldom repeat one 12 times."""

STEADY, STEADY_SEARCHES = 0.1, 30
"""A bot searches at intervals whose standard deviation is below this share of their mean; people's are about as great as the mean."""

PORTION = 500_000
"""Searches that are looked through for bots at a time, to save memory; a person is never cut in two."""

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Visits:
    """Searches ordered by visit and time; the same query in a row, as when paging, is one search.

    Parameters
    ----------
    person
        Who: of rows without a user every session is somebody.
    visit
        Ascending numbers.
    at, until
        First and last time of the search, in microseconds since 1970.
    query, source
        As in `Searches`.
    outcome
        `SUCCESS`, `UNKNOWN`, or a place in `FAILURES`.
    docs_of, doc
        Clicked documents of the searches that succeeded.
    bots
        How many persons were left out as bots.
    """

    person: Ints
    visit: Ints
    at: Times
    until: Times
    query: Ints
    source: Ints
    outcome: NDArray[np.int8]
    docs_of: Ints
    doc: Ints
    bots: int

    def __len__(self) -> int:
        return len(self.at)

    @property
    def failed(self) -> Bools:
        """Which searches failed."""
        return np.asarray(self.outcome >= 0)

    @property
    def succeeded(self) -> Bools:
        """Which searches found something to click."""
        return np.asarray(self.outcome == SUCCESS)

    @property
    def weeks(self) -> float:
        """Time from the first to the last search, a day at least."""
        return max(float(self.at.max() - self.at.min()) / HOUR / 24, 1.0) / 7 if len(self) else 1.0


def users_by_query(query: Ints, person: Ints, queries: int) -> NDArray[np.int64]:
    """Distinct users of each of so many queries; by sorting, which needs a tenth of the memory that hashing would."""
    pairs = query.astype(np.int64) << 32 | person
    pairs.sort()
    return np.bincount(pairs[np.diff(pairs, prepend=-1) != 0] >> 32, minlength=queries)


def visits(searches: Searches, config: SearchSynonymsConfig) -> Visits:
    """Order searches by visit, merge repeats, leave bots out, and say what came of each search."""
    person = _persons(searches)
    order = np.lexsort((searches.at, np.where(searches.session >= 0, searches.session, -1), person))
    person, at = person[order], searches.at[order]
    bot = _bots(person, at, searches.query[order], config.max_searches_per_hour)
    kept = ~bot[person]
    order, person, at = order[kept], person[kept], at[kept]
    session, query = searches.session[order], searches.query[order]
    gap = round(config.session_gap_minutes * 60 * SECOND)
    ends = (np.diff(person) != 0) | (np.diff(session) != 0) | ((session[1:] < 0) & (np.diff(at) > gap))
    visit = np.concatenate(([0], np.cumsum(ends))).astype(np.int32)[: len(at)]
    first = np.flatnonzero(np.concatenate(([True], (np.diff(visit) != 0) | (np.diff(query) != 0)))[: len(at)])
    return _judged(searches, config, order, first, person[first], visit[first], at, int(bot.sum()))


def _judged(
    searches: Searches,
    config: SearchSynonymsConfig,
    order: NDArray[Any],
    first: NDArray[Any],
    person: Ints,
    visit: Ints,
    at: Times,
    bots: int,
) -> Visits:
    """One search for each run of rows that begins at `first`, with what came of it."""
    if not len(first):
        nothing = np.empty(0, dtype=np.int32)
        none = np.empty(0, dtype=np.int64)
        return Visits(nothing, nothing, none, none, nothing, nothing, nothing.astype(np.int8), nothing, nothing, bots)
    until = at[np.concatenate((first[1:], [len(at)])) - 1]
    clicks = np.maximum.reduceat(searches.clicks[order], first)
    results = np.maximum.reduceat(searches.results[order], first)
    scrolled = np.maximum.reduceat(searches.scrolled[order], first)
    dwell = np.fmax.reduceat(searches.dwell[order], first)
    same_visit = np.concatenate((np.diff(visit) == 0, [False]))
    until_next = np.where(same_visit, np.concatenate((at[first][1:], [0])) - until, np.iinfo(np.int64).max)
    shortest = config.bounce_seconds
    bounced = np.where(np.isnan(dwell), until_next < shortest * SECOND, dwell < shortest)
    outcome = np.select(
        [clicks < 0, (clicks > 0) & ~bounced, clicks > 0, results == 0, scrolled == 1],
        [UNKNOWN, SUCCESS, FAILURES.index("bounced"), FAILURES.index("no_results"), FAILURES.index("scrolled")],
        default=FAILURES.index("abandoned"),
    ).astype(np.int8)
    outcome[(clicks < 0) & (results == 0)] = FAILURES.index("no_results")
    docs_of, doc = _documents(searches, order, first, outcome == SUCCESS)
    query, source = searches.query[order][first], searches.source[order][first]
    return Visits(person, visit, at[first], until, query, source, outcome, docs_of, doc, bots)


def _documents(searches: Searches, order: NDArray[Any], first: NDArray[Any], succeeded: Bools) -> tuple[Ints, Ints]:
    merged = np.full(len(searches), -1, dtype=np.int32)
    merged[order] = np.repeat(np.arange(len(first), dtype=np.int32), np.diff(np.concatenate((first, [len(order)]))))
    docs_of = merged[searches.docs_of]
    kept = (docs_of >= 0) & succeeded[docs_of]
    return docs_of[kept], searches.doc[kept]


def _persons(searches: Searches) -> Ints:
    """Users, and sessions where there is no user."""
    persons = int(searches.person.max(initial=-1)) + 1
    return np.where(searches.person >= 0, searches.person, persons + searches.session).astype(np.int32)


def _bots(person: Ints, at: Times, query: Ints, per_hour: int) -> Bools:
    """Which persons search faster, more steadily or more of the same than people do; rows are sorted by person."""
    bots = np.zeros(int(person.max(initial=-1)) + 1, dtype=bool)
    begins = np.flatnonzero(np.diff(person, prepend=-1))
    cuts = begins[np.searchsorted(begins, range(0, len(person), PORTION), "right") - 1].tolist()
    for start, end in pairwise([*dict.fromkeys(cuts), len(person)]):
        rows, lowest = slice(start, end), int(person[start])
        found = _bots_among(person[rows] - lowest, at[rows], query[rows], per_hour)
        bots[lowest : lowest + len(found)] = found
    return bots


def _bots_among(person: Ints, at: Times, query: Ints, per_hour: int) -> Bools:
    bot = np.zeros(int(person.max(initial=-1)) + 1, dtype=bool)
    order = np.lexsort((at, person))
    who, when = person[order], at[order]
    if len(who) > per_hour:
        fast = (who[per_hour:] == who[:-per_hour]) & (when[per_hour:] - when[:-per_hour] < HOUR)
        bot[who[per_hour:][fast]] = True
    searched = np.bincount(who, minlength=len(bot))
    pairs = np.unique(person.astype(np.int64) << 32 | query)
    different = np.bincount(pairs >> 32, minlength=len(bot))
    bot |= (searched >= MANY_SEARCHES) & (different < FEW_QUERIES * searched)
    waits = np.diff(when) / SECOND
    inside = (np.diff(who) == 0) & (waits < 3600)
    of, waits = who[1:][inside], waits[inside]
    count = np.maximum(np.bincount(of, minlength=len(bot)), 1)
    mean = np.bincount(of, waits, minlength=len(bot)) / count
    variance = np.bincount(of, waits**2, minlength=len(bot)) / count - mean**2
    steady: Bools = (count >= STEADY_SEARCHES) & (np.sqrt(np.maximum(variance, 0)) < STEADY * mean)
    return bot | steady
