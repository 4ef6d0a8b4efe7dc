"""Settings of the notification model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from models.base import Config
from models.notification.vocabulary import Hour, Name, Probability, Weekday, Zone


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
