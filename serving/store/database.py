"""A database behind the store: how it begins to write, how it tells of changes, which of its errors pass."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, column, inspect, select, table
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from models.environment import without_password
from models.errors import StoreError
from serving.store.tables import REVISION

LOCK_SECONDS = 2.0
"""How long a writer waits for the others before its clients are told to come back."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_migrating = threading.Lock()
"""Alembic's context is one per process."""
_VERSION = table("alembic_version", column("version_num"))


class Watch(ABC):
    """Tells one thread that something was committed, by this process or another."""

    @abstractmethod
    def wait(self, timeout_s: float) -> bool:
        """Whether something changed since the last call, or changes within `timeout_s`. Never raises."""

    @abstractmethod
    def close(self) -> None:
        """Give the connection back."""


class Database(ABC):
    """One of the databases that the store can live in; opened and migrated when it is first used.

    Parameters
    ----------
    url
        For messages.
    engine
        Makes connections.
    """

    def __init__(self, url: str, engine: Engine) -> None:
        self.url = without_password(url)
        self._engine = engine
        self._migrated = False

    @abstractmethod
    def _writing(self) -> Iterator[Connection]:
        """A transaction that no other writer can be in the middle of when it first writes."""

    @abstractmethod
    def watch(self) -> Watch:
        """For one thread that follows the store."""

    @abstractmethod
    def wipe(self) -> None:
        """Take deleted rows out of the files, where the database lets us."""

    @abstractmethod
    def one_at_a_time(self, connection: Connection) -> None:
        """Wait until this transaction is the only one that appends: then the order of numbers is the order of commits."""

    @abstractmethod
    def announce(self, connection: Connection, slug: str) -> None:
        """Tell the watches of all processes, once this transaction is committed."""

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction, committed at the end.

        Raises
        ------
        StoreError
            If the database is away, locked or full.
        """
        with self._asking():
            self._migrate()
            with contextmanager(self._writing)() as connection:
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read with; see `writing`."""
        with self._asking():
            self._migrate()
            with self._engine.connect() as connection:
                yield connection

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    def _migrate(self) -> None:
        """Bring the tables up to date, if they are not: only then does it cost others the wait for a transaction."""
        if self._migrated:
            return
        with _migrating:
            with self._engine.connect() as connection:
                found = _revision(connection)
            if found is not None and found > REVISION:
                wanted = f"expected its tables at revision {REVISION} or before, got {found}"
                raise StoreError(f"the store at {self.url} was made by a newer Foretell: {wanted}")
            if found != REVISION:
                with contextmanager(self._writing)() as connection:
                    self.one_at_a_time(connection)
                    _upgrade(connection)
        self._migrated = True

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if not (isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated):
                raise
            raise StoreError(f"the store at {self.url} cannot be used now: {_first_line(error.orig)}") from error
        except (NoConnectionError, OSError) as error:
            raise StoreError(f"the store at {self.url} cannot be used now: {_first_line(error)}") from error


def _first_line(error: BaseException | None) -> str:
    return without_password(str(error).strip().partition("\n")[0])


def _revision(connection: Connection) -> str | None:
    """What the tables are now; ``None`` before there are any."""
    if not inspect(connection).has_table(_VERSION.name):
        return None
    found: str | None = connection.execute(select(_VERSION.c.version_num)).scalar()
    return found


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
