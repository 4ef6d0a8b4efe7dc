"""Incidents over HTTP, on a real server: asked about, looked at as a picture, muted and remembered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from data.root_cause import prepare as shop
from models.root_cause import RootCause, RootCauseExample
from models.rows import read_rows
from tests.registered import register
from tests.test_root_cause import NOON, SAMPLE
from tests.test_serving import serving

PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="module")
def client(encoder_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    home = tmp_path_factory.mktemp("home")
    (home / "encoders").symlink_to(encoder_cache)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORETELL_HOME", str(home))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.delenv("FORETELL_DATABASE_URL", raising=False)
        register(RootCause().fit(read_rows(SAMPLE, RootCauseExample)))
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
    assert "sandbox" in picture.headers["content-security-policy"]
    assert client.head(address).content == b""


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
