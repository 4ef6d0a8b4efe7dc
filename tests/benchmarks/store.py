"""How many events a second the server keeps: batches of 100 over HTTP, two workers, every batch answered when it is on the disk.

Two loads for each database, over keep-alive connections. As much as it takes: each connection sends the next batch when the one before
is answered, so the times are those of a queue that is never empty. And `OFFERED` events a second: batches are due at fixed instants, and
each time counts from the instant at which it was due, whatever held it up. Both last long enough for snapshots of the model to be made.
``agree_after_s`` is how long after the last answer it takes until every worker has learned every event.

Beside it the database alone: one process that inserts the same events, 100 in a transaction, an id at most once, without a server,
without reading, checking or masking them. The load comes from the same machine, and takes its share of the processors. PostgreSQL is the
one that ``FORETELL_TEST_POSTGRES`` names, by default ``test`` on this machine; without one its rows are absent.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import product
from pathlib import Path
from urllib.request import urlopen

import psycopg

from tests.benchmarks._server import served, trained
from tests.databases import empty_postgres

WORKERS = 2
CONNECTIONS = 4
BATCH = 100
SECONDS = 40
OFFERED = 5_000

_LOAD = """
import http.client, json, sys, threading, time
port, connections, batch, seconds, offered = (int(word) for word in sys.argv[1:])
took, wrong, begin = [], [], time.perf_counter()

def report(who):
    connection, n = http.client.HTTPConnection("127.0.0.1", port), 0
    while True:
        body = json.dumps({"events": [
            {"event_id": f"load-{who}-{n}-{k}", "event": {"user_id": f"u{(n * batch + k) % 5000}", "topic": f"topic {k}", "action": "view",
             "timestamp": "2026-03-02T09:30:00Z"}} for k in range(batch)]})
        start = begin + (n * connections + who) * batch / offered if offered else time.perf_counter()
        time.sleep(max(0.0, start - time.perf_counter()))
        if start > begin + seconds:
            return
        connection.request("POST", "/v1/interest_graph/events", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
        if response.status != 200 or answer["accepted"] != batch:
            wrong.append(answer)
            return
        took.append(time.perf_counter() - start)
        n += 1

threads = [threading.Thread(target=report, args=(who,)) for who in range(connections)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(json.dumps({"took": took, "seconds": time.perf_counter() - begin, "wrong": wrong[:1]}))
"""


def run(data: Path) -> list[dict[str, object]]:
    """Measure both databases; what is in `data` does not matter to the store."""
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        environ = trained(Path(scratch), "interest_graph")
        for name, offered in product(("sqlite", "postgresql"), (0, OFFERED)):
            with _empty(name, Path(scratch) / f"store-{offered}.db") as url:
                if url is not None:
                    what = f"{name}, {offered:,} events/s offered" if offered else name
                    rows.append({"system": "foretell", "data": what, **_loaded({**environ, "FORETELL_DATABASE_URL": url}, offered)})
        rows.append({"system": "sqlite3 without a server", "data": "sqlite", **_bare(_sqlite(Path(scratch) / "bare.db"))})
        with _empty("postgresql", Path(scratch)) as url:
            if url is not None:
                rows.append({"system": "psycopg without a server", "data": "postgresql", **_bare(_psycopg(url))})
    return rows


def _empty(name: str, path: Path) -> AbstractContextManager[str | None]:
    """The address of an empty database."""
    return empty_postgres() if name == "postgresql" else nullcontext(f"sqlite:///{path}")


def _loaded(environ: dict[str, str], offered: int) -> dict[str, float]:
    with served(environ, WORKERS) as port:
        arguments = [sys.executable, "-c", _LOAD, *map(str, (port, CONNECTIONS, BATCH, SECONDS, offered))]
        found = json.loads(subprocess.run(arguments, capture_output=True, text=True, check=True).stdout)
        if found["wrong"]:
            raise RuntimeError(f"expected every event to be accepted, got {found['wrong'][0]}")
        agreed = _agreed(port, len(found["took"]) * BATCH)
    return {**_figures(found["took"], found["seconds"]), "agree_after_s": round(agreed, 2)}


def _agreed(port: int, events: int) -> float:
    """Seconds until all workers have learned so many events; connections of their own reach one or another."""
    begin, learned = time.perf_counter(), dict[int, int]()
    while len(learned) < WORKERS or set(learned.values()) != {events}:
        with urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=30) as response:
            worker = json.load(response)
        learned[worker["process"]] = worker["models"][0]["online"]["events_applied"]
        time.sleep(0.005)
    return time.perf_counter() - begin


def _figures(took: list[float], seconds: float) -> dict[str, float]:
    milliseconds = sorted(each * 1e3 for each in took)
    middle, last = milliseconds[len(took) // 2], milliseconds[-len(took) // 100]
    return {"events_per_second": round(len(took) * BATCH / seconds), "p50_ms": round(middle, 1), "p99_ms": round(last, 1)}


def _bare(insert: Callable[[list[tuple[str, str]]], None]) -> dict[str, float]:
    took: list[float] = []
    body = json.dumps({"user_id": "u1", "topic": "topic 1", "action": "view", "timestamp": "2026-03-02T09:30:00Z"})
    begin = time.perf_counter()
    while time.perf_counter() - begin < SECONDS / 8:
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
