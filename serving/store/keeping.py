"""What is kept of whom, and for how long."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, select

from models.instants import to_datetime
from serving.store.tables import EPOCHS, EVENTS, FEEDBACK, PREDICTIONS

CHUNK = 5_000
"""Rows that are dropped in one transaction: the others wait for it."""


def export(connection: Connection, subject: str) -> dict[str, list[dict[str, Any]]]:
    """All that the store holds about one person."""
    events = select(EVENTS).where(EVENTS.c.subject == subject).order_by(EVENTS.c.seq)
    predictions = select(PREDICTIONS).where(PREDICTIONS.c.subject == subject).order_by(PREDICTIONS.c.predicted_at)
    feedback = select(FEEDBACK).where(FEEDBACK.c.prediction_id.in_(_predictions_about(subject))).order_by(FEEDBACK.c.received_at)
    found = {"events": events, "predictions": predictions, "feedback": feedback}
    return {name: [_readable(row) for row in connection.execute(query).mappings()] for name, query in found.items()}


def forget(connection: Connection, subject: str, slugs: Sequence[str]) -> dict[str, int]:
    """Drop all that the store holds about one person, and begin an epoch for every slug; the number of rows, by table.

    The ids of the person's events stay, as hashes: a client that repeats an old event does not bring the person back.
    """
    dropped = {
        "feedback": connection.execute(delete(FEEDBACK).where(FEEDBACK.c.prediction_id.in_(_predictions_about(subject)))).rowcount,
        "predictions": connection.execute(delete(PREDICTIONS).where(PREDICTIONS.c.subject == subject)).rowcount,
        "events": connection.execute(delete(EVENTS).where(EVENTS.c.subject == subject)).rowcount,
    }
    known: dict[str, int] = dict(connection.execute(select(EPOCHS.c.slug, EPOCHS.c.epoch)).all())
    connection.execute(delete(EPOCHS).where(EPOCHS.c.slug.in_(slugs)))
    connection.execute(EPOCHS.insert(), [{"slug": slug, "epoch": known.get(slug, 0) + 1} for slug in slugs])
    return dropped


def expire_events(connection: Connection, slug: str, before: int, absorbed: int) -> int:
    """Drop the oldest events of a slug, at most `CHUNK`: received before an instant, numbered up to `absorbed`. How many were."""
    seen = select(EVENTS.c.seq, EVENTS.c.received_at).where(EVENTS.c.slug == slug, EVENTS.c.seq <= absorbed)
    oldest = connection.execute(seen.order_by(EVENTS.c.seq).limit(CHUNK)).all()
    old = [seq for seq, received_at in oldest if received_at < before]
    return _drop(connection, EVENTS, "seq", old)


def expire_predictions(connection: Connection, before: int) -> int:
    """Drop predictions that were made before an instant, at most `CHUNK`, with their feedback. How many were."""
    query = select(PREDICTIONS.c.prediction_id).where(PREDICTIONS.c.predicted_at < before)
    old = connection.execute(query.order_by(PREDICTIONS.c.predicted_at).limit(CHUNK)).scalars().all()
    _drop(connection, FEEDBACK, "prediction_id", old)
    return _drop(connection, PREDICTIONS, "prediction_id", old)


def expire_feedback(connection: Connection, before: int) -> int:
    """Drop feedback that was received before an instant and whose prediction never came, at most `CHUNK`. How much was."""
    query = select(FEEDBACK.c.prediction_id).where(FEEDBACK.c.received_at < before)
    return _drop(connection, FEEDBACK, "prediction_id", connection.execute(query.limit(CHUNK)).scalars().all())


def _predictions_about(subject: str) -> Any:
    return select(PREDICTIONS.c.prediction_id).where(PREDICTIONS.c.subject == subject)


def _drop(connection: Connection, table: Table, column: str, keys: Sequence[Any]) -> int:
    if keys:
        connection.execute(delete(table).where(table.c[column].in_(keys)))
    return len(keys)


def _readable(row: Any) -> dict[str, Any]:
    """JSON as values, instants as text."""
    values = {}
    for name, value in row.items():
        if name in {"body", "query", "prediction", "outcome"}:
            value = json.loads(value)
        elif name.endswith("_at"):
            at: datetime = to_datetime(value)
            value = at.isoformat()
        values[name] = value
    return values
