"""The graph for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from models.interest_graph.ledger import Edges, to_datetime
from models.interest_graph.relations import Relations

if TYPE_CHECKING:
    import networkx as nx


def to_networkx(edges: Edges, users: Sequence[str], topics: Sequence[str], relations: Relations) -> nx.DiGraph:
    """Users -> topics -> related topics, as `InterestGraph.to_networkx` describes it."""
    import networkx as nx  # takes a serving process a tenth of a second, which never exports

    graph = nx.DiGraph()
    graph.add_nodes_from((f"user:{name}", {"kind": "user", "name": name}) for name in users)
    graph.add_nodes_from((f"topic:{name}", {"kind": "topic", "name": name}) for name in topics)
    columns = (edges.user, edges.topic, edges.weight, edges.newest, edges.actions)
    for user, topic, weight, newest, actions in zip(*(column.tolist() for column in columns), strict=True):
        instant = to_datetime(newest)
        last_at = {} if instant is None else {"last_at": instant.isoformat()}
        graph.add_edge(f"user:{users[user]}", f"topic:{topics[topic]}", weight=weight, actions=actions, **last_at)
    starts = np.repeat(np.arange(len(relations)), np.diff(relations.indptr))
    related = (starts, relations.topic, relations.strength, relations.users)
    for start, end, weight, shared in zip(*(column.tolist() for column in related), strict=True):
        graph.add_edge(f"topic:{topics[start]}", f"topic:{topics[end]}", weight=weight, users=shared)
    return graph
