"""From one user's edges to the answer: interests by weight, recommendations by the paths that lead from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.interest_graph.ledger import Edges, Floats, Ints, to_datetime
from models.interest_graph.records import Interest, Reason, Recommendation
from models.interest_graph.relations import Relations

REASONS = 3
"""Paths shown with a recommendation."""


def strongest(edges: Edges, sign: int, names: Sequence[str], k: int) -> list[Interest]:
    """The k edges of greatest weight of that sign.

    Parameters
    ----------
    edges
        Of one user.
    sign
        1 for interests, -1 for rejected topics.
    names
        Of the topics, by number.
    """
    positive = np.maximum(edges.weight, 0.0)
    total = max(math.fsum(positive.tolist()), np.finfo(float).tiny)  # fsum: topics are numbered as they came, and that must not show
    return [
        Interest(
            topic=names[edges.topic[place]],
            weight=float(edges.weight[place]),
            share=float(positive[place]) / total,
            last_at=to_datetime(int(edges.newest[place])),
            actions=int(edges.actions[place]),
        )
        for place in _best(sign * edges.weight, edges.topic, names, k)
    ]


def recommend(edges: Edges, relations: Relations, popularity: Ints, names: Sequence[str], k: int) -> list[Recommendation]:
    """Topics that the user has no edge to: where the paths lead, then what is popular.

    A rejected topic counts against the topics related to it.

    Parameters
    ----------
    edges
        Of one user.
    popularity
        By topic.
    names
        Of the topics, by number.
    """
    paths = _Paths.leaving(edges, relations)
    scores = np.bincount(paths.target, weights=paths.flow, minlength=len(relations))
    scores[edges.topic[edges.topic < len(relations)]] = 0.0
    best = _best(scores, np.arange(len(scores)), names, k)
    chosen = np.zeros(len(scores), dtype=bool)
    chosen[best] = True
    shown = paths.only(chosen[paths.target] & (paths.flow > 0))
    found = [Recommendation(topic=names[topic], score=float(scores[topic]), because=_because(shown, topic, names)) for topic in best]
    if len(found) < k:
        below = found[-1].score if found else 1.0
        found += _popular(popularity, [*edges.topic.tolist(), *best], names, k - len(found), below)
    return found


@dataclass(frozen=True)
class _Paths:
    """Ways from a user's interests to other topics, with what flows along each and how many users it passes."""

    source: Ints
    target: NDArray[np.int32]
    flow: Floats
    users: NDArray[np.int32]

    @classmethod
    def leaving(cls, edges: Edges, relations: Relations) -> _Paths:
        related = edges.topic < len(relations)  # the others came after the last training
        source, interest = edges.topic[related], edges.damped()[related]
        at, start = relations.leaving(source)
        return cls(source[start], relations.topic[at], interest[start] * relations.strength[at], relations.users[at])

    def only(self, which: NDArray[np.bool_]) -> _Paths:
        return _Paths(self.source[which], self.target[which], self.flow[which], self.users[which])


def _because(paths: _Paths, target: int, names: Sequence[str]) -> list[Reason]:
    """The strongest paths to a topic."""
    leading = paths.only(paths.target == target)
    total = float(leading.flow.sum())
    return [
        Reason(topic=names[leading.source[place]], users=int(leading.users[place]), share=float(leading.flow[place]) / total)
        for place in _best(leading.flow, leading.source, names, REASONS)
    ]


def _popular(popularity: Ints, without: Sequence[int], names: Sequence[str], k: int, below: float) -> list[Recommendation]:
    """The most popular of the other topics, with scores of at most `below`."""
    counted = popularity.astype(np.float64)
    counted[np.array(without, dtype=np.int64)] = 0.0
    best = _best(counted, np.arange(len(counted)), names, k)
    greatest = counted.max(initial=1.0)
    return [Recommendation(topic=names[topic], score=below * float(counted[topic] / greatest), because=[]) for topic in best]


def _best(scores: NDArray[Any], topics: Ints, names: Sequence[str], k: int) -> list[int]:
    """Positions of the k greatest positive scores, greatest first; equal ones by the topic's name."""
    places = np.flatnonzero(scores > 0)
    if k < len(places):
        places = places[scores[places] >= np.partition(scores[places], -k)[-k]]
    return sorted(places.tolist(), key=lambda place: (-scores[place], names[int(topics[place])]))[:k]
