r"""What was meant by a query that nobody searched before: its words corrected, split or joined; or the query as it is.

At each place of a query there is a choice: keep the word, take a word near it, split it, or join it with the next. Each option has
features: the price of its edits (`models.search_synonyms.edits`), how often it is searched, the words beside it, whether it was left
by people who corrected themselves. A conditional logit learns from such corrections, and from queries that need none, how these weigh.
Every example is judged as if its query had never been searched, so the model knows what words that are new but right look like. The
best path through all places is taken where it is likelier than the query itself; `caution` asks for more, as to change a right query
is worse than to leave a wrong one.

Misleads where a brand is spelt like a mistyped word and is too new to be in the vocabulary. Never invents a word.

References
----------
E. Brill and R. C. Moore, "An improved error model for noisy channel spelling correction" (2000).
S. Cucerzan and E. Brill, "Spelling correction as an iterative process that exploits the collective knowledge of web users" (2004).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from math import exp
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np

from models.search_synonyms.alignment import aligned
from models.search_synonyms.candidates import Candidates, Option
from models.search_synonyms.choice import Choice, learn_choices
from models.search_synonyms.edits import Channel, mistyped
from models.search_synonyms.vocabulary import Vocabulary

T = TypeVar("T")

RIDGE = 1.0
ENOUGH_PAIRS = 500
"""With fewer corrections than this, imagined slips in the site's own queries are added to learn from."""

MOST_EXAMPLES = 5_000
MAX_WORDS = 24
"""Longer queries are left as they are: their errors do not matter much, and time does."""

HOPELESS = 8.0
"""An option that is less likely than another by more than this, in log-odds, is not saved by the words around it."""

CAUTION = 0.0
"""Log-odds: a change must be likelier than none. On shop searches 0.5 took 28 of a thousand corrections and spared 16 right queries."""


@dataclass(frozen=True)
class Correction:
    """A query as it was meant.

    Parameters
    ----------
    query
        All of it.
    probability
        That this is what was meant.
    changes
        What was typed, and what it became.
    """

    query: str
    probability: float
    changes: tuple[tuple[str, str], ...]


class _Scored(NamedTuple):
    taken: int
    words: tuple[str, ...]
    score: float


