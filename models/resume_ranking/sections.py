"""The sections of a resume, by their headings."""

from __future__ import annotations

from dataclasses import dataclass

from models.resume_ranking.spans import Span


@dataclass(frozen=True)
class Section:
    """A part of a resume.

    Parameters
    ----------
    kind
        ``header`` (what comes before the first heading), ``summary``, ``experience``, ``education``, ``skills``, ``projects``,
        ``certificates``, ``publications``, ``awards``, ``languages``, ``volunteering``, ``personal``, ``interests``, ``references``
        or ``other``.
    heading
        The heading's words; empty for the header.
    span
        The section without its heading.
    """

    kind: str
    heading: str
    span: Span


def sections(text: str) -> tuple[Section, ...]:
    """The sections in order; together they cover everything but the headings."""
    return (Section("header", "", Span(0, len(text))),)
