"""Values that have the same form everywhere, so that no training is needed: times, money, accounts, numbers of orders and parcels.

Personal data (e-mail, phone, card, IBAN) is what `models.masking` says it is; a card or an IBAN is only ever given by its last digits.

References
----------
ISO 8601-1 (2019): dates and times. ISO 4217 (2015): currencies. UPU S10-12 (2017): numbers of parcels between countries.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import phonenumbers

from models.intent.slots.times import times
from models.masking import personal_data
from models.masking.codes import digits_of


class Found(NamedTuple):
    """A value at ``text[start:end]``.

    ``slot`` is `time`, `money`, `account`, `card`, `order_number`, `tracking_number`, `email` or `phone`.
    """

    slot: str
    start: int
    end: int
    value: Any


_CODES = re.findall(r"\w+", "usd eur gbp jpy inr chf cad aud nzd sek nok dkk pln czk cny brl mxn zar try sgd hkd")
_CURRENCIES = {code: code.upper() for code in _CODES} | {
    "$": "USD", "us$": "USD", "c$": "CAD", "a$": "AUD", "\u20ac": "EUR", "\u00a3": "GBP", "\u00a5": "JPY", "\u20b9": "INR",
    "dollar": "USD", "buck": "USD", "euro": "EUR", "pound": "GBP", "quid": "GBP", "yen": "JPY", "rupee": "INR", "franc": "CHF",
}  # fmt: skip
_AMOUNT = r"(?P<amount>\d{1,3}(?:[,. ]\d{3})+(?:[.,]\d{1,2})?|\d{1,12}(?:[.,]\d{1,2})?)(?P<thousands> ?k\b)?"
_CODE = rf"(?:{'|'.join(_CODES)})"
_BEFORE = re.compile(
    rf"(?<![\w$])(?P<unit>(?:us|[ca])?\$|[\u20ac\u00a3\u00a5\u20b9]|{_CODE}(?= |\d)) ?{_AMOUNT}(?!\w|[.,]\d)", re.IGNORECASE
)
_WORD = r"(?:dollar|buck|euro|pound|quid|yen|rupee|franc)"
_AFTER = re.compile(rf"(?<![\w.,$\-/]){_AMOUNT} ?(?:(?P<unit>[$\u20ac\u00a3\u00a5\u20b9]|(?:{_CODE}|{_WORD})(?=s?\b))s?)", re.IGNORECASE)

_ACCOUNT = re.compile(
    r"\b(?P<kind>checking|chequing|current|savings?|joint|business|student|money market|brokerage|deposit|loan|mortgage|credit card) "
    r"accounts?\b|(?<=\bmy )(?P<short>checking|chequing|savings)\b",
    re.IGNORECASE,
)
_ACCOUNT_NUMBER = re.compile(r"\baccount (?:number |no\.? |#|ending (?:in |with )?)(?:is )?(?P<digits>\d{2,17})\b", re.IGNORECASE)
_SPELLINGS = {"chequing": "checking", "saving": "savings"}

_NAME = r"(?:[ -]?(?:number|no\.?|nr\.?|id|code)\b)?(?: is|:|=)?\s?#?"
_NUMBER = r"(?P<number>(?=[A-Z\-]{{0,8}}\d)[A-Z0-9][A-Z0-9\-]{{{shortest},28}}[A-Z0-9])(?!\w|[.,/:]\d)"
_ORDER = re.compile(r"\b(?:order|purchase|booking|invoice)" + _NAME + _NUMBER.format(shortest=1), re.IGNORECASE)
_PARCEL = re.compile(r"\b(?:tracking|parcel|shipment|package|consignment)" + _NAME + _NUMBER.format(shortest=6), re.IGNORECASE)
_CARRIERS = re.compile(r"\b(?:1Z[0-9A-Z]{16}|TBA\d{12}|JD\d{18}|[A-Z]{2}\d{9}[A-Z]{2}|9[0-5]\d{2}(?: ?\d{4}){4} ?\d{2})\b", re.IGNORECASE)
_DIGIT, _DIGIT_OR_MAIL = re.compile(r"\d"), re.compile(r"[\d@]|::")
_MAY_NAME_ACCOUNT = re.compile("account|checking|chequing|savings", re.IGNORECASE)
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)


def entities(text: str, at: datetime | None) -> list[Found]:
    """What a text names in a form that is the same everywhere; in order, no two overlap.

    Parameters
    ----------
    at
        When the text was written, with the zone of who wrote it; ``None``: no dates and times, as `tomorrow` would mean nothing.

    Examples
    --------
    >>> [(found.slot, found.value) for found in entities("move $1,250.50 to my savings, order #A-1042", None)]
    [('money', {'amount': '1250.50', 'currency': 'USD'}), ('account', {'kind': 'savings'}), ('order_number', 'A-1042')]
    """
    taken, kept = bytearray(len(text)), []
    for found in _candidates(text, at):
        if not any(taken[found.start : found.end]):
            taken[found.start : found.end] = b"\x01" * (found.end - found.start)
            kept.append(found)
    return sorted(kept, key=lambda found: found.start)


def _candidates(text: str, at: datetime | None) -> Iterator[Found]:
    """The surest first. Most texts hold nothing of the kind, and a look tells."""
    if _DIGIT_OR_MAIL.search(text):
        yield from _personal(text)
    if _DIGIT.search(text):
        for find in (_parcels, _orders, _money):
            yield from find(text)
    if _MAY_NAME_ACCOUNT.search(text):
        yield from _accounts(text)
    if at is not None:
        yield from (Found("time", start, end, value) for start, end, value in times(text, at))


def _personal(text: str) -> Iterator[Found]:
    for kind, start, end in personal_data(text):
        written = text[start:end]
        if kind == "email":
            yield Found("email", start, end, written.lower())
        elif kind == "phone":
            yield Found("phone", start, end, _phone(written))
        elif kind == "card":
            yield Found("card", start, end, {"last4": digits_of(written)[-4:]})
        elif kind == "iban":
            yield Found("account", start, end, {"kind": "iban", "last4": re.sub(r"\W", "", written)[-4:].upper()})


def _phone(written: str) -> str:
    """As in E.164 where the country is known, or its digits."""
    digits = digits_of(written)
    if not written.lstrip("(").startswith(("+", "00")):
        return digits
    number = phonenumbers.parse("+" + (digits[2:] if digits.startswith("00") else digits))
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _orders(text: str) -> Iterator[Found]:
    for match in _ORDER.finditer(text):
        yield Found("order_number", *match.span("number"), match["number"].upper())


def _parcels(text: str) -> Iterator[Found]:
    for match in _PARCEL.finditer(text):
        yield Found("tracking_number", *match.span("number"), match["number"].upper())
    for match in _CARRIERS.finditer(text):
        number = match[0].upper().replace(" ", "")
        if len(number) != 13 or _is_s10(number):
            yield Found("tracking_number", *match.span(), number)


def _is_s10(number: str) -> bool:
    """Whether letters, nine digits and a country carry their check digit."""
    check = 11 - sum(weight * int(digit) for weight, digit in zip(_S10_WEIGHTS, number[2:10], strict=True)) % 11
    return int(number[10]) == {10: 0, 11: 5}.get(check, check)


def _money(text: str) -> Iterator[Found]:
    for pattern in (_BEFORE, _AFTER):
        for match in pattern.finditer(text):
            amount = _decimal(match["amount"]) * (1000 if match["thousands"] else 1)
            yield Found("money", *match.span(), {"amount": str(amount), "currency": _CURRENCIES[match["unit"].lower()]})


def _decimal(written: str) -> Decimal:
    """Of ``1,234.50`` and ``1.234,50``: a mark before one or two last digits is the decimal one, any other parts thousands."""
    whole, mark, cents = written.replace(" ", ""), "", ""
    if len(whole) > 2 and (place := max(whole.rfind("."), whole.rfind(","))) >= len(whole) - 3 and place > 0:
        whole, mark, cents = whole[:place], ".", whole[place + 1 :]
    return Decimal(whole.replace(",", "").replace(".", "") + mark + cents)


def _accounts(text: str) -> Iterator[Found]:
    for match in _ACCOUNT_NUMBER.finditer(text):
        yield Found("account", *match.span("digits"), {"kind": "number", "last4": match["digits"][-4:]})
    for match in _ACCOUNT.finditer(text):
        kind = (match["kind"] or match["short"]).lower()
        yield Found("account", *match.span(), {"kind": _SPELLINGS.get(kind, kind)})
