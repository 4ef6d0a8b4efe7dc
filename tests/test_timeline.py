"""Pictures of incidents: drawn from a prediction alone, well-formed whatever was logged, and true to the counts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.root_cause import Alert, RootCause, RootCauseExample, RootCausePrediction, RootCauseQuery, Suspect
from models.root_cause.alarm import AlertState
from models.root_cause.chart import Arrow, Timeline, TimelineRow
from models.root_cause.cluster_map import ClusterMapRequest, draw_cluster_map
from models.root_cause.drawing import ALERT, CAUSE, ERROR, MUTED, ODD, PLOT, draw_timeline
from models.root_cause.phrases import key_phrases
from models.root_cause.timeline import MOST_STEPS, step_seconds
from tests.test_root_cause import ask, incident, line, model  # noqa: F401 - fixture

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - we wrote it


def row(service: str, **fields: Any) -> TimelineRow:
    return TimelineRow(**{"service": service, "lines": (4, 9), "errors": (0, 0), "unusual": (0, 0), "onset_at": None} | fields)


def prediction(*rows: TimelineRow, arrows: tuple[Arrow, ...] = (), **fields: Any) -> RootCausePrediction:
    chart = Timeline(started_at=NOON, step_seconds=2.0, rows=rows, arrows=arrows, other_services=3)
    plain = {"verdict": "insufficient_evidence", "root_cause": None, "no_cause_probability": 0.9, "suspects": (), "impact": ()}
    return RootCausePrediction(**plain | {"message_kinds": (), "what_would_help": (), "lines": 13, "timeline": chart} | fields)


def suspect(service: str) -> Suspect:
    nothing: dict[str, Any] = {"parts": {}, "onset_at": None, "lag_seconds": None, "blames": None, "evidence": ()}
    return Suspect(service=service, probability=0.87, surprise=9, **nothing)


def test_the_cause_is_marked_and_its_effect_linked_with_the_lag() -> None:
    cause, effect = row("db", onset_at=NOON + timedelta(seconds=1)), row("api", onset_at=NOON + timedelta(seconds=2.5))
    arrow = Arrow(cause="db", effect="api", lag_seconds=1.5)
    told: dict[str, Any] = {"verdict": "root_cause", "root_cause": "db", "suspects": (suspect("db"),)}
    drawn = draw_timeline(prediction(cause, effect, row("web"), arrows=(arrow,), carriers=("web",), impact=("api",), **told))
    assert {"db started it, probability 0.87", "started it", "suffered", "passed it on", "+1.5 s"} <= set(texts(drawn))
    assert CAUSE in drawn


def test_colours_say_what_was_unusual_and_what_an_error() -> None:
    def colours(**fields: Any) -> set[str]:
        bars = ElementTree.fromstring(draw_timeline(prediction(row("db", **fields)))).iter(f"{SVG}rect")  # noqa: S314
        return {str(bar.get("fill")) for bar in bars if float(bar.get("width", 0)) > 100} & {ODD, ERROR}

    assert colours() == set()
    assert colours(unusual=(0, 3)) == {ODD}
    assert colours(unusual=(0, 3), errors=(0, 2)) == {ODD, ERROR}


def test_an_alert_is_a_band_as_long_as_it_lasts_and_pale_if_muted() -> None:
    about: dict[str, Any] = {"key": "k", "kind": "burst", "template": "x", "lines": 9, "expected": 1, "seasonal": False, "why": "x"}
    until = NOON + timedelta(seconds=3)
    states: tuple[AlertState, ...] = ("firing", "muted")
    loud, quiet = (Alert(state=state, service="db", since=NOON + timedelta(seconds=1), until=until, **about) for state in states)

    def bands(*alerts: Alert) -> dict[str, float]:
        drawn = ElementTree.fromstring(draw_timeline(prediction(row("db"), alerts=alerts))).iter(f"{SVG}rect")  # noqa: S314
        return {str(band.get("fill")): float(band.get("width", 0)) for band in drawn if band.get("height") == "4.0"}

    assert bands() == {}
    assert bands(loud) == {ALERT: pytest.approx(PLOT / 2)}
    assert bands(quiet.model_copy(update={"service": "stranger"})) == {}
    assert bands(loud, quiet).keys() == {ALERT, MUTED}
    assert {"alert", "muted alert"} <= set(texts(draw_timeline(prediction(row("db"), alerts=(loud, quiet)))))


def test_no_two_lags_stand_in_the_same_place() -> None:
    rows = [row(name, onset_at=NOON + timedelta(seconds=second)) for name, second in (("db", 0.5), ("api", 2), ("web", 2), ("app", 2))]
    arrows = tuple(Arrow(cause="db", effect=name, lag_seconds=1.5) for name in ("api", "web", "app"))
    drawn = ElementTree.fromstring(draw_timeline(prediction(*rows, arrows=arrows)))  # noqa: S314
    places = [(text.get("x"), text.get("y")) for text in drawn.iter(f"{SVG}text") if text.text == "+1.5 s"]
    assert len(places) == len(set(places)) == 3


def test_a_bar_is_as_high_as_the_root_of_its_count() -> None:
    bars = ElementTree.fromstring(draw_timeline(prediction(row("db")))).iter(f"{SVG}rect")  # noqa: S314
    four, nine = (float(bar.get("height", 0)) for bar in bars if 300 < float(bar.get("width", 0)) < 400)
    assert four / nine == pytest.approx(2 / 3, abs=0.01)


def test_a_window_without_lines_is_drawn_as_words() -> None:
    assert any("no lines" in words for words in texts(draw_timeline(prediction(timeline=None))))


@given(st.text(max_size=30))
def test_whatever_a_service_is_called_the_picture_is_well_formed(name: str) -> None:
    assert texts(draw_timeline(prediction(row(name), verdict="root_cause", root_cause=name, suspects=(suspect(name),))))


def test_nothing_that_was_logged_can_run() -> None:
    drawn = draw_timeline(prediction(row('<script>alert("x")</script>')))
    assert not [element for element in ElementTree.fromstring(drawn).iter() if element.tag.endswith("script")]  # noqa: S314


def test_counts_of_a_timeline_are_those_of_the_lines(model: RootCause) -> None:  # noqa: F811
    query = incident("exception", "payment")
    chart = ask(model, query).timeline
    assert chart is not None
    for shown in chart.rows:
        own = [one for one in query.lines if one.service == shown.service]
        steps = np.zeros(len(shown.lines), dtype=int)
        for one in own:
            steps[int((one.timestamp - chart.started_at).total_seconds() / chart.step_seconds)] += 1
        assert shown.lines == tuple(steps)
        assert sum(shown.errors) == sum(one.level == "ERROR" for one in own)
    assert chart.rows[0].service == "payment"
    assert sum(chart.rows[0].unusual) > 0
    assert ("payment", "checkout") in {(arrow.cause, arrow.effect) for arrow in chart.arrows}


@pytest.mark.parametrize("seconds", [0, 1e-6, 0.3, 59, 61, 3600, 86400, 86400 * 365 * 9998])
def test_any_span_has_a_round_step(seconds: float) -> None:
    step = step_seconds(seconds)
    assert seconds / step <= MOST_STEPS
    assert re.fullmatch(r"0*\.?0*[125]0*\.?0*|15\.0|30\.0|[36]0*\.0|\d+\.0", str(step))


def test_what_is_stored_of_a_question_are_not_the_lines() -> None:
    query = RootCauseQuery(lines=(line(),), calls=(("a", "b"),))
    assert query.kept() == RootCauseQuery(lines=(), calls=(("a", "b"),))


def test_the_map_names_the_largest_clusters(model: RootCause) -> None:  # noqa: F811
    named = set(model.known_.kind_names.values())
    assert named & set(texts(model.cluster_map(ClusterMapRequest())))


@pytest.mark.parametrize("templates", [1, 2, 7])
def test_hardly_any_templates_make_a_map(templates: int) -> None:
    drawn = draw_cluster_map(np.eye(templates, 8), np.full(templates, -1), {}, np.arange(templates), 10)
    assert "all others" in texts(drawn)


def test_a_cluster_is_called_by_what_it_says_and_others_do_not() -> None:
    refused = ["connection refused by <*>", "db : connection refused", "connection refused after <*> tries"]
    ended = ["session <*> ended by user", "session ended"]
    assert key_phrases([refused, ended]) == ["connection refused", "ended · session"]


def test_normal_time_of_one_line_has_a_map_too(home: object) -> None:
    lone = RootCause().fit([RootCauseExample(timestamp=NOON, service="a", message="hello world")])
    assert "1 templates" in lone.cluster_map(ClusterMapRequest())
