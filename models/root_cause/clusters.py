"""Kinds of messages: templates as vectors, clustered once in normal time.

One vector per template, never per line. A template that normal time lacks joins the cluster of the nearest exemplar if it is similar
enough, and is noise otherwise.

References
----------
Campello, Moulavi and Sander (2013), Density-based clustering based on hierarchical density estimates (HDBSCAN).
Reimers and Gurevych (2019), Sentence-BERT: sentence embeddings using Siamese BERT-networks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.encoder import Encoder
from models.root_cause.window import Array, Symbols

NOISE = -1
MAX_EXEMPLARS = 8
"""Exemplars kept per cluster; HDBSCAN calls every point of a densest leaf one."""


@dataclass(frozen=True)
class Clusters:
    """Clusters of templates.

    Parameters
    ----------
    vectors
        Unit vectors of the templates of normal time, shape (template, dimension).
    labels
        Cluster of each; noise = -1.
    exemplars
        Rows of `vectors` that stand for the clusters.
    """

    vectors: Array
    labels: Array
    exemplars: Array

    def assign(self, vectors: Array, least_cosine: float) -> Array:
        """Cluster of each further template: that of the most similar exemplar, or noise."""
        if not len(self.exemplars) or not len(vectors):
            return np.full(len(vectors), NOISE)
        cosines = vectors @ self.vectors[self.exemplars].T
        nearest = self.labels[self.exemplars][cosines.argmax(axis=1)]
        return np.where(cosines.max(axis=1) >= least_cosine, nearest, NOISE)

    def centre(self, label: int) -> int:
        """The template most similar to all others of its cluster."""
        members = np.flatnonzero(self.labels == label)
        return int(members[np.argmax(self.vectors[members] @ self.vectors[members].sum(axis=0))])


def cluster(vectors: Array, min_cluster_size: int) -> Clusters:
    """Find the clusters of templates; too few templates are all noise."""
    if len(vectors) <= min_cluster_size:
        return Clusters(vectors, np.full(len(vectors), NOISE), np.array([], dtype=np.int64))
    from hdbscan import HDBSCAN  # costs a second, and only fitting needs it

    found = HDBSCAN(min_cluster_size=min_cluster_size, min_samples=1, core_dist_n_jobs=1).fit(vectors.astype(np.float64))
    strength = found.probabilities_
    exemplars = [
        members[np.argsort(-strength[members], kind="stable")][:MAX_EXEMPLARS]
        for label in range(found.labels_.max() + 1)
        for members in [np.flatnonzero(found.labels_ == label)]
    ]
    return Clusters(vectors, found.labels_.astype(np.int64), np.concatenate(exemplars) if exemplars else np.array([], dtype=np.int64))


MOST_GROUPED = 1_500
"""Templates that are grouped while somebody waits: all pairs of them are compared."""


def grouped(vectors: Array, least_cosine: float) -> Array:
    """Groups of templates of which nothing is known, by average linkage; those that resemble no other are noise = -1."""
    labels = np.full(len(vectors), NOISE)
    if len(vectors) > 1:
        from scipy.cluster.hierarchy import fcluster, linkage

        tree = linkage(vectors[:MOST_GROUPED], "average", metric="cosine")
        groups = fcluster(tree, 1 - least_cosine, "distance")
        found, counts = np.unique(groups, return_counts=True)
        several = found[counts > 1]
        labels[: len(groups)] = np.where(np.isin(groups, several), np.searchsorted(several, groups), NOISE)
    return labels


class Embedding:
    """Vectors of templates, each text encoded once.

    Parameters
    ----------
    known
        Row of `vectors` by template.
    """

    def __init__(self, encoder: Encoder, known: Mapping[str, int], vectors: Array) -> None:
        self._encoder = encoder
        self._known = known
        self._vectors = vectors

    def of(self, texts: Sequence[str]) -> Array:
        """Unit vectors of shape (text, dimension)."""
        strangers = sorted({text for text in texts if text not in self._known})
        place = {**self._known, **{text: len(self._known) + i for i, text in enumerate(strangers)}}
        vectors = np.concatenate([self._vectors, self._encoder.encode(strangers)]) if strangers else self._vectors
        return vectors[[place[text] for text in texts]]


def novelty(symbols: Symbols, vectors: Array, known: Array, like: float) -> Array:
    """How little each symbol resembles what its service is known to write, from 0 to 1; 0 for known symbols.

    Parameters
    ----------
    vectors
        Unit vectors of the symbols' templates.
    known
        Whether normal time has the symbol.
    like
        Cosine below which a template is wholly new.
    """
    service_of = symbols.service_of()
    result = np.zeros(len(symbols))
    for symbol in np.flatnonzero(~known):
        siblings = known & (service_of == service_of[symbol])
        nearest = float((vectors[siblings] @ vectors[symbol]).max()) if siblings.any() else 0.0
        result[symbol] = min(1.0, max(0.0, (1 - nearest) / (1 - like)))
    return result