class Spelling:
    """Corrects queries by the words of a site.

    Parameters
    ----------
    vocabulary
        The words.
    channel
        What slips people make.
    remembered
        Users by what was typed and what it became, for words and short phrases.
    weights
        Of the features.
    """

    def __init__(
        self, vocabulary: Vocabulary, channel: Channel, remembered: dict[str, dict[str, int]], weights: Mapping[str, float]
    ) -> None:
        self.vocabulary, self.channel, self.weights = vocabulary, channel, dict(weights)
        self.remembered = remembered
        self._candidates = Candidates(vocabulary, channel, self.remembered)
        self._of_word = lru_cache(maxsize=8192)(lambda word: self._scored(self._candidates.of_word(word)))
        self._of_two = lru_cache(maxsize=8192)(lambda left, right: self._scored(self._candidates.of_two(left, right)))

    @classmethod
    def learned(
        cls,
        queries: Mapping[str, int],
        corrections: Sequence[tuple[str, str]] = (),
        general: Sequence[str] = (),
        *,
        seed: int = 0,
    ) -> Self:
        """Learn from queries that worked and from corrections that people made.

        Parameters
        ----------
        queries
            Distinct users by normal query; too rare ones left out, as every word may be shown to anybody.
        corrections
            Queries as typed and as meant, once for every user.
        general
            Words of the language, most frequent first.
        """
        rng = np.random.default_rng(seed)
        vocabulary = Vocabulary.of_queries(queries, general)
        changed = [pair for typed, meant in corrections for pair in aligned(typed, meant) if pair[0] != pair[1]]
        channel = Channel.learned(pair for pair in changed if all(len(side.split()) == 1 for side in pair))
        remembered = _remember(changed)
        spelling = cls(vocabulary, channel, remembered, {})
        examples = [*_drawn(corrections, MOST_EXAMPLES, rng), *_imagined(queries, ENOUGH_PAIRS - len(corrections), rng)]
        right = _drawn(sorted(queries), len(examples), rng)
        choices = [
            choice
            for typed, meant in [*examples, *((query, query) for query in right)]
            for choice in spelling._choices(typed, meant, queries.get(meant, 0))
        ]
        vocabulary.near.cache_clear()  # it was filled while counts were held back
        return cls(vocabulary, channel, remembered, learn_choices(choices, RIDGE))

    def state(self) -> dict[str, Any]:
        """All of it as JSON values; the inverse of `restored`."""
        return {
            "vocabulary": self.vocabulary.state(),
            "prices": self.channel.prices,
            "remembered": self.remembered,
            "weights": self.weights,
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Self:
        """The spelling that gave a `state`."""
        return cls(Vocabulary(**state["vocabulary"]), Channel(state["prices"]), state["remembered"], state["weights"])

    def correct(self, query: str, caution: float = CAUTION) -> Correction | None:
        """What was meant by a normal query; ``None``: leave it as it is.

        Parameters
        ----------
        caution
            Log-odds by which every change must be likelier than none.
        """
        words = query.split()
        if not words or len(words) > MAX_WORDS or not self.weights:
            return None
        path, probability = self._best_path(words, caution)
        changes = tuple(pair for pair in path if pair[0] != pair[1])
        return Correction(" ".join(meant for _, meant in path), probability, changes) if changes else None

    def _best_path(self, words: list[str], caution: float) -> tuple[list[tuple[str, str]], float]:
        """What was typed and meant at each place, in the likeliest reading, and its probability; log-odds add up along a path."""
        paths: list[tuple[float, float, list[tuple[str, str]]] | None] = [(0.0, 1.0, []), *[None] * len(words)]
        for start in range(len(words)):
            path = paths[start]
            if path is None:
                continue
            odds, probability, before = path
            options = self._weighed(words, start)
            keep = options[0].score
            powers = [exp(min(option.score - keep, 50.0)) for option in options]
            for place, option in enumerate(options):
                gain = odds + option.score - keep - (caution if place else 0.0)
                end = start + option.taken
                known = paths[end]
                if known is None or gain > known[0]:
                    pair = " ".join(words[start:end]), " ".join(option.words)
                    paths[end] = gain, probability * powers[place] / sum(powers), [*before, pair]
        _, probability, best = paths[-1] or (0.0, 1.0, [])
        return best, probability

    def _weighed(self, words: Sequence[str], start: int) -> list[_Scored]:
        """The options at a place with their scores, keeping the word first."""
        others = [word for word in (*words[:start], *words[start + 1 :]) if self.vocabulary.count(word)]
        static = self._of_word(words[start])
        if start + 1 < len(words):
            static = static + self._of_two(words[start], words[start + 1])
        return [option._replace(score=option.score + self._score(self._around(words, start, option, others))) for option in static]

    def _around(self, words: Sequence[str], start: int, option: _Scored | Option, others: Sequence[str]) -> Iterable[tuple[str, float]]:
        left = words[start - 1] if start else ""
        right = words[start + option.taken] if start + option.taken < len(words) else ""
        return self._candidates.around(option.words, left, right, others)

    def _scored(self, options: Iterable[Option]) -> list[_Scored]:
        scored = [_Scored(option.taken, option.words, self._score(option.features.items())) for option in options]
        best = max((option.score for option in scored), default=0.0)
        return [option for place, option in enumerate(scored) if place == 0 or option.score > best - HOPELESS]

    def _score(self, features: Iterable[tuple[str, float]]) -> float:
        return sum(self.weights.get(name, 0.0) * value for name, value in features)

    def _choices(self, typed: str, meant: str, users: int) -> list[Choice]:
        """What there was to choose at each place of a query, as if nobody had searched for it before, and what was right."""
        words, choices, start = typed.split(), [], 0
        with self.vocabulary.without(meant, users), self._forgotten(typed, meant):
            for before, after in aligned(typed, meant):
                taken = len(before.split())
                if taken:
                    choices += self._choice(words, start, taken, tuple(after.split()))
                start += taken
        return choices

    def _choice(self, words: Sequence[str], start: int, taken: int, meant: tuple[str, ...]) -> list[Choice]:
        others = [word for word in (*words[:start], *words[start + 1 :]) if self.vocabulary.count(word) > 0]
        options = self._candidates.of_word(words[start])
        if start + 1 < len(words):
            options += self._candidates.of_two(words[start], words[start + 1])
        right = [place for place, option in enumerate(options) if (option.taken, option.words) == (taken, meant)]
        features = [option.features | dict(self._around(words, start, option, others)) for option in options]
        return [(features, right[0])] if right else []

    @contextmanager
    def _forgotten(self, typed: str, meant: str) -> Iterator[None]:
        """As if one user had not corrected a query."""
        found = [pair for pair in aligned(typed, meant) if self.remembered.get(pair[0], {}).get(pair[1], 0)]
        for before, after in found:
            self.remembered[before][after] -= 1
        yield
        for before, after in found:
            self.remembered[before][after] += 1


def _remember(changed: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    remembered: dict[str, dict[str, int]] = {}
    for typed, meant in changed:
        if typed and meant:
            of_typed = remembered.setdefault(typed, {})
            of_typed[meant] = of_typed.get(meant, 0) + 1
    return remembered


def _drawn(items: Sequence[T], count: int, rng: np.random.Generator) -> list[T]:
    """At most so many of the items, in their order."""
    if len(items) <= count:
        return list(items)
    return [items[place] for place in sorted(rng.choice(len(items), count, replace=False))]


def _imagined(queries: Mapping[str, int], count: int, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Queries with a slip in one word, and the queries."""
    pairs = []
    for query in _drawn(sorted(queries), max(count, 0), rng):
        words = query.split()
        long = [place for place, word in enumerate(words) if len(word) > 3 and word.isalpha()]
        if long:
            place = long[rng.integers(len(long))]
            pairs.append((" ".join([*words[:place], mistyped(words[place], rng), *words[place + 1 :]]), query))
    return pairs
