"""Values of policies that were never run, against values that are known."""

from __future__ import annotations

import numpy as np
import pytest

from models.off_policy import Trials, numbered, overlap, refusal, value

RATES = np.array([0.1, 0.3, 0.2])


def logged(n: int, propensities: np.ndarray, target: np.ndarray, seed: int = 0, model: np.ndarray | None = None) -> Trials:
    """Decisions drawn by `propensities` among three actions that bring `RATES`; `model` is what is expected of each action."""
    rng = np.random.default_rng(seed)
    action = rng.choice(3, size=n, p=propensities)
    expected = np.zeros(3) if model is None else model
    return Trials(
        reward=(rng.random(n) < RATES[action]).astype(float),
        propensity=propensities[action],
        target=target[action],
        expected=expected[action],
        expected_of_policy=np.full(n, float(target @ expected)),
    )


UNIFORM = np.full(3, 1 / 3)
ONLY_SECOND = np.array([0.0, 1.0, 0.0])


def test_four_decisions_worked_by_hand() -> None:
    trials = Trials(
        reward=np.array([1.0, 0.0, 1.0, 0.0]),
        propensity=np.array([0.5, 0.5, 0.25, 0.25]),
        target=np.array([1.0, 1.0, 0.0, 0.5]),
        expected=np.array([0.5, 0.5, 0.25, 0.25]),
        expected_of_policy=np.full(4, 0.5),
    )
    found, seen = value(trials), overlap(trials)
    assert (found.logged.value, found.ips.value) == (0.5, 0.5)
    assert found.snips.value == pytest.approx(2 / 6)
    assert found.dr.value == pytest.approx(np.mean([0.5 + 2 * 0.5, 0.5 - 2 * 0.5, 0.5, 0.5 - 2 * 0.25]))
    assert [seen.effective, seen.mean_weight, seen.greatest_share] == pytest.approx([36 / 12, 1.5, 1 / 3])


def test_the_true_value_is_in_nineteen_of_twenty_intervals() -> None:
    covered = {"ips": 0, "snips": 0, "dr": 0}
    for seed in range(200):
        found = value(logged(1_000, UNIFORM, ONLY_SECOND, seed, model=np.array([0.15, 0.25, 0.2])))
        for name in covered:
            covered[name] += getattr(found, name).holds(0.3)
    assert all(180 <= count <= 200 for count in covered.values()), covered


def test_a_model_of_rewards_makes_the_interval_narrower_and_a_wrong_one_leaves_it_right() -> None:
    plain, good, wrong = (value(logged(20_000, UNIFORM, ONLY_SECOND, model=model)).dr for model in (None, RATES, np.array([0.9, 0.0, 0.5])))
    assert good.high - good.low < plain.high - plain.low
    assert all(each.holds(0.3) for each in (plain, good, wrong))


def test_the_policy_that_was_logged_is_worth_what_was_logged() -> None:
    found = value(logged(5_000, UNIFORM, UNIFORM))
    assert found.ips == found.snips == found.logged
    assert found.verdict == "not shown to be better"


def test_decisions_about_few_people_say_less_than_as_many_about_many() -> None:
    trials = logged(4_000, UNIFORM, ONLY_SECOND)
    reward, propensity, target = (np.repeat(each, 10) for each in (trials.reward, trials.propensity, trials.target))
    same = Trials(reward, propensity, target, np.zeros(40_000), np.zeros(40_000))
    grouped = Trials(**{**vars(same), "subject": np.repeat(np.arange(4_000), 10)})
    alone, together, once = value(same).ips, value(grouped).ips, value(logged(4_000, UNIFORM, ONLY_SECOND)).ips
    assert together.high - together.low == pytest.approx(once.high - once.low, rel=1e-3)
    assert alone.high - alone.low < (together.high - together.low) / 3


def test_what_the_log_never_tried_is_refused() -> None:
    timid = np.array([0.6, 0.0, 0.4])
    trials = logged(10_000, timid, np.array([0.3, 0.5, 0.2]))
    assert "the log never tried 50% of what this policy would do" in str(refusal(trials))
    assert refusal(logged(10_000, UNIFORM, ONLY_SECOND)) is None


def test_few_decisions_and_wrong_propensities_are_refused() -> None:
    assert "say as much about this policy as" in str(refusal(logged(200, UNIFORM, ONLY_SECOND)))
    right = logged(10_000, UNIFORM, ONLY_SECOND)
    assert "should average 1" in str(refusal(Trials(**{**vars(right), "propensity": right.propensity / 2})))
    assert "got none" in str(refusal(logged(0, UNIFORM, ONLY_SECOND)))


def test_subjects_are_numbered_alike() -> None:
    assert numbered(["b", "a", "b"]).tolist() == [1, 0, 1]
