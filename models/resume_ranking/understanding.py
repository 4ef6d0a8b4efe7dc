"""A resume's text, understood: sections, employments, skills, education, each with its place in the text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from models.resume_ranking.experience import Experience, Gap
from models.resume_ranking.sections import Section, sections
from models.resume_ranking.skills import Skill
from models.resume_ranking.spans import Month, Span


@dataclass(frozen=True)
class Degree:
    """A degree or certificate of a school.

    Parameters
    ----------
    level
        0 none, 1 school, 2 vocational or associate, 3 bachelor, 4 master, 5 doctorate.
    span
        Where the degree is named.
    """

    level: int
    span: Span


@dataclass(frozen=True)
class Resume:
    """What a resume says; every span is an offset into ``text``.

    Parameters
    ----------
    text
        The text that was understood: blinded text, when it is to be scored.
    as_of
        The month that "present" means.
    sections, experiences, degrees
        In order of the text.
    skills
        By canonical name.
    months
        Months of employment, overlaps counted once.
    gaps
        Times of more than three months between employments, in order of time.
    """

    text: str
    as_of: Month | None
    sections: tuple[Section, ...]
    experiences: tuple[Experience, ...]
    degrees: tuple[Degree, ...]
    skills: dict[str, Skill]
    months: int
    gaps: tuple[Gap, ...]


def understand(text: str, *, as_of: date | None = None) -> Resume:
    """Read a resume's text.

    Parameters
    ----------
    as_of
        The day that "present" means; ``None``: the newest date in the text, so that the same text always means the same.
    """
    return Resume(text, Month.of(as_of) if as_of else None, sections(text), (), (), {}, 0, ())
