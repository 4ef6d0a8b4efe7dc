"""Ways to hold rows out, each against its own kind of leak; all keep the order of the rows on both sides."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from typing import TypeVar

import numpy as np

from models.base import Record
from models.errors import InputError
from training.recipe import Split

R = TypeVar("R", bound=Record)


def by_hash(rows: Sequence[R], key: Callable[[R], object], holdout_share: float, seed: int) -> Split[R]:
    """Hold out whole groups, chosen by a hash of their key.

    Protects against the same user, job or text on both sides. A group keeps its side when the data grows, so that a hold-out of last
    month's file is never in the training rows of this month's. With few groups the share is only approximate.

    Parameters
    ----------
    key
        What must not be on both sides: the id of a user, a normalised text.
    holdout_share
        Between 0 and 1.

    Raises
    ------
    InputError
        If a side would be empty.
    """
    return _split(rows, [_fraction(key(row), seed) < holdout_share for row in rows])


def by_time(rows: Sequence[R], when: Callable[[R], datetime], holdout_share: float) -> Split[R]:
    """Hold out the latest rows.

    Protects against learning from the future. Rows of one instant stay on one side, in the hold-out, so the share may be exceeded.

    Raises
    ------
    InputError
        If a side would be empty.
    """
    instants = [when(row) for row in rows]
    if not instants:
        return _split(rows, [])
    first_held_out = sorted(instants)[min(int(len(rows) * (1 - holdout_share)), len(rows) - 1)]
    return _split(rows, [instant >= first_held_out for instant in instants])


def by_time_where_known(
    rows: Sequence[R], when: Callable[[R], datetime | None], key: Callable[[R], object], holdout_share: float, seed: int
) -> Split[R]:
    """Hold out the latest of the rows that have a time, and whole groups of those that have none.

    For tables whose rows all have times, or none, this is `by_time` or `by_hash`; outcomes and events that were stored since are mixed
    with older rows of no known time. Rows of one single instant are taken for rows of no known time.

    Raises
    ------
    InputError
        If a side would be empty.
    """
    instants = {at for row in rows if (at := when(row)) is not None}
    timed = [len(instants) > 1 and when(row) is not None for row in rows]
    known = [row for row, is_timed in zip(rows, timed, strict=True) if is_timed]
    cut = min(when(row) for row in by_time(known, when, holdout_share).holdout) if known else None  # type: ignore[type-var, arg-type]
    return _split(
        rows,
        [
            when(row) >= cut if is_timed else _fraction(key(row), seed) < holdout_share  # type: ignore[operator]
            for row, is_timed in zip(rows, timed, strict=True)
        ],
    )


def stratified(rows: Sequence[R], label: Callable[[R], Hashable], holdout_share: float, seed: int) -> Split[R]:
    """Hold out the same share of every class, at random.

    Protects a rare class against being absent from a side; not against duplicates or the future. A class with too few rows for its
    share stays in training.

    Raises
    ------
    InputError
        If a side would be empty.
    """
    rng = np.random.default_rng(seed)
    positions: dict[Hashable, list[int]] = {}
    for position, row in enumerate(rows):
        positions.setdefault(label(row), []).append(position)
    held_out = np.zeros(len(rows), dtype=bool)
    for members in positions.values():
        held_out[rng.permutation(members)[: round(len(members) * holdout_share)]] = True
    return _split(rows, held_out.tolist())


def _fraction(key: object, seed: int) -> float:
    digest = hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def _split(rows: Sequence[R], held_out: Sequence[bool]) -> Split[R]:
    split = Split(
        train=[row for row, out in zip(rows, held_out, strict=True) if not out],
        holdout=[row for row, out in zip(rows, held_out, strict=True) if out],
    )
    if not split.train or not split.holdout:
        sizes = f"{len(split.train)} to learn from and {len(split.holdout)} to be judged on"
        raise InputError(f"expected enough rows for both sides of the split, got {len(rows)}, of which {sizes}: give more data")
    return split
