"""What a tagger of slots sees of each word: its form, its neighbours, and which slots such words filled before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from models.masking import personal_data

_TOKEN = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")
_LONGEST_VALUE = 8
"""Words of a value that is looked up."""


class Token(NamedTuple):
    """A word or mark at ``text[start:end]``."""

    text: str
    start: int
    end: int


def tokens_of(text: str) -> list[Token]:
    """Words and marks, in order; a piece of personal data is one, by its kind, so that nothing personal is ever learned."""
    tokens, end = [], 0
    for span in personal_data(text):
        tokens += [Token(match[0], *match.span()) for match in _TOKEN.finditer(text, end, span.start)]
        tokens.append(Token(f"[{span.kind}]", span.start, span.end))
        end = span.end
    return tokens + [Token(match[0], *match.span()) for match in _TOKEN.finditer(text, end)]


class Gazetteer:
    """The values that slots had in training, in lower case, and which slots those were.

    Parameters
    ----------
    slots_by_value
        Slots by the words of a value, joined with spaces.
    """

    def __init__(self, slots_by_value: Mapping[str, Sequence[str]]) -> None:
        self.slots_by_value = dict(slots_by_value)
        self._first = {value.split(" ", 1)[0] for value in self.slots_by_value}

    @classmethod
    def of(cls, values: Iterable[tuple[Sequence[str], str]]) -> Gazetteer:
        """From pairs of a value's words and its slot."""
        slots: dict[str, set[str]] = {}
        for words, slot in values:
            slots.setdefault(" ".join(words).lower(), set()).add(slot)
        return cls({value: sorted(found) for value, found in sorted(slots.items()) if value})

    def marks(self, words: Sequence[str]) -> list[set[str]]:
        """For each word, the slots of known values that begin with it, continue or are it alone; of two values, the longer."""
        marks: list[set[str]] = [set() for _ in words]
        for start, word in enumerate(words):
            if word not in self._first:
                continue
            for end in range(min(start + _LONGEST_VALUE, len(words)), start, -1):
                if slots := self.slots_by_value.get(" ".join(words[start:end])):
                    for slot in slots:
                        marks[start].add(f"B-{slot}")
                        for place in range(start + 1, end):
                            marks[place].add(f"I-{slot}")
                    break
        return marks


def features_of(words: Sequence[str], marks: Sequence[set[str]], intent: str) -> list[list[str]]:
    """The features of each word, for CRFsuite.

    Parameters
    ----------
    words
        As written.
    marks
        What the gazetteer says of each.
    intent
        Of the whole text; is crossed with the word, as `play` is a command for one intent and a title for another.
    """
    lower = [word.lower() for word in words]
    shapes = [_shape(word) for word in words]
    padded, padded_shapes = ["<s>", "<s>", *lower, "</s>", "</s>"], ["^", "^", *shapes, "$", "$"]
    padded_marks = [set[str](), *marks, set[str]()]
    rows = []
    for place, word in enumerate(lower):
        at = place + 2
        before2, before, after, after2 = padded[at - 2], padded[at - 1], padded[at + 1], padded[at + 2]
        row = [
            "1",
            f"w={word}",
            f"w-1={before}",
            f"w+1={after}",
            f"w-2={before2}",
            f"w+2={after2}",
            f"w-1,0={before} {word}",
            f"w0,1={word} {after}",
            f"w-2,-1={before2} {before}",
            f"w1,2={after} {after2}",
            f"s={padded_shapes[at]}",
            f"s-1={padded_shapes[at - 1]}",
            f"s+1={padded_shapes[at + 1]}",
            f"s-1,0,1={padded_shapes[at - 1]}{padded_shapes[at]}{padded_shapes[at + 1]}",
            f"i={intent}",
            f"i,w={intent} {word}",
            f"i,w-1={intent} {before}",
            f"i,w+1={intent} {after}",
        ]
        row += [f"p{size}={word[:size]}" for size in (2, 3, 4) if len(word) > size]
        row += [f"x{size}={word[-size:]}" for size in (1, 2, 3, 4) if len(word) > size]
        row += [f"g={mark}" for mark in sorted(padded_marks[place + 1])]
        row += [f"g-1={mark}" for mark in sorted(padded_marks[place])]
        row += [f"g+1={mark}" for mark in sorted(padded_marks[place + 2])]
        rows.append(row)
    return rows


def _shape(word: str) -> str:
    """``Xx`` of `Prince`, ``d4`` of `2024`, ``dx`` of `5pm`."""
    if word.isdigit():
        return f"d{min(len(word), 5)}"
    kinds = ["d" if c.isdigit() else "X" if c.isupper() else "x" if c.isalpha() else c for c in word[:12]]
    return "".join(kind for place, kind in enumerate(kinds) if place == 0 or kind != kinds[place - 1])
