"""How a word comes to be mistyped: slips of the finger, doubled and dropped letters, spelling by ear.

A price is a negative log-probability up to a constant: the dearer an edit, the less likely it was made. The classes have prices of
their own; single edits (an ``ei`` for ``ie``, a missing ``u``) get theirs from the pairs of mistyped and meant words that people left.

References
----------
M. D. Kernighan, K. W. Church and W. A. Gale, "A spelling correction program based on a noisy channel model" (1990).
L. Philips, "Hanging on the Metaphone" (1990), for spelling by ear.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import log
from typing import NamedTuple

import numpy as np
from rapidfuzz.distance import Levenshtein

CLASS_PRICES: Mapping[str, float] = {
    "swap": 1.0,
    "vowel": 1.0,
    "sound": 1.2,
    "neighbour": 1.6,
    "other": 2.2,
    "extra_double": 0.7,
    "extra_vowel": 1.2,
    "extra_silent": 1.3,
    "extra": 1.7,
    "missing_double": 0.7,
    "missing_vowel": 1.2,
    "missing_silent": 1.3,
    "missing": 1.7,
}
"""Before anything is learned; the order is that of published confusion tables: doubling, vowels, sound, keys, the rest."""

CHEAPEST = 0.2
PRIOR_COUNT = 4.0
"""As many sightings of an edit as the class prices are worth when pairs are counted."""

VOWELS = frozenset("aeiouy")
_SILENT = frozenset("hwr'-.")
_SOUNDS = frozenset(map(frozenset, ("ck", "cs", "sz", "sk", "kq", "vf", "gj", "td", "mn", "bp", "vw", "xs", "xc", "lr", "uw", "gh")))
_KEYS = {key: (row, column + row / 2) for row, keys in enumerate(("qwertyuiop", "asdfghjkl", "zxcvbnm")) for column, key in enumerate(keys)}

_BY_EAR = [
    (re.compile(pattern), sound)
    for pattern, sound in (
        ("tch|ch", "c"),
        ("ght", "t"),
        ("ph|v", "f"),
        ("sch|sh|z|c(?=[eiy])", "s"),
        ("wr", "r"),
        ("kn", "n"),
        ("ck|qu?|c(?!h)", "k"),
        ("dg|g(?=[ei])", "j"),
        ("x", "ks"),
        ("d$", "t"),
    )
]
_FIRST = str.maketrans("eiouy", "aaaaa")


class Edit(NamedTuple):
    """One edit on the way from the word that was meant to the word that was typed."""

    kind: str
    """A key of `CLASS_PRICES`."""
    letters: str
    """The letters of it: typed and meant for a substitution, the two for a swap, else the one."""
    place: int
    """In the word that was meant."""


@lru_cache(maxsize=1024)
def skeleton(word: str) -> str:
    """A word by ear: its consonants as they sound, without doubles; words that sound alike share it, more or less."""
    for pattern, sound in _BY_EAR:
        word = pattern.sub(sound, word)
    consonants = word[:1].translate(_FIRST) + re.sub("[aeiouyhw']", "", word[1:])
    return re.sub(r"(.)\1+", r"\1", consonants)


class Channel:
    """Prices of edits.

    Parameters
    ----------
    prices
        By ``kind letters``; an edit that is not there has the price of its class.
    """

    def __init__(self, prices: Mapping[str, float] | None = None) -> None:
        self.prices = dict(prices or {})

    @classmethod
    def learned(cls, pairs: Iterable[tuple[str, str]]) -> Channel:
        """Prices from words as typed and as meant.

        Within a class, an edit seen r times as often as the average one costs log(r) / 2 less; half, as a class is itself a habit.
        """
        seen = Counter(edit[:2] for typed, meant in pairs for edit in edits_between(typed, meant))
        totals, varieties = Counter[str](), Counter[str]()
        for (kind, _), count in seen.items():
            totals[kind] += count
            varieties[kind] += 1
        prices = {}
        for (kind, letters), count in seen.items():
            average = totals[kind] / max(varieties[kind], 8)
            ratio = (count + PRIOR_COUNT * average) / (average * (1 + PRIOR_COUNT))
            prices[f"{kind} {letters}"] = round(max(CHEAPEST, CLASS_PRICES[kind] - 0.5 * log(ratio)), 4)
        return cls(prices)

    def price(self, edit: Edit) -> float:
        """What an edit costs."""
        return self.prices.get(f"{edit.kind} {edit.letters}", CLASS_PRICES[edit.kind])


def edits_between(typed: str, meant: str) -> list[Edit]:
    """The fewest edits from the word that was meant to the word that was typed; two letters swapped are one."""
    found: list[Edit] = []
    for step in Levenshtein.editops(typed, meant):
        x, y = step.src_pos, step.dest_pos
        if step.tag == "replace":
            edit = _substitution(typed[x], meant[y], y)
        elif step.tag == "delete":
            edit = Edit(_alone("extra", typed, x), typed[x], y)
        else:
            edit = Edit(_alone("missing", meant, y), meant[y], y)
        if found and (swap := _swap(found[-1], edit, meant)):
            found[-1] = swap
        else:
            found.append(edit)
    return found


def _swap(before: Edit, edit: Edit, meant: str) -> Edit | None:
    """Two edits as one, if together they swap two letters."""
    if len(before.letters) == len(edit.letters) == 2:
        crossed = edit.place - before.place == 1 and before.letters == edit.letters[::-1]
        return Edit("swap", meant[before.place : before.place + 2], before.place) if crossed else None
    moved = before.letters == edit.letters and before.kind[0] != edit.kind[0] and 0 < edit.place - before.place <= 2
    return Edit("swap", meant[before.place : before.place + 2], before.place) if moved else None


def mistyped(word: str, rng: np.random.Generator) -> str:
    """A word with one likely slip: the ways to mistype it, drawn by the prices of their classes."""
    slips = {word[:place] + word[place + 1 :]: _alone("missing", word, place) for place in range(len(word))}
    for place, letter in enumerate(word):
        slips[word[:place] + letter + word[place:]] = "extra_double"
        slips[word[:place] + word[place : place + 2][::-1] + word[place + 2 :]] = "swap"
        for other in sorted(VOWELS) if letter in VOWELS else (key for key in _KEYS if _are_neighbours(letter, key)):
            slips[word[:place] + other + word[place + 1 :]] = "vowel" if letter in VOWELS else "neighbour"
    slips.pop(word, None)
    chances = np.exp([-CLASS_PRICES[kind] for kind in slips.values()])
    return list(slips)[rng.choice(len(slips), p=chances / chances.sum())] if slips else word


def _substitution(typed: str, meant: str, place: int) -> Edit:
    if typed in VOWELS and meant in VOWELS:
        kind = "vowel"
    elif frozenset((typed, meant)) in _SOUNDS:
        kind = "sound"
    else:
        kind = "neighbour" if _are_neighbours(typed, meant) else "other"
    return Edit(kind, typed + meant, place)


def _alone(kind: str, word: str, place: int) -> str:
    """The class of a letter that is extra or missing, by what it is and what stands beside it."""
    letter = word[place]
    if letter in word[max(place - 1, 0) : place] or letter in word[place + 1 : place + 2]:
        return f"{kind}_double"
    if letter in VOWELS:
        return f"{kind}_vowel"
    return f"{kind}_silent" if letter in _SILENT else kind


def _are_neighbours(one: str, other: str) -> bool:
    a, b = _KEYS.get(one), _KEYS.get(other)
    return a is not None and b is not None and abs(a[0] - b[0]) <= 1 and abs(a[1] - b[1]) <= 1.1
