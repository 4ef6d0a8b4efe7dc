"""How long after its acknowledgement an event changes the next score, in the slower of two workers.

Each of some events is a click of a newcomer. A connection to each worker asks for the newcomer's score before, and then again and again
until it is another; the clock starts when the event is acknowledged. Events come at odd times, so that workers are mostly asleep.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.benchmarks._server import served, trained

EVENTS = 20
WORKERS = 2
PROMISED_SECONDS = 2.0


def run(data: Path) -> list[dict[str, object]]:
    """One row."""
    with tempfile.TemporaryDirectory() as home:
        environ = trained(Path(home), "notification")
        with served(environ, WORKERS, "notification") as port, _each_worker(f"http://127.0.0.1:{port}") as clients:
            _seconds(clients, "the first")  # the sample is old: it makes the model see what became of it
            seconds = []
            for number in range(EVENTS):
                time.sleep(number * 0.37 % 1)
                seconds.append(_seconds(clients, f"newcomer {number}"))
    figures: dict[str, object] = {"median_seconds": round(statistics.median(seconds), 3), "slowest_seconds": round(max(seconds), 3)}
    within = sum(each <= PROMISED_SECONDS for each in seconds)
    return [{"system": "foretell", "data": "sample", "workers": WORKERS, "events": EVENTS, **figures, "within_2_seconds": within}]


@contextmanager
def _each_worker(address: str) -> Iterator[list[httpx.Client]]:
    """A connection to each worker; whoever takes a connection keeps it."""
    found: dict[int, httpx.Client] = {}
    opened: list[httpx.Client] = []
    try:
        while len(found) < WORKERS:
            opened.append(httpx.Client(base_url=address, timeout=30, limits=httpx.Limits(max_connections=1, keepalive_expiry=None)))
            found.setdefault(opened[-1].get("/v1/models").json()["process"], opened[-1])
        yield list(found.values())
    finally:
        for client in opened:
            client.close()


def _seconds(clients: list[httpx.Client], user: str) -> float:
    """From the acknowledgement of a click until the last worker gives another score."""
    now = datetime.now(UTC)
    query = {"user_id": user, "type": "Social", "at": now.isoformat()}
    sent, clicked = now - timedelta(minutes=2), now - timedelta(minutes=1)
    event = {"user_id": user, "type": "Social", "sent_at": sent.isoformat(), "clicked": True, "happened_at": clicked.isoformat()}
    before = [_score(client, query) for client in clients]
    receipt = clients[0].post("/v1/notification/events", json={"events": [{"event_id": user, "event": event}]}).json()
    acknowledged = time.perf_counter()
    if receipt["accepted"] != 1:
        raise RuntimeError(f"an event was refused: {receipt}")
    waiting = list(zip(clients, before, strict=True))
    while waiting:
        waiting = [(client, old) for client, old in waiting if _score(client, query) == old]
    return time.perf_counter() - acknowledged


def _score(client: httpx.Client, query: dict[str, Any]) -> float:
    (prediction,) = client.post("/v1/notification", json={"queries": [query]}).raise_for_status().json()["predictions"]
    return float(prediction["probability"])
