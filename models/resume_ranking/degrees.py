"""Degrees by their names, and how high they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from models.resume_ranking.spans import Span

SCHOOL, VOCATIONAL, BACHELOR, MASTER, DOCTORATE = range(1, 6)
"""Levels; 0 is none."""

_DEGREES = {
    DOCTORATE: r"ph\.? ?d\b\.?|d\.?phil\b|doctora(?:te|l)|doctor of \w+|dr\. ?(?:rer|ing|med)\b[. \w]*|m\.?d\.?(?=,? (?:from|in|"
    r"degree))|ed\.?d\b",
    MASTER: r"master(?:s|'s|\u2019s)?(?: of [a-z]+(?: [a-z]+)?| in\b| degree|(?=[ ,.]|$))|\bm\.? ?(?:tech|sc|eng|phil|com|ed|arch|"
    r"pharm|des|plan|b\.?a)\b\.?"
    r"|\bm\.?(?:s|a|e|f\.?a|c\.?a|c\.?m|b\.?b\.?s|c\.?s|m\.?s|p\.?h|s\.?w)\b\.?(?=[ ,.\n(]|$)|\bl\.?l\.?m\b\.?|pgdm?b?a?\b|"
    r"post[ -]?graduat\w+|magister|maîtrise|laurea magistrale|diplom-\w+",
    BACHELOR: r"bachelor(?:s|'s|\u2019s)?(?: of [a-z]+(?: [a-z]+)?| in\b| degree|(?=[ ,.]|$))|\bb\.? ?(?:tech|sc|eng|com|ed|arch|"
    r"pharm|des|b\.?a|c\.?a|b\.?m)\b\.?"
    r"|\bb\.?(?:s|a|e|f\.?a|c\.?s|h\.?m|d\.?s)\b\.?(?=[ ,.\n(/]|$)|\bl\.?l\.?b\b\.?|undergraduate degree|licenciatura|licence\b|"
    r"university degree|college degree|graduat(?:e|ion)\b",
    VOCATIONAL: r"associate(?:'s|\u2019s)? (?:degree|of [a-z]+)|diploma\b|\bi\.?t\.?i\.?\b(?= )|polytechnic|apprentices?hip|"
    r"ausbildung zum|vocational|hnd\b|foundation degree|nvq\b|btec\b",
    SCHOOL: r"\b[hs]\. ?s\. ?c\b\.?|\b(?:hsc|ssc|cbse|icse|matric(?:ulation)?|abitur|baccalauréat|gcses?|a-levels?|ged)\b|"
    r"high[ -]?school(?: diploma)?|secondary school|higher secondary|1[02]th\b|intermediate board",
}
_LEVELS = {level: re.compile(rf"(?<![\w.])(?:{words})", re.IGNORECASE) for level, words in _DEGREES.items()}
# Two letters that also are words or initials count only as degrees are written: BE, B.E., M.S. and not be, me or ms.
_SHORT = re.compile(r"[a-z]\.?[a-z]\.?", re.IGNORECASE)
_OTHER_WORDS = frozenset({"march", "med", "bed", "mas"})
_PLACE = re.compile(r"[a-z]{2}, $")
_SCHOOLS = re.compile(
    r"\b(?:university|universit[àäéy]t?|college|institute of|hochschule|école|academy|school of|polytechnic|iit|"
    r"vidyalaya)\b",
    re.IGNORECASE,
)


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


def degrees(text: str) -> Iterator[Degree]:
    """The degrees that a text names, the highest level first, each place once."""
    taken: list[Span] = []
    for level, pattern in _LEVELS.items():
        for match in pattern.finditer(text):
            span = Span(match.start(), match.end())
            if _is_written_so(match[0], text[: match.start()][-20:], text[match.end() : match.end() + 12]) and not any(
                other.start < span.end and span.start < other.end for other in taken
            ):
                taken.append(span)
                yield Degree(level, span)


def names_degree(line: str) -> bool:
    """Whether a line tells of schooling: a degree, or a school and little else."""
    if any(degree.level != SCHOOL or degree.span.start < 60 for degree in degrees(line)):
        return True
    return _SCHOOLS.search(line) is not None and len(line.split()) <= 12


def _is_written_so(words: str, before: str, after: str) -> bool:
    letters = words.strip()
    if letters.lower() in _OTHER_WORDS and not letters[1].isupper():
        return False
    if _SHORT.fullmatch(letters):
        if "." not in letters and _PLACE.search(before):
            return False  # Cambridge, MA
        product = re.match(
            r"[ -]?(?:office|excel|word|sql|project|access|power|outlook|visio|cit|dos|azure|teams|dynamics|exchange|"
            r"windows)",
            after,
            re.I,
        )
        return letters.isupper() and product is None
    return True
