"""Root cause on planted incidents: the answer is known, and so is when there is none."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.root_cause import prepare as shop
from models.errors import InputError
from models.root_cause import Change, LogLine, RootCause, RootCauseExample, RootCausePrediction, RootCauseQuery
from models.root_cause.calls import call_graph
from models.root_cause.types import KINDS, MAX_LINES
from models.root_cause.verdict import explain, saturated
from models.root_cause.window import Window
from models.rows import read_rows
from training.root_cause import RECIPE

SAMPLE = Path(__file__).parent.parent / "data" / "root_cause" / "sample.csv.gz"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def model(root_cause_folder: Path) -> RootCause:
    return RootCause.load(root_cause_folder)


def incident(kind: str, service: str, seed: int = 5) -> RootCauseQuery:
    rows = shop.incident(np.random.default_rng(seed), NOON, kind, service)
    return RootCauseQuery(lines=tuple(LogLine.model_validate(row) for row in rows))


def ask(model: RootCause, query: RootCauseQuery) -> RootCausePrediction:
    (prediction,) = model.predict([query])
    return prediction


def line(**fields: Any) -> LogLine:
    return LogLine(**{"timestamp": NOON, "service": "shop", "message": "hello"} | fields)


@pytest.mark.parametrize(
    ("kind", "service"),
    [("exception", "payment"), ("crash", "inventory"), ("slow", "auth"), ("memory", "database"), ("config", "database")],
)
def test_the_planted_cause_is_found_though_the_frontend_is_louder(model: RootCause, kind: str, service: str) -> None:
    query = incident(kind, service)
    prediction = ask(model, query)
    assert prediction.verdict == "root_cause"
    assert prediction.root_cause == service == prediction.suspects[0].service


def test_evidence_names_lines_that_exist_and_show_it(model: RootCause) -> None:
    query = incident("exception", "payment")
    (new,) = [evidence for evidence in ask(model, query).suspects[0].evidence if evidence.kind == "new"]
    shown = [query.lines[number - 1] for number in new.lines]
    assert shown
    assert all(row.service == "payment" and "IllegalStateException" in row.message for row in shown)
    assert new.expected == 0
    assert new.observed == sum(row.service == "payment" and "IllegalStateException" in row.message for row in query.lines)
    assert new.first_seen_at == min(row.timestamp for row in query.lines if row.service == "payment" and "IllegalState" in row.message)


def test_the_onset_is_when_the_fault_began(model: RootCause) -> None:
    query = incident("exception", "payment")
    first = min(row.timestamp for row in query.lines if row.level == "ERROR")
    onset = ask(model, query).suspects[0].onset_at
    assert onset is not None
    assert abs(onset - first) < timedelta(seconds=15)


@pytest.mark.parametrize("seed", range(8))
def test_normal_time_is_not_enough_evidence(model: RootCause, seed: int) -> None:
    rows = shop.normal(np.random.default_rng(100 + seed), NOON, 120)
    prediction = ask(model, RootCauseQuery(lines=tuple(LogLine.model_validate(row) for row in rows)))
    assert prediction.verdict == "insufficient_evidence"
    assert prediction.root_cause is None
    assert prediction.what_would_help


def test_the_order_of_lines_does_not_matter(model: RootCause) -> None:
    query = incident("crash", "inventory")
    shuffled = RootCauseQuery(lines=tuple(query.lines[i] for i in np.random.default_rng(0).permutation(len(query.lines))))
    left, right = ask(model, query), ask(model, shuffled)
    assert [s.model_dump(exclude={"evidence"}) for s in left.suspects] == [s.model_dump(exclude={"evidence"}) for s in right.suspects]
    assert left.message_kinds == right.message_kinds


def test_lines_long_before_a_known_start_are_not_searched(model: RootCause) -> None:
    query = incident("exception", "payment")
    later = query.model_copy(update={"incident_started_at": NOON + timedelta(hours=1)})
    assert ask(model, later).lines == 0


def test_a_deploy_just_before_is_told_and_makes_its_service_more_suspect(model: RootCause) -> None:
    query = incident("slow", "auth")
    deploy = Change(service="auth", at=NOON - timedelta(minutes=5), what="release 42")
    plain, told = ask(model, query).suspects[0], ask(model, query.model_copy(update={"changes": (deploy,)})).suspects[0]
    assert told.service == plain.service == "auth"
    assert told.surprise > plain.surprise
    assert told.evidence[-1].kind == "change"
    assert "release 42" in told.evidence[-1].words


def test_a_deploy_of_a_service_that_behaves_is_no_cause(model: RootCause) -> None:
    deploy = Change(service="recommendation", at=NOON - timedelta(minutes=5), what="release 43")
    query = incident("exception", "payment").model_copy(update={"changes": (deploy, deploy.model_copy(update={"service": "nobody"}))})
    assert ask(model, query).root_cause == "payment"


def test_new_kinds_of_messages_come_first(model: RootCause) -> None:
    kinds = ask(model, incident("exception", "payment")).message_kinds
    assert kinds[0].new
    assert any("IllegalStateException" in kind.name and kind.new for kind in kinds)


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (line(),),
        (line(service="checkout"),) * 3,
        tuple(line(service="never seen", message="who am I", level="ERROR") for _ in range(50)),
        tuple(line(message=bytes(range(256)).decode("latin-1") * 3, trace_id="\x00") for _ in range(5)),
        (line(message=""), line(service=""), line(message="\ud83d\ude00 " * 500)),
        (line(timestamp=datetime.min.replace(tzinfo=UTC)), line(timestamp=datetime.max.replace(tzinfo=UTC))),
    ],
    ids=["none", "one", "same instant", "unknown service", "binary", "empty", "ends of time"],
)
def test_odd_windows_are_answered(model: RootCause, lines: tuple[LogLine, ...]) -> None:
    prediction = ask(model, RootCauseQuery(lines=lines))
    assert prediction.lines == len(lines)
    assert 0 <= prediction.no_cause_probability <= 1


def spoiled(kind: str, service: str, condition: str, seed: int = 5) -> RootCauseQuery:
    rng = np.random.default_rng(seed)
    return RootCauseQuery.model_validate({"lines": shop.spoiled(rng, shop.incident(rng, NOON, kind, service), service, condition)})


@pytest.mark.parametrize("condition", ["clock skew", "missing log"])
@pytest.mark.parametrize(("kind", "service"), [("exception", "payment"), ("memory", "database"), ("none", "")])
def test_wrong_clocks_and_missing_logs_neither_hide_a_cause_nor_make_one(model: RootCause, kind: str, service: str, condition: str) -> None:
    prediction = ask(model, spoiled(kind, service, condition))
    assert prediction.root_cause == (service or None)


def test_a_wrong_clock_is_told(model: RootCause) -> None:
    lines = incident("exception", "payment").lines
    late = timedelta(seconds=1.5)
    moved = tuple(row.model_copy(update={"timestamp": row.timestamp + late}) if row.service == "cart" else row for row in lines)
    (skew,) = ask(model, RootCauseQuery(lines=moved)).clock_skews
    assert skew.host == "cart-0"
    assert skew.seconds == pytest.approx(1.5, abs=0.05)


def test_a_missing_log_is_asked_for(model: RootCause) -> None:
    rows = shop.normal(np.random.default_rng(7), NOON, 120)
    lines = tuple(LogLine.model_validate(row) for row in rows if row["service"] != "payment")
    assert any(need.startswith("Lines of payment") for need in ask(model, RootCauseQuery(lines=lines)).what_would_help)


def test_a_flooded_service_is_the_cause_and_its_spike_is_told(model: RootCause) -> None:
    prediction = ask(model, incident("traffic", "inventory"))
    assert prediction.suspects[0].service == "inventory"
    assert "traffic" in prediction.suspects[0].parts


def test_cause_carriers_and_impact_are_kept_apart(model: RootCause) -> None:
    prediction = ask(model, incident("exception", "payment"))
    assert prediction.carriers == ("checkout", "frontend")
    assert not {"payment", *prediction.carriers} & set(prediction.impact)
    assert prediction.suspects[0].path[:2] == ("payment", "checkout")
    orders = [(lag.first.split(":")[0], lag.then.split(":")[0]) for lag in prediction.lags]
    assert ("payment", "checkout") in orders
    assert ("frontend", "payment") not in orders
    first_error = min(row.timestamp for row in incident("exception", "payment").lines if row.level == "ERROR")
    assert prediction.began_at is not None
    assert abs(prediction.began_at - first_error) < timedelta(seconds=30)


def test_a_window_without_errors_is_judged_by_what_is_slow(model: RootCause) -> None:
    query = incident("slow", "auth")
    calm = RootCauseQuery(lines=tuple(row for row in query.lines if row.level == "INFO"))
    assert ask(model, calm).root_cause == "auth"


def test_one_service_alone_is_asked_about_without_a_claim(model: RootCause) -> None:
    alone = RootCauseQuery(lines=tuple(row for row in incident("none", "").lines if row.service == "database"))
    prediction = ask(model, alone)
    assert prediction.verdict == "insufficient_evidence"
    assert any("one service alone" in need for need in prediction.what_would_help)


def test_more_lines_than_a_query_holds_are_refused_with_the_limit() -> None:
    with pytest.raises(ValueError, match=f"at most {MAX_LINES} items"):
        RootCauseQuery(lines=(line(),) * (MAX_LINES + 1))


def test_one_line_is_never_enough(model: RootCause) -> None:
    prediction = ask(model, RootCauseQuery(lines=(line(level="FATAL", message="kernel panic"),)))
    assert prediction.verdict == "insufficient_evidence"
    assert any("More lines" in need for need in prediction.what_would_help)


def test_a_large_window_is_answered(model: RootCause) -> None:
    lines = incident("exception", "payment").lines
    many = tuple(row for _ in range(MAX_LINES // len(lines)) for row in lines)
    assert ask(model, RootCauseQuery.from_lines(many)).lines == len(many)


def test_a_file_becomes_one_query_of_its_latest_lines_without_labels() -> None:
    rows = [
        RootCauseExample(timestamp=NOON + timedelta(seconds=n), service="a", message=str(n), incident="i", root_service="a")
        for n in range(MAX_LINES + 2)
    ]
    query = RootCauseQuery.from_lines(reversed(rows))
    assert len(query.lines) == MAX_LINES
    assert min(row.timestamp for row in query.lines) == NOON + timedelta(seconds=2)
    assert type(query.lines[0]) is LogLine
    assert RootCauseQuery.model_validate(query.model_dump()) == query


def test_times_with_nanoseconds_are_read_and_naive_times_refused() -> None:
    assert line(timestamp="2023-01-29T08:42:22.383150913Z").timestamp.microsecond == 383150
    with pytest.raises(ValueError, match="timezone"):
        line(timestamp="2023-01-29T08:42:22")


def test_incidents_are_not_normal_time(home: Path) -> None:
    rows = [RootCauseExample(timestamp=NOON, service="a", message="x", incident="i")]
    with pytest.raises(InputError, match="normal operation"):
        RootCause().fit(rows)


@pytest.mark.parametrize("n_lines", [1, 3, 40])
def test_hardly_any_normal_time_makes_no_claims(home: Path, n_lines: int) -> None:
    rows = [RootCauseExample(timestamp=NOON + timedelta(seconds=n), service="a", message=f"tick {n}") for n in range(n_lines)]
    model = RootCause().fit(rows)
    assert ask(model, RootCauseQuery(lines=(line(service="a", message="tick 1"),))).verdict == "insufficient_evidence"


def test_a_saved_model_answers_the_same(model: RootCause, tmp_path: Path) -> None:
    query = incident("crash", "inventory")
    model.save(tmp_path / "model")
    assert ask(RootCause.load(tmp_path / "model"), query) == ask(model, query)


def test_a_caller_waits_and_speaks_again() -> None:
    frontend, checkout, cart, database = range(4)
    speakers = np.array([frontend, checkout, cart, database, cart, database, checkout, frontend])
    window = Window.of(np.arange(8), speakers, np.zeros(8, dtype=np.int64), np.zeros(8, dtype=bool))
    counts = call_graph(window, np.arange(4), 4)
    assert sorted(zip(*np.nonzero(counts), strict=True)) == [(frontend, checkout), (checkout, cart), (checkout, database)]


def test_a_louder_caller_is_explained_by_its_callee() -> None:
    surprise = np.zeros((len(KINDS), 2))
    surprise[1] = [900.0, 60.0]
    left, blamed = explain(surprise, np.array([[False, True], [False, False]]), np.array([0.0, 0.0]))
    assert left[1] > left[0]
    assert blamed.tolist() == [1, -1]


def test_a_callee_that_changed_later_explains_nothing() -> None:
    surprise = np.zeros((len(KINDS), 2))
    surprise[1] = [900.0, 60.0]
    left, _ = explain(surprise, np.array([[False, True], [False, False]]), np.array([0.0, 30.0]))
    np.testing.assert_allclose(left, saturated(surprise[1]))


def test_the_sample_is_what_the_generator_writes() -> None:
    rows = list(read_rows(SAMPLE, RootCauseExample))
    assert rows == [RootCauseExample.model_validate(row) for row in shop.generate(0)]
    assert SAMPLE.stat().st_size < 1_000_000
    assert gzip.decompress(SAMPLE.read_bytes()).startswith(b"timestamp,service,message")


def test_no_incident_is_on_both_sides_of_the_split() -> None:
    split = RECIPE.split(list(read_rows(SAMPLE, RootCauseExample)), 0)
    sides = [{row.incident for row in side if row.incident} for side in (split.train, split.holdout)]
    assert all(sides)
    assert not sides[0] & sides[1]
    newest, oldest = (max, split.train), (min, split.holdout)
    ends = [pick(row.timestamp for row in side if row.incident is None) for pick, side in (newest, oldest)]
    assert ends[0] < ends[1]


def test_the_recipe_beats_most_errors_on_the_sample(home: Path) -> None:
    split = RECIPE.split(list(read_rows(SAMPLE, RootCauseExample)), 0)
    cases = RECIPE.cases(split, 0)
    queries = [case.query for case in cases]
    model = RootCause().fit(split.train)
    predictions = model.predict(queries)
    ours, simple = RECIPE.evaluate(predictions, cases), RECIPE.evaluate(RECIPE.baseline(split.train)(queries), cases)
    assert ours["ac_at_1"] > simple["ac_at_1"]
    assert all(gate.shortfall(ours[gate.metric]) <= 0 for gate in RECIPE.gates)
    assert set(RECIPE.figures(model, predictions, cases)) == {"cluster_map", "timeline", "suspects"}
