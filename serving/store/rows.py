"""What goes into the store and comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Status = Literal["stored", "pending", "repeated", "corrected", "superseded", "unknown"]
"""What became of a reported outcome.

``stored``: joined to its prediction. ``pending``: kept until the prediction is stored, which happens a moment after it is answered.
``repeated``: the same was reported before. ``corrected``: replaced what was reported before. ``superseded``: a later outcome is known,
and stays. ``unknown``: there is no such prediction, or it was dropped by age.
"""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happened, as a client reports it.

    Parameters
    ----------
    event_id
        The client's; unique per slug.
    subject
        The person it is about, if there is one.
    body
        The event as JSON text, personal data masked.
    """

    event_id: str
    subject: str | None
    body: str


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event with its place in the order in which all workers read."""

    seq: int
    event_id: str
    received_at: datetime
    body: str


@dataclass(frozen=True, slots=True)
class NewPrediction:
    """An answer whose outcome may be reported; query and prediction are JSON text, personal data masked."""

    prediction_id: str
    slug: str
    subject: str | None
    predicted_at: datetime
    query: str
    prediction: str


@dataclass(frozen=True, slots=True)
class NewFeedback:
    """What turned out to be true of a prediction; the outcome is JSON text, personal data masked.

    Parameters
    ----------
    predicted_at
        When the prediction was made, as its id says.
    """

    prediction_id: str
    slug: str
    predicted_at: datetime
    outcome: str
    occurred_at: datetime
