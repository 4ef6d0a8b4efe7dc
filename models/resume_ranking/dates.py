"""Months and ranges of months in running text, in the ways that resumes write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from models.resume_ranking.spans import Month, Span

_NAMES = (
    "jan(?:uary|uar|vier)?|januari|enero|gennaio|janeiro|ene",
    "feb(?:ruary|ruar)?|februari|février|fevrier|févr|febrero|febbraio|fevereiro|fev|fév",
    "mar(?:ch|zo|s)?|märz|maerz|mrz|maart|março|mär",
    "apr(?:il|ile)?|avril|abril|avr|abr",
    "may|mai|mayo|maggio|mei|maio",
    "june?|juni|juin|junio|giugno|junho",
    "july?|juli|juillet|julio|luglio|julho|juil",
    "aug(?:ust|ustus)?|août|aout|agosto|ago",
    "sept?(?:ember|embre|iembre)?|settembre|setembro",
    "oct(?:ober|obre)?|okt(?:ober)?|ottobre|octubre|outubro|out",
    "nov(?:ember|embre|iembre|embro)?",
    "dec(?:ember)?|dez(?:ember|embro)?|décembre|decembre|diciembre|dicembre|déc|dic",
)
_SEASONS = {"spring": 4, "summer": 7, "autumn": 10, "fall": 10, "winter": 1}
_YEAR = r"(?:19[5-9]\d|20[0-4]\d)"
# In 03/18 two digits are a year only beside another month; elsewhere it may be a day, or a fraction.
_SHORT_YEAR = (r"\d\d(?=\s*(?:[-\u2013\u2014]|to\b|till\b))", r"\d\d(?![\d/])")


def _point(tag: str) -> str:
    """A month or a year; every group's name begins with the tag."""
    name = "|".join(f"(?P<{tag}m{number}>{names})" for number, names in enumerate(_NAMES, 1))
    return (
        rf"(?:(?:\d{{1,2}}(?:st|nd|rd|th)?[ .\-]{{1,2}}(?:of )?)?\b(?:{name})\b[.,'\u2019 /\-]{{0,3}}(?:\d{{1,2}}(?:st|nd|rd|th)?,[ ])?"
        rf"(?P<{tag}y1>{_YEAR}|(?<=['\u2019\-/])\d\d\b(?![.,]?\d))"
        rf"|(?<![\d/.])(?:[0-3]?\d[./\-])?(?P<{tag}n>0?[1-9]|1[0-2])[./\-](?P<{tag}y2>{_YEAR}|{_SHORT_YEAR[tag == 'b']})"
        rf"|(?P<{tag}y3>{_YEAR})[./\-](?P<{tag}n3>0[1-9]|1[0-2])(?![\d/])(?:[./\-][0-3]\d)?"
        rf"|(?P<{tag}season>spring|summer|autumn|fall|winter)[ ,]+(?P<{tag}y5>{_YEAR})"
        rf"|(?P<{tag}q>q[1-4])[ /]*(?P<{tag}y6>{_YEAR})"
        rf"|(?<![\d.,$\u20ac£])(?P<{tag}y4>{_YEAR})(?![\d%]|[.,]\d))"
    )


_NOW = (
    r"(?P<now>present|current(?:ly)?|now|today|till date|to date|till now|date|ongoing|heute|aktuell|aujourd'hui|actualidad|"
    r"actual|presente|oggi|hoje)"
)
_TO = (
    r"\s*(?:[-\u2013\u2014\u2212~]+|\bto\b|\btill\b|\buntil\b|\bthrough\b|\bthru\b|\bbis\b|\bau\b|\bà\b|\bal?\b|\bhasta\b|->|"
    r"\u2192)+\s*(?:the\s+)?"
)
_SHARED = "|".join(f"(?P<s{number}>{names})" for number, names in enumerate(_NAMES, 1))
_RANGE = re.compile(
    rf"(?:{_point('a')}{_TO}(?:{_NOW}\b|{_point('b')}|(?P<short>\d\d)(?=$|[\s,;)\].](?!\d)))"
    rf"|\b(?:{_SHARED})\b\.?{_TO}{_point('c')}"
    rf"|\b(?P<open>since|seit|depuis|desde|from)\s+{_point('d')}(?:\s+(?:onwards?|on|till date|to date))?"
    rf"|{_point('e')}\s+(?P<onwards>onwards?))",
    re.IGNORECASE,
)
_SINGLE = re.compile(_point("a"), re.IGNORECASE)
_YEARISH = re.compile(r"(?:19|20)\d\d|['\u2019\-/]\d\d(?!\d)")
REACH = 60  # characters; the longest range is shorter


@dataclass(frozen=True)
class Point:
    """A month, or a year whose month is not named."""

    year: int
    month: int | None

    @property
    def latest(self) -> Month:
        """The last month it may mean."""
        return Month(self.year, self.month or 12)


@dataclass(frozen=True)
class DateRange:
    """From one month to another; ``ended`` is ``None`` when it goes on."""

    began: Point
    ended: Point | None
    span: Span


def ranges(text: str) -> Iterator[DateRange]:
    """Ranges of months in order; one that runs backwards is none."""
    for match in _near_years(_RANGE, text):
        found = _range(match)
        if found is not None and (found.ended is None or found.began.year <= found.ended.year):
            yield found


def points(text: str) -> Iterator[tuple[Point, Span]]:
    """Single months and years in order."""
    for match in _near_years(_SINGLE, text):
        if (point := _read(match, "a")) is not None:
            yield point, Span(match.start(), match.end())


def _near_years(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Matches around what may be a year; the rest of a text need not be searched."""
    start = end = 0
    for year in _YEARISH.finditer(text):
        if year.start() - REACH > end:
            yield from pattern.finditer(text, start, end)
            start = max(0, year.start() - REACH)
        end = min(len(text), year.end() + REACH)
    yield from pattern.finditer(text, start, end)


def _range(match: re.Match[str]) -> DateRange | None:
    span = Span(match.start(), match.end())
    if match["open"] or match["onwards"]:
        began = _read(match, "d" if match["open"] else "e")
        return DateRange(began, None, span) if began else None
    shared = next((number for number in range(1, 13) if match[f"s{number}"]), None)
    if shared is not None:
        ended = _read(match, "c")
        return DateRange(Point(ended.year, shared), ended, span) if ended else None
    began = _read(match, "a")
    if began is None:
        return None
    if match["now"]:
        return DateRange(began, None, span)
    if match["short"]:
        year = began.year - began.year % 100 + int(match["short"])
        return DateRange(began, Point(year, None), span) if 0 <= year - began.year < 60 else None
    ended = _read(match, "b")
    return DateRange(began, ended, span) if ended else None


def _read(match: re.Match[str], tag: str) -> Point | None:
    group = match.groupdict()
    year = next((group[f"{tag}y{i}"] for i in range(1, 7) if group.get(f"{tag}y{i}")), None)
    if year is None:
        return None
    month = next((number for number in range(1, 13) if group[f"{tag}m{number}"]), None)
    if number := group[f"{tag}n"] or group[f"{tag}n3"]:
        month = int(number)
    elif group[f"{tag}season"]:
        month = _SEASONS[group[f"{tag}season"].lower()]
    elif group[f"{tag}q"]:
        month = 3 * int(group[f"{tag}q"][1]) - 1
    return Point(_whole_year(int(year)), month)


def _whole_year(year: int) -> int:
    """Two digits mean the century that makes them a working life: 60 to 99 the last, others this."""
    return year if year > 99 else year + (1900 if year >= 60 else 2000)
