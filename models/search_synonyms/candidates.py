"""What a word of a query may have been meant to be, and what speaks for each possibility."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from math import log1p
from typing import NamedTuple

from models.search_synonyms.edits import Channel, edits_between, skeleton
from models.search_synonyms.vocabulary import Vocabulary

MOST_WORDS, MOST_SPLITS, MOST_JOINS = 8, 4, 3
MOST_FOR_KNOWN = 4
"""A word of the site is seldom another one mistyped."""

_DIGIT = re.compile(r"\d")
_PUNCTUATION = re.compile(r"[^\w\s]")


class Option(NamedTuple):
    """One way to read a place of a query."""

    taken: int
    """Words of the query that it stands for."""
    words: tuple[str, ...]
    features: dict[str, float]


class Candidates:
    """The options at each place of a query; the first is always to keep the word.

    Parameters
    ----------
    remembered
        Users by what was typed and what it became, for words and short phrases.
    """

    def __init__(self, vocabulary: Vocabulary, channel: Channel, remembered: Mapping[str, Mapping[str, int]]) -> None:
        self._vocabulary, self._channel, self._remembered = vocabulary, channel, remembered
        self._edits = lru_cache(maxsize=16_384)(self._edit_features)

    def of_word(self, word: str) -> list[Option]:
        """To keep a word, to replace it, to split it."""
        return [Option(1, (word,), self._kept(word)), *self._replaced(word), *self._split(word)]

    def of_two(self, left: str, right: str) -> list[Option]:
        """To join two words."""
        vocabulary, whole = self._vocabulary, left + right
        found = [whole] if vocabulary.knows(whole) else []
        if not found and len(whole) >= 6 and not _DIGIT.search(whole) and not (vocabulary.knows(left) and vocabulary.knows(right)):
            near = [word for word in vocabulary.near(whole) if vocabulary.knows(word)]
            found = [word for word in near if self._edits(whole, word)["edits"] <= 1][:MOST_JOINS]
        return [Option(2, (word,), self._joined(left, right, word)) for word in found]

    def around(self, words: Sequence[str], left: str, right: str, others: Sequence[str]) -> Iterator[tuple[str, float]]:
        """Features that an option has from where it stands: the words on either side, and all others of the query."""
        vocabulary = self._vocabulary
        before, after = vocabulary.beside(left, words[0]), vocabulary.beside(words[-1], right)
        if before:
            yield "before", log1p(before)
        if after:
            yield "after", log1p(after)
        if before or after:
            yield "beside", float(bool(before)) + float(bool(after))
        together = max((vocabulary.association(word, other) for word in words for other in others if other != word), default=0.0)
        if together:
            yield "together", together / 3

    def _kept(self, word: str) -> dict[str, float]:
        vocabulary = self._vocabulary
        features = self._standing(word, "kept")
        if _DIGIT.search(word):
            features["kept_number"] = 1.0
        elif len(word) <= 2:
            features["kept_short"] = 1.0
        elif not vocabulary.knows(word):
            features["kept_unknown"] = 1.0
            features["kept_unknown_letters"] = min(len(word), 10) / 10
            features["kept_strange"] = vocabulary.strangeness(word)
            if _PUNCTUATION.search(word):
                features["kept_punctuation"] = 1.0
            if vocabulary.knows(word + "s") or (word.endswith("s") and vocabulary.knows(word[:-1])):
                features["kept_plural"] = 1.0
        return features

    def _replaced(self, word: str) -> list[Option]:
        memory = self._remembered.get(word, {})
        near = [other for other in self._vocabulary.near(word) if self._vocabulary.knows(other)] if len(word) > 2 else []
        most = MOST_FOR_KNOWN if self._vocabulary.count(word) > 0 else MOST_WORDS
        options = []
        for other in dict.fromkeys([*near[:most], *(meant for meant in memory if " " not in meant)]):
            features = dict(self._edits(word, other)) | self._standing(other, "word")
            if users := memory.get(other, 0):
                features |= {"remembered": 1.0, "remembered_users": log1p(users)}
            options.append(Option(1, (other,), features))
        return options

    def _split(self, word: str) -> list[Option]:
        memory = self._remembered.get(word, {})
        options = []
        for place in range(1, len(word)):
            left, right = word[:place], word[place:]
            numbers = [bool(_DIGIT.search(part)) for part in (left, right)]
            border = left[-1].isdigit() != right[0].isdigit()
            if numbers[0] != numbers[1] and not border:
                continue
            known = all(number or self._vocabulary.knows(part) for part, number in zip((left, right), numbers, strict=True))
            if f"{left} {right}" in memory or (known and (numbers[0] != numbers[1] or min(place, len(word) - place) > 1)):
                options.append(Option(1, (left, right), self._parted(word, left, right, border) | _remembered(memory, f"{left} {right}")))
        options.sort(key=lambda option: _promise(option.features), reverse=True)
        return options[:MOST_SPLITS]

    def _parted(self, word: str, left: str, right: str, border: bool) -> dict[str, float]:
        vocabulary = self._vocabulary
        counts = vocabulary.count(left), vocabulary.count(right)
        return {
            "split": 1.0,
            "split_border": float(border),
            "split_shortest": min(len(left), len(right), 4) / 4,
            "split_letters": min(len(word), 12) / 12,
            "split_users": log1p(max(0, min(counts))),
            "split_beside": log1p(max(0, vocabulary.beside(left, right))),
            "split_commonness": min(vocabulary.commonness(left), vocabulary.commonness(right)),
            "split_both_here": float(min(counts) > 0),
        }

    def _joined(self, left: str, right: str, word: str) -> dict[str, float]:
        vocabulary = self._vocabulary
        features = self._standing(word, "joined") | {
            "joined": 1.0,
            "joined_exactly": float(word == left + right),
            "joined_known": float(vocabulary.knows(left) and vocabulary.knows(right)),
            "joined_beside": log1p(max(0, vocabulary.beside(left, right))),
            "joined_border": float(left[-1].isdigit() != right[0].isdigit()),
        }
        if word != left + right:
            features |= self._edits(left + right, word)
        return features | _remembered(self._remembered.get(f"{left} {right}", {}), word)

    def _standing(self, word: str, prefix: str) -> dict[str, float]:
        """How well known a word is."""
        users, commonness = max(0, self._vocabulary.count(word)), self._vocabulary.commonness(word)
        features = {f"{prefix}_here": float(users > 0), f"{prefix}_users": log1p(users)}
        return features | ({f"{prefix}_general": 1.0, f"{prefix}_commonness": commonness} if commonness else {})

    def _edit_features(self, typed: str, meant: str) -> dict[str, float]:
        edits = edits_between(typed, meant)
        price = sum(map(self._channel.price, edits))
        features = {"change": 1.0, "price": price, "price_per_letter": price / max(len(meant), 3), "edits": float(len(edits))}
        for edit in edits:
            features[edit.kind] = features.get(edit.kind, 0.0) + 1.0
            if edit.place == 0:
                features["first_letter"] = 1.0
        shape = {
            "completed": meant.startswith(typed),
            "cut": typed.startswith(meant),
            "plural": typed + "s" == meant or meant + "s" == typed,
            "alike": len(typed) > 3 and skeleton(typed) == skeleton(meant),
            "number": bool(_DIGIT.search(typed)),
        }
        return features | {name: 1.0 for name, holds in shape.items() if holds}


def _remembered(memory: Mapping[str, int], meant: str) -> dict[str, float]:
    return {"remembered": 1.0} if memory.get(meant) else {}


def _promise(features: Mapping[str, float]) -> tuple[float, ...]:
    """Orders splits before they are weighed."""
    return tuple(features[name] for name in ("split_beside", "split_border", "split_users", "split_shortest"))
