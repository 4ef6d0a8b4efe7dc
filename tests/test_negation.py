"""Refusals in a message: what they refuse, and what is none."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.intent.negation import Refused, refusals
from models.intent.text import words

PARTS = (
    "do not ",
    "don't ",
    "i ",
    "no longer ",
    "want to ",
    "never ",
    "please ",
    "cancel",
    " my order",
    ", not ",
    "just ",
    "really ",
    ". ",
    "\n",
)


@pytest.mark.parametrize(
    ("text", "scope", "rest", "kind"),
    [
        ("Do not cancel my order.", "cancel my order", "", "ban"),
        ("please don\u2019t cancel it \u2014 I still want it", "cancel it", "i still want it", "ban"),
        ("Hi,\nplease do not ever cancel it", "cancel it", "hi", "ban"),
        ("no, don't you dare cancel it", "cancel it", "", "ban"),
        ("I told you not to cancel it", "cancel it", "", "plea to do"),
        ("I forgot my password but you should not cancel it", "cancel it", "i forgot my password", "plea"),
        ("I'd rather you didn't cancel it", "cancel it", "", "plea"),
        ("there is no need for a refund", "a refund", "", "plea"),
        ("No refund needed, just track it", "refund needed", "just track it", "plea"),
        ("I dont want a refund but a new one", "a refund", "but a new one", "wish"),
        ("we really do not need a refund", "a refund", "", "wish"),
        ("I never asked for a refund", "a refund", "", "wish"),
        ("My wife does not want a refund", "a refund", "", "wish"),
        ("I don't think I need a refund", "a refund", "", "wish"),
        ("I'm not looking for a refund because it works", "a refund", "because it works", "wish"),
        ("I wouldn't like to close it", "close it", "", "wish to do"),
        ("I do not want to stay any more, can you close it", "stay any more", "can you close it", "wish to do"),
        ("I want the shoes, not a refund", "a refund", "i want the shoes", "contrast"),
        ("instead of a refund I want the shoes", "a refund", "i want the shoes", "contrast"),
        ("This is not about my order. I forgot my password", "my order", "i forgot my password", "plea"),
    ],
)
def test_refusals(text: str, scope: str, rest: str, kind: str) -> None:
    assert refusals(text) == ([Refused(scope, kind)], rest)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "do not",
        "cancel my order",
        "my parcel has not arrived and I cannot log in",
        "why can't I cancel my order",
        "I don't know how to cancel, and don't see a button",
        "don't forget to cancel my order",
        "I did not make this payment",
        "do you not cancel orders",
        "I like it, not sure why",
        "send another note",
        "I no longer want the shoes",
        "the room is no longer needed",
        "we do not need a refund any more",
        "I do not have an account want help",
        "the transfer is not going through",
    ],
)
def test_no_refusals(text: str) -> None:
    assert refusals(text) == ([], text)


@given(st.lists(st.sampled_from(PARTS), max_size=60).map("".join))
def test_what_a_refusal_says_stands_in_the_message(text: str) -> None:
    found, rest = refusals(text)
    said = Counter(words(text))
    assert Counter(words(rest)) <= said
    assert all(each.scope and Counter(words(each.scope)) <= said for each in found)


def test_several_refusals_and_what_is_left() -> None:
    found, rest = refusals("You don't have to reply. I do not want a refund, I want my order and please don't cancel it!")
    assert [each.scope for each in found] == ["reply", "a refund", "cancel it"]
    assert rest == "i want my order and"
