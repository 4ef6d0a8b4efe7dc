"""What becomes of events while the store is locked, full or restarted, or a worker is killed: six clients go on sending, two workers serve.

What is refused, or whose answer is cut off, is sent again with the same ids. Each row counts the events that were acknowledged and, read
from the database at the end, those of them that are missing: it must be 0. A small file system needs root, and a restart needs
``FORETELL_TEST_POSTGRES_RESTART``, the command that restarts the PostgreSQL of ``FORETELL_TEST_POSTGRES``; where one is not to be had its
row is absent.
"""

from __future__ import annotations

import http.client
import json
import os
import shlex
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from sqlalchemy import create_engine, text

from tests.benchmarks._server import served, trained
from tests.databases import empty_postgres

CLIENTS = 6
BATCH = 100
QUIET_SECONDS = 3
FAULT_SECONDS = 10
AFTER_SECONDS = 10
SMALL_DISK, LARGER_DISK = "6m", "400m"

Row = dict[str, object]


@dataclass
class _Seen:
    """What the clients saw; times in seconds since the beginning."""

    port: int
    begin: float = field(default_factory=time.monotonic)
    until: float = float("inf")
    acknowledged: list[str] = field(default_factory=list)
    refusals: list[tuple[float, float, bool]] = field(default_factory=list)  # when it ended, how long it took, told when to come back
    others: list[str] = field(default_factory=list)
    cut_off: list[float] = field(default_factory=list)  # when
    alive: list[float] = field(default_factory=list)

    def report(self, who: int) -> None:
        """Send batch after batch; one that is refused is sent again."""
        batch = 0
        while time.monotonic() < self.until:
            start = time.monotonic()
            ids = [f"{who}-{batch}-{n}" for n in range(BATCH)]
            try:
                status, comes_back = self._send(ids)
            except (OSError, http.client.HTTPException):
                self.cut_off.append(time.monotonic() - self.begin)
                time.sleep(0.05)
                continue
            if status == 200:
                self.acknowledged += ids
                batch += 1
                continue
            if status == 503:
                self.refusals.append((time.monotonic() - self.begin, time.monotonic() - start, comes_back))
            else:
                self.others.append(str(status))
            time.sleep(0.3)

    def pulse(self) -> None:
        """Ask again and again whether the server lives."""
        while time.monotonic() < self.until:
            start = time.monotonic()
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            try:
                connection.request("GET", "/livez")
                connection.getresponse().read()
                self.alive.append(time.monotonic() - start)
            except (OSError, http.client.HTTPException):
                self.cut_off.append(time.monotonic() - self.begin)
            finally:
                connection.close()
            time.sleep(0.05)

    def _send(self, ids: list[str]) -> tuple[int, bool]:
        event = {"topic": "t", "action": "view"}
        body = json.dumps({"events": [{"event_id": name, "event": {"user_id": name, **event}} for name in ids]})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", "/v1/interest_graph/events", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
            if response.status == 200 and answer["accepted"] + len(answer["repeated"]) != len(ids):
                raise RuntimeError(f"expected every event to be kept, got {answer}")
            return response.status, response.headers["Retry-After"] is not None
        finally:
            connection.close()


def run(data: Path) -> list[Row]:
    """Bring about each fault; what is in `data` does not matter to the store."""
    rows = []
    with tempfile.TemporaryDirectory() as scratch, empty_postgres() as postgres:
        environ = trained(Path(scratch), "interest_graph")
        path = Path(scratch) / "store.db"
        rows.append({"data": f"sqlite, locked for {FAULT_SECONDS} s", **_measured(environ, f"sqlite:///{path}", lambda _: _lock(path))})
        killed = _measured(environ, f"sqlite:///{scratch}/other.db", _kill_a_worker)
        rows.append({"data": "sqlite, a worker killed", **killed})
        with _small_disk(Path(scratch) / "disk") as disk:
            if disk is not None:
                full = _measured(environ, f"sqlite:///{disk}/store.db", lambda _: _enlarge(disk))
                rows.append({"data": f"sqlite, on a disk of {SMALL_DISK}", **full})
        restart = shlex.split(os.environ.get("FORETELL_TEST_POSTGRES_RESTART", ""))
        if postgres and restart:
            restarted = _measured(environ, postgres, lambda _: subprocess.run(restart, check=True))
            rows.append({"data": "postgresql, restarted", **restarted})
    return [{"system": "foretell", **row} for row in rows]


def _measured(environ: dict[str, str], url: str, fault: Callable[[int], object]) -> Row:
    with served({**environ, "FORETELL_DATABASE_URL": url}, 2) as port:
        seen = _Seen(port)
        threads = [threading.Thread(target=seen.report, args=(who,)) for who in range(CLIENTS)]
        threads.append(threading.Thread(target=seen.pulse))
        for thread in threads:
            thread.start()
        time.sleep(QUIET_SECONDS)
        fault(port)
        over = time.monotonic()
        seen.until = over + AFTER_SECONDS
        for thread in threads:
            thread.join()
    return _row(seen, over - seen.begin, _stored(url))


def _row(seen: _Seen, over: float, stored: list[str]) -> Row:
    if seen.others:
        raise RuntimeError(f"expected 200 or 503 from the server, got {sorted(set(seen.others))}")
    return {
        "acknowledged": len(seen.acknowledged),
        "lost": len(set(seen.acknowledged) - set(stored)),
        "stored_twice": len(stored) - len(set(stored)),
        "refused_503": len(seen.refusals),
        "cut_off": len(seen.cut_off),
        "without_retry_after": sum(not comes_back for _, _, comes_back in seen.refusals),
        "slowest_refusal_s": round(max((took for _, took, _ in seen.refusals), default=0.0), 2),
        "recovered_after_s": round(max(0.0, max([*(ended for ended, _, _ in seen.refusals), *seen.cut_off], default=0.0) - over), 2),
        "livez_slowest_s": round(max(seen.alive), 2),
    }


def _stored(url: str) -> list[str]:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        found = [row[0] for row in connection.execute(text("SELECT event_id FROM events"))]
    engine.dispose()
    return found


def _lock(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None, timeout=10)
    other.execute("BEGIN IMMEDIATE")
    time.sleep(FAULT_SECONDS)
    other.execute("ROLLBACK")
    other.close()


def _enlarge(disk: Path) -> None:
    time.sleep(FAULT_SECONDS)
    subprocess.run(["mount", "-o", f"remount,size={LARGER_DISK}", str(disk)], check=True)


def _kill_a_worker(port: int) -> None:
    """One that answers, in the middle of whatever it does."""
    with urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=30) as response:
        os.kill(json.load(response)["process"], signal.SIGKILL)


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path | None]:
    """A file system of a few megabytes; ``None`` where one cannot be made."""
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(folder)], capture_output=True, check=False)
    if made.returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
