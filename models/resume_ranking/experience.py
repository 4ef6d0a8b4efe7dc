"""Spans of employment: when, how long, and what lies between them."""

from __future__ import annotations

from dataclasses import dataclass

from models.resume_ranking.spans import Month, Span


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
