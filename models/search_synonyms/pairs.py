"""Reformulations: what people changed in a failed query, and whether it helped.

A search that failed is followed, within minutes and a few steps, by other queries of the same visit; each of them, up to the first that
works, is an attempt to mend it, so a chain of failures is bridged. What changes from one query to the other is a pair of phrases (couch ->
sofa), wherever it happened (grey couch -> grey sofa); support is pooled over these contexts, by distinct users.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.search_synonyms.records import SearchSynonymsConfig
from models.search_synonyms.visits import SECOND, Visits
from models.search_synonyms.words import changes, shape, stem

DAY = 24 * 3600 * SECOND

LONELY = 1e-6
"""Chance below which it is no chance that so many users of a pair have searched for nothing else, ever: they are made up."""

USUAL = 50.0
"""Users of other pairs from which their habits count as much as those of everybody."""

ALWAYS = 0.9
"""Share of the users of a change that have the same word beside it, from which the word belongs to the change."""

MOST_NEIGHBOURS = 2

ONE_DAY_SHARE = 0.7
LONELY_AT_ONCE = 0.01
"""Where more than this share of a pair's searches fall on one day, in a log of a week and more, less is needed to doubt its users."""


def attempts(visits: Visits, config: SearchSynonymsConfig) -> pl.DataFrame:
    """What followed failed searches: one row for each of the searches that tried to mend one.

    Returns
    -------
    Columns ``before, after`` (queries), ``person, source, day, lag`` (seconds), ``step, success, place`` (of the later search).
    """
    window = round(config.window_minutes * 60 * SECOND)
    found = []
    going_on = visits.failed.copy()  # the searches between failed too
    for step in range(1, config.max_steps + 1):
        going_on = going_on[: len(visits) - step] if step == 1 else going_on[:-1] & visits.failed[step - 1 : -1]
        if not len(going_on):
            break
        near = (visits.visit[step:] == visits.visit[:-step]) & (visits.at[step:] - visits.until[:-step] <= window)
        known = visits.outcome[step:] >= -1
        earlier = np.flatnonzero(going_on & near & known & (visits.query[step:] != visits.query[:-step]))
        found.append(_rows(visits, earlier, step))
    return pl.concat(found) if found else _rows(visits, np.empty(0, dtype=np.int64), 1)


