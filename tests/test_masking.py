"""Personal data is found in whatever surrounds it, and nothing else is."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.masking import masked, masked_values, personal_data
from models.masking.codes import is_card, is_iban

PUNCTUATION = st.text(" \t\n.,;:!?()[]{}<>\"'`#*|/=_-+@&%€$—“”\u00a0", max_size=6)
DIGITS = st.integers(0, 9).map(str)


def _with_check_digit(body: str) -> str:
    return next(body + str(last) for last in range(10) if is_card(body + str(last)))


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    prefix, length, groups = draw(
        st.sampled_from(
            [("4", 16, (4, 4, 4, 4)), ("53", 16, (4, 4, 4, 4)), ("37", 15, (4, 6, 5)), ("62", 19, (6, 13)), ("36", 14, (4, 6, 4))]
        )
    )
    body = prefix + "".join(draw(st.lists(DIGITS, min_size=length - 1 - len(prefix), max_size=length - 1 - len(prefix))))
    digits, gap, pieces = _with_check_digit(body), draw(st.sampled_from(["", " ", "-", "\u00a0", ".", " - "])), []
    if gap == "." and max(groups) > 6:
        gap = ""
    for size in groups:
        pieces.append(digits[:size])
        digits = digits[size:]
    return gap.join(pieces)


@st.composite
def ibans(draw: st.DrawFn) -> str:
    country, length = draw(st.sampled_from([("DE", 22), ("GB", 22), ("FR", 27), ("NL", 18), ("NO", 15), ("MT", 31), ("PL", 28)]))
    bban = "".join(draw(st.lists(st.sampled_from("0123456789ABCXYZ"), min_size=length - 4, max_size=length - 4)))
    code = next(f"{country}{check:02}{bban}" for check in range(2, 99) if is_iban(f"{country}{check:02}{bban}"))
    step = draw(st.sampled_from([4, 40]))
    grouped = " ".join(code[place : place + step] for place in range(0, length, step))
    return draw(st.sampled_from([grouped, grouped.lower()]))


@given(PUNCTUATION, card_numbers(), PUNCTUATION)
def test_a_card_is_masked_whatever_surrounds_it(before: str, number: str, after: str) -> None:
    text = f"charged {before}{number}{after} twice"
    assert not any(digit in masked(text) for digit in "0123456789"), masked(text)


@given(PUNCTUATION, ibans(), PUNCTUATION)
def test_an_iban_is_masked_whatever_surrounds_it(before: str, code: str, after: str) -> None:
    text = f"pay to {before}{code}{after} now"
    assert not any(digit in masked(text) for digit in "0123456789"), masked(text)


@given(st.text(st.sampled_from("0123456789+-. ()@:/_abcDEv[]#,"), max_size=80) | st.text(max_size=40))
@example("call +49 30 1234567 5551234567 phone 5551234567")
@example("a@b.com@c.com 1.2.3.4@x.org")
def test_masking_twice_changes_nothing(text: str) -> None:
    once = masked(text)
    assert masked(once) == once


@given(st.text(st.sampled_from("0123456789+-. ()@:/abcDE"), max_size=80))
def test_spans_are_in_order_and_apart(text: str) -> None:
    spans = personal_data(text)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(first.end <= second.start for first, second in pairwise(spans))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail ann.o'neil+x@mail.example.co.uk.", "mail [email]."),
        ("Grüße von jürgen@bücher.example!", "Grüße von [email]!"),
        ("call +44 20 7946 0958, or (212) 555-0123", "call [phone], or [phone]"),
        ("0049 30 1234567 / 06 12 34 56 78 / 07912345678", "[phone] / [phone] / [phone]"),
        ("my mobile number is 5551234567 thanks", "my mobile number is [phone] thanks"),
        ("тел. +7 (912) 345-67-89", "тел. [phone]"),
        ("card 4111 1111 1111 1111 12/30 cvc", "card [card] 12/30 cvc"),
        ("12 4111-1111-1111-1111", "12 [card]"),
        ("card 4111 1111 1111 1111".translate({48 + digit: 0x660 + digit for digit in range(10)}), "card [card]"),  # Arabic-Indic digits
        ("DE89 3704 0044 0532 0130 00 please", "[iban] please"),
        ("GET http://10.1.2.3:8080/x from /192.168.0.7", "GET http://[ip]:8080/x from /[ip]"),
        ("fe80::1%eth0 and 2001:db8::ff00:42:8329", "[ip]%eth0 and [ip]"),
    ],
)
def test_personal_data_is_replaced_by_its_kind(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "where is my order 2125550123? it was $1,234,567.89 on 01.02.2024 10:30",
        "order number is 4111111111111112, invoice #212-555-0123, Amazon 112-1234567-1234567",
        "track 1Z999AA10123456784 or 9400 1000 0000 0000 0000 00",
        "2026-11-22 20:47:34,123 INFO [main] Consumer offset=4111111111 took 1700000000.123 ms",
        "081109 203615 148 INFO dfs.DataNode$PacketResponder: block blk_4568377692254637284 terminating",
        "uuid 550e8400-e29b-41d4-a716-446655440000 at 0x00007f8a4c0008c0",
        "upgrade to version 1.2.3.4, Chrome/120.0.6.99, libfoo-1.2.3.4.jar, 0.0.0.0",
        "loss 0.4111111111111111 of 12 500 000 rows, +10 000 000 users",
        "std::vector a::b x[::2] 10:20:30 00:1a:2b:3c:4d:5e",
        "01 02 03 04 05 06 07 08 09 0a",
        "npm i @angular/core@12.1.0, user@localhost",
        "phone 2024-01-15 at 12:30, call on 15/01/2024",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert masked(text) == text


def test_strings_inside_values_are_masked_and_the_rest_is_kept() -> None:
    value = {"ann@example.org": ["ann@example.org", 3, None, {"ip": ("10.0.0.1", True)}]}
    assert masked_values(value) == {"ann@example.org": ["[email]", 3, None, {"ip": ["[ip]", True]}]}
    assert value["ann@example.org"][0] == "ann@example.org"


@pytest.mark.parametrize(
    "piece", ["1", "1 ", "1-", "@", "a@", "::", "4111 ", "DE89 ", "+49 30 123456 ", "(212) 555-0123 ", "1.1.1.1 ", "f:"]
)
def test_time_grows_with_the_length_and_no_faster(piece: str) -> None:
    def seconds(characters: int) -> float:
        text, started = piece * (characters // len(piece)), time.process_time()
        masked(text)
        return time.process_time() - started

    assert seconds(100_000) < 20 * seconds(10_000) + 0.2
