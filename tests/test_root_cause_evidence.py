"""The parts of root cause's verdict, each on cases whose answer is known by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.root_cause.calls import regular
from models.root_cause.hourly import HOUR, hourly_rates, traffic
from models.root_cause.lags import lags
from models.root_cause.likelihood import discoveries, rate_nats, share_nats, slower_nats
from models.root_cause.locations import Locations, location
from models.root_cause.skew import leads, skews
from models.root_cause.spread import carriers, path
from models.root_cause.tally import tally
from models.root_cause.window import MICROSECONDS, Window

HOURS = 168
ONE, ALONE = np.zeros(1, dtype=np.int64), 1


def test_many_lines_do_not_make_a_small_drift_evidence() -> None:
    shares, _ = share_nats(np.array([55, 55_000]), np.array([100, 100_000]), np.array([50, 50_000]), np.array([100, 100_000]))
    rates, _ = rate_nats(np.array([120, 120_000]), 1.0, np.array([100, 100_000]), 1.0)
    assert (shares < 0).all()
    assert (rates < 0).all()


def test_what_always_was_and_never_is_is_evidence() -> None:
    (vanished,), (p,) = share_nats(np.array([0]), np.array([50]), np.array([30]), np.array([30]))
    (silent,), _ = rate_nats(np.array([0]), 100.0, np.array([900]), 900.0)
    assert vanished > 5
    assert silent > 5
    assert p < 0.001


def test_sides_that_were_never_observed_say_nothing() -> None:
    nothing = np.array([0])
    assert share_nats(nothing, nothing, np.array([5]), np.array([9]))[0].tolist() == [0]
    assert rate_nats(nothing, 0.0, np.array([5]), 9.0)[0].tolist() == [0]


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=100, deadline=None)
def test_nats_of_shares_do_not_depend_on_which_side_is_called_normal(a: int, b: int, c: int, d: int) -> None:
    there, _ = share_nats(np.array([a]), np.array([a + b]), np.array([c]), np.array([c + d]))
    back, _ = share_nats(np.array([c]), np.array([c + d]), np.array([a]), np.array([a + b]))
    np.testing.assert_allclose(there, back, atol=1e-9)


def test_a_step_that_takes_as_long_as_ever_speaks_against_slowness() -> None:
    same, slower = slower_nats(np.array([0.0, 4.0]), np.array([0.01, 0.01]))
    assert same < 0 < 10 < slower


def test_discoveries_are_those_of_benjamini_and_hochberg() -> None:
    p = np.array([0.6, 0.01, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.001])
    assert np.flatnonzero(discoveries(p, 0.05)).tolist() == [1, 9]
    assert not discoveries(np.array([0.5, 0.9]), 0.05).any()
    assert len(discoveries(np.zeros(0), 0.05)) == 0


def test_a_lag_is_told_with_its_bursts() -> None:
    rng = np.random.default_rng(3)
    causes = np.cumsum(rng.uniform(8, 20, 15))
    effects = np.append(causes[:14] + 1.0 + rng.uniform(-0.02, 0.02, 14), 2 * causes[-1])
    times = [np.round(seconds * MICROSECONDS).astype(np.int64) for seconds in (causes, effects)]
    (lag,) = lags(["db: timeout", "api: 500"], ["db", "api"], times, [0.0, 0.0], rng)
    assert (lag.first, lag.then, lag.bursts, lag.followed) == ("db: timeout", "api: 500", 15, 14)
    assert lag.seconds == pytest.approx(1.0, abs=0.05)
    assert lag.words == "“db: timeout” precedes “api: 500” by 1.0 s in 14 of 15 bursts"
    assert lags(["db: timeout", "api: 500"], ["db", "api"], times, [1.0, 1.0], rng) == ()


def test_bursts_that_have_nothing_to_do_with_each_other_have_no_order() -> None:
    rng = np.random.default_rng(4)
    times = [np.sort(rng.integers(0, 600 * MICROSECONDS, 30)) for _ in range(2)]
    assert lags(["a: x", "b: y"], ["a", "b"], times, [0.0, 0.0], rng) == ()


def traces(n: int, ahead: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Requests in which service 0 calls 1 and 1 calls 2, ten milliseconds a step; the clock of 1 is ahead by some seconds."""
    service = np.tile([0, 1, 2, 2, 1, 0], n)
    at = (np.arange(6 * n) % 6 * 0.01 + np.arange(6 * n) // 6 * 5 + ahead * (service == 1)) * MICROSECONDS
    return np.round(at).astype(np.int64), np.repeat(np.arange(n), 6), service


@pytest.mark.parametrize("ahead", [-1.5, 0.0, 0.2, 2.0])
def test_a_wrong_clock_is_found_and_measured(ahead: float) -> None:
    calls = np.array([[False, True, False], [False, False, True], [False, False, False]])
    usual = leads(*traces(20, 0.0), calls)
    at, unit, service = traces(20, ahead)
    found = skews(at, unit, service, service, calls, usual)
    np.testing.assert_allclose(found.ahead / MICROSECONDS, [0, ahead, 0], atol=1e-6)


def test_slowness_is_no_wrong_clock() -> None:
    calls = np.array([[False, True, False], [False, False, True], [False, False, False]])
    at, unit, service = traces(20, 0.0)
    slow = at + np.where(np.arange(len(at)) % 6 >= 3, 2 * MICROSECONDS, 0)
    assert not skews(slow, unit, service, service, calls, leads(at, unit, service, calls)).ahead.any()


def test_failures_spread_from_callee_to_caller() -> None:
    frontend, checkout, cart, database, auth = range(5)
    calls = np.zeros((5, 5), dtype=bool)
    for caller, callee in [(frontend, checkout), (checkout, cart), (cart, database), (frontend, auth)]:
        calls[caller, callee] = True
    failing = np.array([True, True, True, True, True])
    assert carriers(database, calls, failing) == (cart, checkout, frontend)
    assert path(database, calls, failing, np.array([90, 20, 10, 5, 99])) == (database, cart, checkout, frontend)
    failing[cart] = False
    assert carriers(database, calls, failing) == ()
    assert path(database, calls, failing, np.ones(5)) == (database,)


def test_the_same_hour_of_past_weeks_is_what_is_expected() -> None:
    """Ten lines a minute from 10 to 11 on the first day of each of three weeks, and one otherwise."""
    parts = []
    for hour in range(3 * HOURS):
        often = 600 if hour % HOURS == 10 else 60
        parts.append(hour * HOUR + np.arange(often) * (HOUR // often))
    at = np.concatenate(parts)
    hours = hourly_rates(at, np.zeros(len(at), dtype=np.int64), 1, 60.0, 1.0)
    then = (5 * HOURS + 10) * HOUR
    busy, calm = (float(hours.lines_between(start, start + HOUR // 2, ONE, ALONE)[0]) for start in (then, then + HOUR))
    assert hours.is_seasonal
    assert (busy, calm) == pytest.approx((300, 30), rel=0.06)
    assert hours.factors(then, np.array([0, 1]), 2).tolist() == [pytest.approx(9.2, abs=0.5), 1.0]
    assert traffic(["shop"], np.array([800]), np.array([busy]), 3.0, seasonal=True) == ()
    (spike,) = traffic(["shop"], np.array([800]), np.array([calm]), 3.0, seasonal=True)
    assert (spike.service, spike.lines, spike.seasonal, spike.spike) == ("shop", 800, True, True)


def test_a_day_is_no_season() -> None:
    hours = hourly_rates(np.arange(60) * 60 * MICROSECONDS, np.zeros(60, dtype=np.int64), 1, 60.0, 1.0)
    assert float(hours.lines_between(9 * HOUR, 10 * HOUR, ONE, ALONE)[0]) == pytest.approx(60)
    assert hours.factors(9 * HOUR, ONE, ALONE).tolist() == [1.0]
    assert not hours.is_seasonal


@pytest.mark.parametrize(
    ("logger", "place"),
    [("t.s.TravelServiceImpl#457", "t.s.TravelServiceImpl#457"), ("app.py:31", "app.py:31"), ("Foo(Foo.java:7)", "Foo(Foo.java:7)")]
    + [(plain, "") for plain in ("org.acme.Foo", "", None)],
)
def test_a_logger_with_a_line_is_a_place_in_the_code(logger: str | None, place: str) -> None:
    assert location(logger) == place


def test_two_places_that_print_the_same_words_are_two_kinds() -> None:
    learned = Locations.learn(["A#1", "A#2", "A#2", ""], ["time <*>", "time <*>", "rare", "plain"])
    assert learned.kinds(["A#1", "A#2", "", "B#9"], ["time <*>", "other", "plain", "new"]) == [
        "A#1 time <*>",
        "A#2 rare",
        "plain",
        "B#9 new",
    ]


def test_counts_of_two_windows_are_those_of_both() -> None:
    rng = np.random.default_rng(5)
    at, symbol, unit = np.sort(rng.integers(0, 10**9, 300)), rng.integers(0, 4, 300), np.sort(rng.integers(0, 40, 300))
    window = Window.of(at, symbol, unit, rng.random(300) < 0.1)
    service_of = np.array([0, 0, 1, 2])
    half = int(np.searchsorted(window.unit, window.n_units // 2))
    whole = tally(window, service_of, 3, 10.0)
    parts = tally(window.between(0, half), service_of, 3, 4.0) + tally(window.between(half, 300), service_of, 3, 6.0)
    assert vars(whole).keys() == vars(parts).keys()
    for name, value in vars(whole).items():
        np.testing.assert_allclose(getattr(parts, name), value, err_msg=name)
    assert regular(whole.calls).shape == (3, 3)
