"""Phone numbers, which prove nothing by themselves: the form, libphonenumber's metadata and the words before decide."""

from __future__ import annotations

import re
from collections.abc import Callable

import phonenumbers
from phonenumbers import NumberParseException, ValidationResult

_GAP = r"(?:[ \-.()\u00a0\u2010-\u2013\u202f]{0,3}|/)"
_RUN = re.compile(rf"(?:(?<![\w+])\+|(?<![\w+\-])\(\+?|(?<!\w)(?<!\w[.,:_\-]))\d(?:{_GAP}\d){{6,30}}")
_GROUP_END = re.compile(r"\d(?!\d)")
_GOES_ON = re.compile(r"\w|[,.:]\d")
_SHORTEST, _LONGEST = 7, 15
"""Digits: of what is called a number after a cue, and of an international number (E.164)."""

_CONTEXT = 40
_CUE = re.compile(
    r"(?<![\w\[])(?:telephone|phone|tel|mobile|cell|cellphone|call|calling|ring|dial|fax|whatsapp|sms|text me|reach me|my number)s?"
    r"(?:[\s:=.,#\"'(]|\b(?:number|no|nr|is|was|at|on|via|by|me|us|him|her|back|please|to|from)\b){0,9}\Z",
    re.IGNORECASE,
)
_OF_SOMETHING_ELSE = re.compile(
    r"(?:[#$\u20ac\u00a3%]|\b(?:order|ref|reference|ticket|case|invoice|tracking|parcel|account|id)(?: number| no| nr)?[.:=]?(?: is)? ?)\Z",
    re.IGNORECASE,
)
_DATE = re.compile(r"(?:19|20)\d\d([\-./])[01]?\d\1[0-3]?\d(?!\d)|[0-3]?\d([\-./])[0-3]?\d\2(?:19|20)?\d\d(?!\d)")
_END = r"(?!\w|[,.:]\d)"
_NATIONAL = re.compile(
    rf"""(?:1[ .\-])?(?:\([2-9]\d\d\)[ ]?|[2-9]\d\d([ .\-]))[2-9]\d\d(?(1)\1|[ .\-])\d{{4}}{_END}  # North America
    |(?:\(0[1-9]\d{{0,4}}\)[ ]?\d{{2,8}}|0[1-9]\d{{1,3}}[ /\-]\d{{3,8}})(?:[ \-]\d{{1,5}}){{0,3}}{_END}  # with a trunk zero
    |(?:07\d{{9}}|01[5-7]\d{{8,9}}|0[467]\d{{8}}){_END}  # mobile in one piece: Britain; Germany; Australia, France, the Netherlands
    |0[1-9](?:[ .\-]\d\d){{4}}{_END}(?!\W{{1,2}}\d)  # France
    """,
    re.VERBOSE,
)
_NATIONAL_DIGITS = range(9, 13)
_AFTER_DIGITS = re.compile(r"\d\W{1,2}\Z")


def phones(text: str) -> list[tuple[int, int]]:
    """Phone numbers: with ``+`` or ``00``; in a national form that little else has; any digits after a word such as *call*."""
    found, place = [], 0
    while run := _RUN.search(text, place):
        start = run.start()
        end = _end_of_phone(text, start, run.end())
        place = end or _GROUP_END.search(text, start).end()  # type: ignore[union-attr]
        if end is not None:
            found.append((start, end))
    return found


def _end_of_phone(text: str, start: int, end: int) -> int | None:
    """Where the phone number ends that starts a run of digits; ``None``: it is none."""
    if text.startswith(("+", "00", "(+", "(00"), start):
        return _longest(text, start, end, _is_international)
    before = text[max(start - _CONTEXT, 0) : start]
    inside = _AFTER_DIGITS.search(before[-4:]) is not None
    if _DATE.match(text, start):
        return None
    if not inside and _CUE.search(before):
        return _longest(text, start, end, _has_digits_enough)
    match = _NATIONAL.match(text, start)
    if (
        match is None
        or _digits(match[0]) not in _NATIONAL_DIGITS
        or (inside and match[0].startswith("0"))
        or _OF_SOMETHING_ELSE.search(before)
    ):
        return None
    return match.end()


def _longest(text: str, start: int, end: int, fits: Callable[[str], bool]) -> int | None:
    """The last group of digits at which a number fits."""
    ends = [group.end() for group in _GROUP_END.finditer(text, start, end)][:_LONGEST]
    return next((place for place in reversed(ends) if not _GOES_ON.match(text, place) and fits(text[start:place])), None)


def _has_digits_enough(number: str) -> bool:
    return _SHORTEST <= _digits(number) <= _LONGEST


def _digits(number: str) -> int:
    return sum(map(str.isdecimal, number))


def _is_international(number: str) -> bool:
    digits = _digits(number)
    if not _SHORTEST < digits <= _LONGEST + 2:
        return False
    number = number.lstrip("(")
    try:
        parsed = phonenumbers.parse(number if number.startswith("+") else f"+{number[2:]}")
    except NumberParseException:
        return False
    if phonenumbers.is_valid_number(parsed):
        return True
    possible = phonenumbers.is_possible_number_with_reason(parsed) == ValidationResult.IS_POSSIBLE
    return possible and number.startswith("+") and digits > 9  # a fresh prefix that the metadata does not know, or an example's number
