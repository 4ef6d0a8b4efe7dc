r"""Which topics go together: from every topic to the topics that its users also care about, with a strength.

Interests p of users in topics (m users x n topics) are normalised on both sides, so that neither busy users nor popular topics
dominate: :math:`Z = D_u^{-1/2} P D_t^{-1/4}`. The strength of i -> j is the weight that a ridge regression of topic j on all other
topics gives to topic i (EASE, whose closed form is used in the space of the leading singular vectors of Z, where
:math:`V` has few columns and :math:`g_r = \sigma_r^2 / (\sigma_r^2 + \lambda)`):

.. math:: B_{ij} = (D_t^{-1/4})_{ii} \frac{\sum_r v_{ir} g_r v_{jr}}{1 - \sum_r g_r v_{jr}^2}

Only pairs that somebody cares about in common are kept, and of these the strongest of each topic: every relation is a path that
exists in the graph, topic -> users -> topic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.interest_graph.ledger import Floats, Ints

BLOCK = 512
"""Topics compared with all others at a time; bounds the memory."""

USER_EXPONENT, TOPIC_EXPONENT = 0.5, 0.25
"""Half the normalisation of a walk for topics, as in RP3beta's popularity correction; the whole would recommend only the obscure."""

Matrix = Any
"""A scipy CSR array; scipy has no types."""


@dataclass(frozen=True)
class Relations:
    """Directed topic -> topic edges in CSR form; row i ends at ``indptr[i + 1]``.

    Parameters
    ----------
    indptr
        Of shape (number_of_topics + 1).
    topic
        Where each edge leads; ascending within a row.
    strength
        Positive.
    users
        How many users care about both ends.
    """

    indptr: Ints
    topic: NDArray[np.int32]
    strength: NDArray[np.float32]
    users: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def leaving(self, topics: Ints) -> tuple[Ints, Ints]:
        """All edges that leave some topics: positions of the edges, and for each the index in `topics` of where it starts."""
        counts = self.indptr[topics + 1] - self.indptr[topics]
        start = np.repeat(np.arange(len(topics)), counts)
        skipped = np.cumsum(counts) - counts
        return np.arange(len(start)) + (self.indptr[topics] - skipped)[start], start

    def only(self, kept: NDArray[np.bool_]) -> Relations:
        """The relations between some of the topics, which are numbered anew in the same order."""
        number, start = np.cumsum(kept) - 1, np.repeat(np.arange(len(self)), np.diff(self.indptr))
        edges = kept[start] & kept[self.topic]
        indptr = np.searchsorted(number[start[edges]], np.arange(int(kept.sum()) + 1))
        topic = number[self.topic[edges]].astype(np.int32)
        return Relations(indptr.astype(np.int64), topic, self.strength[edges], self.users[edges])

    @classmethod
    def learn(cls, interests: Matrix, *, rank: int, ridge: float, neighbours: int, seed: int) -> Relations:
        """Relate topics by the users they share.

        Parameters
        ----------
        interests
            Damped interests, CSR of shape (number_of_users, number_of_topics), positive.
        rank
            Singular vectors to keep; fewer if the matrix has fewer.
        ridge
            The regression's regularisation, as a share of the greatest squared singular value.
        neighbours
            Edges to keep for each topic.
        """
        cares = interests.copy()
        cares.data = np.ones_like(cares.data, dtype=np.float32)
        of_user = _power(interests.sum(axis=1), -USER_EXPONENT)
        of_topic = _power(interests.sum(axis=0), -TOPIC_EXPONENT)
        normalised = sparse.diags(of_user) @ interests @ sparse.diags(of_topic)
        v, shrunk = _factors(normalised.tocsr(), rank, ridge, seed)
        explained = np.einsum("jr,jr->j", v, shrunk)
        leaving = of_topic[:, None] * shrunk
        residual = np.maximum(1.0 - explained, np.finfo(np.float32).eps)
        by_topic, blocks = cares.T.tocsr(), []
        for begin in range(0, interests.shape[1], BLOCK):
            block = slice(begin, begin + BLOCK)
            shared = (by_topic[block] @ cares).tocoo()
            strength = (leaving[block] @ v.T)[shared.row, shared.col] / residual[shared.col]
            blocks.append(_strongest(shared.row + begin, shared.col, strength, shared.data, neighbours))
        row, topic, strength, users = (np.concatenate(column) for column in zip(*blocks, strict=True))
        indptr = np.searchsorted(row, np.arange(interests.shape[1] + 1))
        return cls(indptr.astype(np.int64), topic.astype(np.int32), strength.astype(np.float32), users.astype(np.int32))


def _factors(normalised: Matrix, rank: int, ridge: float, seed: int) -> tuple[Floats, Floats]:
    """``V`` and ``V diag(g)``, both of shape (number_of_topics, rank)."""
    from sklearn.utils.extmath import randomized_svd  # scikit-learn stays out of a process that only serves

    _, sigma, v = randomized_svd(normalised, min(rank, *normalised.shape), n_iter=4, random_state=seed)
    squared = sigma**2
    gain = squared / (squared + max(ridge * squared[0], np.finfo(np.float32).tiny))  # nobody may care about anything
    return v.T, (v * gain[:, None]).T


def _power(sums: Any, exponent: float) -> NDArray[np.float32]:
    flat = np.asarray(sums, dtype=np.float32).ravel()
    return np.power(flat, exponent, where=flat > 0, out=np.zeros_like(flat))


def _strongest(row: Ints, topic: Ints, strength: Floats, users: Floats, neighbours: int) -> tuple[NDArray[Any], ...]:
    """The `neighbours` strongest positive edges of each row, sorted by row and topic; a topic is not its own neighbour."""
    kept = np.flatnonzero((row != topic) & (strength > 0))
    order = kept[np.lexsort((topic[kept], -strength[kept], row[kept]))]
    begins = np.searchsorted(row[order], row[order])
    order = order[np.arange(len(order)) - begins < neighbours]
    order = order[np.lexsort((topic[order], row[order]))]
    return row[order], topic[order], strength[order], users[order]
