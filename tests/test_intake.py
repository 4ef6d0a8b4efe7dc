"""What clients report over HTTP: kept once it is answered, judged item by item, masked, and refused politely while nothing can be kept."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance, unsupported_method
from typer.testing import CliRunner

from foretell import app
from models.churn import ChurnPrediction, ChurnQuery
from models.environment import environment
from models.interest_graph import InterestGraphEvent
from models.root_cause import RootCauseQuery
from serving.intake import CLOCKS_DIFFER, EventsRoute, FeedbackRoute, IntakeRoute
from serving.personal import without_personal_data
from serving.prediction_ids import new_prediction_id, read_prediction_id
from serving.recorder import MAX_BYTES, Recorder
from serving.registry import Version
from serving.reports import MAX_ITEMS
from serving.retention import Retention
from serving.routes import Reply
from serving.store import NewEvent, NewPrediction, Store
from serving.store.outcomes import PENDING_MICROSECONDS
from tests.databases import postgres_schema
from tests.registered import graph, register
from tests.test_serving import churn, serving

SLUG = "interest_graph"
GOOD = {"user_id": "u1", "topic": "jazz", "action": "like", "timestamp": "2026-03-02T09:30:00Z"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield store
    store.close()


@pytest.fixture
def events(store: Store) -> EventsRoute:
    model = graph()
    return EventsRoute(SLUG, store, lambda: model)


@pytest.fixture
def feedback(store: Store) -> FeedbackRoute:
    return FeedbackRoute(store, timedelta(days=30))


def told(route: IntakeRoute, body: Any) -> tuple[int, dict[str, Any]]:
    """Status and body of the answer to a report."""
    taken = route.take(body if isinstance(body, bytes) else json.dumps(body).encode())
    reply = taken if isinstance(taken, Reply) else taken.reply(taken.future.result(10))
    answer: dict[str, Any] = json.loads(reply.body)
    return reply.status, answer


def reported(*items: Any) -> dict[str, Any]:
    return {"events": [{"event_id": f"e{n}", "event": item} for n, item in enumerate(items)]}


def kept(store: Store) -> list[Any]:
    return [json.loads(event.body) for event in store.since(SLUG, 0)]


def test_a_bad_event_is_refused_alone_by_index_and_field(events: EventsRoute, store: Store) -> None:
    status, answer = told(
        events,
        {
            "events": [
                {"event_id": "a", "event": GOOD},
                {"event_id": "b", "event": {**GOOD, "weight": -1}},
                {"event_id": "c", "event": {**GOOD, "timestamp": "2026-03-02T09:30:00"}},
                {"event": GOOD},
                {"event_id": "", "event": GOOD},
                7,
                {"event_id": "d", "event": {**GOOD, "action": "teleport"}},
                {"event_id": "e", "event": {**GOOD, "weight": float("nan")}},
                {"event_id": "f", "event": GOOD},
            ]
        },
    )
    assert status == 200
    assert (answer["accepted"], answer["repeated"]) == (2, [])
    errors = {each["index"]: each["error"] for each in answer["refused"]}
    assert re.search(r"^event\.weight: expected at least 0, got -1$", errors[1])
    assert re.search(r"^event\.timestamp: expected a time with its zone", errors[2])
    assert errors[3] == "event_id: expected a value, got none"
    assert re.search(r"^event_id: expected text of at least 1 character", errors[4])
    assert re.search(r"^the item: .* got 7$", errors[5])
    assert "teleport" in errors[6]
    assert sorted(errors) == [1, 2, 3, 4, 5, 6, 7]
    assert [event.event_id for event in store.since(SLUG, 0)] == ["a", "f"]


def test_repeated_events_are_named_by_place(events: EventsRoute, store: Store) -> None:
    assert told(events, reported(GOOD))[1] == {"accepted": 1, "repeated": [], "refused": []}
    again = {"events": [{"event_id": name, "event": GOOD} for name in ("e1", "e0", "e1")]}
    assert told(events, again)[1] == {"accepted": 1, "repeated": [1, 2], "refused": []}
    assert len(kept(store)) == 2


def test_places_are_of_what_was_sent_when_some_are_refused(events: EventsRoute) -> None:
    told(events, reported(GOOD))
    body = {"events": [{"event_id": "x", "event": {}}, {"event_id": "e0", "event": GOOD}]}
    _, answer = told(events, body)
    assert (answer["accepted"], answer["repeated"], answer["refused"][0]["index"]) == (0, [1], 0)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "expected the body to be JSON like"),
        (b"[]", "the body: expected an object"),
        (b"{}", "events: expected a value, got none"),
        (b'{"events": 1}', "events: expected a list"),
        (b'{"events": [], "more": 1}', "more: expected no such field"),
    ],
)
def test_a_body_of_another_form_is_400(events: EventsRoute, body: bytes, message: str) -> None:
    status, answer = told(events, body)
    assert status == 400
    assert re.search(message, answer["error"])


def test_no_events_are_accepted(events: EventsRoute) -> None:
    assert told(events, {"events": []}) == (200, {"accepted": 0, "repeated": [], "refused": []})


@pytest.mark.parametrize("last", [GOOD, {}])
def test_a_batch_has_at_most_ten_thousand_events(events: EventsRoute, store: Store, last: dict[str, Any]) -> None:
    status, answer = told(events, reported(*[GOOD] * MAX_ITEMS, last))
    assert (status, answer["error"]) == (413, "expected at most 10,000 events, got 10,001: send them in several requests")
    assert kept(store) == []
    assert told(events, reported(*[GOOD] * MAX_ITEMS))[1]["accepted"] == MAX_ITEMS


def test_what_only_some_programs_can_read_is_refused_alone(events: EventsRoute, store: Store) -> None:
    """Half a surrogate pair, and a number of five thousand digits: Python reads both, UTF-8 and pydantic do not."""
    odd = ['{"user_id": "\\ud800", "topic": "t"}', '{"user_id": "u", "topic": "\\udc00!"}', '{"user_id": %s, "topic": "t"}' % ("9" * 4_000)]
    texts = [json.dumps(GOOD), *odd, json.dumps(GOOD)]
    body = ",".join(f'{{"event_id": "e{n}", "event": {text}}}' for n, text in enumerate(texts))
    status, answer = told(events, f'{{"events": [{body}]}}'.encode())
    assert (status, answer["accepted"]) == (200, 2)
    assert [each["index"] for each in answer["refused"]] == [1, 2, 3]
    assert answer["refused"][0]["error"].startswith("the item: expected JSON that every program can read, got something else: ")
    assert [event.event_id for event in store.since(SLUG, 0)] == ["e0", "e4"]


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"outcome": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", '{"events": []}'.encode("utf-16")]
)
def test_what_nests_without_end_or_is_not_utf8_is_400(events: EventsRoute, feedback: FeedbackRoute, body: bytes) -> None:
    for route in (events, feedback):
        status, answer = told(route, body)
        assert status == 400
        assert answer["error"].startswith("expected the body to be JSON like")


def test_millions_of_nothings_are_refused_without_looking_at_each(events: EventsRoute) -> None:
    body = b'{"events": [' + b"null," * 2_000_000 + b"null]}"
    assert told(events, body) == (413, {"error": "expected at most 10,000 events, got 2,000,001: send them in several requests"})


def test_what_is_stored_holds_no_personal_data_but_the_subject(events: EventsRoute, store: Store) -> None:
    told(events, reported({**GOOD, "user_id": "ann@example.org", "topic": "mail bob@example.org"}))
    assert kept(store)[0] | {"timestamp": ""} == {
        **GOOD,
        "user_id": "ann@example.org",
        "topic": "mail [email]",
        "weight": 1.0,
        "timestamp": "",
    }
    assert store.export("ann@example.org")["events"][0]["subject"] == "ann@example.org"


def test_the_same_text_is_masked_to_the_same_topic_so_that_the_model_still_learns(events: EventsRoute, store: Store) -> None:
    told(events, reported(*({**GOOD, "topic": f"news for {who}@example.org"} for who in ("ann", "bob"))))
    model = graph()
    model.update(InterestGraphEvent.model_validate(event) for event in kept(store))
    interests = model.predict([model.contract.query(user_id="u1")])[0].interests
    assert {interest.topic: interest.actions for interest in interests}["news for [email]"] == 2


def test_everything_that_is_acknowledged_can_be_replayed(events: EventsRoute, store: Store) -> None:
    odd = ["\U0001f600", "\\", '"', "é\u2028", "[email]", "x" * 256, "a@b.co" + "x" * 250]
    status, answer = told(events, reported(*({**GOOD, "topic": topic} for topic in odd)))
    assert status == 200
    assert answer["accepted"] + len(answer["refused"]) == len(odd)
    model = graph()
    stored = store.since(SLUG, 0)
    model.update(InterestGraphEvent.model_validate_json(event.body) for event in stored)
    assert len(stored) == answer["accepted"] >= len(odd) - 1


def test_ids_keep_their_form_and_texts_do_not() -> None:
    query = RootCauseQuery.model_validate(
        {
            "lines": [
                {
                    "timestamp": "2026-03-02T09:30:00Z",
                    "service": "db",
                    "message": "login ann@example.org from 10.1.2.3",
                    "trace_id": "4111111111111111",
                }
            ]
        }
    )
    line = without_personal_data(query).lines[0]
    assert (line.message, line.trace_id) == ("login [email] from [ip]", "4111111111111111")


def test_a_record_without_personal_data_is_itself() -> None:
    query = ChurnQuery(customer_id="c", features={"plan": "plus", "months": 3})
    assert without_personal_data(query, "customer_id") is query


def stored_prediction(store: Store, *, days_ago: float = 0) -> str:
    name = new_prediction_id("churn", "3")
    if days_ago:
        name = named_at(datetime.now(UTC) - timedelta(days=days_ago))
    answer = ChurnPrediction(prediction_id=name, probability=0.5)
    named = read_prediction_id(name)
    assert named is not None
    row = NewPrediction(name, "churn", None, named.predicted_at, ChurnQuery(features={}).model_dump_json(), answer.model_dump_json())
    store.record([row])
    return name


def named_at(instant: datetime, slug: str = "churn") -> str:
    return f"{slug}-3-{int(instant.timestamp() * 1000):012x}7000800000000000{0:04x}"


def outcome(name: str, value: Any = True, *, minutes: float = 0) -> dict[str, Any]:
    return {"prediction_id": name, "outcome": value, "occurred_at": (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()}


def test_a_name_says_when_its_prediction_was_made() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    names = [new_prediction_id("interest_graph", "12") for _ in range(1_000)]
    found = read_prediction_id(names[0])
    assert found is not None
    assert (found.slug, found.version) == ("interest_graph", "12")
    assert before <= found.predicted_at <= datetime.now(UTC)
    assert len(set(names)) == 1_000
    assert [name[:28] for name in names] == sorted(name[:28] for name in names)


@pytest.mark.parametrize("name", ["", "churn", "churn-1-xyz", "churn-1-dd40cf0bfef54b1087dcd2c6cbbea214", "churn-1-" + "f" * 32])
def test_other_names_say_nothing(name: str) -> None:
    assert read_prediction_id(name) is None


def test_an_outcome_alone_and_several_together(feedback: FeedbackRoute, store: Store) -> None:
    first, second = stored_prediction(store), stored_prediction(store)
    assert told(feedback, outcome(first)) == (200, {"accepted": 1, "statuses": ["stored"], "refused": []})
    status, answer = told(feedback, {"feedback": [outcome(first), outcome(second, False), outcome(second, "maybe"), {}]})
    assert status == 200
    assert (answer["accepted"], answer["statuses"]) == (1, ["repeated", "stored", "refused", "refused"])
    assert [each["index"] for each in answer["refused"]] == [2, 3]
    assert answer["refused"][0]["error"].startswith("outcome: expected true or false")
    assert [each.outcome for each in store.observed("churn")] == [True, False]


def test_an_outcome_waits_for_its_prediction(feedback: FeedbackRoute, store: Store) -> None:
    name = new_prediction_id("churn", "3")
    assert told(feedback, outcome(name))[1]["statuses"] == ["pending"]
    assert told(feedback, outcome(name))[1]["statuses"] == ["repeated"]


def test_a_later_outcome_corrects_and_an_earlier_one_is_superseded(feedback: FeedbackRoute, store: Store) -> None:
    name = stored_prediction(store, days_ago=1)
    assert told(feedback, outcome(name, True, minutes=-20))[1]["statuses"] == ["stored"]
    assert told(feedback, outcome(name, False, minutes=-10))[1]["statuses"] == ["corrected"]
    assert told(feedback, outcome(name, True, minutes=-15))[1] == {"accepted": 0, "statuses": ["superseded"], "refused": []}
    assert [each.outcome for each in store.observed("churn")] == [False]


@pytest.mark.parametrize(
    ("days_ago", "minutes", "status", "message"),
    [
        (1, -3 * 1440, 400, "occurred_at: expected an instant after the prediction's"),
        (1, 10, 400, "occurred_at: expected an instant before now"),
        (31, 0, 400, "prediction_id: expected a prediction of the last 30 days"),
    ],
)
def test_too_early_and_too_late_are_refused(
    feedback: FeedbackRoute, store: Store, days_ago: float, minutes: float, status: int, message: str
) -> None:
    name = stored_prediction(store, days_ago=days_ago)
    found, answer = told(feedback, outcome(name, minutes=minutes))
    assert found == status
    assert answer["error"].startswith(message)
    assert told(feedback, {"feedback": [outcome(name, minutes=minutes)]})[1]["statuses"] == ["refused"]
    assert list(store.observed("churn")) == []


def test_clocks_that_differ_a_little_do_not_matter(feedback: FeedbackRoute, store: Store) -> None:
    name = stored_prediction(store)
    assert told(feedback, outcome(name, minutes=-CLOCKS_DIFFER.seconds / 60 / 2))[0] == 200
    (observed,) = store.observed("churn")
    assert observed.occurred_at == observed.predicted_at


@pytest.mark.parametrize("name", ["x", "churn-1-x", "interest_graph-3-" + "0" * 12 + "7" + "0" * 3 + "8" + "0" * 15])
def test_what_no_prediction_can_be_called_is_refused(feedback: FeedbackRoute, name: str) -> None:
    status, answer = told(feedback, outcome(name))
    assert status == 400
    assert answer["error"].startswith("prediction_id: expected the id of a prediction that this service has made")


def test_a_prediction_that_never_was_is_404_after_a_while(feedback: FeedbackRoute) -> None:
    name = named_at(datetime.now(UTC) - timedelta(microseconds=PENDING_MICROSECONDS, seconds=1))
    assert told(feedback, outcome(name))[0] == 404
    assert told(feedback, {"feedback": [outcome(name)]})[1]["refused"][0]["index"] == 0


def test_an_outcome_in_words_is_masked(feedback: FeedbackRoute, store: Store) -> None:
    told(feedback, outcome(named_at(datetime.now(UTC), "root_cause"), "call ann@example.org"))
    with sqlite3.connect(store._database._path) as connection:  # type: ignore[attr-defined]
        assert connection.execute("SELECT outcome FROM feedback").fetchall() == [('"call [email]"',)]
    connection.close()


def answered(count: int = 1) -> tuple[list[ChurnQuery], list[ChurnPrediction]]:
    queries = [ChurnQuery(customer_id=f"c{n}", features={"note": "ann@example.org"}) for n in range(count)]
    return queries, [ChurnPrediction(prediction_id=new_prediction_id("churn", "1"), probability=0.5) for _ in queries]


def test_predictions_are_recorded_beside_the_requests(store: Store, feedback: FeedbackRoute) -> None:
    recorder = Recorder(store)
    recorder.start(lambda slug, count: None)
    queries, predictions = answered(3)
    recorder.note("churn", queries, predictions, 100)
    assert told(feedback, outcome(str(predictions[1].prediction_id)))[0] == 200
    recorder.stop()
    (observed,) = store.observed("churn")
    assert (observed.query.customer_id, observed.query.features) == ("c1", {"note": "[email]"})
    assert observed.prediction == predictions[1]


def test_a_prediction_that_cannot_be_stored_takes_no_other_along(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    queries, predictions = answered(9)
    unstorable = predictions[4].prediction_id
    original = store.record

    def record(rows: list[NewPrediction]) -> None:
        if any(row.prediction_id == unstorable for row in rows):
            raise ValueError("a database has its reasons")
        original(rows)

    monkeypatch.setattr(store, "record", record)
    dropped: list[tuple[str, int]] = []
    recorder = Recorder(store)
    recorder.start(lambda slug, count: dropped.append((slug, count)))
    recorder.note("churn", queries, predictions, 100)
    recorder.stop()
    assert dropped == [("churn", 1)]
    assert [bool(store.export(f"c{n}")["predictions"]) for n in range(9)] == [n != 4 for n in range(9)]


def test_predictions_wait_while_the_store_is_away_and_are_counted_when_there_is_no_room(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = Store(f"sqlite:///{path}")
    store.newest(SLUG)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    dropped: list[tuple[str, int]] = []
    recorder = Recorder(store)
    recorder.start(lambda slug, count: dropped.append((slug, count)))
    queries, predictions = answered(2)
    start = time.monotonic()
    recorder.note("churn", queries, predictions, MAX_BYTES)
    recorder.note("churn", queries, predictions, 1)
    assert time.monotonic() - start < 0.1
    assert dropped == [("churn", 2)]
    time.sleep(2.5)  # the first try fails
    other.execute("ROLLBACK")
    other.close()
    for _ in range(100):
        time.sleep(0.05)
        if store.export("c1")["predictions"]:
            break
    assert len(store.export("c1")["predictions"]) == 1
    recorder.stop()
    store.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('database') / 'store.db'}"
    else:
        with postgres_schema() as url:
            yield url


@pytest.fixture(scope="module")
def client(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORETELL_HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        register(churn())
        register(graph("jazz"))
        with serving(("churn", SLUG), FORETELL_DATABASE_URL=database_url) as client:
            yield client


@contextmanager
def locked(database_url: str) -> Iterator[None]:
    """Keep everybody else from writing events."""
    if database_url.startswith("sqlite"):
        other = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
        other.close()
    else:
        with psycopg.connect(database_url) as connection:
            connection.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
            yield


def test_events_are_taken_over_http(client: httpx.Client) -> None:
    first = client.post(f"/v1/{SLUG}/events", json=reported(GOOD, {}))
    assert first.status_code == 200
    assert (first.json()["accepted"], len(first.json()["refused"])) == (1, 1)
    assert client.post(f"/v1/{SLUG}/events", json=reported(GOOD)).json() == {"accepted": 0, "repeated": [0], "refused": []}


def test_a_prediction_is_told_its_outcome_over_http(client: httpx.Client) -> None:
    query = {"customer_id": "c-1", "features": {"months": 3, "plan": "monthly"}}
    name = client.post("/v1/churn", json={"queries": [query]}).json()["predictions"][0]["prediction_id"]
    assert client.post("/v1/feedback", json=outcome(name, "maybe")).status_code == 400
    answer = client.post("/v1/feedback", json=outcome(name))
    assert answer.status_code == 200
    assert answer.json()["statuses"] in (["stored"], ["pending"])
    assert client.post("/v1/feedback", json=outcome(name)).json()["statuses"] == ["repeated"]


def test_models_that_learn_only_in_training_take_no_events(client: httpx.Client) -> None:
    assert client.post("/v1/churn/events", json={"events": []}).status_code == 404
    assert client.get("/v1/feedback").status_code == 405


def test_a_locked_store_is_503_with_retry_after_and_predictions_go_on(client: httpx.Client, database_url: str) -> None:
    new = {"events": [{"event_id": "while locked", "event": GOOD}]}
    with locked(database_url):
        start = time.monotonic()
        refused = client.post(f"/v1/{SLUG}/events", json=new)
        assert time.monotonic() - start < 5.5
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert client.post(f"/v1/{SLUG}", json={"queries": [{"user_id": "u1"}]}).status_code == 200
    assert client.post(f"/v1/{SLUG}/events", json=new).json()["accepted"] == 1


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("path", [f"/v1/{SLUG}/events", "/v1/feedback"])
def test_whatever_is_reported_is_answered_as_documented(client: httpx.Client, path: str, mode: GenerationMode) -> None:
    operation = schemathesis.openapi.from_dict(client.get("/docs.json").json())[path]["POST"]

    @hypothesis.settings(max_examples=15, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def check(case: schemathesis.Case[Any]) -> None:
        # A bad item is refused within an answer that is no error, and no made-up id is that of a prediction.
        accepted = [negative_data_rejection, positive_data_acceptance, unsupported_method]
        case.call_and_validate(base_url=str(client.base_url), excluded_checks=accepted)

    check()


def test_age_drops_only_events_that_no_version_here_has_to_replay(tmp_path: Path) -> None:
    surroundings = replace(environment(), home=tmp_path, keep_days=0.0)
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    store.append(SLUG, [NewEvent("a", None, "{}"), NewEvent("b", None, "{}"), NewEvent("c", None, "{}")])
    first, second, _ = store.since(SLUG, 0)
    retention = Retention(store, [SLUG, "churn"], surroundings)
    assert retention.drop()["events"] == 0  # no version is known: any may be needed
    folder = tmp_path / "served" / SLUG
    for number, seq in (("1", first.seq), ("2", second.seq)):
        (folder / number).mkdir(parents=True)
        version = Version(slug=SLUG, version=number, manifest_sha256="", tags={"absorbed": f"{store.identity()}:{seq}"})
        (folder / number / "version.json").write_text(version.model_dump_json())
    (folder / "current").write_text("2\n1")
    assert retention.drop()["events"] == 1  # version 1, to which one may roll back, has seen the first event only
    assert [event.event_id for event in store.since(SLUG, 0)] == ["b", "c"]
    (folder / "current").write_text("2")
    assert retention.drop()["events"] == 1
    store.close()


def test_nothing_is_too_old_unless_somebody_says_so(store: Store, tmp_path: Path) -> None:
    store.append(SLUG, [NewEvent("a", None, "{}")])
    assert Retention(store, [SLUG], replace(environment(), home=tmp_path, keep_days=None)).drop() == {}


def test_the_command_line_exports_and_forgets(home: Path) -> None:
    store = Store(environment().database_url)
    store.append(SLUG, [NewEvent("a", "ann", '{"user_id":"ann"}')])
    store.close()
    run = CliRunner().invoke
    assert json.loads(run(app, ["data", "export", "--user", "ann"]).stdout)["events"][0]["body"] == {"user_id": "ann"}
    assert json.loads(run(app, ["data", "forget", "--user", "ann", "--json"]).stdout)["dropped"]["events"] == 1
    assert json.loads(run(app, ["data", "export", "--user", "ann"]).stdout)["events"] == []
