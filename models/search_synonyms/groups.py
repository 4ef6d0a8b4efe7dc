"""Groups of terms, and what is odd about a dictionary.

That sofa means couch and couch means lounge does not make a sofa a lounge. A group is a clique: every two of its terms were found to mean
the same by themselves. Where rules hang together without being one, the dictionary says more than anybody found, and a person should look.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from models.search_synonyms.rules import Rule

MOST_NAMES = 8
"""Names of one thing from which a person should look: WordNet's largest everyday sets of synonyms are about as large."""


class GroupsRequest(BaseModel):
    """Which groups to show."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"limit": 20}]})

    limit: int = Field(default=100, ge=1, le=10_000, description="How many groups, and how many oddities, at most.")


class Oddity(BaseModel):
    """Something about several rules that a person should look at."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["chain", "cycle", "many_names"] = Field(
        description="`chain`: a -> b -> c, and nobody found a -> c. `cycle`: rules that lead back to where they began. `many_names`: a "
        "term with more names than things usually have."
    )
    terms: list[str] = Field(description="The terms, in the order of the rules.")


class GroupsReply(BaseModel):
    """Groups of terms that all mean the same, pairwise; and oddities."""

    model_config = ConfigDict(frozen=True)

    groups: list[list[str]] = Field(description="Largest first; a term may be in several.")
    oddities: list[Oddity] = Field(description="What a person should look at.")


def groups(rules: Iterable[Rule]) -> list[list[str]]:
    """Maximal cliques of at least three terms, in which every pair has a rule of its own."""
    import networkx as nx  # takes a serving process a tenth of a second, which seldom needs it

    graph = nx.Graph((rule.left, rule.right) for rule in rules if rule.kind != "typo" and not rule.context)
    cliques = [sorted(clique) for clique in nx.find_cliques(graph) if len(clique) >= 3]
    return sorted(cliques, key=lambda clique: (-len(clique), clique))


def oddities(rules: Iterable[Rule]) -> list[Oddity]:
    """Chains that nobody closed, cycles of one-way rules, and terms with too many names."""
    leads: dict[str, set[str]] = {}
    for rule in rules:
        leads.setdefault(rule.left, set()).add(rule.right)
        if rule.two_way:
            leads.setdefault(rule.right, set()).add(rule.left)
    return [*_chains(leads), *_cycles(leads), *_blow_ups(leads)]


def _chains(leads: dict[str, set[str]]) -> list[Oddity]:
    return [
        Oddity(kind="chain", terms=[first, middle, last])
        for first in sorted(leads)
        for middle in sorted(leads[first])
        for last in sorted(leads.get(middle, set()) - leads[first] - {first})
    ]


def _cycles(leads: dict[str, set[str]]) -> list[Oddity]:
    """Loops of one-way rules; two-way rules are no loop."""
    import networkx as nx

    one_way = nx.DiGraph((left, right) for left, rights in leads.items() for right in rights if left not in leads.get(right, set()))
    loops = (component for component in nx.strongly_connected_components(one_way) if len(component) > 1)
    return [Oddity(kind="cycle", terms=_around(one_way, min(loop))) for loop in sorted(loops, key=min)]


def _around(graph: object, start: str) -> list[str]:
    import networkx as nx

    return [left for left, _ in nx.find_cycle(graph, start)]


def _blow_ups(leads: dict[str, set[str]]) -> list[Oddity]:
    return [Oddity(kind="many_names", terms=[term, *sorted(names)]) for term, names in sorted(leads.items()) if len(names) > MOST_NAMES]


def answered(rules: Sequence[Rule], request: GroupsRequest) -> GroupsReply:
    """The reply to a request."""
    return GroupsReply(groups=groups(rules)[: request.limit], oddities=oddities(rules)[: request.limit])
