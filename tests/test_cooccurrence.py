"""Who calls whom, learned where no trace tells it: right where services speak in turn, silent where they only happen to."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.root_cause import prepare as shop
from models.root_cause import LogLine, RootCause, RootCauseExample, RootCauseQuery
from models.root_cause.calls import call_graph, regular
from models.root_cause.cooccurrence import likely_calls, silence
from models.root_cause.examination import examine
from models.root_cause.window import MICROSECONDS, Window, columns
from tests.test_root_cause import NOON, ask, incident


def without_traces(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [row | {"trace_id": ""} for row in rows]


@pytest.mark.parametrize("load", [0.3, 1.0, 2.0])
def test_calls_are_found_without_traces_nearly_as_well_as_with_them(load: float) -> None:
    quiet = shop.Fault("quiet", "", 0)
    lines = [LogLine.model_validate(row) for row in shop.lines_of(np.random.default_rng(3), NOON, 600, quiet, load)]
    seen = columns(lines, block_seconds=5.0)
    names = sorted(set(seen.services))
    service = np.array([names.index(name) for name in seen.services])
    window = Window.of(seen.at, service, seen.unit, seen.severe)
    traced = regular(call_graph(window, np.arange(len(names)), len(names)))
    found = likely_calls(seen.at, service, len(names), np.random.default_rng(0))
    assert traced.sum() >= 8
    assert (traced & ~found).sum() <= 1
    assert (found & ~traced).sum() <= 1


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_services_that_do_not_know_each_other_call_nobody(seed: int) -> None:
    rng = np.random.default_rng(seed)
    at = np.sort(rng.integers(0, 600 * MICROSECONDS, 1_500))
    assert likely_calls(at, rng.integers(0, 4, len(at)), 4, rng).sum() <= 1


@pytest.mark.parametrize("service", [np.zeros(0, dtype=np.int64), np.zeros(5, dtype=np.int64), np.array([0, 1])])
def test_hardly_any_lines_tell_no_calls(service: np.ndarray) -> None:
    at = np.arange(len(service)) * MICROSECONDS
    assert not likely_calls(at, service, 2, np.random.default_rng(0)).any()


def test_the_silence_that_ends_a_spell_is_between_the_short_and_the_long_ones() -> None:
    rng = np.random.default_rng(0)
    gaps = np.concatenate([rng.lognormal(np.log(5_000), 0.4, 900), rng.lognormal(np.log(700_000), 0.4, 100)])
    assert 15_000 < silence(gaps) < 300_000


def test_without_traces_callers_carry_a_failure_on_and_known_calls_come_first(home: object) -> None:
    normal = shop.normal(np.random.default_rng(1), NOON - timedelta(hours=1), 600)
    model = RootCause().fit(RootCauseExample.model_validate(row) for row in without_traces(normal))
    lines = tuple(line.model_copy(update={"trace_id": None}) for line in incident("exception", "payment").lines)
    guessed = ask(model, RootCauseQuery(lines=lines))
    assert guessed.root_cause == "payment"
    assert guessed.carriers[:2] == ("checkout", "frontend")
    stated = RootCauseQuery(lines=lines, calls=(("checkout", "payment"),))
    findings = [examine(model.known_, model.config, query, columns(lines, 5.0)) for query in (RootCauseQuery(lines=lines), stated)]
    among = [found.calls.sum() for found in findings if found is not None]
    assert among[1] < among[0]


def test_traces_make_guessing_needless(home: object) -> None:
    lines = [LogLine.model_validate(row) for row in shop.normal(np.random.default_rng(1), NOON, 60)]
    model = RootCause().fit(RootCauseExample(**line.model_dump()) for line in lines)
    assert not model.known_.likely_calls.any()