def _rows(visits: Visits, earlier: NDArray[Any], step: int) -> pl.DataFrame:
    later = earlier + step
    return pl.DataFrame(
        {
            "before": visits.query[earlier],
            "after": visits.query[later],
            "person": visits.person[earlier],
            "source": visits.source[earlier],
            "day": (visits.at[earlier] // DAY).astype(np.int32),
            "lag": ((visits.at[later] - visits.at[earlier]) / SECOND).astype(np.float32),
            "step": np.full(len(earlier), step, dtype=np.int8),
            "success": visits.succeeded[later],
            "place": later.astype(np.int32),
        }
    )


def changed_phrases(tried: pl.DataFrame, queries: Sequence[str]) -> tuple[pl.DataFrame, list[str]]:
    """The phrases that each pair of queries changes.

    A word that stands beside the change in nearly all queries belongs to it: flash drive -> thumb drive does not make a thumb a flash.

    Returns
    -------
    frame, phrases
        Columns ``before, after, left, right, bare``: the third and fourth are places in `phrases`, where the empty phrase is number 0; the
        last says whether the whole query changed.
    """
    pairs = tried.group_by("before", "after", maintain_order=True).agg(users=pl.col("person").n_unique())
    found = [
        _Change(before, after, left, right, users)
        for before, after, users in pairs.iter_rows()
        for left, right in changes(queries[before], queries[after])
    ]
    for _ in range(MOST_NEIGHBOURS):
        found = _with_neighbours(found, queries)
    numbers = {"": 0}
    rows = [
        (
            one.before,
            one.after,
            numbers.setdefault(one.left, len(numbers)),
            numbers.setdefault(one.right, len(numbers)),
            one.left == queries[one.before],
        )
        for one in found
    ]
    schema = dict.fromkeys(("before", "after", "left", "right"), pl.Int32) | {"bare": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row"), list(numbers)


def _with_neighbours(found: list[_Change], queries: Sequence[str]) -> list[_Change]:
    """The changes, each with the word before or after it that nearly all queries with this change have there."""
    beside: dict[tuple[str, str], Counter[tuple[int, str]]] = {}
    total: Counter[tuple[str, str]] = Counter()
    for one in found:
        total[one.left, one.right] += one.users
        counted = beside.setdefault((one.left, one.right), Counter())
        for neighbour in one.neighbours(queries):
            counted[neighbour] += one.users
    always = {
        pair: counted.most_common(1)[0][0]
        for pair, counted in beside.items()
        if counted and counted.most_common(1)[0][1] >= ALWAYS * total[pair] and shape(*pair) in {"other", "abbreviation"}
    }
    return [_grown(one, always.get((one.left, one.right)), queries) for one in found]


def _grown(one: _Change, neighbour: tuple[int, str] | None, queries: Sequence[str]) -> _Change:
    words = None if neighbour is None else one.neighbours(queries).get(neighbour)
    return one if neighbour is None or words is None else one.grown(neighbour[0], words)


class _Change(NamedTuple):
    """A change of a phrase in a pair of queries."""

    before: int
    after: int
    left: str
    right: str
    users: int

    def neighbours(self, queries: Sequence[str]) -> dict[tuple[int, str], tuple[str, str]]:
        """The words before (-1) and after (1) the change, if both queries have the same there, in whatever form; by side and stem."""
        (a, b), (c, d) = (_beside(queries[query], phrase) for query, phrase in ((self.before, self.left), (self.after, self.right)))
        return {(side, stem(one)): (one, other) for side, one, other in ((-1, a, c), (1, b, d)) if one and stem(one) == stem(other)}

    def grown(self, side: int, words: tuple[str, str]) -> _Change:
        """The change with a word more on both sides."""
        left, right = (
            f"{word} {text}" if side < 0 else f"{text} {word}" for word, text in zip(words, (self.left, self.right), strict=True)
        )
        return self._replace(left=left, right=right)


def _beside(query: str, phrase: str) -> tuple[str, str]:
    """The words before and after a phrase of a query."""
    start, _, end = f" {query} ".partition(f" {phrase} ")
    return (start.split() or [""])[-1], (end.split() or [""])[0]


def supported(tried: pl.DataFrame, changed: pl.DataFrame, visits: Visits, k: int) -> pl.DataFrame:
    """Pairs of phrases that at least k users changed with success, with their evidence; in a fixed order.

    Returns
    -------
    Columns ``left, right``; ``users``, distinct ones with success (and no more than there are sources of them); ``attempts, successes``
    in searches; ``lag``, median seconds; ``contexts``, distinct pairs of queries, ``before, after`` one of them, ``bare`` whether a whole
    query was changed; and how many distinct users changed `left` into anything (``of_left``), anything into `right` (``of_right``),
    anything at all (``everybody``).
    """
    rows = tried.join(changed, on=["before", "after"], how="inner")
    worked = rows.filter("success")
    support = worked.group_by("left", "right").agg(
        users=pl.col("person").n_unique(),
        sources=pl.col("source").filter(pl.col("source") >= 0).n_unique(),
        sourced=(pl.col("source") >= 0).mean(),
    )
    alone = _loners(visits, worked)
    evidence = rows.group_by("left", "right").agg(
        attempts=pl.len(),
        successes=pl.col("success").sum(),
        lag=pl.col("lag").median(),
        contexts=pl.struct("before", "after").n_unique(),
        bare=pl.col("bare").any(),
        before=pl.col("before").first(),
        after=pl.col("after").first(),
        busiest=pl.col("day").unique_counts().max() / pl.len(),
    )
    frame = support.join(evidence, on=["left", "right"]).join(alone, on=["left", "right"])
    frame = frame.with_columns(users=pl.when(pl.col("sourced") > 0.5).then(pl.min_horizontal("users", "sources")).otherwise("users"))
    real = rows.filter((pl.col("left") != 0) & (pl.col("right") != 0))
    of_left = real.group_by("left").agg(of_left=pl.col("person").n_unique())
    of_right = real.group_by("right").agg(of_right=pl.col("person").n_unique())
    everybody = max(real["person"].n_unique(), 1)
    frame = frame.join(of_left, on="left", how="left").join(of_right, on="right", how="left").with_columns(everybody=pl.lit(everybody))
    at_once = (pl.col("busiest") > ONE_DAY_SHARE) & pl.lit(visits.weeks >= 1)
    planted = (pl.col("made_up") < LONELY) | (at_once & (pl.col("made_up") < LONELY_AT_ONCE))
    return frame.filter((pl.col("users") >= k) & ~planted).sort("left", "right")


def _loners(visits: Visits, worked: pl.DataFrame) -> pl.DataFrame:
    """For each pair the chance that so many of its users did nothing else in the whole log, if they are like the users of other pairs."""
    from scipy.stats import binom

    searches = np.bincount(visits.person)
    usual = float(np.mean(searches[searches > 0] <= 2)) if len(searches) else 1.0
    users = worked.select("left", "right", "person").unique()
    lonely = users.with_columns(lonely=pl.Series(searches[users["person"].to_numpy()] <= 2))
    by_pair = lonely.group_by("left", "right").agg(people=pl.len().cast(pl.Int64), lonely=pl.col("lonely").sum().cast(pl.Int64))
    n, x = by_pair["people"].to_numpy(), by_pair["lonely"].to_numpy()
    share = (x.sum() - x + USUAL * usual) / (n.sum() - n + USUAL)
    return by_pair.select("left", "right").with_columns(made_up=pl.Series(binom.sf(x - 1, n, share)))
