"""Predictions that want feedback, and what turned out to be true of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, delete, select

import models
from models.feedback import Observed
from models.instants import to_datetime, to_microseconds
from serving.store.rows import NewFeedback, NewPrediction, Status
from serving.store.tables import FEEDBACK, PREDICTIONS

PENDING_MICROSECONDS = timedelta(minutes=10) // timedelta(microseconds=1)
"""How long after it is answered a prediction may take to be stored: usually a fraction of a second, longer while the store is away."""
_PAGE = 500


def record(connection: Connection, predictions: Sequence[NewPrediction]) -> None:
    """Store predictions; one that is stored already, because an answer of the database was lost, stays as it is."""
    column = PREDICTIONS.c.prediction_id
    known = set(connection.execute(select(column).where(column.in_([each.prediction_id for each in predictions]))).scalars())
    rows = [_prediction_row(each) for each in predictions if each.prediction_id not in known]
    if rows:
        connection.execute(PREDICTIONS.insert(), rows)


def report(connection: Connection, feedback: Sequence[NewFeedback], received_at: int) -> list[Status]:
    """Store outcomes, one after the other; the one that occurred last stays."""
    ids = list({each.prediction_id for each in feedback})
    column = PREDICTIONS.c.prediction_id
    predicted = set(connection.execute(select(column).where(column.in_(ids))).scalars())
    columns = FEEDBACK.c.prediction_id, FEEDBACK.c.outcome, FEEDBACK.c.occurred_at
    found = connection.execute(select(*columns).where(FEEDBACK.c.prediction_id.in_(ids)))
    held = {prediction_id: (outcome, occurred_at) for prediction_id, outcome, occurred_at in found}
    statuses, changed = [], {}
    for each in feedback:
        name, occurred_at = each.prediction_id, to_microseconds(each.occurred_at)
        status = _status(held.get(name), each.outcome, occurred_at)
        if status == "stored" and name not in predicted:
            status = "pending" if received_at - to_microseconds(each.predicted_at) < PENDING_MICROSECONDS else "unknown"
        if status in {"stored", "pending", "corrected"}:
            held[name] = each.outcome, occurred_at
            changed[name] = _feedback_row(each, received_at)
        statuses.append(status)
    if changed:
        connection.execute(delete(FEEDBACK).where(FEEDBACK.c.prediction_id.in_(list(changed))))
        connection.execute(FEEDBACK.insert(), list(changed.values()))
    return statuses


def prediction(connection: Connection, prediction_id: str) -> str | None:
    """A stored prediction."""
    found = connection.execute(select(PREDICTIONS.c.prediction).where(PREDICTIONS.c.prediction_id == prediction_id)).scalar()
    return None if found is None else str(found)


def predicted(connection: Connection, slug: str) -> Iterator[tuple[Any, Any]]:
    """What was asked and what was answered, the oldest first; without those of an earlier form that this one cannot read."""
    contract = models.get(slug).contract
    query = select(PREDICTIONS.c.query, PREDICTIONS.c.prediction).where(PREDICTIONS.c.slug == slug)
    query = query.order_by(PREDICTIONS.c.predicted_at, PREDICTIONS.c.prediction_id)
    for asked, answered in connection.execution_options(yield_per=_PAGE).execute(query):
        try:
            yield contract.query.model_validate_json(asked), contract.prediction.model_validate_json(answered)
        except ValidationError:
            continue


def observed(connection: Connection, slug: str) -> Iterator[Observed[Any, Any]]:
    """Predictions whose outcome is known, the oldest first; without those of an earlier form that this one cannot read."""
    contract = models.get(slug).contract
    outcome = TypeAdapter(contract.outcome)
    columns = PREDICTIONS.c.query, PREDICTIONS.c.prediction, FEEDBACK.c.outcome, PREDICTIONS.c.predicted_at, FEEDBACK.c.occurred_at
    joined = PREDICTIONS.join(FEEDBACK, FEEDBACK.c.prediction_id == PREDICTIONS.c.prediction_id)
    query = select(*columns).select_from(joined).where(FEEDBACK.c.slug == slug, PREDICTIONS.c.slug == slug)
    query = query.order_by(PREDICTIONS.c.predicted_at, PREDICTIONS.c.prediction_id)
    for asked, answered, told, predicted_at, occurred_at in connection.execution_options(yield_per=_PAGE).execute(query):
        try:
            yield Observed(
                query=contract.query.model_validate_json(asked),
                prediction=contract.prediction.model_validate_json(answered),
                outcome=outcome.validate_json(told),
                predicted_at=to_datetime(predicted_at),
                occurred_at=to_datetime(occurred_at),
            )
        except ValidationError:
            continue


def _status(held: tuple[str, int] | None, outcome: str, occurred_at: int) -> Status:
    if held is None:
        return "stored"
    if json.loads(held[0]) == json.loads(outcome):
        return "repeated"
    return "corrected" if occurred_at >= held[1] else "superseded"


def _prediction_row(each: NewPrediction) -> dict[str, object]:
    return {
        "prediction_id": each.prediction_id,
        "slug": each.slug,
        "subject": each.subject,
        "predicted_at": to_microseconds(each.predicted_at),
        "query": each.query,
        "prediction": each.prediction,
    }


def _feedback_row(each: NewFeedback, received_at: int) -> dict[str, object]:
    return {
        "prediction_id": each.prediction_id,
        "slug": each.slug,
        "outcome": each.outcome,
        "occurred_at": to_microseconds(each.occurred_at),
        "received_at": received_at,
    }
