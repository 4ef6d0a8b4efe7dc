"""Splits keep apart what must be apart, whatever the rows."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.base import Record
from models.errors import InputError
from training.splits import by_hash, by_time, by_time_where_known, stratified

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Row(Record):
    user: int
    minute: int = 0
    label: bool = False


def rows(n: int, seed: int = 0) -> list[Row]:
    rng = np.random.default_rng(seed)
    return [Row(user=int(user), minute=int(minute)) for user, minute in rng.integers(0, [n // 3, n // 2], (n, 2))]


def minute(row: Row) -> datetime:
    return NOON + timedelta(minutes=row.minute)


def test_a_user_is_on_one_side_only() -> None:
    split = by_hash(rows(3_000), lambda row: row.user, 0.2, seed=0)
    assert not {row.user for row in split.train} & {row.user for row in split.holdout}
    assert len(split.holdout) / 3_000 == pytest.approx(0.2, abs=0.04)


def test_a_user_keeps_the_side_when_the_data_grows() -> None:
    before, after = (by_hash([Row(user=u) for u in range(n)], lambda row: row.user, 0.2, seed=7) for n in (500, 5_000))
    assert {row.user for row in before.holdout} == {row.user for row in after.holdout if row.user < 500}


def test_another_seed_holds_out_others() -> None:
    some, others = (by_hash(rows(300), lambda row: row.user, 0.5, seed) for seed in (0, 1))
    assert {row.user for row in some.holdout} != {row.user for row in others.holdout}


@given(st.lists(st.integers(0, 20), min_size=2, max_size=50).filter(lambda minutes: len(set(minutes)) > 1), st.floats(0.05, 0.9))
@settings(deadline=None)
def test_no_training_row_is_as_late_as_the_holdout(minutes: list[int], share: float) -> None:
    given_rows = [Row(user=position, minute=m) for position, m in enumerate(minutes)]
    try:
        split = by_time(given_rows, minute, share)
    except InputError:
        # Only if the earliest instant alone fills the training side's share.
        assert minutes.count(min(minutes)) > int(len(minutes) * (1 - share))
        return
    assert max(map(minute, split.train)) < min(map(minute, split.holdout))
    assert len(split.holdout) >= len(minutes) * share - 1
    assert sorted([*split.train, *split.holdout], key=lambda row: row.user) == given_rows


def test_every_class_has_its_share() -> None:
    given_rows = [Row(user=u, label=u < 50) for u in range(1_000)]
    split = stratified(given_rows, lambda row: row.label, 0.2, seed=0)
    assert Counter(row.label for row in split.holdout) == {True: 10, False: 190}
    assert [row.user for row in split.train] == sorted(row.user for row in split.train)
    assert stratified(given_rows, lambda row: row.label, 0.2, seed=0) == split


@pytest.mark.parametrize("count", [0, 1])
def test_a_side_without_rows_is_refused(count: int) -> None:
    few = [Row(user=1)] * count
    with pytest.raises(InputError, match=f"got {count}, of which"):
        by_hash(few, lambda row: row.user, 0.5, seed=0)
    with pytest.raises(InputError, match=f"got {count}, of which"):
        by_time(few, minute, 0.5)
    with pytest.raises(InputError, match=f"got {count}, of which"):
        stratified(few, lambda row: row.label, 0.5, seed=0)


def test_where_only_some_rows_have_times_the_latest_of_these_are_held_out_and_groups_of_the_others() -> None:
    mixed = [row.model_copy(update={"minute": -1}) if place % 2 else row for place, row in enumerate(rows(600))]
    split = by_time_where_known(mixed, lambda row: minute(row) if row.minute >= 0 else None, lambda row: row.user, 0.2, seed=0)
    known = [[row.minute for row in side if row.minute >= 0] for side in (split.train, split.holdout)]
    assert max(known[0]) < min(known[1])
    groups = [{row.user for row in side if row.minute < 0} for side in (split.train, split.holdout)]
    assert not groups[0] & groups[1]
    assert all([*known, *groups])


def test_rows_that_all_have_times_or_none_are_split_as_by_time_or_by_hash() -> None:
    some = rows(200)
    assert by_time_where_known(some, minute, lambda row: row.user, 0.2, seed=0) == by_time(some, minute, 0.2)
    assert by_time_where_known(some, lambda row: None, lambda row: row.user, 0.2, seed=3) == by_hash(
        some, lambda row: row.user, 0.2, seed=3
    )
