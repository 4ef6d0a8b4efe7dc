"""Words that say what a text is about, and how much each of them says.

References
----------
Robertson and Zaragoza (2009), The Probabilistic Relevance Framework: BM25 and Beyond, section 3.
Zipf (1949), Human Behavior and the Principle of Least Effort, for rank as a stand-in for frequency.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from models.resume_ranking.records import UNIT

K1, B = 4.0, 0.75
"""How fast a repeated word saturates, and how far a long text is discounted. Slower than the textbook's 1.2: what is counted is in how
many passages a word stands, and who did the work speaks of it in many."""

PRIOR_TEXTS = 1000
"""Resumes that English at large is worth: a few, or made-up ones, hardly say which words are rare, and ten thousand do."""

PRIOR_LENGTH = 250.0
"""Words of a resume, each once a passage: of 167 real ones, the mean."""

COMMON_RANK = 200
"""The word of this rank in English stands in every other resume; twice as rare, in nearly half as many (Zipf's law)."""

_TOKEN = re.compile(r"[^\W_][\w+#.]*")
_ENDINGS = (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ers", "er"), ("ed", ""), ("s", ""))
# What English says anyway, and what every vacancy and resume says.
_SAYS_LITTLE = """
    a about all also an and any are as at be been both but by can could for from had has have he her his how i if in into is it its
    may me more most must my no not of on or other our out over per she should so some such than that the their them then there
    these they this those to under up us use used using very via was we were what when where which while who will with within
    without would you your ability able candidate company description etc experience excellent good great ideal including job join
    knowledge looking must new opportunity preferred required requirement responsibility responsible role skill strong team
    understanding well work working year years month months details
"""
_STOP = frozenset(_SAYS_LITTLE.split())


def words(text: str) -> list[str]:
    """The words of a text that say something, in lower case and without their endings; C++, C# and Node.js stay whole."""
    found = (token.rstrip(".") for token in _TOKEN.findall(text.lower()))
    return [stemmed for token in found if token not in _STOP and (stemmed := _stem(token)) not in _STOP]


def _stem(token: str) -> str:
    if len(token) > 3 and token.isalpha() and not token.endswith("ss"):
        for ending, instead in _ENDINGS:
            if token.endswith(ending) and len(token) - len(ending) >= 3:
                return token[: -len(ending)] + instead
    return token


@dataclass(frozen=True)
class Rarity:
    """How much a word says: counted in training texts, on top of what its rank in English lets one expect.

    Parameters
    ----------
    texts
        How many training texts there were.
    holding
        Number of texts by word; a word that is not here was in none.
    mean_length
        Of the texts, in words.
    ranks
        Of the words of English, the most frequent 1; a word that is not here is rarer than all that are.
    """

    texts: int
    holding: Mapping[str, int]
    mean_length: float
    ranks: Mapping[str, int]

    @classmethod
    def count(cls, texts: Iterable[Collection[str]], ranks: Mapping[str, int]) -> Rarity:
        """Count the words of texts."""
        lists = list(texts)
        holding = Counter(word for found in lists for word in set(found))
        # A word of one text only is as rare as an unseen one, nearly; leaving it out keeps the model small, and names out of it.
        kept = {word: count for word, count in sorted(holding.items()) if count > 1}
        return cls(len(lists), kept, sum(map(len, lists)) / max(len(lists), 1), ranks)

    def idf(self, word: str) -> float:
        """Inverse document frequency, from 0."""
        expected = PRIOR_TEXTS * COMMON_RANK / (COMMON_RANK + self.ranks.get(word, len(self.ranks) + 1))
        return math.log((self.texts + PRIOR_TEXTS) / (self.holding.get(word, 0) + expected))

    def shares(self, weights: Mapping[str, float]) -> dict[str, int]:
        """Each word's share of what the words say together, in millionths.

        Parameters
        ----------
        weights
            How much each word counts, beside its rarity.
        """
        said = {word: weight * self.idf(word) for word, weight in weights.items()}
        total = sum(said.values())
        return {word: round(UNIT * value / total) for word, value in said.items()} if total else {}

    def bm25(self, shares: Mapping[str, int], counts: Mapping[str, int], length: int) -> int:
        """Okapi BM25 of a text for a query's words, as a share of what it could be, in millionths."""
        typical = (self.texts * self.mean_length + PRIOR_TEXTS * PRIOR_LENGTH) / (self.texts + PRIOR_TEXTS)
        norm = K1 * (1 - B + B * length / typical)
        return round(sum(share * count / (count + norm) for word, share in shares.items() if (count := counts.get(word, 0))))


def ranks(english: Iterable[str]) -> dict[str, int]:
    """Ranks of words, from words that begin with the most frequent; of those with one stem, the first."""
    found: dict[str, int] = {}
    for rank, word in enumerate(english, 1):
        found.setdefault(_stem(word), rank)
    return found
