"""What the notification model reads, is asked and answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import AliasChoices, AwareDatetime, ConfigDict, Field

from models.base import Prediction, Record
from models.notification.digest_records import DigestClosing, Item
from models.notification.vocabulary import Action, Name, Probability, ReasonCode, Zone
from models.scalar import Scalar


class _Notification(Record):
    """What a row and a query have in common: the very same features come from both."""

    rest: ClassVar[str | None] = "context"
    subject: ClassVar[str | None] = "user_id"

    user_id: Name = Field(description="Whom it is for.")
    type: Name = Field(description="What kind of notification it is: Social, Promo, Receipt.")
    channel: Name = Field(default="push", description="The way it goes.")
    time_zone: Zone | None = Field(default=None, description="The user's, such as Europe/Berlin. Absent: the configured one.")
    context: Mapping[str, Scalar] = Field(default_factory=dict, description="Whatever else is known of the user or the content, by column.")


class NotificationQuery(_Notification):
    """A notification that waits for a decision."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "u017",
                    "type": "Social",
                    "at": "2026-04-01T17:30:00Z",
                    "time_zone": "Europe/Berlin",
                    "context": {"segment": "casual", "platform": "ios"},
                }
            ]
        }
    )

    at: AwareDatetime = Field(description="When it is to be decided, with a time zone.")
    value: float = Field(default=1.0, ge=0.0, le=1e9, description="What a click is worth.")
    expires_at: AwareDatetime | None = Field(default=None, description="From when on it is of no use. Absent: never.")
    critical: bool = Field(default=False, description="Whether it is pushed whatever the probability, as critical types are.")
    preference: Literal["push", "in_app", "digest", "off"] | None = Field(
        default=None, description="What the user asked for, for this type and channel. Absent: nothing, or what events told."
    )
    unreported: tuple[AwareDatetime, ...] = Field(
        default=(), max_length=100, description="Pushes of the last week to this user that no event has told of."
    )
    explore: bool = Field(default=True, description="Whether the user may be part of exploration; false for those who opted out.")


class NotificationExample(_Notification):
    """What became of a notification: a training row, and the event by which the model learns between trainings.

    Reported when it is sent (without `clicked`), and again when something is known of it: user, type and instant of sending name it.
    """

    model_config = ConfigDict(
        populate_by_name=True,
        json_schema_extra={
            "examples": [
                {
                    "user_id": "u017",
                    "type": "Social",
                    "sent_at": "2026-03-02T17:30:00Z",
                    "clicked": True,
                    "happened_at": "2026-03-02T17:34:10Z",
                    "time_zone": "Europe/Berlin",
                    "context": {"segment": "casual", "platform": "ios"},
                }
            ]
        },
    )

    past: ClassVar[tuple[str, ...]] = ("sent_at", "happened_at")

    sent_at: AwareDatetime = Field(
        validation_alias=AliasChoices("sent_at", "timestamp"), description="When it was sent, or put into the digest, with a time zone."
    )
    clicked: bool | None = Field(
        default=None, description="Whether it was clicked. Absent: not known yet; not clicked once `attribution_hours` have passed."
    )
    happened_at: AwareDatetime | None = Field(default=None, description="When it was clicked, swiped away or read. Absent: as it was sent.")
    decision: Action = Field(default="push", description="What was done with it.")
    propensity: float | None = Field(default=None, gt=0.0, le=1.0, description="Probability with which that was decided, as logged.")
    dismissed: bool = Field(default=False, description="Whether it was swiped away.")
    dwell_s: float | None = Field(default=None, ge=0.0, le=1e6, description="Seconds that the user looked at it.")
    scroll_speed: float | None = Field(default=None, ge=0.0, le=1e6, description="Screens per second while it was in view; fast is bored.")
    disabled: bool = Field(default=False, description="Whether the user turned this type off, or unsubscribed, because of it.")
    value: float = Field(default=1.0, ge=0.0, le=1e9, description="What a click is worth.")
    item: Item | None = Field(
        default=None, description="What waits for a digest from now on; once that was sent, report it without `item`."
    )
    closing: DigestClosing | None = Field(
        default=None, description="That a digest of the user is closed, instead of what became of a notification; as `digest` gives it."
    )


class NotificationPrediction(Prediction):
    """What to do with a notification, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "u017",
                    "type": "Social",
                    "probability": 0.31,
                    "low": 0.2,
                    "high": 0.44,
                    "disable_probability": 0.001,
                    "decision": "push",
                    "send_at": "2026-04-01T17:30:00Z",
                    "reason": "above_threshold",
                    "explanation": "0.310 is at least the threshold of 0.100.",
                    "propensity": 0.99,
                    "propensities": {"push": 0.99, "digest": 0.01},
                    "utilities": {"push": 0.31, "digest": 0.12},
                    "known": True,
                }
            ]
        }
    )

    user_id: str = Field(description="Whom it is for.")
    type: str = Field(description="As asked.")
    probability: Probability = Field(description="That a push sent now is clicked; calibrated.")
    low: Probability = Field(description="Below this the probability is with a chance of one in twenty.")
    high: Probability = Field(description="Above this the probability is with a chance of one in twenty.")
    disable_probability: Probability = Field(description="That a push sent now makes the user turn the type off.")
    decision: Action = Field(description="What to do: push now, push later, show in the app, put into the digest, drop.")
    send_at: datetime | None = Field(description="When to push; none for what is not pushed.")
    reason: ReasonCode = Field(description="What decided.")
    explanation: str = Field(description="The same as a sentence.")
    propensity: Probability = Field(description="Probability with which this was decided, exactly; to be logged with what is sent.")
    propensities: Mapping[Action, float] = Field(description="Of every action that might have been decided; they add up to 1.")
    utilities: Mapping[Action, float] = Field(description="What each permitted action is worth in expectation.")
    known: bool = Field(description="Whether anything was seen of this user; if not, the type and the context decide.")
