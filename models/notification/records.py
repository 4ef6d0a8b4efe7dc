"""What the notification model reads, is asked and answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, AliasChoices, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from models.base import Config, Prediction, Record
from models.churn.records import Scalar

Action = Literal["push", "later", "in_app", "digest", "drop"]
ACTIONS: tuple[Action, ...] = ("push", "later", "in_app", "digest", "drop")
"""From the loudest to silence; `later` is a push at a better hour."""

Fate = Literal["digested", "expired", "turned_off", "duplicate", "outranked"]
"""What becomes of an item that waited for a digest."""

Weekday = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

ReasonCode = Literal[
    "critical",
    "turned_off",
    "asked_for_digest",
    "asked_for_in_app",
    "expired",
    "quiet_hours",
    "daily_cap",
    "above_threshold",
    "below_threshold",
    "best_value",
    "nothing_is_worth_it",
    "exploration",
]


def _as_text(value: Any) -> Any:
    """Ids are text: 12, 12.0 and ``"12"`` name the same user, whether they came from CSV or JSON."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


@cache
def _zones() -> frozenset[str]:
    """The names of all zones; finding them takes a walk over the disk."""
    return frozenset(available_timezones())


def _known_zone(name: str) -> str:
    if name not in _zones():
        raise ValueError(f"expected a time zone of the IANA database, such as Europe/Berlin, got {name!r}")
    return name


