"""Incidents over HTTP, on a real server: asked about, looked at as a picture, muted and remembered."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import numpy as np
import pytest

from data.root_cause import prepare as shop
from models.root_cause import RootCause
from models.root_cause.types import MAX_LINES
from tests.registered import register
from tests.test_root_cause import NOON
from tests.test_serving import serving

PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="module")
def client(root_cause_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORETELL_HOME", str(home))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.delenv("FORETELL_DATABASE_URL", raising=False)
        register(RootCause.load(root_cause_folder))
        with serving(("root_cause",)) as client:
            yield client


def asked(client: httpx.Client, lines: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    reply = client.post("/v1/root_cause", json={"queries": [{"lines": lines, **fields}]})
    assert reply.status_code == 200, reply.text
    (prediction,) = reply.json()["predictions"]
    return dict(prediction)


def incident(kind: str, service: str, seed: int = 5) -> list[dict[str, Any]]:
    return [dict(row) for row in shop.incident(np.random.default_rng(seed), NOON, kind, service)]


def eventually(answer: Callable[[], httpx.Response]) -> httpx.Response:
    """The first answer that is not "ask again in a moment"."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (reply := answer()).status_code == 503:
        assert time.monotonic() < deadline, reply.text
        time.sleep(0.05)
    return reply


def test_an_incident_is_answered_and_drawn(client: httpx.Client) -> None:
    prediction = asked(client, incident("exception", "payment"))
    assert prediction["root_cause"] == "payment"
    address = f"/v1/root_cause/{prediction['prediction_id']}/timeline.svg"
    picture = eventually(lambda: client.get(address))
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/svg+xml")
    assert "payment started it" in picture.text
    (new,) = [evidence for evidence in prediction["suspects"][0]["evidence"] if evidence["kind"] == "new"]
    assert [(parameter["name"], parameter["kind"]) for parameter in new["parameters"]] == [("worker", "number")]
    assert "sandbox" in picture.headers["content-security-policy"]
    assert client.head(address).content == b""


def test_a_window_without_errors_is_answered_by_what_is_slow(client: httpx.Client) -> None:
    prediction = asked(client, [line for line in incident("slow", "auth") if line["level"] == "INFO"])
    assert prediction["root_cause"] == "auth"
    assert "latency" in prediction["suspects"][0]["parts"]


def test_one_service_alone_is_neither_blamed_nor_cleared(client: httpx.Client) -> None:
    prediction = asked(client, [line for line in incident("exception", "payment") if line["service"] == "database"])
    assert (prediction["verdict"], prediction["root_cause"]) == ("insufficient_evidence", None)
    assert any("one service alone" in need for need in prediction["what_would_help"])


def test_a_wrong_clock_is_told_and_does_not_change_the_cause(client: httpx.Client) -> None:
    late = timedelta(seconds=1.5)
    lines = incident("exception", "payment")
    moved = [
        line | {"timestamp": (datetime.fromisoformat(line["timestamp"]) + late).isoformat()} if line["service"] == "cart" else line
        for line in lines
    ]
    prediction = asked(client, moved)
    (skew,) = prediction["clock_skews"]
    assert prediction["root_cause"] == "payment"
    assert (skew["host"], round(skew["seconds"], 1)) == ("cart-0", 1.5)


def test_one_line_is_answered_with_what_would_help(client: httpx.Client) -> None:
    prediction = asked(client, [{"timestamp": NOON.isoformat(), "service": "database", "message": "kernel panic", "level": "FATAL"}])
    assert (prediction["verdict"], prediction["lines"]) == ("insufficient_evidence", 1)
    assert prediction["what_would_help"][0].startswith("More lines: 1 lines in 1 requests")


def test_more_lines_than_a_query_holds_are_refused_in_one_sentence(client: httpx.Client) -> None:
    line = {"timestamp": NOON.isoformat(), "service": "a", "message": "x"}
    reply = client.post("/v1/root_cause", json={"queries": [{"lines": [line] * (MAX_LINES + 1)}]})
    assert reply.status_code == 400
    assert reply.json()["error"] == "queries[0].lines: expected at most 50,000 of them, got 50,001"


def test_binary_garbage_is_only_ever_text(client: httpx.Client) -> None:
    garbage = {"message": bytes(range(256)).decode("latin-1") + "\ufffe</script><svg onload=x>", "trace_id": "\x00"}
    lines = [line | garbage if number % 7 == 0 else line for number, line in enumerate(incident("none", ""))]
    reply = client.post("/v1/root_cause", json={"queries": [{"lines": lines}]})
    assert reply.status_code == 200, reply.text
    (prediction,) = reply.json()["predictions"]
    assert prediction["lines"] == len(lines)
    picture = eventually(lambda: client.get(f"/v1/root_cause/{prediction['prediction_id']}/timeline.svg"))
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(picture.text).iter()}  # noqa: S314 - our own server's
    assert tags <= {"svg", "title", "rect", "text", "path", "circle"}


def test_half_a_character_is_no_json(client: httpx.Client) -> None:
    line = {"timestamp": NOON.isoformat(), "service": "a", "message": "\ud83d"}
    body = json.dumps({"queries": [{"lines": [line]}]})
    reply = client.post("/v1/root_cause", content=body, headers={"content-type": "application/json"})
    assert (reply.status_code, "expected the body to be JSON" in reply.json()["error"]) == (400, True)


