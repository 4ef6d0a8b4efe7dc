"""Names for clusters of templates: the phrases that most of a cluster says and few others do.

References
----------
Grootendorst (2022), BERTopic: neural topic modeling with a class-based TF-IDF procedure, section 3.3.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from math import log, sqrt

from models.root_cause.masks import PARAMETER

LONGEST = 3
MOST_PHRASES = 2
LEAST_SHARE = 0.5
"""Share of a cluster's templates that must say a second phrase for it to be part of the name."""

_WORD = re.compile(r"<\*>|[^\W\d_][\w.$-]*[^\W_]|[1-5]xx")
_FILLERS = frozenset(
    {
        *("a", "an", "and", "are", "as", "at", "be", "been", "by", "for", "from", "has", "have", "in", "into", "is", "it", "its"),
        *("of", "on", "or", "that", "the", "to", "was", "were", "with"),
    }
)


def key_phrases(clusters: Sequence[Sequence[str]]) -> list[str]:
    r"""A name for each cluster; clusters may share words, and two that say the same share a name.

    A phrase of n words weighs :math:`\sqrt{n}\, tf_{x,c} \log(1 + A / f_x)`: the share of the cluster's templates that say it, against
    how many clusters do (:math:`f_x`) of all (:math:`A`).

    Parameters
    ----------
    clusters
        The templates of each.
    """
    said = [Counter(phrase for template in templates for phrase in set(_phrases(template))) for templates in clusters]
    spread = Counter(phrase for phrases in said for phrase in phrases)
    return [_name(templates, phrases, spread, len(clusters)) for templates, phrases in zip(clusters, said, strict=True)]


def _name(templates: Sequence[str], said: Counter[str], spread: Counter[str], n_clusters: int) -> str:
    def weight(phrase: str) -> float:
        return sqrt(phrase.count(" ") + 1) * said[phrase] / len(templates) * log(1 + n_clusters / spread[phrase])

    chosen: list[str] = []
    for phrase in sorted(said, key=lambda phrase: (-weight(phrase), phrase)):
        if chosen and (said[phrase] < LEAST_SHARE * len(templates) or _shares_a_word(phrase, chosen)):
            continue
        chosen.append(phrase)
        if len(chosen) == MOST_PHRASES:
            break
    return " · ".join(chosen) or templates[0]


def _phrases(template: str) -> Iterable[str]:
    """Runs of one to three words without a parameter in between, that neither begin nor end with a filler."""
    words = _WORD.findall(template)
    for start, first in enumerate(words):
        if first.lower() in _FILLERS:
            continue
        for end in range(start + 1, min(start + LONGEST, len(words)) + 1):
            if words[end - 1] == PARAMETER:
                break
            if words[end - 1].lower() not in _FILLERS:
                yield " ".join(words[start:end])


def _shares_a_word(phrase: str, chosen: Iterable[str]) -> bool:
    words = set(phrase.lower().split())
    return any(words & set(other.lower().split()) for other in chosen)
