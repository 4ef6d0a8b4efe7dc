"""Users that somebody made up to plant a pair: they search for nothing else, or all on one day."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.search_synonyms.visits import SECOND, Visits, users_by_query

DAY = 24 * 3600 * SECOND

LONELY = 1e-6
"""Chance below which it is no chance that so many users of a pair have searched for nothing else, ever: they are made up."""

USUAL = 50.0
"""Users of other pairs from which their habits count as much as those of everybody."""

EVEN = 30.0
"""Users, lonely or not, that the habits around a pair are worth (the precision of a beta distribution): pairs differ in their users."""

MANY_ALIKE, SHARE_ALIKE, COMMONLY_LONELY = 8, 0.05, 0.1
"""Where so many other pairs, and this share of them, are as lonely, in a log with this share of lonely users, it is how people search."""

ONE_DAY_SHARE = 0.7
LONELY_AT_ONCE = 0.01
"""Where more than this share of a pair's searches fall on one day, in a log of a week and more, less is needed to doubt its users."""

ALL_AT_ONCE = 0.9
"""Where more than this share falls on one day, nothing else is needed: whatever people call a thing, they do so on other days too."""


def without_planted(frame: pl.DataFrame, visits: Visits) -> pl.DataFrame:
    """Without pairs that nearly all came up on one day; and with as many users of the others as are not made up."""
    if frame.is_empty():
        return frame
    spread = visits.weeks >= 1 and np.bincount((visits.at - visits.at.min()) // DAY).max() < ONE_DAY_SHARE * len(visits)
    on_a_day = pl.col("busiest") * pl.lit(spread)
    at_once = (on_a_day > ALL_AT_ONCE) | ((on_a_day > ONE_DAY_SHARE) & (pl.col("made_up") < LONELY_AT_ONCE))
    too_many = pl.when(pl.col("made_up") < LONELY).then((pl.col("users") - pl.col("ordinary")).clip(0)).otherwise(0)
    frame = frame.filter(~at_once).with_columns(too_many=too_many.cast(pl.Int64))
    return frame.with_columns(pl.col("users", "of_left", "of_right").cast(pl.Int64) - pl.col("too_many"))


def loners(visits: Visits, worked: pl.DataFrame, chosen: pl.DataFrame) -> pl.DataFrame:
    """Whether many users of a pair may be made up to plant it.

    Returns
    -------
    Columns ``left, right``; ``made_up``, the chance that so many of its users did nothing else in the log, if they are like those of other
    pairs; and ``ordinary``, how many users there are if those who did something else are the usual part of them.
    """
    from scipy.stats import betabinom

    different = users_by_query(visits.person, visits.query, int(visits.person.max(initial=-1)) + 1)  # queries of each person
    usual = float(np.mean(different[different > 0] <= 2)) if len(different) else 1.0
    pair, person = packed(worked), worked["person"].to_numpy()
    order = np.lexsort((person, pair))
    pair, person = pair[order], person[order]
    once = (np.diff(pair, prepend=-1) != 0) | (np.diff(person, prepend=-1) != 0)
    pair, lonely = pair[once], different[person[once]] <= 2
    starts = np.flatnonzero(np.diff(pair, prepend=-1))
    n, x = np.diff(starts, append=len(pair)), np.add.reduceat(lonely, starts, dtype=np.int64) if len(starts) else starts
    share = (x.sum() - x + USUAL * usual) / (n.sum() - n + USUAL)
    found = {"left": (pair[starts] >> 32).astype(np.int32), "right": (pair[starts] & 0xFFFFFFFF).astype(np.int32)}
    by_pair = pl.DataFrame({**found, "n": n, "x": x, "share": share}).join(chosen, on=["left", "right"], how="semi")
    n, x, share = (by_pair[name].to_numpy() for name in ("n", "x", "share"))
    made_up = np.where(_usual(x / n, share), 1.0, betabinom.sf(x - 1, n, EVEN * share, EVEN * (1 - share)))
    ordinary = np.minimum((n - x) / np.maximum(1 - share, 1e-9), n).astype(np.int64)
    return by_pair.select("left", "right").with_columns(made_up=pl.Series(made_up, dtype=pl.Float64), ordinary=pl.Series(ordinary))


def _usual(lonely: NDArray[np.float64], share: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether many other pairs are as lonely as each."""
    as_lonely = len(lonely) - np.searchsorted(np.sort(lonely), lonely) - 1
    return np.asarray((as_lonely >= max(MANY_ALIKE, SHARE_ALIKE * len(lonely))) & (share >= COMMONLY_LONELY))


def packed(frame: pl.DataFrame) -> NDArray[np.int64]:
    """Pairs of phrases as one number each."""
    return np.asarray(frame["left"].to_numpy().astype(np.int64) << 32 | frame["right"].to_numpy())
