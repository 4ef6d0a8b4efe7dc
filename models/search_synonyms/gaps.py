"""Content gaps: what people look for and no other query finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from models.search_synonyms.records import Gap
from models.search_synonyms.visits import FAILURES, Visits, users_by_query
from models.search_synonyms.words import stem

SELDOM_FOUND = 0.2
"""A topic is a gap if fewer of its searches than this succeed: one in five may be a click in despair."""

MOST_QUERIES = 10
LONGEST = 3


@dataclass(frozen=True)
class _Query:
    text: str
    users: int
    searches: int
    successes: int
    lost: int
    nothing: int


def content_gaps(
    visits: Visits, tried: pl.DataFrame, queries: Sequence[str], k: int, mended: Callable[[str], bool], public: Callable[[str], bool]
) -> list[Gap]:
    """Topics whose searches fail and are not mended, most lost searches first.

    A topic is a phrase, in any of its word forms, that hardly any query with it gets over: hammock for red hammock and hammocks.

    Parameters
    ----------
    tried
        From `pairs.attempts`.
    k
        Distinct users that a query needs to be shown.
    mended
        Whether a rule offers something else for a query.
    public
        Whether a query may be shown.
    """
    asked = [one for one in _asked(visits, tried, queries, k) if public(one.text)]
    by_phrase: dict[tuple[str, ...], list[_Query]] = {}
    for one in asked:
        for phrase in _phrases(one.text):
            by_phrase.setdefault(phrase, []).append(one)
    gaps, taken = [], set[str]()
    for phrase in sorted(by_phrase, key=lambda phrase: (-sum(one.lost for one in by_phrase[phrase]), len(phrase), phrase)):
        whole = by_phrase[phrase]
        if sum(one.successes for one in whole) >= SELDOM_FOUND * sum(one.searches for one in whole):
            continue
        rest = [one for one in whole if one.text not in taken and one.lost and not mended(one.text)]
        if rest:
            taken |= {one.text for one in rest}
            gaps.append(_gap(rest, visits.weeks))
    return sorted(gaps, key=lambda gap: (-gap.lost_searches, gap.topic))


def _gap(asked: Sequence[_Query], weeks: float) -> Gap:
    ordered = sorted(asked, key=lambda one: (-one.lost, one.text))
    lost = sum(one.lost for one in ordered)
    return Gap(
        topic=ordered[0].text,
        queries=[one.text for one in ordered[:MOST_QUERIES]],
        users=max(one.users for one in ordered),
        lost_searches=lost,
        lost_per_week=round(lost / weeks, 2),
        no_results=round(min(sum(one.nothing for one in ordered) / max(sum(one.searches - one.successes for one in ordered), 1), 1.0), 4),
    )


def _asked(visits: Visits, tried: pl.DataFrame, queries: Sequence[str], k: int) -> list[_Query]:
    """What was asked by at least k users, and failed without being mended at least once."""
    lost = visits.failed.copy()
    mended = tried.filter("success")
    lost[(mended["place"] - mended["step"].cast(pl.Int32)).to_numpy()] = False
    total = len(queries)
    users = users_by_query(visits.query, visits.person, total)
    which = [slice(None), visits.succeeded, lost, visits.outcome == FAILURES.index("no_results")]
    counts = [np.bincount(visits.query[chosen], minlength=total) for chosen in which]
    common = np.flatnonzero(users >= k)
    rows = zip(common.tolist(), *(count[common].tolist() for count in (users, *counts)), strict=True)
    return [_Query(queries[query], *numbers) for query, *numbers in rows]


def _phrases(text: str) -> set[tuple[str, ...]]:
    words = [stem(word) for word in text.split()]
    return {tuple(words[start:end]) for start in range(len(words)) for end in range(start + 1, min(start + LONGEST, len(words)) + 1)}
