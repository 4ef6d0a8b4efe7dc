"""Dates and times as people write them, made ISO 8601 by when and where the text was written.

A day is ``2026-03-03``, an instant ``2026-03-03T17:00:00+01:00``, a week ``2026-W10``, a month ``2026-03``, a year ``2026``, a part of a
day two instants with ``/`` between them. `Friday` is the next one, or today; `last Friday` the one before today; `next Friday` that of the
week after this one. `5 March` is the one nearest to the text. ``03/04/2026`` means two days, so it has no value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import TypeVar

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
_WHOLE_DAYS = {"today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1, "day after tomorrow": 2, "day before yesterday": -2}
_PARTS = {"morning": (6, 12), "afternoon": (12, 18), "evening": (18, 22), "night": (18, 24)}

_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?"
    r"|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?P<day>[0-2]?\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_LENGTH = rf"(?P<count>\d{{1,4}}|{'|'.join(_COUNTS)}) (?P<unit>minute|hour|day|week|month|year)s?"
_CLOCK = re.compile(
    r"(?P<noon>noon|midday|midnight)\b"
    r"|(?P<hour>[01]?\d|2[0-3])(?::(?P<minute>[0-5]\d))?(?::[0-5]\d)? ?(?P<half>[ap])\.?m\b\.?"
    r"|(?P<hour24>[01]?\d|2[0-3]):(?P<minute24>[0-5]\d)(?::[0-5]\d)?(?![\d:])",
    re.IGNORECASE,
)
_BARE_CLOCK = re.compile(r"(?:at|by|around) (?P<hour24>[01]?\d|2[0-3])(?: ?o'?clock)?(?![\w:.,/\-]|\ ?[%$\u20ac\u00a3])", re.IGNORECASE)
_PART_AFTER = re.compile(r" (?:in the )?(morning|afternoon|evening|night)\b", re.IGNORECASE)
_JOIN = re.compile(r",? ?(?:(?:at|by|around|on|@) )?", re.IGNORECASE)

_WORTH_A_LOOK = re.compile(
    r"\d|to(?:day|night|morrow)|yesterday|noon|mid(?:day|night)|\bago\b|\b(?:in|last|past|this|next|one|two|three) "
    r"|day\b|\b(?:mon|tues?|wed|thurs?|fri)\b|\b(?:earlier|later|from now)\b",
    re.IGNORECASE,
)
_Found = TypeVar("_Found", bound=tuple[int, int, object])
_Reader = Callable[["re.Match[str]", datetime], "date | str | None"]


def times(text: str, at: datetime) -> list[tuple[int, int, str | None]]:
    """Dates and times, in order, each as ``(start, end, value)``; `at` has the zone of who wrote the text."""
    if _WORTH_A_LOOK.search(text) is None:
        return []
    found: list[tuple[int, int, str | None]] = []
    for start, end, value in _apart([(*match.span(), read(match, at)) for pattern, read in _READERS for match in pattern.finditer(text)]):
        before = found[-1][1] if found else 0
        found.append(_with_clock(text, before, start, end, value, at) if isinstance(value, date) else (start, end, value))
    clocks: list[tuple[int, int, str | None]] = [
        (*match.span(), _at(at.date(), _clock(match), at)) for match in _CLOCK.finditer(text) if _stands_alone(text, match)
    ]
    return _apart(found + clocks)


def _with_clock(text: str, before: int, start: int, end: int, day: date, at: datetime) -> tuple[int, int, str]:
    """A day together with the time that is written beside it."""
    stop = _JOIN.match(text, end).end()  # type: ignore[union-attr]
    if (clock := _CLOCK.match(text, stop)) or (clock := _BARE_CLOCK.match(text, end + text[end : end + 1].isspace())):
        late = 12 * (text[start:end].lower() == "tonight" and not clock.groupdict().get("half"))
        return start, clock.end(), _at(day, _later(_clock(clock), late), at)
    near = [match for match in _CLOCK.finditer(text, max(before, start - 20), start) if _JOIN.fullmatch(text, match.end(), start)]
    if near and near[-1].end() < start:
        return near[-1].start(), end, _at(day, _clock(near[-1]), at)
    if part := _PART_AFTER.match(text, end):
        return start, part.end(), _part(day, part[1], at)
    return start, end, _part(day, "night", at) if text[start:end].lower() == "tonight" else day.isoformat()


def _stands_alone(text: str, match: re.Match[str]) -> bool:
    before = text[max(match.start() - 1, 0) : match.start()]
    return not before or not (before.isalnum() or before in "_:./-+$\u20ac\u00a3")


def _clock(match: re.Match[str]) -> time:
    parts = match.groupdict()
    if noon := parts.get("noon"):
        return time(0 if noon.lower() == "midnight" else 12)
    if parts.get("half"):
        return time(int(parts["hour"]) % 12 + 12 * (parts["half"].lower() == "p"), int(parts["minute"] or 0))
    return time(int(parts["hour24"]), int(parts.get("minute24") or 0))


def _later(clock: time, hours: int) -> time:
    """Twelve hours on, if the clock was in the morning."""
    return clock.replace(hour=clock.hour + hours) if clock.hour < 12 else clock


def _at(day: date, clock: time, at: datetime) -> str:
    return datetime.combine(day, clock, at.tzinfo).isoformat()


def _part(day: date, part: str, at: datetime) -> str:
    first, last = _PARTS[part.lower()]
    end = _at(day + timedelta(days=last // 24), time(last % 24), at)
    return f"{_at(day, time(first), at)}/{end}"


def _iso(match: re.Match[str], at: datetime) -> date | str | None:
    try:
        if match["clock"] is None:
            return date.fromisoformat(match["date"])
        instant = datetime.fromisoformat(match[0].upper().replace(" ", "T", 1).replace(" ", ""))
    except ValueError:
        return None
    return (instant if instant.tzinfo else instant.replace(tzinfo=at.tzinfo)).isoformat()


def _numeric(match: re.Match[str], _: datetime) -> date | None:
    first, second, year = int(match["first"]), int(match["second"]), int(match["year"])
    year += 2000 if year < 100 else 0
    day_first = match["mark"] == "." or first > 12
    if not day_first and second <= 12 and first != second:
        return None
    return _date(year, second, first) if day_first else _date(year, first, second)


def _named_month(match: re.Match[str], at: datetime) -> date | str | None:
    month, day, year = _MONTHS.index(match["month"][:3].lower()) + 1, match.groupdict().get("day"), match["year"]
    if day is None:
        return f"{year}-{month:02}"
    if year:
        return _date(int(year), month, int(day))
    near = [_date(at.year + step, month, int(day)) for step in (-1, 0, 1)]
    return min((one for one in near if one), key=lambda one: abs((one - at.date()).days), default=None)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _whole_day(match: re.Match[str], at: datetime) -> date:
    return at.date() + timedelta(days=_WHOLE_DAYS[match["word"].lower()])


def _this_part(match: re.Match[str], at: datetime) -> str:
    return _part(at.date(), match["part"], at)


def _weekday(match: re.Match[str], at: datetime) -> date:
    today, which = at.date(), (match["which"] or "").lower()
    ahead = (_DAYS.index(match["weekday"][:3].lower()) - today.weekday()) % 7
    if which in ("last", "past"):
        return today + timedelta(days=ahead - 7)
    if which == "next":
        return today + timedelta(days=7 - today.weekday() + _DAYS.index(match["weekday"][:3].lower()))
    return today + timedelta(days=ahead)


def _distance(match: re.Match[str], at: datetime) -> date | str | None:
    written = match["count"].lower()
    count = _COUNTS[written] if written in _COUNTS else int(written)
    count *= -1 if match["way"].lower() in ("ago", "earlier") else 1
    unit = match["unit"].lower()
    try:
        if unit in ("minute", "hour"):
            return (at.replace(second=0, microsecond=0) + timedelta(**{f"{unit}s": count})).isoformat()
        if unit in ("day", "week"):
            return at.date() + timedelta(days=count * (7 if unit == "week" else 1))
        return _months_on(at.date(), count * (12 if unit == "year" else 1))
    except (OverflowError, ValueError):
        return None


def _months_on(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = (date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))


def _period(match: re.Match[str], at: datetime) -> str:
    step, day = {"last": -1, "past": -1, "this": 0, "next": 1}[match["which"].lower()], at.date()
    if match["unit"].lower() == "week":
        year, week, _ = (day + timedelta(days=7 * step)).isocalendar()
        return f"{year}-W{week:02}"
    if match["unit"].lower() == "month":
        return _months_on(day.replace(day=1), step).isoformat()[:7]
    return str(day.year + step)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.,:/\-+#$])(?:{text})(?![\w/]|[.,:\-]\d)", re.IGNORECASE)


_READERS: tuple[tuple[re.Pattern[str], _Reader], ...] = (
    (_pattern(r"(?P<date>\d{4}-\d\d-\d\d)(?P<clock>[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?: ?Z| ?[+\-]\d\d:?\d\d)?)?"), _iso),
    (_pattern(r"(?P<first>[0-3]?\d)(?P<mark>[./\-])(?P<second>[0-3]?\d)(?P=mark)(?P<year>(?:19|20)\d\d|\d\d)"), _numeric),
    (_pattern(rf"{_MONTH} {_DAY}(?:,? {_YEAR})?"), _named_month),
    (_pattern(rf"(?:the )?{_DAY} (?:of )?{_MONTH}(?:,? {_YEAR})?"), _named_month),
    (_pattern(rf"{_MONTH} {_YEAR}"), _named_month),
    (_pattern(r"(?:the )?(?P<word>day after tomorrow|day before yesterday|today|tonight|tomorrow|yesterday)"), _whole_day),
    (_pattern(r"this (?P<part>morning|afternoon|evening)"), _this_part),
    (
        _pattern(
            r"(?:(?P<which>last|past|next|this|coming) )?"
            r"(?P<weekday>monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tues?|wed|thurs?|fri)"
        ),
        _weekday,
    ),
    (_pattern(rf"in {_LENGTH}(?P<way>)"), _distance),
    (_pattern(rf"{_LENGTH} (?P<way>ago|earlier|from now|later)"), _distance),
    (_pattern(r"(?P<which>last|past|this|next) (?P<unit>week|month|year)"), _period),
)


def _apart(found: list[_Found]) -> list[_Found]:
    """Those that overlap none before them; of two that begin together, the longer."""
    kept: list[_Found] = []
    for one in sorted(found, key=lambda one: (one[0], -one[1])):
        if not kept or one[0] >= kept[-1][1]:
            kept.append(one)
    return kept
