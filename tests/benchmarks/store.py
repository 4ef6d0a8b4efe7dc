"""How many events a second the server keeps: batches of 100 over HTTP, two workers, every batch answered when it is on the disk.

Beside it the database alone: one process that inserts the same events, 100 in a transaction, an id at most once, without a server,
without reading, checking or masking them. The load comes from the same machine, over keep-alive connections that each wait for their
answer. PostgreSQL is the one that ``FORETELL_TEST_POSTGRES`` names, by default ``test`` on this machine; without one its rows are absent.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from tests.benchmarks._server import served, trained
from tests.databases import empty_postgres

WORKERS = 2
CONNECTIONS = 4
BATCH = 100
SECONDS = 15

_LOAD = """
import http.client, json, sys, threading, time
port, connections, batch, seconds = (int(word) for word in sys.argv[1:])
took, end, wrong = [], time.perf_counter() + seconds, []

def report(who):
    connection, n = http.client.HTTPConnection("127.0.0.1", port), 0
    while time.perf_counter() < end:
        body = json.dumps({"events": [
            {"event_id": f"load-{who}-{n}-{k}", "event": {"user_id": f"u{(n * batch + k) % 5000}", "topic": f"topic {k}", "action": "view",
             "timestamp": "2026-03-02T09:30:00Z"}} for k in range(batch)]})
        n, start = n + 1, time.perf_counter()
        connection.request("POST", "/v1/interest_graph/events", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
        if response.status != 200 or answer["accepted"] != batch:
            wrong.append(answer)
            return
        took.append(time.perf_counter() - start)

threads = [threading.Thread(target=report, args=(who,)) for who in range(connections)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(json.dumps({"took": sorted(took), "wrong": wrong[:1]}))
"""


def run(data: Path) -> list[dict[str, object]]:
    """Measure both databases; what is in `data` does not matter to the store."""
    rows = []
    with tempfile.TemporaryDirectory() as scratch, empty_postgres() as postgres:
        environ = trained(Path(scratch), "interest_graph")
        urls = {"sqlite": f"sqlite:///{scratch}/store.db"} | ({"postgresql": postgres} if postgres else {})
        for name, url in urls.items():
            with served({**environ, "FORETELL_DATABASE_URL": url}, WORKERS) as port:
                rows.append({"system": "foretell", "data": name, **_load(port)})
        rows.append({"system": "sqlite3 without a server", "data": "sqlite", **_bare(_sqlite(Path(scratch) / "bare.db"))})
        if postgres:
            rows.append({"system": "psycopg without a server", "data": "postgresql", **_bare(_psycopg(postgres))})
    return rows


def _load(port: int) -> dict[str, float]:
    arguments = [sys.executable, "-c", _LOAD, *map(str, (port, CONNECTIONS, BATCH, SECONDS))]
    found = json.loads(subprocess.run(arguments, capture_output=True, text=True, check=True).stdout)
    if found["wrong"]:
        raise RuntimeError(f"expected every event to be accepted, got {found['wrong'][0]}")
    return _figures(found["took"], SECONDS)


def _figures(took: list[float], seconds: float) -> dict[str, float]:
    milliseconds = sorted(each * 1e3 for each in took)
    middle, last = milliseconds[len(took) // 2], milliseconds[-len(took) // 100]
    return {"events_per_second": round(len(took) * BATCH / seconds), "p50_ms": round(middle, 1), "p99_ms": round(last, 1)}


def _bare(insert: Callable[[list[tuple[str, str]]], None]) -> dict[str, float]:
    took: list[float] = []
    body = json.dumps({"user_id": "u1", "topic": "topic 1", "action": "view", "timestamp": "2026-03-02T09:30:00Z"})
    begin = time.perf_counter()
    while time.perf_counter() - begin < SECONDS / 3:
        batch = [(f"{len(took)}-{k}", body) for k in range(BATCH)]
        start = time.perf_counter()
        insert(batch)
        took.append(time.perf_counter() - start)
    return _figures(took, time.perf_counter() - begin)


def _sqlite(path: Path) -> Callable[[list[tuple[str, str]]], None]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE events (event_id TEXT PRIMARY KEY, body TEXT)")

    def insert(batch: list[tuple[str, str]]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT OR IGNORE INTO events VALUES (?, ?)", batch)
        connection.execute("COMMIT")

    return insert


def _psycopg(url: str) -> Callable[[list[tuple[str, str]]], None]:
    connection = psycopg.connect(url)
    connection.execute("CREATE TABLE bare (event_id TEXT PRIMARY KEY, body TEXT)")
    connection.commit()

    def insert(batch: list[tuple[str, str]]) -> None:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.executemany("INSERT INTO bare VALUES (%s, %s) ON CONFLICT DO NOTHING", batch)

    return insert
