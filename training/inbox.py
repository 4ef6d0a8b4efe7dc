"""The out-of-scope inbox: messages that the model rejected, as proposals for new intents.

The encoder's vectors are clustered by density; a cluster is named by the words that stand in it far more often than elsewhere.

References
----------
Campello, Moulavi and Sander (2013), Density-based clustering based on hierarchical density estimates.
Grootendorst (2022), BERTopic, section 3.3: TF-IDF of clusters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from models.encoder import default_encoder
from models.intent.text import readable, words

EXAMPLES = 10
LEAST_MESSAGES = 5
NAME_WORDS = 3


@dataclass(frozen=True)
class Proposal:
    """Messages that may be an intent of their own.

    Parameters
    ----------
    name
        Its most telling words, joined by underscores.
    size
        How many distinct messages are in it.
    examples
        The most typical ones, at most `EXAMPLES`; personal data masked.
    """

    name: str
    size: int
    examples: tuple[str, ...]


def proposals(texts: Sequence[str], least_messages: int = LEAST_MESSAGES) -> list[Proposal]:
    """Groups of rejected messages, the largest first; messages like no others are in none.

    Parameters
    ----------
    least_messages
        Distinct messages that make a group, at least 2.
    """
    from hdbscan import HDBSCAN

    distinct = list(dict.fromkeys(text for text in map(readable, texts) if words(text)))
    if len(distinct) < 2 * least_messages:
        return []
    vectors = default_encoder().encode(distinct)
    labels = HDBSCAN(min_cluster_size=least_messages, min_samples=2, allow_single_cluster=False, core_dist_n_jobs=1).fit_predict(
        vectors.astype(np.float64)
    )
    everywhere = Counter(word for text in distinct for word in set(words(text)))
    groups = [np.flatnonzero(labels == label) for label in range(labels.max() + 1)]
    found = [_proposal([distinct[row] for row in rows], vectors[rows], everywhere, len(distinct)) for rows in groups]
    return sorted(found, key=lambda proposal: (-proposal.size, proposal.name))


def _proposal(texts: list[str], vectors: np.ndarray, everywhere: Counter[str], total: int) -> Proposal:
    typical = np.argsort(-(vectors @ vectors.mean(axis=0)), kind="stable")[:EXAMPLES]
    here = Counter(word for text in texts for word in set(words(text)))
    telling = {word: count / len(texts) * np.log(total / everywhere[word]) for word, count in here.items()}
    named = sorted(telling, key=lambda word: (word in ENGLISH_STOP_WORDS, -telling[word], word))[:NAME_WORDS]
    return Proposal("_".join(named), len(texts), tuple(texts[row] for row in typical))
