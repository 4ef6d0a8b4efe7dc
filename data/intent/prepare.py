"""Write ``sample.csv``: messages to a made-up helpdesk, with a planted truth.

A message is drawn from a grammar of its intent, so its intent and the values of its slots are known by construction. Two intents, Refund
and CancelOrder, share their words and differ by what is asked. Some messages are out of scope. Customers mistype.
"""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

OUT_OF_SCOPE = "out_of_scope"
PER_INTENT = 90
OUTSIDE = 80
TYPO_SHARE = 0.12

OPENINGS = ("", "", "", "hi, ", "hello, ", "good morning, ", "please help, ", "quick question: ", "hey there, ")
ENDINGS = ("", "", "", " please", " thanks", ", it is urgent", " as soon as possible", "?")

GRAMMAR: dict[str, tuple[str, ...]] = {
    "Refund": (
        "I want my money back for order {order_number}",
        "when do I get the refund of {amount}",
        "you charged me twice, give me {amount} back",
        "I returned the {product}, where is my refund",
        "the {product} came broken and I want a refund",
        "reimburse me {amount} for the {product}",
        "how long does a refund to my card take",
        "I was billed {amount} on {date} by mistake, refund me",
        "my money for the returned {product} has not arrived",
    ),
    "CancelOrder": (
        "cancel order {order_number}",
        "I ordered the wrong {product}, stop the order",
        "I do not want the {product} any more, please cancel",
        "can I still cancel what I ordered on {date}",
        "call off my order before it ships",
        "I changed my mind about order {order_number}",
        "undo my purchase of the {product}",
        "withdraw the order I placed on {date}",
    ),
    "ShippingStatus": (
        "where is my {product}",
        "has order {order_number} been shipped",
        "when will my parcel arrive",
        "track order {order_number}",
        "the {product} should have come on {date}, where is it",
        "the courier did not deliver my package",
        "my delivery is late",
        "is the {product} on its way",
        "the tracking page says nothing about order {order_number}",
    ),
    "ChangeAddress": (
        "I moved, change my address",
        "send order {order_number} to another address",
        "my delivery address is wrong",
        "update the address in my profile",
        "can the {product} go to my office instead",
        "I typed the wrong street for order {order_number}",
        "from {date} I live somewhere else, change my details",
    ),
    "TechSupport": (
        "the app crashes when I open it",
        "my {product} does not turn on",
        "I see an error message after the update",
        "the {product} will not connect to the wifi",
        "the screen stays black since {date}",
        "how do I reset the {product}",
        "the website does not load",
        "my {product} makes a strange noise",
        "the battery of the {product} is empty after an hour",
    ),
    "AccountAccess": (
        "I forgot my password",
        "I cannot log in since {date}",
        "my account is locked",
        "the code to sign in never comes",
        "reset my login",
        "somebody else is using my account",
        "I lost the phone with my second factor",
        "the sign-in page says my password is wrong",
    ),
    "InvoiceCopy": (
        "send me the invoice for order {order_number}",
        "I need a receipt for {amount}",
        "my accountant wants the bill of {date}",
        "the invoice shows the wrong company name",
        "where can I download my invoices",
        "the VAT is missing on the bill for the {product}",
        "please mail me a copy of the invoice over {amount}",
    ),
    "ProductQuestion": (
        "does the {product} come in blue",
        "is the {product} in stock",
        "how heavy is the {product}",
        "which {product} is good for beginners",
        "what is the warranty on the {product}",
        "will the {product} be back in stock by {date}",
        "is the {product} still sold for {amount}",
        "what is the difference between the two models of the {product}",
    ),
    "CloseAccount": (
        "delete my account",
        "I want to close my account on {date}",
        "remove all my data",
        "I do not want to be a customer any more",
        "end my membership",
        "unsubscribe me from everything and close the profile",
        "how do I leave your service for good",
    ),
}
OUTSIDE_GRAMMAR = (
    "what is the capital of {place}",
    "how will the weather in {place} be",
    "who won the match in {place}",
    "tell me a joke about {thing}",
    "write a poem about {thing}",
    "how do I cook {thing}",
    "what do you think of {thing}",
    "how far is it from here to {place}",
    "translate {thing} into Spanish",
    "are you a robot that likes {thing}",
)
PRODUCTS = (
    "headphones",
    "coffee machine",
    "running shoes",
    "desk lamp",
    "tablet",
    "smart watch",
    "rain jacket",
    "e-bike",
    "keyboard",
    "blender",
)
PLACES = ("Peru", "Oslo", "Kenya", "Lisbon", "Canada", "Seoul", "Vienna", "Chile")
THINGS = ("penguins", "pancakes", "the moon", "football", "old castles", "jazz", "spiders", "mushroom soup")
MONTHS = ("January", "March", "April", "June", "August", "October", "December")
SLOT = re.compile(r"\{(\w+)\}")


class Row(NamedTuple):
    """A message, its intent, and where the values of its slots stand."""

    text: str
    intent: str
    slots: list[dict[str, object]]


def generate(seed: int) -> list[Row]:
    """All distinct messages, in random order."""
    rng = np.random.default_rng(seed)
    rows: dict[str, Row] = {}
    for intent, patterns in [*GRAMMAR.items(), (OUT_OF_SCOPE, OUTSIDE_GRAMMAR)]:
        wanted = len(rows) + (OUTSIDE if intent == OUT_OF_SCOPE else PER_INTENT)
        while len(rows) < wanted:
            row = _row(str(rng.choice(patterns)), intent, rng)
            rows.setdefault(row.text, row)
    found = list(rows.values())
    return [found[place] for place in rng.permutation(len(found))]


def _row(pattern: str, intent: str, rng: np.random.Generator) -> Row:
    text, slots = str(rng.choice(OPENINGS)), []
    for place, part in enumerate(SLOT.split(pattern)):
        if place % 2 == 0:
            text += _mistyped(part, rng)
            continue
        value = _value(part, rng)
        if intent != OUT_OF_SCOPE:
            slots.append({"slot": part, "start": len(text), "end": len(text) + len(value)})
        text += value
    return Row(text + str(rng.choice(ENDINGS)), intent, slots)


def _value(slot: str, rng: np.random.Generator) -> str:
    number = int(rng.integers(5, 400))
    values = {
        "order_number": f"{int(rng.integers(100_000, 999_999))}",
        "amount": str(rng.choice([f"${number}", f"{number} euros", f"{number}.50 EUR", f"£{number}"])),
        "date": f"{rng.choice(MONTHS)} {int(rng.integers(1, 29))}",
        "product": str(rng.choice(PRODUCTS)),
        "place": str(rng.choice(PLACES)),
        "thing": str(rng.choice(THINGS)),
    }
    return values[slot]


def _mistyped(text: str, rng: np.random.Generator) -> str:
    """Two neighbouring letters swapped, in some texts."""
    if len(text) < 8 or rng.random() > TYPO_SHARE:
        return text
    at = int(rng.integers(1, len(text) - 2))
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def main(folder: Path = Path(__file__).parent) -> None:
    """Write the sample beside this file, or to another folder."""
    with (folder / "sample.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("text", "intent", "slots"))
        writer.writerows(
            (row.text, row.intent, json.dumps(row.slots, separators=(",", ":")) if row.slots else "") for row in generate(seed=0)
        )


if __name__ == "__main__":
    main()
