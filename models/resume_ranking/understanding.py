"""A resume's text, understood: sections, employments, skills, degrees, each with its place in the text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from models.resume_ranking.degrees import Degree, degrees
from models.resume_ranking.experience import Experience, Gap, experiences, gaps, merged_months, newest_month
from models.resume_ranking.sections import Section, sections
from models.resume_ranking.skills import Mention, Skill, find_skills
from models.resume_ranking.spans import Month

_CLAIM = re.compile(
    r"(?P<less>less than\s*)?(?P<number>\d{1,2}(?:\.\d)?)\s*\+?\s*(?:plus\s+)?(?P<unit>years?|yrs?|"
    r"months?)\b[^.\n]{0,40}?\bexp(?:erience|rience|\b)",
    re.IGNORECASE,
)
_SKILL_CLAIM = re.compile(
    r"[ \t]*[-\u2013\u2014:(]*[ \t]*(?:exp\w*[ \t]*[-\u2013\u2014:]*[ \t]*)?(?P<less>less than[ \t]*)?"
    r"(?P<number>\d{1,3}(?:\.\d)?)[ \t]*\+?[ \t]*(?P<unit>years?|yrs?|months?)\b",
    re.IGNORECASE,
)


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
        Months of employment, overlaps counted once; where no dates are given, what the resume says outright ("5 years of experience").
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
    reference = Month.of(as_of) if as_of else newest_month(text)
    parts = sections(text)
    employed = experiences(text, parts, reference)
    return Resume(
        text=text,
        as_of=reference,
        sections=parts,
        experiences=employed,
        degrees=tuple(sorted(degrees(text), key=lambda degree: degree.span)),
        skills=_skills(text, find_skills(text, parts), employed),
        months=merged_months(employed) if employed else _claimed(text),
        gaps=gaps(employed),
    )


def _skills(text: str, mentions: Sequence[Mention], employed: Sequence[Experience]) -> dict[str, Skill]:
    places: dict[str, list[Mention]] = {}
    for mention in mentions:
        places.setdefault(mention.skill, []).append(mention)
    return {name: _skill(text, name, tuple(named), employed) for name, named in places.items()}


def _skill(text: str, name: str, mentions: tuple[Mention, ...], employed: Sequence[Experience]) -> Skill:
    used = [entry for entry in employed if any(entry.span.holds(mention.span.start) for mention in mentions)]
    claims = (_SKILL_CLAIM.match(text, mention.span.end) for mention in mentions)
    claimed = max((_months(match) for match in claims if match), default=0)
    return Skill(name, mentions, max(merged_months(used), claimed), max((entry.ended for entry in used), default=None))


def _claimed(text: str) -> int:
    return max((_months(match) for match in _CLAIM.finditer(text)), default=0)


def _months(match: re.Match[str]) -> int:
    """Months of a claim; "less than 1 year" is half of it."""
    months = float(match["number"]) * (12 if match["unit"].lower().startswith("y") else 1)
    return int(months / 2 if match["less"] else months)
