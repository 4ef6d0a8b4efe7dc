"""Outcomes as events: what a reported outcome teaches a model that goes on learning, stored with it, so that every worker hears of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, select

import models
from models.base import OnlineModel
from models.feedback import Observed
from models.instants import to_datetime
from serving.store.rows import NewEvent
from serving.store.tables import FEEDBACK, PREDICTIONS


def taught_by(connection: Connection, slug: str, prediction_ids: Iterable[str]) -> Iterator[NewEvent]:
    """The events that the outcomes of some predictions are; of those that have both a prediction and an outcome now.

    Each has an id that its content gives it: whichever comes last, the prediction or the outcome, it counts once.
    """
    kind = models.get(slug)
    if not issubclass(kind, OnlineModel) or kind.contract.event is None or kind.contract.outcome is None:
        return
    contract, outcome = kind.contract, TypeAdapter(kind.contract.outcome)
    columns = PREDICTIONS.c.query, PREDICTIONS.c.prediction, PREDICTIONS.c.predicted_at, FEEDBACK.c.outcome, FEEDBACK.c.occurred_at
    joined = PREDICTIONS.join(FEEDBACK, FEEDBACK.c.prediction_id == PREDICTIONS.c.prediction_id)
    query = select(*columns).select_from(joined).where(PREDICTIONS.c.prediction_id.in_(list(prediction_ids)), PREDICTIONS.c.slug == slug)
    for asked, answered, predicted_at, told, occurred_at in connection.execute(query).all():
        try:
            event = kind.lesson(
                Observed(
                    query=contract.query.model_validate_json(asked),
                    prediction=contract.prediction.model_validate_json(answered),
                    outcome=outcome.validate_json(told),
                    predicted_at=to_datetime(predicted_at),
                    occurred_at=to_datetime(occurred_at),
                )
            )
        except ValidationError:  # made by a version of Foretell with other fields
            continue
        if event is not None:
            body = event.model_dump_json()
            field = kind.contract.event.subject
            named = getattr(event, field) if field is not None else None
            yield NewEvent(f"outcome:{hashlib.sha256(body.encode()).hexdigest()[:32]}", named, body)