def test_the_kinds_of_messages_are_drawn(client: httpx.Client) -> None:
    picture = client.get("/v1/root_cause/cluster_map", params={"named": 3})
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/svg+xml")


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/v1/root_cause/nonsense/timeline.svg", 404, "expected the id of a prediction by root_cause, got 'nonsense'"),
        ("/v1/root_cause/churn-1-019b1d1c5f4a7c3e9d2b6f0a1e8c7d54/timeline.svg", 404, "expected the id of a prediction by root_cause"),
        ("/v1/root_cause/root_cause-1-019b1d1c5f4a7c3e9d2b6f0a1e8c7d54/timeline.svg", 404, "is not stored"),
        ("/v1/root_cause/root_cause-1-019b1d1c5f4a7c3e9d2b6f0a1e8c7d54/timeline.png", 404, "<prediction_id>/timeline.svg"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_sentence(client: httpx.Client, address: str, status: int, words: str) -> None:
    reply = client.get(address)
    assert (reply.status_code, words in reply.json()["error"]) == (status, True)


def test_a_picture_is_not_posted(client: httpx.Client) -> None:
    reply = client.post("/v1/root_cause/root_cause-1-019b1d1c5f4a7c3e9d2b6f0a1e8c7d54/timeline.svg", json={})
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD")


def test_the_document_describes_pictures(client: httpx.Client) -> None:
    paths = client.get("/docs.json").json()["paths"]
    operation = paths["/v1/root_cause/{prediction_id}/timeline.svg"]["get"]
    assert operation["summary"].startswith("The timeline of an incident")
    assert "image/svg+xml" in operation["responses"]["200"]["content"]


def told(client: httpx.Client, **event: Any) -> None:
    """Report an event, and wait until the server has learned it."""
    before = followed(client)
    reply = client.post("/v1/root_cause/events", json={"events": [{"event_id": f"{event['at']} {event['action']}", "event": event}]})
    assert reply.json()["accepted"] == 1, reply.text
    until(lambda: followed(client) > before)


def followed(client: httpx.Client) -> int:
    return int(client.get("/v1/models").json()["models"][0]["online"]["events_applied"])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def backup(day: int, hour: int = 2, message: str = "refreshed {n} models") -> list[dict[str, Any]]:
    """A nightly job that writes for two minutes what the service usually writes twice a second at most."""
    start = NOON.replace(day=day, hour=hour)
    return [
        {"timestamp": (start + timedelta(seconds=n / 5)).isoformat(), "service": "recommendation", "message": message.format(n=n)}
        for n in range(600)
    ]


def test_a_nightly_backup_is_muted_three_times_and_then_suppressed_until_that_expires(client: httpx.Client) -> None:
    for day in (10, 11, 12):
        (alert,) = asked(client, backup(day))["alerts"]
        assert alert["state"] == "firing"
        told(client, action="mute", at=alert["since"], service=alert["service"], template=alert["template"], by="mara")
    (alert,) = asked(client, backup(13))["alerts"]
    assert alert["state"] == "muted"
    assert "because it was muted by mara at this time of day (2026-03-10 02:00, 2026-03-11 02:00, 2026-03-12 02:00)" in alert["why"]
    assert alert["expires_at"] == "2026-04-09T02:00:00Z"
    (by_day,) = asked(client, backup(13, hour=14))["alerts"]
    assert by_day["state"] == "firing"
    new = {alert["template"]: alert["state"] for alert in asked(client, backup(13, message="disk {n} is broken"))["alerts"]}
    assert new == {"disk <*> is broken": "firing"}
    told(client, action="unmute", at="2026-03-13T08:00:00Z", service=alert["service"], template=alert["template"], by="mara")
    (again,) = asked(client, backup(14))["alerts"]
    assert again["state"] == "firing"


def test_a_confirmed_cause_is_remembered_by_name(client: httpx.Client) -> None:
    prediction = asked(client, incident("memory", "database", seed=1))
    assert prediction["resembles"] == []
    before = followed(client)
    outcome = {"service": "database", "title": "database failover", "incident": "17"}
    feedback = {"prediction_id": prediction["prediction_id"], "outcome": outcome, "occurred_at": datetime.now(UTC).isoformat()}
    assert client.post("/v1/feedback", json=feedback).json()["accepted"] == 1
    until(lambda: followed(client) > before)
    (found,) = asked(client, incident("memory", "database", seed=2))["resembles"]
    assert found["similarity"] > 0.8
    assert found["words"] == f"this looks {found['similarity']:.2f} like incident 17 (database failover), which database had caused"
    assert client.post("/v1/feedback", json=feedback).json()["statuses"] == ["repeated"]
    corrected = feedback | {"outcome": "cart", "occurred_at": datetime.now(UTC).isoformat()}
    assert client.post("/v1/feedback", json=corrected).json()["statuses"] == ["corrected"]
    until(lambda: followed(client) > before + 1)
    (found,) = asked(client, incident("memory", "database", seed=2))["resembles"]
    assert found["service"] == "cart"
