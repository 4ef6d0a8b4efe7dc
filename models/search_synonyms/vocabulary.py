"""The words of a site: how often people searched for them, beside which others, and which words are near a string."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import combinations, pairwise
from math import log, log1p
from typing import Any, Self

from rapidfuzz import process
from rapidfuzz.distance import OSA

from models.search_synonyms.deletes import Deletes
from models.search_synonyms.edits import skeleton

MAX_WORDS = 200_000
MAX_PAIRS = 300_000
NEAREST = 16
"""Words that are compared in detail."""

_START, _END = "\x02", "\x03"

_BY_EAR_FROM = 5
"""Letters from which a word is also sought by ear: the skeletons of shorter ones are everywhere."""


class Vocabulary:
    """Words with their counts and neighbours.

    Parameters
    ----------
    counts
        Users by word of the site, at most `MAX_WORDS`, the most frequent first in doubt; so are the others.
    pairs
        Users by two words, in order, with a space between; an end of the query is an empty word.
    together
        Users by two words of one query, in the order of the alphabet.
    general
        Words of the language, most frequent first: known, and never preferred to a word of the site without need.
    searches
        Users of all queries.
    """

    def __init__(
        self, counts: dict[str, int], pairs: dict[str, int], together: dict[str, int], general: Sequence[str], searches: int
    ) -> None:
        self.counts, self.pairs, self.together = counts, pairs, together  # kept as they are: a copy would take as much memory again
        self.general = general
        self.searches = searches
        least = log(len(self.general) + 2)
        self._commonness = {word: 1 - log(rank + 1) / least for rank, word in enumerate(self.general)}
        self._words = sorted(word for word in self.counts.keys() | self._commonness.keys() if len(word) > 1)
        self._runs = Counter(run for word in self._words for run in _runs(word))
        self._index = Deletes(self._words)
        self._skeletons, self._of_skeleton = _skeletons(self._words)
        self._by_ear = Deletes(self._skeletons, deletes=1)
        self.near = lru_cache(maxsize=8192)(self._near)

    @classmethod
    def of_queries(cls, queries: Mapping[str, int], general: Sequence[str] = ()) -> Self:
        """Count the words of queries that worked.

        Parameters
        ----------
        queries
            Distinct users by normal query; leave out what too few searched: every word here may be shown to anybody.
        """
        counts, pairs, together = Counter[str](), Counter[str](), Counter[str]()
        for query, users in queries.items():
            for counter, keys in zip((counts, pairs, together), _keys(query), strict=True):
                for key in keys:
                    counter[key] += users
            for counter in (pairs, together):
                if len(counter) > 8 * MAX_PAIRS:
                    _prune(counter, 4 * MAX_PAIRS)
        for counter, size in ((counts, MAX_WORDS), (pairs, MAX_PAIRS), (together, MAX_PAIRS)):
            _prune(counter, size)
        return cls(counts, pairs, together, general, sum(queries.values()))

    def state(self) -> dict[str, Any]:
        """JSON values; keyword arguments of the class."""
        names = ("counts", "pairs", "together", "general", "searches")
        return {name: getattr(self, name) for name in names}

    def count(self, word: str) -> int:
        """Users who searched for a word here."""
        return self.counts.get(word, 0)

    def commonness(self, word: str) -> float:
        """Of a word in the language, from 0 (unknown) to 1 (most frequent)."""
        return self._commonness.get(word, 0.0)

    def knows(self, word: str) -> bool:
        """Whether this is a word of the site or of the language."""
        return self.counts.get(word, 0) > 0 or word in self._commonness

    def beside(self, left: str, right: str) -> int:
        """Users who searched for two words in a row."""
        return self.pairs.get(f"{left} {right}", 0)

    def association(self, one: str, other: str) -> float:
        """Pointwise mutual information of two words in one query, 0 if they were not seen together."""
        count = self.together.get(f"{one} {other}" if one < other else f"{other} {one}", 0)
        expected = self.count(one) * self.count(other)
        return max(0.0, log(count * self.searches / expected)) if count > 0 and expected > 0 else 0.0

    def strangeness(self, word: str) -> float:
        """How unlike the words known here a string is: mean negative log-probability of its letters, each after the two before."""
        held_back = self.counts.get(word, 1) <= 0 and word not in self._commonness
        runs, own = self._runs, Counter(_runs(word)) if held_back else Counter[str]()

        def seen(run: str) -> int:
            return runs[run] - own[run]

        total = 0.0
        for place, letter in enumerate(word + _END):
            one, two = f"{_START}{word}"[place], f"{_START}{_START}{word}"[place : place + 2]
            chance = (seen(letter) + 0.5) / (len(self._words) + 20)
            chance = (seen(one + letter) + 3 * chance) / (seen(one) + 3)
            chance = (seen(two + letter) + 3 * chance) / (seen(two) + 3)
            total -= log(min(chance, 1.0))
        return total / (len(word) + 1)

    @contextmanager
    def without(self, query: str, users: int) -> Iterator[None]:
        """As if these users had not searched for a query: to learn how queries fare that nobody searched before."""
        counters = (self.counts, self.pairs, self.together)
        found = [(counter, key) for counter, keys in zip(counters, _keys(query), strict=True) for key in keys if key in counter]
        for counter, key in found:
            counter[key] -= users
        yield
        for counter, key in found:
            counter[key] += users

    def _near(self, string: str) -> tuple[str, ...]:
        """Words that may have been meant by a string: within a few edits, or alike by ear; the nearest first."""
        limit = 1 if len(string) <= 4 else 2 if len(string) <= 6 else 3
        found = self._within(string, [self._words[number] for number in self._index.near(string)], limit)
        if len(string) >= _BY_EAR_FROM and not (found and found[0][1] <= 1):
            numbers = self._by_ear.near(skeleton(string))
            alike = [self._words[number] for near in numbers for number in self._of_skeleton[near]]
            found += self._within(string, alike, min(5, len(string) // 2))
        nearest = min((distance for word, distance in found if word != string), default=0)
        found = [(word, distance) for word, distance in found if distance <= nearest + 1]
        ranked = sorted({word: distance for word, distance in reversed(found) if word != string}.items(), key=self._rank)
        return tuple(word for word, _ in ranked[:NEAREST])

    def _within(self, string: str, words: Sequence[str], limit: int) -> list[tuple[str, int]]:
        matches = process.extract(string, words, scorer=OSA.distance, score_cutoff=limit, limit=None)
        return [(word, int(distance)) for word, distance, _ in matches]

    def _rank(self, match: tuple[str, int]) -> tuple[float, str]:
        word, distance = match
        return distance - 0.2 * log1p(self.count(word)) - 0.5 * self.commonness(word), word


def _keys(query: str) -> tuple[list[str], list[str], list[str]]:
    """What a query counts for: its words, its words in a row, its words together."""
    words = query.split()
    different = sorted(set(words))
    return words, [f"{left} {right}" for left, right in pairwise(["", *words, ""])], [f"{a} {b}" for a, b in combinations(different, 2)]


def _runs(word: str) -> Iterator[str]:
    """Strings of one, two and three letters in a word, whose ends count as letters."""
    framed = f"{_START}{_START}{word}{_END}"
    yield from (_START, _START + _START)
    for place in range(2, len(framed)):
        yield framed[place]
        yield framed[place - 1 : place + 1]
        yield framed[place - 2 : place + 1]


def _prune(counter: Counter[str], size: int) -> None:
    """Keep the most frequent, by the alphabet in doubt."""
    if len(counter) > size:
        kept = sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:size]
        counter.clear()
        counter.update(dict(kept))


def _skeletons(words: Sequence[str]) -> tuple[list[str], list[list[int]]]:
    """The skeletons of words, and the numbers of the words that have each."""
    of_skeleton: dict[str, list[int]] = {}
    for number, word in enumerate(words):
        if len(word) >= _BY_EAR_FROM - 1 and word.isalpha():
            of_skeleton.setdefault(skeleton(word), []).append(number)
    return list(of_skeleton), list(of_skeleton.values())