Name = Annotated[
    str,
    BeforeValidator(_as_text),
    StringConstraints(strip_whitespace=True, min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$"),
]
Zone = Annotated[str, AfterValidator(_known_zone)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Hour = Annotated[float, Field(ge=0.0, lt=24.0)]


class Rhythm(BaseModel):
    """When a digest is due, by the user's clock."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hours: tuple[Hour, ...] = Field(default=(18.0,), min_length=1, max_length=24, description="Hours of the day; 18.5 is half past six.")
    weekdays: tuple[Weekday, ...] = Field(default=(), description="On these days; empty: every day.")


class NotificationConfig(Config):
    """Settings of the notification model. Values and costs are in whatever unit the value of a click is given in."""

    mode: Literal["threshold", "value"] = Field(
        default="threshold",
        description="`threshold`: push what is as likely to be clicked as `threshold`, digest the rest. `value`: what is worth most.",
    )
    threshold: Probability = Field(default=0.1, description="In the mode `threshold`: the least probability that is pushed.")
    critical_types: tuple[Name, ...] = Field(default=(), description="Types that are always pushed at once: sign-in codes, fraud alerts.")
    exploration: Literal["off", "thompson"] = Field(
        default="thompson",
        description="`thompson`: decide by a draw of the probability, so that doubtful types are tried. `off`: by its mean.",
    )
    exploration_floor: float = Field(
        default=0.02, ge=0.0, le=0.5, description="Share of decisions drawn evenly from what is permitted, while exploring."
    )
    exploration_scale: float = Field(
        default=1.0,
        ge=0.0,
        le=1.0,
        description="How much of the doubt is drawn from: 1 is Thompson sampling; less tries less, where tastes change before trials pay.",
    )
    daily_cap: int | None = Field(default=8, ge=0, le=1000, description="Pushes to a user in 24 hours; more go to the digest.")
    quiet_hours: tuple[Hour, Hour] | None = Field(
        default=None,
        description="Hours of the user's clock between which only critical types are pushed, such as [22, 8].",
    )
    disable_cost: float = Field(default=20.0, ge=0.0, description="What it costs if a user turns a type off.")
    fatigue_cost: float = Field(
        default=1.0,
        ge=0.0,
        le=100.0,
        description="How much the later clicks weigh that a push costs by tiring; 1: as learned.",
    )
    in_app_share: Probability = Field(default=0.3, description="Clicks of an in-app message per click of a push, assumed until known.")
    digest_share: Probability = Field(default=0.4, description="Clicks of an item in a digest per click of a push, assumed until known.")
    digests: Mapping[Name, Rhythm] = Field(default={"daily": Rhythm()}, description="When each digest is due, by its name.")
    digest_entries: int = Field(default=20, ge=1, le=1000, description="Most entries of a digest; what is outranked is dropped.")
    least_value: float = Field(default=0.0, ge=0.0, description="In the mode `value`: what is worth less is dropped instead of digested.")
    delay_hours: float = Field(
        default=24.0,
        ge=0.0,
        le=168.0,
        description="How long a push may wait for a better hour, before it expires; 0: it never does.",
    )
    delay_cost: float = Field(default=0.02, ge=0.0, le=1.0, description="Share of the value that is lost per hour of waiting.")
    attribution_hours: float = Field(
        default=6.0, gt=0.0, le=720.0, description="A push without a click is no negative before this many hours have passed."
    )
    half_life_days: float = Field(default=45.0, ge=1.0, le=36_500.0, description="Days after which an outcome counts half.")
    implicit_weight: Probability = Field(
        default=0.3, description="How much a swipe, dwell time or scroll speed counts for a user's taste, a click or its absence being 1."
    )
    segment: str = Field(default="segment", description="The context column that names a user's segment, if there is one.")
    time_zone: Zone = Field(default="UTC", description="Zone of users of whom none is given.")
    max_rows: int = Field(default=200_000, ge=100, description="The nightly model learns from so many of the newest outcomes.")


class Item(BaseModel):
    """What waits for a digest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item_id: Name = Field(description="Names it among those of the user.")
    digest: Name = Field(default="daily", description="Which digest; one of the configured ones.")
    about: Name | None = Field(default=None, description="What it is about: items of a type about the same thing are one entry.")
    actor: Name | None = Field(default=None, description="Who did it: several are written as `Ann and 4 others`.")
    title: str | None = Field(default=None, max_length=500, description="What to show.")
    expires_at: AwareDatetime | None = Field(default=None, description="From when on it is of no use. Absent: never.")


class ItemFate(BaseModel):
    """What became of an item."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item_id: Name = Field(description="Which.")
    fate: Fate = Field(description="Shown, or why not.")


class DigestClosing(BaseModel):
    """That a digest is closed: its items are done with. To be reported before it is sent, with `digest_id` as the event's id."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: Name = Field(description="Which digest.")
    slot_at: AwareDatetime = Field(description="When it was due.")
    items: tuple[ItemFate, ...] = Field(max_length=10_000, description="Each item that it took, and what became of it.")


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


class DigestQuestion(BaseModel):
    """A question for a user's digest."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [{"user_id": "u017", "digest": "daily", "at": "2026-03-02T19:00:00Z"}]}
    )

    user_id: Name = Field(description="Whose.")
    digest: Name = Field(default="daily", description="Which; one of the configured ones.")
    at: AwareDatetime = Field(description="The digest is the one that was due last until then, with a time zone.")
    time_zone: Zone | None = Field(default=None, description="The user's. Absent: the configured one.")


class DigestEntry(BaseModel):
    """Items of a type about the same thing."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(description="Their type.")
    about: str = Field(description="What they are about.")
    who: str | None = Field(description="`Ann`, `Ann and Bob`, `Ann and 4 others`; none if nobody was named.")
    title: str | None = Field(description="That of the newest.")
    items: list[str] = Field(description="The newest first.")
    newest_at: datetime = Field(description="When the newest was put here.")


class Digest(BaseModel):
    """A user's digest; until it is closed, as it would be."""

    model_config = ConfigDict(frozen=True)

    user_id: str = Field(description="Whose.")
    digest: str = Field(description="Which.")
    digest_id: str = Field(description="Names it: whatever is sent under this name twice is the same.")
    slot_at: datetime = Field(description="When it was due.")
    closed: bool = Field(description="Whether it was closed; then it will not change any more.")
    entries: list[DigestEntry] = Field(description="The best first, no type crowding out the others.")
    closing: DigestClosing = Field(
        description="To be reported as an event's `closing` before it is sent; also says what was left out, and why."
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
