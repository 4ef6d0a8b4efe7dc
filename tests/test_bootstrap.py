"""The paired bootstrap says what is known: nothing for the same answers, a win for better ones, the truth 95 times in a hundred."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from models.base import Record
from training.bootstrap import compare
from training.recipe import Case


def cases(n: int) -> list[Case[Record, int]]:
    return [Case(query=Record(), truth=number) for number in range(n)]


def mean(name: str):  # type: ignore[no-untyped-def]
    return lambda predictions, _: {name: float(np.mean(predictions))}


def test_the_same_predictions_differ_by_nothing() -> None:
    same = compare(mean("accuracy"), cases(50), [1.0] * 50, [1.0] * 50, "accuracy", seed=0)
    assert (same.difference, same.low, same.high, same.wins) == (0, 0, 0, False)


def test_better_on_every_case_wins() -> None:
    noise = np.random.default_rng(0).normal(size=50)
    better = compare(mean("accuracy"), cases(50), (noise + 0.1).tolist(), noise.tolist(), "accuracy", seed=0)
    assert better.wins
    assert better.low == pytest.approx(0.1)
    assert better.resamples == 1_000


def test_lower_is_better_for_a_loss() -> None:
    noise = np.random.default_rng(0).normal(size=50)
    worse = compare(mean("log_loss"), cases(50), (noise + 0.1).tolist(), noise.tolist(), "log_loss", seed=0)
    assert worse.difference == pytest.approx(-0.1)
    assert not worse.wins


def test_luck_on_one_case_is_no_win() -> None:
    assert not compare(mean("accuracy"), cases(50), [5.0] + [0.0] * 49, [0.0] * 50, "accuracy", seed=0).wins


def test_the_seed_decides_the_interval() -> None:
    ours, theirs = np.random.default_rng(0).normal(size=(2, 80)).tolist()
    first, again, other = (compare(mean("accuracy"), cases(80), ours, theirs, "accuracy", seed) for seed in (1, 1, 2))
    assert first == again != other


def test_a_resample_on_which_the_metric_is_undefined_is_not_counted() -> None:
    def only_with_the_first(predictions: Sequence[float], some: Sequence[Case[Record, int]]) -> dict[str, float]:
        return {"accuracy": float(np.mean(predictions))} if any(case.truth == 0 for case in some) else {}

    result = compare(only_with_the_first, cases(40), [1.0] * 40, [0.0] * 40, "accuracy", seed=0)
    # A given case is missing from a resample of n cases with probability (1 - 1/n)^n.
    assert result.resamples == pytest.approx(1_000 * (1 - (1 - 1 / 40) ** 40), abs=50)


def test_the_interval_covers_the_true_difference_nineteen_times_in_twenty() -> None:
    rng, covered = np.random.default_rng(0), 0
    evaluate = mean("accuracy")
    for trial in range(100):
        difficulty = rng.normal(size=100)
        ours, theirs = difficulty + rng.normal(0.3, 1, 100), difficulty + rng.normal(0, 1, 100)
        result = compare(evaluate, cases(100), ours.tolist(), theirs.tolist(), "accuracy", trial)
        covered += result.low <= 0.3 <= result.high
    assert 0.88 <= covered / 100 <= 1
