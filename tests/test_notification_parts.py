"""The parts of the notification model against quadrature, a general optimiser, and planted truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from models.notification.channels import Rates
from models.notification.clock import DAY, HOUR
from models.notification.evidence import Sums, common_spread_of, shift, spread_of, stretch_of
from models.notification.history import KEPT_CLICKS, NEVER_HOURS, History
from models.notification.tastes import Group, Tastes


@pytest.mark.parametrize(("trials", "clicks", "expected"), [(3.0, 1.0, 0.3), (3.0, 0.0, 0.3), (40.0, 1.0, 8.0), (500.0, 120.0, 60.0)])
def test_a_shift_is_the_mean_of_its_posterior(trials: float, clicks: float, expected: float) -> None:
    further = np.linspace(-6, 6, 4_001)
    z = float(np.log(expected / (trials - expected))) + 0.2 + further
    log = clicks * z - trials * np.logaddexp(0, z) - further**2 / (2 * 0.7**2)
    posterior = np.exp(log - log.max()) / np.exp(log - log.max()).sum()
    exact = float(posterior @ further)
    mean, variance = shift((trials, clicks, expected), 0.7, 0.2)
    assert mean == pytest.approx(0.2 + exact, abs=0.03)
    assert variance == pytest.approx(float(posterior @ (further - exact) ** 2), rel=0.12)


def test_nobody_is_promised_more_than_comes() -> None:
    rng = np.random.default_rng(0)
    own = expit(-3.0 + 1.3 * rng.normal(size=20_000))
    clicks, base = rng.binomial(4, own), float(own.mean())
    stretch = stretch_of(1.3**2)
    promised = []
    for count in clicks.tolist():
        mean, variance = shift((4.0, float(count), 4.0 * base), 1.3, 0.0, stretch)
        promised.append(expit((stretch * np.log(base / (1 - base)) + mean) / stretch_of(variance)))
    assert np.mean(promised) == pytest.approx(base, rel=0.03)


def test_a_group_that_nobody_has_seen_is_its_parent() -> None:
    assert shift((0.0, 0.0, 0.0), 0.5, 0.3) == (0.3, 0.25)


def test_many_trials_speak_for_themselves() -> None:
    mean, variance = shift((1e6, 3e5, 1e5), 1.2, 0.0)
    assert expit(np.log(1 / 9) + mean) == pytest.approx(0.3, abs=1e-3)
    assert variance < 1e-3


@pytest.mark.parametrize("planted", [0.0, 0.5, 1.0, 1.5])
def test_the_spread_between_groups_is_found(planted: float) -> None:
    rng = np.random.default_rng(0)
    trials = rng.integers(5, 40, 2_000).astype(float)
    own = expit(-2.0 + planted * rng.normal(size=2_000))
    clicks = rng.binomial(trials.astype(int), own).astype(float)
    assert spread_of(trials, clicks, trials * own.mean()) == pytest.approx(planted, abs=0.2)


@pytest.mark.parametrize(("common", "within"), [(0.0, 1.0), (0.7, 0.7)])
def test_what_groups_of_a_user_have_in_common_is_told_from_what_they_have_not(common: float, within: float) -> None:
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(1_500), 5)
    own = expit(-1.5 + common * rng.normal(size=1_500)[users] + within * rng.normal(size=7_500))
    trials = rng.integers(5, 30, 7_500).astype(float)
    clicks = rng.binomial(trials.astype(int), own).astype(float)
    found = common_spread_of([str(user) for user in users], trials, clicks, trials * own.mean())
    assert found == pytest.approx(common, abs=0.2)


def test_few_rare_clicks_show_no_spread() -> None:
    rng = np.random.default_rng(1)
    found = [spread_of(np.full(34, 300.0), rng.binomial(300, 0.005, 34).astype(float), np.full(34, 1.5)) for _ in range(40)]
    assert np.mean(np.array(found) > 0) < 0.1


@pytest.mark.parametrize("mean", [-4.0, -2.0, 0.0, 1.0])
@pytest.mark.parametrize("variance", [0.1, 0.5, 1.5])
def test_log_odds_of_all_lie_nearer_to_zero_than_those_of_one(mean: float, variance: float) -> None:
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    exact = float(weights @ expit(mean + np.sqrt(variance) * nodes) / weights.sum())
    assert expit(mean / stretch_of(variance)) == pytest.approx(exact, abs=0.01)


def test_tastes_are_found_where_they_were_planted() -> None:
    rng = np.random.default_rng(0)
    users, kinds = [f"u{n}" for n in range(300)], ("Social", "Promo")
    own = {(user, kind): rng.normal(0, 1.0) for user in users for kind in kinds}
    groups = [Group(user, kind, "") for user in users for kind in kinds for _ in range(25)]
    z = np.array([(-1.0 if group.type == "Social" else -3.0) + own[group.user, group.type] for group in groups])
    clicked = (rng.random(len(z)) < expit(z)).astype(float)
    tastes = Tastes.learn(groups, np.full(len(z), np.log(clicked.mean() / (1 - clicked.mean()))), clicked, np.ones(len(z)))
    assert tastes.spreads["user_type"] == pytest.approx(1.0, abs=0.25)
    base = float(np.log(clicked.mean() / (1 - clicked.mean())))
    found = np.array([tastes.of(Group(user, "Social", ""), base)[0] for user in users])
    planted = np.array([-1.0 + own[user, "Social"] for user in users])
    assert np.corrcoef(found, planted)[0, 1] > 0.85
    assert np.mean(found - planted) == pytest.approx(0.0, abs=0.15)


def test_sums_do_not_depend_on_their_order() -> None:
    rng = np.random.default_rng(0)
    keys, rows = [f"k{n}" for n in rng.integers(0, 5, 200)], rng.random((200, 3))
    order = rng.permutation(200)
    one, other = Sums(), Sums()
    one.add(keys, rows)
    for place in order:
        other.add([keys[place]], rows[place : place + 1])
    assert one.dump()[0] == other.dump()[0]
    assert np.array_equal(one.dump()[1], other.dump()[1])


def test_pressure_counts_what_came_before_and_nothing_of_the_instant() -> None:
    history, now = History(), 100 * DAY
    for at in (now, now - HOUR // 2, now - 5 * HOUR, now - 3 * DAY, now - 20 * DAY):
        history.sent("ada", at)
    history.clicked("ada", now - 2 * HOUR)
    found = history.before("ada", now)
    assert tuple(found) == (1, 2, 3, 2.0)
    assert tuple(history.before("ada", now, [now - HOUR // 4])) == (2, 3, 4, 2.0)
    assert tuple(history.before("bob", now)) == (0, 0, 0, NEVER_HOURS)
    for minute in range(10):
        history.clicked("ada", now + minute)
    assert len(history.dump()[1]["clicked"]) == KEPT_CLICKS


def test_who_gets_too_much_of_what_bores_them_turns_it_off() -> None:
    rates = Rates()
    for number in range(4_000):
        rates.pushed(["News"], [number % 2 * 5], [1.0])
        bored = number % 4 < 2
        gone = number % 2 == 1 and number % 20 < 2
        if gone:
            rates.disabled("News", 5, 1.0)
        rates.wanted([0.01 if bored else 0.5], [float(gone)], [0.025])
    calm, burdened = rates.disable_probability("News", 0), rates.disable_probability("News", 5)
    assert calm < 0.01 < burdened < 0.12
    assert rates.disable_probability("News", 5, 0.01) > 1.5 * rates.disable_probability("News", 5, 0.5)


def test_the_share_of_the_digest_is_what_was_assumed_until_digests_have_told() -> None:
    rates = Rates()
    assert rates.share("digest", 0.4) == 0.4
    for _ in range(2_000):
        rates.shown("digest", 0.02, 0.2, 1.0)
    assert rates.share("digest", 0.4) == pytest.approx(0.1, abs=0.01)
