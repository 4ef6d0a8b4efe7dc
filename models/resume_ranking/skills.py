"""Skills by name: where a text speaks of them.

Word boundaries are those of skills and not of words: ``C`` is none inside ``C++``, ``C#`` or ``R&D``, and ``.NET`` is one inside
``ASP .NET``. A spelling that also is a word (Go, R, Spring, Excel) counts by what stands around it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from models.resume_ranking.gazetteer import ANY, CONTEXT, Found, gazetteer
from models.resume_ranking.sections import Section, section_at
from models.resume_ranking.spans import Month, Span

NEAR = 60  # characters: the neighbours of a list's item are not further away

_VERSION = re.compile(r"(?:[ ]?v?\d{1,4}(?:\.[\dx]+)*\+?)?(?=$|[^\w+#&@]|[+&](?=\s|$))", re.IGNORECASE)
_SEPARATOR_BEFORE = re.compile(r"(?:^|[,;/|(•*:\n\t\u2022\u00b7&]|\s\s|\band|\bor|[-\u2013\u2014]\s)\s*$")
_SEPARATOR_AFTER = re.compile(r"\s\s|\s*(?:$|[,;/|)•:\n\t\u2022\u00b7&.]|and\b|or\b|[-\u2013\u2014]\s)")
_CODES_BEFORE = re.compile(
    r"\b(?:languages?|written in|coded? in|programming in|program in|developed in|built in|proficient in|experience (?:in|with)|"
    r"years (?:of|in|with)|knowledge of|skilled in|using|expert in|fluent in|familiar with|scripts in|services in)[:\s]+$",
    re.IGNORECASE,
)
_CODES_AFTER = re.compile(
    r"[ -](?:programming|language|developers?|development|scripts?|scripting|code|coding|packages?|libraries|framework|microservices|"
    r"services|backend|routines|engineers?|compiler|applications?|studio)\b",
    re.IGNORECASE,
)
_NOT_SKILL_AFTER = re.compile(
    r"(?:[ -](?:level|suite|section|to market|live|ahead|through|beyond|over|into|getter|kart)\b|\s+to\b|[ ]?(?:19|20)\d\d\b|&\w|"
    r"['\u2019]s\b)",
    re.IGNORECASE,
)
_NOT_SKILL_BEFORE = re.compile(
    r"(?:vitamin|series|plan|hepatitis|grade|class|category|appendix|block|section|section-|\w&|"
    r"\d)\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Mention:
    """A place where a skill is named.

    Parameters
    ----------
    skill
        Its canonical name.
    span
        Where.
    section
        The kind of section it stands in.
    """

    skill: str
    span: Span
    section: str = "other"


@dataclass(frozen=True)
class Skill:
    """A skill that a resume claims.

    Parameters
    ----------
    name
        Its canonical name.
    mentions
        Every place, in order.
    months
        Months of the employments that mention it, overlaps counted once; or what the resume says outright ("Python - 24 months").
        0 when unknown.
    last_used
        The last month of those employments; ``None`` when no employment mentions it.
    """

    name: str
    mentions: tuple[Mention, ...]
    months: int = 0
    last_used: Month | None = None


def find_skills(text: str, sections: Sequence[Section] = ()) -> tuple[Mention, ...]:
    """Every mention of a skill, in order; of overlapping spellings the longest counts."""
    whole = [found for found in gazetteer().candidates(text) if _is_whole(found, text)]
    kept = _longest(whole)
    sure = [found for found in kept if _is_sure(found, text)]
    doubtful = [found for found in kept if not _is_sure(found, text) and _is_written_so(found, text)]
    for _ in range(2):  # what was doubtful may be the neighbour that makes the next one sure
        starts = sorted(found.start for found in sure)
        meant = [found for found in doubtful if _is_meant(found, text, starts, section_at(sections, found.start))]
        doubtful = [found for found in doubtful if found not in meant]
        sure += meant
    sure.sort(key=lambda found: found.start)
    return tuple(Mention(found.spelling.skill, Span(found.start, found.end), section_at(sections, found.start)) for found in sure)


def _is_whole(found: Found, text: str) -> bool:
    before = text[found.start - 1] if found.start else " "
    short = found.end - found.start <= 3
    if text[found.start].isalnum() and (before.isalnum() or before in "_+#@\\" or (short and before in ".&-'\u2019$")):
        return False
    if before == "." and found.start > 1 and text[found.start - 2].isalnum() and text[found.start].islower():
        return False  # a file's ending, or part of an address
    after = text[found.end : found.end + 12]
    if short:
        return not after or not (after[0].isalnum() or after[0] in "_+#@&'\u2019" or (after[0] in ".-" and after[1:2].isalnum()))
    return _VERSION.match(after) is not None


def _longest(found: list[Found]) -> list[Found]:
    kept: list[Found] = []
    for candidate in sorted(found, key=lambda found: (found.start, found.start - found.end)):
        if not kept or candidate.start >= kept[-1].end:
            kept.append(candidate)
    return kept


def _is_written_so(found: Found, text: str) -> bool:
    written, wanted = text[found.start : found.end], found.spelling.text
    return written == wanted or wanted.islower() or (written.isupper() and len(written) > 1)


def _is_sure(found: Found, text: str) -> bool:
    if found.spelling.demand == ANY:
        return True
    if found.spelling.demand == CONTEXT or not _is_written_so(found, text):
        return False
    # At the start of a sentence every word has a capital letter.
    before = text[max(0, found.start - 3) : found.start].strip(" ")
    starts = not before or before[-1] in ".!?\n*•"
    return not (starts or _NOT_SKILL_AFTER.match(text[found.end : found.end + 12]))


def _is_meant(found: Found, text: str, sure: Sequence[int], section: str) -> bool:
    before, after = text[max(0, found.start - NEAR) : found.start], text[found.end : found.end + NEAR]
    if _NOT_SKILL_AFTER.match(after) or _NOT_SKILL_BEFORE.search(before[-12:]):
        return False
    if _CODES_BEFORE.search(before) or _CODES_AFTER.match(after):
        return True
    listed = _SEPARATOR_BEFORE.search(before) is not None and _SEPARATOR_AFTER.match(after) is not None
    if not listed:
        return False
    at = bisect_left(sure, found.start - NEAR)
    return section == "skills" or (at < len(sure) and sure[at] <= found.end + NEAR)
