"""Every metric gives the answer worked by hand, or another library's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, ndcg_score, roc_auc_score

from training.metrics import (
    ac_at,
    binary_metrics,
    ece,
    equal_mass_bins,
    false_confidence_rate,
    grouping_accuracy,
    ndcg_at,
    precision_at,
    ranking_metrics,
    recall_at,
)


def test_binary_metrics_worked_by_hand() -> None:
    metrics = binary_metrics([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1])
    assert metrics["roc_auc"] == 0.75
    assert metrics["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert metrics["brier_score"] == pytest.approx((0.01 + 0.64 + 0.09 + 0.01) / 4)
    assert metrics["log_loss"] == pytest.approx(-np.mean(np.log([0.9, 0.2, 0.7, 0.9])))


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1) | st.sampled_from([0.0, 0.5, 1.0])), min_size=2, max_size=80))
@settings(max_examples=200, deadline=None)
def test_binary_metrics_agree_with_scikit_learn(cases: list[tuple[bool, float]]) -> None:
    y, p = [label for label, _ in cases], [probability for _, probability in cases]
    metrics = binary_metrics(y, p)
    assert metrics["brier_score"] == pytest.approx(brier_score_loss(y, p))
    assert metrics["log_loss"] == pytest.approx(log_loss(y, p, labels=[False, True]))
    if len(set(y)) == 2:
        assert metrics["roc_auc"] == pytest.approx(roc_auc_score(y, p))
        assert metrics["average_precision"] == pytest.approx(average_precision_score(y, p))


def test_rank_metrics_of_one_class_are_left_out() -> None:
    assert binary_metrics([0, 0], [0.1, 0.2]).keys() == {"brier_score", "log_loss", "ece"}


def test_ece_of_a_constant_is_its_distance_to_the_base_rate() -> None:
    assert ece([1, 0, 0, 0], [0.5] * 4) == pytest.approx(0.25)


def test_ece_with_two_bins_worked_by_hand() -> None:
    assert ece([0, 1, 1, 1], [0.1, 0.2, 0.7, 0.8], bins=2) == pytest.approx((abs(1 - 0.3) + abs(2 - 1.5)) / 4)


def test_ece_of_a_calibrated_model_is_near_zero_and_of_an_overconfident_one_is_its_overconfidence() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(size=200_000)
    y = rng.uniform(size=len(p)) < p
    assert ece(y, p) < 0.005
    assert ece(y, np.where(p > 0.5, 1.0, 0.0)) == pytest.approx(0.25, abs=0.005)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.3, 0.3001, 0.9, 1.0])), min_size=1, max_size=60), st.randoms())
@settings(max_examples=100, deadline=None)
def test_ece_does_not_depend_on_the_order_of_cases(cases: list[tuple[bool, float]], random: object) -> None:
    shuffled = sorted(cases, key=lambda _: random.random())  # type: ignore[attr-defined]
    before, after = (ece([y for y, _ in some], [p for _, p in some]) for some in (cases, shuffled))
    assert before == pytest.approx(after)


def test_bins_hold_equal_counts_when_no_probabilities_tie() -> None:
    counts = np.bincount(equal_mass_bins(np.random.default_rng(0).uniform(size=1500)))
    assert counts.tolist() == [100] * 15


def test_ndcg_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        grades, scores = rng.integers(0, 4, size=12), rng.normal(size=12)
        ranking = np.argsort(-scores).tolist()
        ours = ndcg_at(ranking, dict(enumerate(grades.tolist())), 5)
        assert ours == pytest.approx(ndcg_score([grades], [scores], k=5))


def test_ranking_metrics_worked_by_hand() -> None:
    ranking, relevant = ["a", "b", "c", "d"], {"b", "d", "x"}
    assert recall_at(ranking, relevant, 2) == pytest.approx(1 / 3)
    assert precision_at(ranking, relevant, 5) == pytest.approx(2 / 5)
    assert ac_at(ranking, relevant, 1) == 0
    assert ac_at(ranking, relevant, 2) == 0.5
    assert ac_at(ranking, {"b"}, 3) == 1
    ideal = 1 + 1 / math.log2(3) + 1 / 2
    assert ndcg_at(ranking, relevant, 4) == pytest.approx((1 / math.log2(3) + 1 / math.log2(5)) / ideal)


def test_a_ranking_without_anything_relevant_is_not_counted() -> None:
    names = ["recall_at_1", "precision_at_1", "ndcg_at_1", "ac_at_1"]
    assert ranking_metrics([["a"], ["a"]], [{"a"}, set()], names) == dict.fromkeys(names, 1.0)
    assert ranking_metrics([["a"]], [{"a": 0.0}], names) == {}
    assert math.isnan(recall_at(["a"], [], 1))


def test_only_a_confident_mistake_is_false_confidence() -> None:
    assert false_confidence_rate([True, True, False, False], [True, False, True, False]) == 0.25


def test_grouping_accuracy_counts_only_whole_groups() -> None:
    assert grouping_accuracy("aabbc", [1, 1, 2, 2, 3]) == 1
    assert grouping_accuracy("aabbc", [1, 1, 2, 3, 4]) == pytest.approx(3 / 5)
    assert grouping_accuracy("aabbc", [1, 1, 2, 2, 2]) == pytest.approx(2 / 5)
