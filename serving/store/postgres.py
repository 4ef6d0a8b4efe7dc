"""PostgreSQL: for more than one machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import URL

from serving.store.database import LOCK_SECONDS, Database, Watch

if TYPE_CHECKING:
    from psycopg import Connection as Listener

_CHANNEL = "foretell"
_AGAIN_SECONDS = 0.5
"""A watch that has lost its connection looks this often by itself."""

_CONNECT = {
    # A server that is away must be noticed while the client still waits for its answer.
    "connect_timeout": 2,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 5000,
    "application_name": "foretell",
}


class Postgres(Database):
    """The store in a schema of PostgreSQL: the first of the connection's search path."""

    def __init__(self, url: URL) -> None:
        url = url.set(drivername="postgresql+psycopg")
        super().__init__(str(url), create_engine(url, connect_args={**_CONNECT, **url.query}))
        event.listen(self._engine, "connect", _prepare)
        self._url = url.set(drivername="postgresql").render_as_string(hide_password=False)

    def _writing(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection

    def one_at_a_time(self, connection: Connection) -> None:
        """Take a lock that ends with the transaction, after its commit can be seen.

        Numbers are drawn while it is held. So whoever reads the number n reads all that is smaller too: it was committed before n
        was drawn.
        """
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('foretell ' || current_schema(), 0))"))

    def announce(self, connection: Connection, slug: str) -> None:
        """Notify the watches when this transaction is committed."""
        connection.execute(text("SELECT pg_notify(:channel, :slug)"), {"channel": _CHANNEL, "slug": slug})

    def watch(self) -> Watch:
        """For one thread that follows the store."""
        return _Listening(self._url)

    def wipe(self) -> None:
        """Let PostgreSQL use the room of deleted rows again; what its own log and backups hold is the administrator's."""
        with self._asking(), self._engine.connect() as connection:
            plain = connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in ("events", "predictions", "feedback"):
                plain.execute(text(f"VACUUM {table}"))


def _prepare(connection: Any, _: object) -> None:
    """Be durable, whatever the database's default says, and wait for nobody longer than clients are patient."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {int(LOCK_SECONDS * 1000)}")
        cursor.execute("SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'")
    connection.commit()


class _Listening(Watch):
    """LISTENs on a connection of its own; without one it says that something may have changed, now and then."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._listener: Listener[Any] | None = None

    def wait(self, timeout_s: float) -> bool:
        """Whether something changed since the last call, or changes within `timeout_s`. Never raises."""
        import psycopg

        try:
            if self._listener is None:
                self._listener = psycopg.connect(self._url, autocommit=True, **_CONNECT)  # type: ignore[arg-type]
                self._listener.execute(f"LISTEN {_CHANNEL}")
                return True  # what was committed before now was not heard
            return any(True for _ in self._listener.notifies(timeout=timeout_s, stop_after=1))
        except psycopg.Error:
            self.close()
            time.sleep(min(timeout_s, _AGAIN_SECONDS))
            return True

    def close(self) -> None:
        """Give the connection back."""
        if self._listener is not None:
            with suppress(Exception):
                self._listener.close()
        self._listener = None
