"""SQLite: one file, one writer at a time, any number of readers beside it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from serving.store.database import LOCK_SECONDS, Database, Watch

_POLL_SECONDS = 0.02
"""How often a watch asks for the file's version: 6 microseconds each."""
_RETRY_SECONDS = 0.001
"""SQLite's own waiting sleeps up to a tenth of a second, which two busy workers would see in every p99."""


class SQLite(Database):
    """The store in a file, which is made if there is none."""

    def __init__(self, url: URL) -> None:
        self._path = Path(url.database or "")
        # AUTOCOMMIT: this class says BEGIN and COMMIT itself; Python's driver would begin too late, and not for all statements.
        engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"timeout": LOCK_SECONDS, "check_same_thread": False})
        event.listen(engine, "do_connect", self._make_folder)
        event.listen(engine, "connect", _prepare)
        super().__init__(str(url), engine)

    def _make_folder(self, *_: object) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)

    def _writing(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            _begin(connection)
            try:
                yield connection
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                _roll_back(connection)
                raise

    def one_at_a_time(self, connection: Connection) -> None:
        """Nothing to do: SQLite lets one transaction write at a time."""

    def announce(self, connection: Connection, slug: str) -> None:
        """Nothing to do: the file's version tells."""

    def watch(self) -> Watch:
        """For one thread that follows the store."""
        return _Polling(self._path)

    def wipe(self) -> None:
        """Rewrite the file without what was deleted, and empty the write-ahead log."""
        with self._asking(), self._engine.connect() as connection:
            connection.exec_driver_sql("VACUUM")
            deadline = time.monotonic() + 5 * LOCK_SECONDS
            while connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar():
                if time.monotonic() > deadline:
                    raise TimeoutError("somebody has been reading for too long: the log still holds what was deleted; forget again")
                time.sleep(_POLL_SECONDS)


def _prepare(connection: Any, _: object) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    """Become the one writer; asks often, so that nobody waits longer than the one before takes."""
    connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    deadline = time.monotonic() + LOCK_SECONDS
    try:
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            except OperationalError as error:
                if time.monotonic() > deadline or getattr(error.orig, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                time.sleep(_RETRY_SECONDS)
            else:
                return
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(LOCK_SECONDS * 1000)}")


def _roll_back(connection: Connection) -> None:
    """End the transaction, if SQLite has not done so itself, as it does when the disk is full."""
    driver = connection.connection.dbapi_connection
    if driver is not None:
        driver.rollback()


class _Polling(Watch):
    """Asks SQLite for the version of the file, which changes when another connection commits; this one never does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._version: int | None = None

    def wait(self, timeout_s: float) -> bool:
        """Whether something changed since the last call, or changes within `timeout_s`. Never raises."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                version = self._current()
            except sqlite3.Error:
                self.close()
                version = None
            if version is not None and version != self._version:
                self._version = version
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(_POLL_SECONDS, left))

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _current(self) -> int:
        if self._connection is None:
            self._connection = sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
            self._version = None
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])
