"""Actions, reasons and fates, and what names, zones and hours look like."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

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
