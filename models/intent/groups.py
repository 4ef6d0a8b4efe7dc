"""Skill groups as a support lead writes them: a small YAML file, and what is wrong with it by line.

::

    groups:
      billing:
        intents: [Refund, Invoice]
        capacity: 5                    # chats at once; absent: never full
        hours: {zone: Europe/Berlin, mon-fri: "08:00-18:00", sat: ["09:00-12:00", "13:00-15:00"], closed: [2026-12-25]}
      shipping: {intents: [ShippingStatus]}
      general: {}                      # answers what nobody else has
    overflow: general
    misroute_cost: 1                   # of a chat at a group that does not have its intent
    overflow_cost: 0.5                 # of a chat at overflow that some group has
    costs: {Refund: {shipping: 3}}     # where one mistake costs more or less
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from models.errors import InputError
from models.wording import complaint

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_RANGE = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")
_LOOK_AHEAD_DAYS = 14


def _one_or_more(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


def _range(text: str) -> str:
    if not _RANGE.fullmatch(text):
        raise ValueError(f"expected hours such as 08:00-18:00, in quotes, got {text!r}")
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"expected a time zone such as Europe/Berlin, got {name!r}") from error
    return name


Ranges = Annotated[tuple[Annotated[str, AfterValidator(_range)], ...], BeforeValidator(_one_or_more)]


class Hours(BaseModel):
    """When a group answers, by local time; hours that end before they begin go on into the next day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zone: Annotated[str, AfterValidator(_zone)] = Field(description="Time zone of the hours, such as `Europe/Berlin`.")
    days: dict[str, Ranges] = Field(description="Hours by day, such as `mon: 08:00-18:00`; a day without any is closed.")
    closed: tuple[date, ...] = Field(default=(), description="Dates without hours, such as holidays.")

    @model_validator(mode="before")
    @classmethod
    def _by_day(cls, value: object) -> object:
        """Days may stand beside the zone, and in ranges: ``{zone: UTC, mon-fri: ...}``."""
        if not isinstance(value, dict) or "days" in value:
            return value
        days: dict[str, Any] = {}
        rest = {}
        for key, hours in value.items():
            if (names := _days_of(str(key))) is None:
                rest[key] = hours
            else:
                days |= dict.fromkeys(names, hours)
        if not days:
            raise ValueError("expected hours of at least one day, such as mon-fri: '08:00-18:00', got none")
        return rest | {"days": days}

    @cached_property
    def _zone_info(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def is_open(self, at: datetime) -> bool:
        """Whether the group answers at an instant."""
        today = at.astimezone(self._zone_info).date()
        return any(start <= at < end for start, end in self._spans(today - timedelta(days=1), 2))

    def opens(self, at: datetime) -> datetime | None:
        """The next time that hours begin, locally; ``None``: not within two weeks."""
        today = at.astimezone(self._zone_info).date()
        start = min((start for start, _ in self._spans(today, _LOOK_AHEAD_DAYS) if start > at), default=None)
        return start and start.astimezone(self._zone_info)

    def _spans(self, first: date, days: int) -> Iterator[tuple[datetime, datetime]]:
        """Hours of some days, in UTC, where the day that a clock is set can be compared."""
        for day in (first + timedelta(days=count) for count in range(days)):
            for text in self.days.get(DAYS[day.weekday()], ()) if day not in self.closed else ():
                start, end = text.split("-")
                last = day + timedelta(days=end <= start or end == "24:00")
                yield self._instant(day, start), self._instant(last, "00:00" if end == "24:00" else end)

    def _instant(self, day: date, clock: str) -> datetime:
        return datetime.combine(day, time.fromisoformat(clock), self._zone_info).astimezone(UTC)


def _days_of(key: str) -> tuple[str, ...] | None:
    first, _, last = key.lower().partition("-")
    if key.lower() == "daily":
        return DAYS
    if first not in DAYS or (last and last not in DAYS):
        return None
    start, end = DAYS.index(first), DAYS.index(last or first)
    return tuple(DAYS[place % 7] for place in range(start, end + 1 + 7 * (end < start)))


class Group(BaseModel):
    """Agents with a skill."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    intents: tuple[str, ...] = Field(default=(), description="What the group answers.")
    capacity: int | None = Field(default=None, ge=0, description="Chats at once; none: never full.")
    hours: Hours | None = Field(default=None, description="When it answers; none: always.")


class Routing(BaseModel):
    """Skill groups, and what it costs to ask the wrong one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    groups: dict[str, Group] = Field(min_length=1, description="Groups by name.")
    overflow: str = Field(description="The group that takes what no other can: closed, full, out of scope, too doubtful.")
    misroute_cost: float = Field(default=1, gt=0, description="Of a chat at a group that does not have its intent; any unit.")
    overflow_cost: float = Field(
        default=0.5, ge=0, description="Of a chat at overflow that another group has: above it, a doubtful chat goes to a guess."
    )
    costs: dict[str, dict[str, Annotated[float, Field(ge=0)]]] = Field(
        default={}, description="Cost by intent, then by group, where it is another."
    )

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        names = ", ".join(self.groups)
        if self.overflow not in self.groups:
            raise ValueError(f"expected overflow to be one of the groups {names}, got {self.overflow!r}")
        for intent, costs in self.costs.items():
            if unknown := sorted(costs.keys() - self.groups.keys()):
                raise ValueError(f"expected costs of {intent} for the groups {names}, got {unknown[0]!r}")
        return self


def read_routing(path: Path) -> Routing:
    """Skill groups from a YAML file.

    Raises
    ------
    InputError
        If the file cannot be used; names line and key.
    """
    try:
        text = path.read_text(encoding="utf-8")
        root, value = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"expected a readable YAML file of skill groups, got {path}: {error}") from error
    except yaml.YAMLError as error:
        raise InputError(f"expected YAML in {path}, got something else: {' '.join(str(error).split())}") from error
    if (repeated := _repeated_key(root)) is not None:
        raise InputError(
            f"{path.name}, line {repeated.start_mark.line + 1}: expected each key once, got {repeated.value} again: remove one"
        )
    try:
        return Routing.model_validate(value)
    except ValidationError as error:
        problem = error.errors()[0]
        keys = [str(key) for key in problem["loc"] if key not in ("days", "[key]")]
        raise InputError(f"{path.name}, line {_line(root, keys)}, {'.'.join(keys) or 'the whole file'}: {complaint(problem)}") from error


def routing_or_file(value: object) -> object:
    """For a setting: skill groups, or the YAML file that holds them, which is read at once, so that the setting keeps what it said."""
    if isinstance(value, str | Path):
        try:
            return read_routing(Path(value))
        except InputError as error:
            raise ValueError(str(error)) from error
    return value


def _repeated_key(node: yaml.Node | None) -> yaml.Node | None:
    """A key that its mapping has already; YAML would silently keep the last."""
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                return key  # type: ignore[no-any-return]
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        return next((found for _, value in node.value if (found := _repeated_key(value))), None)
    return None


def _line(node: yaml.Node | None, keys: list[str]) -> int:
    """The line of a key, or of the nearest thing above it that the file holds."""
    line = node.start_mark.line + 1 if node else 1
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            pair = next(((name, value) for name, value in node.value if _is_key(name.value, key)), None)
        elif isinstance(node, yaml.SequenceNode) and key.isdigit() and int(key) < len(node.value):
            pair = (node.value[int(key)], node.value[int(key)])
        else:
            pair = None
        if pair is None:
            break
        line, node = pair[0].start_mark.line + 1, pair[1]
    return line


def _is_key(written: object, key: str) -> bool:
    return written == key or key in (_days_of(str(written)) or ())
