"""Spans of employment: when, how long, and what lies between them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from models.resume_ranking.dates import DateRange, Point, points, ranges
from models.resume_ranking.degrees import names_degree
from models.resume_ranking.sections import Section, section_at
from models.resume_ranking.spans import Month, Span

SHORTEST_GAP_MONTHS = 4  # less is a change of jobs
LONGEST_MONTHS = 60 * 12  # more is a typing error
_ELSEWHERE = frozenset({"education", "certificates", "publications", "awards", "personal", "interests", "references", "languages"})


@dataclass(frozen=True)
class Experience:
    """One employment.

    Parameters
    ----------
    began, ended
        First and last month; an open end is the reference month.
    ongoing
        Whether the resume says "present".
    dates
        Where the dates stand.
    span
        The text that tells of it, from its first line to the next employment.
    """

    began: Month
    ended: Month
    ongoing: bool
    dates: Span
    span: Span

    @property
    def months(self) -> int:
        """Months, both ends counted."""
        return self.ended.ordinal - self.began.ordinal + 1


@dataclass(frozen=True)
class Gap:
    """Months between two employments."""

    after: Month
    before: Month
    months: int


def newest_month(text: str) -> Month | None:
    """The newest month that a text names."""
    return max((point.latest if point.month else Month(point.year, 12) for point, _ in points(text)), default=None)


def experiences(text: str, sections: Sequence[Section], as_of: Month | None) -> tuple[Experience, ...]:
    """The employments in order of the text.

    Ranges count in the sections that tell of work; in a resume that has no such section, wherever no other section claims them.
    """
    kinds = {section.kind for section in sections}
    wanted = {"experience"} if "experience" in kinds else kinds - _ELSEWHERE - {"projects"} or {"projects"}
    found = [dated for dated in ranges(text) if _counts(dated, text, sections, wanted)]
    if not found and "experience" in wanted and "projects" in kinds:
        found = [dated for dated in ranges(text) if _counts(dated, text, sections, {"projects"})]
    starts = [_start_of_entry(text, dated.span.start) for dated in found]
    told = []
    for at, dated in enumerate(found):
        section = next(section for section in sections if section.span.holds(dated.span.start))
        following = starts[at + 1] if at + 1 < len(starts) else len(text)
        told.append((dated, Span(max(starts[at], section.span.start), max(min(following, section.span.end), dated.span.end))))
    return tuple(entry for dated, span in told if (entry := _experience(dated, span, as_of)) is not None)


def _counts(dated: DateRange, text: str, sections: Sequence[Section], wanted: set[str]) -> bool:
    start = text.rfind("\n", 0, dated.span.start) + 1
    end = text.find("\n", dated.span.end)
    return section_at(sections, dated.span.start) in wanted and not names_degree(text[start : end if end >= 0 else len(text)])


def _start_of_entry(text: str, offset: int) -> int:
    """The start of the line with the dates, or of the line above, when the dates stand alone and a title stands there."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    line = text[start : end if end >= 0 else len(text)]
    if start == 0 or len(re.findall(r"[^\W\d_]{2,}", text[start:offset])) > 0 or len(line.split()) > 8:
        return start
    above = text.rfind("\n", 0, start - 1) + 1
    title = text[above : start - 1].strip()
    return above if title and len(title) < 90 and title[-1] not in ".:;" else start


def _experience(dated: DateRange, span: Span, as_of: Month | None) -> Experience | None:
    began, ended = _bounds(dated.began, dated.ended)
    if ended is None:
        ended = max(began, as_of or began)
    elif as_of is not None:
        ended = max(began, min(ended, as_of))
    if ended.ordinal - began.ordinal > LONGEST_MONTHS:
        return None
    return Experience(began, ended, dated.ended is None, dated.span, span)


def _bounds(began: Point, ended: Point | None) -> tuple[Month, Month | None]:
    """A bare year stands for its middle: 2015 to 2017 is two years, 2015 to 2015 half of one."""
    first = Month(began.year, began.month or 7)
    if ended is None:
        return first, None
    if ended.month is None and ended.year == began.year:
        return first, Month(ended.year, 12)
    return first, max(first, Month(ended.year, ended.month or 6))


def merged_months(spans: Iterable[Experience]) -> int:
    """Months of employments, overlaps counted once."""
    return sum(last - first + 1 for first, last in _merged(spans))


def gaps(spans: Iterable[Experience]) -> tuple[Gap, ...]:
    """Times without employment between the first and the last."""
    return tuple(
        Gap(Month.at(left[1]), Month.at(right[0]), right[0] - left[1] - 1)
        for left, right in pairwise(_merged(spans))
        if right[0] - left[1] - 1 >= SHORTEST_GAP_MONTHS
    )


def _merged(spans: Iterable[Experience]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted((span.began.ordinal, span.ended.ordinal) for span in spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged
