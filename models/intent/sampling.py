"""Which rows are learned from: distinct ones, no more than a machine can take, and the names of intents."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from models.intent.records import IntentExample
from models.intent.text import readable, words

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def name_of(intent: str) -> str:
    """The name of an intent as a text that stands for it, or nothing if it holds no word; worth a row where rows are few.

    Examples
    --------
    >>> name_of("ShippingStatus"), name_of("card_arrival"), name_of("17")
    ('Shipping Status', 'card arrival', '')
    """
    found = _CAMEL.sub(" ", readable(intent)).replace("_", " ")
    return " ".join(word for word in found.split() if any(map(str.isalpha, word)))


def distinct(examples: Iterable[IntentExample], most: int, seed: int) -> tuple[list[str], list[str]]:
    """Readable texts and their intents.

    A text counts once per intent, whatever its case: else a row could be judged by a copy of itself. If there are more than `most`,
    frequent intents give up rows before rare ones do.
    """
    seen: dict[tuple[str, str], str] = {}
    for example in examples:
        text = readable(example.text)
        if (found := words(text)) and (key := (" ".join(found), example.intent)) not in seen:
            seen[key] = text
    texts, labels = list(seen.values()), [label for _, label in seen]
    if len(texts) <= most:
        return texts, labels
    kept = _evenly(labels, most, np.random.default_rng([seed, 2]))
    return [texts[row] for row in kept], [labels[row] for row in kept]


def _evenly(labels: list[str], most: int, rng: np.random.Generator) -> list[int]:
    """Rows from every intent in turn, until there are enough; in their order."""
    names, codes = np.unique(labels, return_inverse=True)
    turn = np.zeros(len(codes))
    for code in range(len(names)):
        members = rng.permutation(np.flatnonzero(codes == code))
        turn[members] = np.arange(len(members))
    return sorted(np.lexsort((codes, turn))[:most].tolist())
