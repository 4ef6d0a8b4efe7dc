"""Personal data in free text: where it is, and the text without it.

The one masker of the project: everything textual passes here before it is stored or logged. E-mail addresses, phone numbers, payment
cards, IBANs and IP addresses are found by form and proven by their check digits, lengths and prefixes, so that order numbers, dates,
prices and versions stay. Names and postal addresses have no form and stay too: masking makes a text less personal, not anonymous.

Ten digits that may be a phone number or an order number (``2125550123``) are a phone number only beside a word such as *call*.

References
----------
ISO/IEC 7812-1 (2017), annex B: the Luhn check digit and the issuers' prefixes. ISO 13616-1 (2020): IBAN, checked modulo 97; lengths by
country from the SWIFT IBAN Registry. ITU-T E.164 (2010): international phone numbers, judged by Google's libphonenumber metadata.
RFC 5321 (2008), section 4.5.3.1: lengths of e-mail addresses. RFC 4291 (2006), section 2.2: IPv6 addresses as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from models.masking.addresses import emails, ips
from models.masking.codes import cards, ibans
from models.masking.phones import phones

__all__ = ["Kind", "Span", "masked", "masked_values", "personal_data"]

Kind = Literal["email", "phone", "card", "iban", "ip"]


class Span(NamedTuple):
    """Personal data of one kind at ``text[start:end]``."""

    kind: Kind
    start: int
    end: int


_FINDERS: dict[Kind, Callable[[str], list[tuple[int, int]]]] = {
    "email": emails,
    "iban": ibans,
    "card": cards,
    "ip": ips,
    "phone": phones,
}
"""In order of proof: what an earlier one took, a later one does not see."""

_WORTH_A_LOOK = re.compile(r"@|::|[A-Za-z]{2}\d\d|\d\D{0,3}\d\D{0,3}\d\D{0,3}\d")
"""What each kind holds at least."""


def personal_data(text: str) -> list[Span]:
    """Where a text holds personal data; in order, no two overlap.

    Takes time in proportion to the length of the text, whatever it holds.

    Examples
    --------
    >>> personal_data("mail ann@example.org, card 4111 1111 1111 1111, order 4111-77")
    [Span(kind='email', start=5, end=20), Span(kind='card', start=27, end=46)]
    """
    if _WORTH_A_LOOK.search(text) is None:
        return []
    spans: list[Span] = []
    for kind, find in _FINDERS.items():
        found = [Span(kind, start, end) for start, end in find(text)]
        text = _replaced(text, found, _filler)
        spans += found
    return sorted(spans, key=lambda span: span.start)


def masked(text: str) -> str:
    """A text with each piece of personal data replaced by its kind.

    Examples
    --------
    >>> masked("call +44 20 7946 0958 from 10.1.2.3")
    'call [phone] from [ip]'
    """
    return _replaced(text, personal_data(text), lambda span: f"[{span.kind}]")


def masked_values(value: Any) -> Any:
    """A JSON-like value with every string in it masked; keys and numbers stay.

    Examples
    --------
    >>> masked_values({"text": ["I am ann@example.org"], "n": 1})
    {'text': ['I am [email]'], 'n': 1}
    """
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {key: masked_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked_values(item) for item in value]
    return value


def _filler(span: Span) -> str:
    return "]" * (span.end - span.start)


def _replaced(text: str, spans: list[Span], by: Callable[[Span], str]) -> str:
    pieces, end = [], 0
    for span in spans:
        pieces += [text[end : span.start], by(span)]
        end = span.end
    return "".join([*pieces, text[end:]]) if spans else text
