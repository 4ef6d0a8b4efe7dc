"""Events, predictions that want feedback, and feedback: the one durable place that all workers share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYetError
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any, TypeVar

from sqlalchemy import Connection, func, make_url, select

import models
from models.environment import without_password
from models.errors import InputError, StoreError
from models.feedback import Observed
from models.instants import to_datetime, to_microseconds
from serving.store import keeping, outcomes
from serving.store.database import Database, Watch
from serving.store.postgres import Postgres
from serving.store.rows import NewEvent, NewFeedback, NewPrediction, Status, StoredEvent
from serving.store.sqlite import SQLite
from serving.store.tables import EPOCHS, EVENT_IDS, EVENTS, IDENTITY
from serving.store.teaching import taught_by
from serving.store.writer import PATIENCE_SECONDS, Writer

T = TypeVar("T")


class Store:
    """The store of one process; opens and migrates the database when it is first asked something.

    Every method may be called from several threads, `wait` from one. What `append`, `record` and `report` take is durable when they
    return. All raise `StoreError` if the database is away, locked or full; nothing is kept then, and asking again is right.

    Parameters
    ----------
    url
        ``sqlite:///path`` or ``postgresql://...``.
    """

    def __init__(self, url: str) -> None:
        self._database = _database(url)
        self._writer = Writer(self._database.writing)

    def append(self, slug: str, events: Sequence[NewEvent]) -> list[bool]:
        """Keep events that are new.

        Returns
        -------
        list of bool
            Per event, whether its id was never seen before for this slug: neither in the store, nor earlier in `events`, nor on an
            event that was since dropped by age or forgotten.
        """
        return self._now(self.appending(slug, events))

    def appending(self, slug: str, events: Sequence[NewEvent]) -> Future[list[bool]]:
        """The same, without waiting."""
        return self._writer.submit(partial(self._append, slug, events, to_microseconds(_utc_now())), len(events))

    def since(self, slug: str, after: int, limit: int = 10_000) -> list[StoredEvent]:
        """The events of a slug with a number greater than `after`, in the order of their numbers, which is that of their commits.

        So an event with a smaller number than one that was read never appears later.
        """
        columns = EVENTS.c.seq, EVENTS.c.event_id, EVENTS.c.received_at, EVENTS.c.body
        query = select(*columns).where(EVENTS.c.slug == slug, EVENTS.c.seq > after).order_by(EVENTS.c.seq).limit(limit)
        with self._database.reading() as connection:
            return [StoredEvent(seq, event_id, to_datetime(at), body) for seq, event_id, at, body in connection.execute(query)]

    def newest(self, slug: str) -> int:
        """The greatest number of an event of a slug; 0 if there is none."""
        with self._database.reading() as connection:
            return int(connection.execute(select(func.max(EVENTS.c.seq)).where(EVENTS.c.slug == slug)).scalar() or 0)

    def wait(self, timeout_s: float) -> bool:
        """Whether anything was committed since the last call, or is within `timeout_s`; for one thread. Never raises.

        It may say so when nothing was, never the other way round.
        """
        return self._watch.wait(timeout_s)

    def epoch(self, slug: str) -> int:
        """Grows when somebody is forgotten: what a worker or a snapshot learned in an older epoch must be learned again."""
        with self._database.reading() as connection:
            return int(connection.execute(select(EPOCHS.c.epoch).where(EPOCHS.c.slug == slug)).scalar() or 0)

    def identity(self) -> str:
        """A name that no other store has; to be noted beside the number of an event, which is another event in another store."""
        return self._identity

    def record(self, predictions: Sequence[NewPrediction]) -> None:
        """Keep predictions whose outcome may be reported."""
        self._now(self._writer.submit(partial(self._record, predictions, to_microseconds(_utc_now())), len(predictions)))

    def report(self, feedback: Sequence[NewFeedback]) -> list[Status]:
        """Keep outcomes; what became of each.

        A prediction may be stored after its outcome: they are joined when they are read.
        """
        return self._now(self.reporting(feedback))

    def reporting(self, feedback: Sequence[NewFeedback]) -> Future[list[Status]]:
        """The same, without waiting."""
        return self._writer.submit(partial(self._report, feedback, to_microseconds(_utc_now())), len(feedback))

    def observed(self, slug: str) -> Iterator[Observed[Any, Any]]:
        """The predictions of a slug whose outcome was reported, the oldest first."""
        with self._database.reading() as connection:
            yield from outcomes.observed(connection, slug)

    def predicted(self, slug: str) -> Iterator[tuple[Any, Any]]:
        """The queries and predictions of a slug, the oldest first."""
        with self._database.reading() as connection:
            yield from outcomes.predicted(connection, slug)

    def prediction(self, prediction_id: str) -> str | None:
        """A stored prediction as JSON text; ``None`` if it was never stored, or dropped."""
        with self._database.reading() as connection:
            return outcomes.prediction(connection, prediction_id)

    def export(self, subject: str) -> dict[str, list[dict[str, Any]]]:
        """All that is kept about one person, by table."""
        with self._database.reading() as connection:
            return keeping.export(connection, subject)

    def forget(self, subject: str) -> dict[str, int]:
        """Drop all that is kept about one person, and begin a new epoch; the number of rows, by table.

        On SQLite the file holds nothing of it afterwards, and is rewritten for that, which takes about a second per 100 MB; writers
        wait. Forgetting somebody again is right, if it failed in the middle.
        """
        with self._database.writing() as connection:
            dropped = keeping.forget(connection, subject, models.MODELS)
            self._database.announce(connection, "")
        self._database.wipe()
        return dropped

    def expire(self, before: datetime, absorbed: Mapping[str, int]) -> dict[str, int]:
        """Drop what is older than an instant, a little at a time; the number of rows, by table.

        Parameters
        ----------
        absorbed
            By slug, the number of the newest event that no worker has to replay any more. Events with a greater number, and those of
            slugs that are not named, stay. Feedback stays for as long as its prediction.
        """
        limit = to_microseconds(before)
        events = sum(self._emptied(partial(keeping.expire_events, slug=slug, before=limit, absorbed=seq)) for slug, seq in absorbed.items())
        predictions = self._emptied(partial(keeping.expire_predictions, before=limit))
        return {"events": events, "predictions": predictions, "feedback": self._emptied(partial(keeping.expire_feedback, before=limit))}

    def close(self) -> None:
        """Write what waits, and give all connections back."""
        self._writer.close()
        if "_watch" in vars(self):
            self._watch.close()
        self._database.close()

    @cached_property
    def _identity(self) -> str:
        with self._database.reading() as connection:
            return str(connection.execute(select(IDENTITY.c.name)).scalar_one())

    @cached_property
    def _watch(self) -> Watch:
        return self._database.watch()

    def _append(self, slug: str, events: Sequence[NewEvent], received_at: int, connection: Connection) -> list[bool]:
        if not events:
            return []
        self._database.one_at_a_time(connection)
        first = {_key(slug, event.event_id): place for place, event in reversed(list(enumerate(events)))}
        for key in connection.execute(select(EVENT_IDS.c.key).where(EVENT_IDS.c.key.in_(list(first)))).scalars():
            del first[bytes(key)]
        new = sorted(first.values())
        if new:
            connection.execute(EVENT_IDS.insert(), [{"key": key} for key in first])
            connection.execute(EVENTS.insert(), [_row(slug, events[place], received_at) for place in new])
            self._database.announce(connection, slug)
        kept = set(new)
        return [place in kept for place in range(len(events))]

    def _report(self, feedback: Sequence[NewFeedback], received_at: int, connection: Connection) -> list[Status]:
        self._database.one_at_a_time(connection)
        statuses = outcomes.report(connection, feedback, received_at)
        kept = [each for each, status in zip(feedback, statuses, strict=True) if status in {"stored", "corrected"}]
        self._teach(kept, received_at, connection)
        return statuses

    def _record(self, predictions: Sequence[NewPrediction], received_at: int, connection: Connection) -> None:
        outcomes.record(connection, predictions)
        self._teach(predictions, received_at, connection)

    def _teach(self, about: Sequence[NewPrediction | NewFeedback], received_at: int, connection: Connection) -> None:
        """Store as events what the outcomes of predictions teach: when the second of the two is stored."""
        for slug in sorted({each.slug for each in about}):
            events = taught_by(connection, slug, [each.prediction_id for each in about if each.slug == slug])
            self._append(slug, list(events), received_at, connection)

    def _emptied(self, drop: Callable[[Connection], int]) -> int:
        """Drop until less is dropped than could be; each time lets others write."""
        total = 0
        while True:
            count = self._now(self._writer.submit(drop, keeping.CHUNK))
            total += count
            if count < keeping.CHUNK:
                return total

    def _now(self, future: Future[T]) -> T:
        try:
            return future.result(PATIENCE_SECONDS)
        except NotYetError:
            raise StoreError(f"the store at {self._database.url} took more than {PATIENCE_SECONDS:.0f} s: try again") from None


def _database(url: str) -> Database:
    with suppress(Exception):
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            return SQLite(parsed)
        if parsed.drivername.partition("+")[0] in {"postgresql", "postgres"}:
            return Postgres(parsed)
    raise InputError(f"expected FORETELL_DATABASE_URL as sqlite:///path or postgresql://user@host/database, got {without_password(url)!r}")


def _key(slug: str, event_id: str) -> bytes:
    """Stands for an event's id for ever, without telling what it was."""
    return hashlib.sha256(f"{slug}\0{event_id}".encode()).digest()[:16]


def _row(slug: str, event: NewEvent, received_at: int) -> dict[str, object]:
    return {"slug": slug, "event_id": event.event_id, "subject": event.subject, "received_at": received_at, "body": event.body}


def _utc_now() -> datetime:
    return datetime.now(UTC)
