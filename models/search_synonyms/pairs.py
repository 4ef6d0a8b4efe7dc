"""Reformulations: what people changed in a failed query, and whether it helped.

A search that failed is followed, within minutes and a few steps, by other queries of the same visit; each of them, up to the first that
works, is an attempt to mend it, so a chain of failures is bridged. What changes from one query to the other is a pair of phrases (couch ->
sofa), wherever it happened (grey couch -> grey sofa); support is pooled over these contexts, by distinct users.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.search_synonyms.floods import DAY, loners, packed, without_planted
from models.search_synonyms.records import SearchSynonymsConfig
from models.search_synonyms.visits import SECOND, Visits, users_by_query
from models.search_synonyms.words import changed_words, shape, stem

ALWAYS = 0.9
"""Share of the users of a change that have the same word beside it, from which the word belongs to the change."""

MOST_NEIGHBOURS = 2


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


def changed_phrases(tried: pl.DataFrame, queries: Sequence[str]) -> tuple[pl.DataFrame, pl.Series]:
    """The phrases that each pair of queries changes.

    A word that stands beside the change in nearly all queries belongs to it: flash drive -> thumb drive does not make a thumb a flash.

    Returns
    -------
    frame, phrases
        Columns ``before, after, left, right, bare``: the third and fourth are places in `phrases`, where the empty phrase is number 0; the
        last says whether the whole query changed.
    """
    found = _changes(_walked(tried), queries)
    for _ in range(MOST_NEIGHBOURS):
        found = _with_neighbours(found, queries)
    whole = found["left"] == pl.Series([queries[number] for number in found["before"]], dtype=pl.String)
    phrases = pl.concat([pl.Series([""]), found.select(pl.concat_list("left", "right").explode()).to_series()]).unique(maintain_order=True)
    numbers = phrases.alias("phrase").to_frame().with_row_index("number").with_columns(pl.col("number").cast(pl.Int32))
    for side in ("left", "right"):
        found = found.with_columns(
            found.select(phrase=side).join(numbers, on="phrase", how="left", maintain_order="left")["number"].alias(side)
        )
    return found.select("before", "after", "left", "right", bare=whole), phrases


def _walked(tried: pl.DataFrame) -> pl.DataFrame:
    """Pairs of queries in the order of their first attempts, with their distinct users."""
    before, after, person = (tried[name].to_numpy() for name in ("before", "after", "person"))
    pair = before.astype(np.int64) << 32 | after
    order = np.lexsort((person, pair))
    pair, person = pair[order], person[order]
    new_pair = np.diff(pair, prepend=-1) != 0
    starts = np.flatnonzero(new_pair)
    users = np.add.reduceat(new_pair | (np.diff(person, prepend=-1) != 0), starts, dtype=np.int64) if len(starts) else starts
    first = np.sort(np.minimum.reduceat(order, starts)) if len(starts) else starts
    by_first = np.argsort(np.minimum.reduceat(order, starts)) if len(starts) else starts
    return pl.DataFrame({"before": before[first], "after": after[first], "users": users[by_first]})


def _changes(pairs: pl.DataFrame, queries: Sequence[str]) -> pl.DataFrame:
    """The phrases that change in pairs of queries, and the places where these begin."""
    place, left_at, right_at = array("i"), array("h"), array("h")
    left, right = list[str](), list[str]()
    for number, (before, after) in enumerate(pairs.select("before", "after").iter_rows()):
        a, b = queries[before].split(), queries[after].split()
        for one, other in changed_words(a, b):
            place.append(number)
            left_at.append(one.start)
            right_at.append(other.start)
            left.append(" ".join(a[one.start : one.stop]))
            right.append(" ".join(b[other.start : other.stop]))
    rows = pairs[np.asarray(place)]
    return rows.with_columns(left=pl.Series(left, dtype=pl.String), right=pl.Series(right, dtype=pl.String)).with_columns(
        left_at=np.asarray(left_at), right_at=np.asarray(right_at)
    )


def _with_neighbours(found: pl.DataFrame, queries: Sequence[str]) -> pl.DataFrame:
    """The changes, each with the word before or after it that nearly all queries with this change have there."""
    found = found.with_columns(pair=pl.col("left").hash(0) ^ pl.col("right").hash(1))
    total = found.group_by("pair").agg(total=pl.col("users").sum())
    beside = _neighbours(found, queries)
    counted = beside.group_by("pair", "side", "stem").agg(pl.col("users").sum(), pl.col("row").min(), first=pl.col("order").min())
    counted = counted.sort("users", "first", descending=[True, False]).unique("pair", keep="first", maintain_order=True)
    always = counted.join(total, on="pair").filter(pl.col("users") >= ALWAYS * pl.col("total"))
    changed = found.select("left", "right")[always["row"]]
    swaps = [shape(left, right) in {"other", "abbreviation"} for left, right in changed.iter_rows()]
    always = always.select("pair", "side", "stem").filter(pl.Series(swaps, dtype=pl.Boolean))
    grown = beside.join(always, on=["pair", "side", "stem"]).select("row", "side", "word", "other")
    found = found.with_row_index("row").join(grown, on="row", how="left", maintain_order="left")
    before, after = pl.col("side") < 0, pl.col("side") > 0
    return found.select(
        "before",
        "after",
        "users",
        *(
            pl.when(before)
            .then(pl.format("{} {}", word, side))
            .when(after)
            .then(pl.format("{} {}", side, word))
            .otherwise(side)
            .alias(side)
            for side, word in (("left", "word"), ("right", "other"))
        ),
        *(pl.when(before).then(pl.col(place) - 1).otherwise(place).alias(place) for place in ("left_at", "right_at")),
    )


def _neighbours(found: pl.DataFrame, queries: Sequence[str]) -> pl.DataFrame:
    """The words before (-1) and after (1) the changes, where both queries have the same there, in whatever form."""
    rows, sides, words, others = array("i"), array("b"), list[str](), list[str]()
    columns = found.select("before", "after", "left", "right", "left_at", "right_at")
    for row, (before, after, left, right, x, y) in enumerate(columns.iter_rows()):
        if not left or not right:
            continue
        a, b = queries[before].split(), queries[after].split()
        u, v = x + 1 + left.count(" "), y + 1 + right.count(" ")
        for side, i, j in ((-1, x - 1, y - 1), (1, u, v)):
            if 0 <= i < len(a) and 0 <= j < len(b) and stem(a[i]) == stem(b[j]):
                rows.append(row)
                sides.append(side)
                words.append(a[i])
                others.append(b[j])
    numbers = np.asarray(rows)
    beside = found.select("pair", "users")[numbers].with_columns(
        row=pl.Series(numbers, dtype=pl.UInt32), side=np.asarray(sides), word=pl.Series(words, dtype=pl.String)
    )
    stems = pl.Series([stem(word) for word in words], dtype=pl.String)
    return beside.with_columns(other=pl.Series(others, dtype=pl.String), stem=stems).with_row_index("order")


def supported(tried: pl.DataFrame, changed: pl.DataFrame, visits: Visits, k: int) -> pl.DataFrame:
    """Pairs of phrases that at least k users changed with success, with their evidence; in a fixed order.

    Returns
    -------
    Columns ``left, right``; ``users``, distinct ones with success (and no more than there are sources of them); ``attempts, successes``
    in searches; ``lag``, median seconds; ``contexts``, distinct pairs of queries, ``before, after`` one of them, ``bare`` whether a whole
    query was changed; how many distinct users changed `left` into anything (``of_left``), anything into `right` (``of_right``),
    anything at all (``everybody``); and how many left out or added each side alone (``left_alone, right_alone``).
    """
    pair = ["left", "right"]
    people = tried.select("before", "after", "person", "success").join(changed.drop("bare"), on=["before", "after"]).drop("before", "after")
    succeeded = people.filter("success").drop("success")
    numbers = packed(succeeded)
    numbers.sort()
    starts = np.flatnonzero(np.diff(numbers, prepend=-1))
    often = numbers[starts[np.diff(starts, append=len(numbers)) >= k]]  # no pair has more users than successes; most have one
    common = pl.DataFrame({"left": (often >> 32).astype(np.int32), "right": (often & 0xFFFFFFFF).astype(np.int32)})
    enough = changed.join(common, on=pair, how="semi")
    rows = tried.join(enough, on=["before", "after"])
    worked = rows.filter("success")
    support = worked.group_by("left", "right").agg(
        users=pl.col("person").n_unique(),
        sources=pl.col("source").filter(pl.col("source") >= 0).n_unique(),
        sourced=(pl.col("source") >= 0).mean(),
    )
    lonely = loners(visits, succeeded, common)
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
    frame = support.join(evidence, on=["left", "right"]).join(lonely, on=["left", "right"])
    frame = frame.with_columns(users=pl.when(pl.col("sourced") > 0.5).then(pl.min_horizontal("users", "sources")).otherwise("users"))
    real = people.filter((pl.col("left") != 0) & (pl.col("right") != 0))
    of_left, of_right = (_users_of(real, side) for side in pair)
    everybody = max(real["person"].n_unique(), 1)
    frame = frame.join(of_left, on="left", how="left").join(of_right, on="right", how="left").with_columns(everybody=pl.lit(everybody))
    alone = _alone(people)
    for side in pair:
        frame = frame.join(alone.rename({"phrase": side, "alone": f"{side}_alone"}), on=side, how="left")
    frame = frame.with_columns(pl.col("left_alone", "right_alone").fill_null(0))
    return without_planted(frame, visits).filter(pl.col("users") >= k).sort("left", "right")


def _alone(people: pl.DataFrame) -> pl.DataFrame:
    """Distinct users who left a phrase out or added it, and changed nothing else."""
    sides = (("right", "left"), ("left", "right"))
    rows = pl.concat([people.filter((pl.col(none) == 0) & (pl.col(some) != 0)).select("person", phrase=some) for none, some in sides])
    phrase = rows["phrase"].to_numpy()
    users = users_by_query(phrase, rows["person"].to_numpy(), int(phrase.max(initial=0)) + 1)
    return pl.DataFrame({"phrase": np.arange(len(users), dtype=np.int32), "alone": users.astype(np.uint32)})


def _users_of(frame: pl.DataFrame, side: str) -> pl.DataFrame:
    """Distinct users by the phrase on one side, as a column ``of_left`` or ``of_right``."""
    number = frame[side].to_numpy()
    users = users_by_query(number, frame["person"].to_numpy(), int(number.max(initial=-1)) + 1)
    return pl.DataFrame({side: np.arange(len(users), dtype=np.int32), f"of_{side}": users.astype(np.uint32)})
