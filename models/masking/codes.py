"""Numbers that carry their own proof: payment cards and IBANs."""

from __future__ import annotations

import re

_GAP = r"(?:[ \-\u00a0\u2010-\u2013\u202f]{1,3}|\.(?=\d{3,6}(?!\d)))"  # 0.4111111111111111 is no card
_GROUPS = re.compile(rf"(?<!\d)(?<!\d\.)\d{{4,19}}(?!\d)(?:(?P<gap>{_GAP})\d{{1,15}}(?!\d)(?:(?P=gap)\d{{1,15}}(?!\d)){{0,4}})?")
_GROUP = re.compile(r"\d+")
SHORTEST_CARD, _LONGEST_CARD = 13, 19
_SHORTEST_GROUP = 4
"""Of a card's digits, but for the last group: a line of small numbers is no card."""
_OF_A_NAME = re.compile(r"[^\W\d_]_-?\Z")
_LONGEST_IN_A_NAME = 16
"""Digits: ``blk_4568377692254637284`` is the number of a block; no card that people carry is as long, but for UnionPay's."""

_PREFIXES = (
    ("4", (13, 16, 19)),  # Visa
    ("5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", (16,)),  # Mastercard
    ("3[47]", (15,)),  # American Express
    ("6011|64[4-9]|65|62|81|35(?:2[89]|[3-8])", range(16, 20)),  # Discover, UnionPay, JCB
    ("30[0-5]|3095|36|3[89]", range(14, 20)),  # Diners Club
    ("220[0-4]|60|82|508|9792", (16,)),  # Mir, RuPay, Troy
    ("50(?:18|20|38)|5893|6304|6759|676[1-3]", range(13, 20)),  # Maestro
)
_ISSUERS = {
    length: re.compile("|".join(prefix for prefix, lengths in _PREFIXES if length in lengths))
    for length in range(SHORTEST_CARD, _LONGEST_CARD + 1)
}
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
"""A digit doubled, and the digits of that summed."""


def is_card(digits: str) -> bool:
    """Whether ASCII digits can be a payment card: an issuer's prefix and length, and the Luhn check digit.

    Examples
    --------
    >>> is_card("4111111111111111"), is_card("4111111111111112")
    (True, False)
    """
    if (prefix := _ISSUERS.get(len(digits))) is None or not prefix.match(digits):
        return False
    return (sum(map(int, digits[::-2])) + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])) % 10 == 0


def digits_of(text: str) -> str:
    """The digits of a text, in whatever script, as ASCII."""
    return "".join(_GROUP.findall(text)) if text.isascii() else "".join(str(int(character)) for character in text if character.isdecimal())


def cards(text: str) -> list[tuple[int, int]]:
    """Payment cards, in one piece or in groups; of several from the same group on, the longest.

    So that a month after the number (``4111 1111 1111 1111 12/30``) is no part of it.
    """
    found, place = [], 0
    while run := _GROUPS.search(text, place):
        end = _end_of_card(text, run.start(), run.end())
        place = end or _GROUP.match(text, run.start()).end()  # type: ignore[union-attr]
        if end is not None:
            found.append((run.start(), end))
    return found


def _end_of_card(text: str, start: int, end: int) -> int | None:
    """Where the longest card ends that starts a run of groups; ``None``: no card does."""
    if end - start < SHORTEST_CARD:
        return None
    longest = _LONGEST_IN_A_NAME if _OF_A_NAME.search(text[max(start - 3, 0) : start]) else _LONGEST_CARD
    digits, found = "", None
    for group in _GROUP.finditer(text, start, end):
        digits += digits_of(group[0])
        if is_card(digits) and len(digits) <= longest:
            found = group.end()
        if len(group[0]) < _SHORTEST_GROUP:
            break
    return found


_IBAN = re.compile(r"(?<![^\W_])[A-Z]{2}[0-9]{2}(?:[ \-\u00a0]?[A-Z0-9]){11,30}", re.IGNORECASE)
_COUNTRIES_BY_LENGTH = {
    15: "NO",
    16: "BE",
    18: "DK FI FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
_IBAN_LENGTH = {country: length for length, countries in _COUNTRIES_BY_LENGTH.items() for country in countries.split()}


def is_iban(code: str) -> bool:
    """Whether letters and digits without spaces are an IBAN: the country's length, and 1 modulo 97.

    Examples
    --------
    >>> is_iban("DE89370400440532013000"), is_iban("DE89370400440532013001")
    (True, False)
    """
    if len(code) != _IBAN_LENGTH.get(code[:2].upper()):
        return False
    return int("".join(str(int(character, 36)) for character in code[4:] + code[:4])) % 97 == 1


def ibans(text: str) -> list[tuple[int, int]]:
    """IBANs, in one piece or in groups, in capitals or not."""
    found = []
    for match in _IBAN.finditer(text):
        length = _IBAN_LENGTH.get(match[0][:2].upper(), 0)
        places = [match.start() + place for place, character in enumerate(match[0]) if character.isalnum()][:length]
        if places and is_iban("".join(text[place] for place in places)) and not text[places[-1] + 1 :][:1].isalnum():
            found.append((match.start(), places[-1] + 1))
    return found
