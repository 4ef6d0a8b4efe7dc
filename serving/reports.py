"""What goes over HTTP when clients report: events, outcomes, and what became of each."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, create_model

import models

MAX_ITEMS = 10_000
"""Reports in one request."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$")]

_STRICT = ConfigDict(extra="forbid", frozen=True)


class Refused(BaseModel):
    """An item that was not kept; the others were."""

    index: int = Field(description="Its place in what was sent, from 0.")
    error: str = Field(description="The field, what was expected, what came.")


class EventsReceipt(BaseModel):
    """What became of the events of a request. What is accepted is durable."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"accepted": 2, "repeated": [1], "refused": []}]})

    accepted: int = Field(description="How many are new, and kept.")
    repeated: list[int] = Field(description="Places of events whose id was reported before; nothing changes by them.")
    refused: list[Refused] = Field(description="Events that are not as they should be.")


class Outcome(BaseModel):
    """What turned out to be true of a prediction."""

    model_config = _STRICT

    prediction_id: Name = Field(description="As the prediction says.")
    outcome: Any = Field(description="What was true: for churn whether the customer left, for root_cause the service that was to blame.")
    occurred_at: AwareDatetime = Field(description="When it came about, with a time zone; after the prediction.")


class Feedback(BaseModel):
    """Outcomes of several predictions."""

    model_config = _STRICT

    feedback: list[Outcome] = Field(max_length=MAX_ITEMS, description="At most 10,000.")


class FeedbackReceipt(BaseModel):
    """What became of the outcomes of a request. What is accepted is durable."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"accepted": 1, "statuses": ["stored", "repeated"], "refused": []}]})

    accepted: int = Field(description="How many are kept: stored, pending or corrected.")
    statuses: list[Literal["stored", "pending", "corrected", "repeated", "superseded", "refused"]] = Field(
        description="One per outcome, in order. `pending`: kept, its prediction is about to be stored. `corrected`: replaces an outcome "
        "that occurred earlier. `repeated`: known already. `superseded`: one that occurred later is known, and stays."
    )
    refused: list[Refused] = Field(description="Outcomes that are not kept: not as they should be, too early, too late, of no prediction.")


@cache
def events_type(slug: str) -> type[BaseModel]:
    """The type of the body that a model's events come in."""
    event = models.get(slug).contract.event
    if event is None:
        raise TypeError(f"expected a model that learns from events, got {slug}")
    item = create_model(
        f"{event.__name__}Report",
        __config__=_STRICT,
        event_id=(Name, Field(description="The client's; unique per model. An event that is sent again with the same id counts once.")),
        event=(event, Field(description="What happened.")),
    )
    items = (list[item], Field(max_length=MAX_ITEMS, description="At most 10,000."))
    return create_model(f"{event.__name__}s", __config__=_STRICT, events=items)
