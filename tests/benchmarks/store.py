"""How many events a second the server keeps: batches of 100 over HTTP, two workers, every batch answered when it is on the disk.

Beside it the database alone: one process that inserts the same events, 100 in a transaction, an id at most once, without a server,
without reading, checking or masking them. The load comes from the same machine, over keep-alive connections that each wait for their
answer. PostgreSQL is the one that ``FORETELL_TEST_POSTGRES`` names, by default ``test`` on this machine; without one its rows are absent.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen
from uuid import uuid4

import psycopg

from serving.launch import command, settings
from tests.ports import free_port

WORKERS = 2
CONNECTIONS = 8
BATCH = 100
SECONDS = 15

_ROOT = Path(__file__).resolve().parents[2]
_POSTGRES = os.environ.get("FORETELL_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")

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
    with tempfile.TemporaryDirectory() as scratch, _postgres() as postgres:
        environ = {**os.environ, "FORETELL_HOME": scratch, "PYTHONPATH": str(_ROOT)}
        environ.pop("MLFLOW_TRACKING_URI", None)
        train = [sys.executable, "-c", "from training.run import train; train('interest_graph')"]
        subprocess.run(train, env=environ, cwd=_ROOT, check=True, stdout=subprocess.DEVNULL)
        urls = {"sqlite": f"sqlite:///{scratch}/store.db"} | ({"postgresql": postgres} if postgres else {})
        for name, url in urls.items():
            with _served({**environ, "FORETELL_DATABASE_URL": url}) as port:
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


@contextmanager
def _postgres() -> Iterator[str | None]:
    """The address of an empty schema, which is dropped at the end; ``None`` where no PostgreSQL answers."""
    try:
        connection = psycopg.connect(_POSTGRES, autocommit=True, connect_timeout=2)
    except psycopg.OperationalError:
        yield None
        return
    schema = f"foretell_{uuid4().hex[:12]}"
    with connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        try:
            yield f"{_POSTGRES}?options=-csearch_path%3D{schema}"
        finally:
            connection.execute(f"DROP SCHEMA {schema} CASCADE")


@contextmanager
def _served(environ: dict[str, str]) -> Iterator[int]:
    """The port of a server whose workers are all ready."""
    port = free_port()
    home = {"BENTOML_HOME": f"{environ['FORETELL_HOME']}/bentoml"}
    variables = {**settings(models=["interest_graph"], port=port, workers=WORKERS), **environ, **home}
    process = subprocess.Popen(command(port=port), env=variables, cwd=_ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with suppress(URLError, OSError):
                urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
                break
            if process.poll() is not None:
                raise RuntimeError(f"the server ended with {process.returncode} before it was ready")
            time.sleep(0.1)
        time.sleep(2)  # one worker said so; the other has loaded the same
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)
