r"""Which skill group should answer: the one that is expected to cost least.

With calibrated probabilities :math:`p_i` of the intents and :math:`o` of being out of scope, group :math:`g` costs
:math:`(1 - o) \sum_i p_i c_{gi} + o c_{g}`: nothing where the group has the intent, the cost of a misroute otherwise. Groups that are
closed or full are left out; overflow never is.

References
----------
Elkan, C. (2001). The foundations of cost-sensitive learning. IJCAI, section 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from models.intent.groups import Group, Hours, Routing
from models.intent.records import LIKELY, OUT_OF_SCOPE, Route

HUMAN = "human"
"""The group of what is out of scope, where no groups are given."""


def route_by_intent(intent: str, probability: float, out_of_scope: float) -> Route:
    """Where no skill groups are given: the most probable intent is the group, and `HUMAN` that of texts out of scope."""
    if out_of_scope > LIKELY:
        return Route(skill_group=HUMAN, reason=f"out of scope at {out_of_scope:.2f}")
    return Route(skill_group=intent, reason=f"{intent} at {probability:.2f}")


class Router:
    """Skill groups, ready for the intents that a model knows.

    Parameters
    ----------
    routing
        Skill groups and costs.
    intents
        Every intent, in the order of the probabilities.
    """

    def __init__(self, routing: Routing, intents: Sequence[str]) -> None:
        self.routing = routing
        self.intents = tuple(intents)
        self._groups = list(routing.groups.items())
        self._costs = _cost_matrix(routing, intents)

    @property
    def unknown_intents(self) -> list[str]:
        """Intents that the groups name and the model does not know: spelling mistakes, mostly."""
        return sorted((_owned(self.routing) | set(self.routing.costs)) - {*self.intents, OUT_OF_SCOPE})

    @property
    def unrouted_intents(self) -> list[str]:
        """Intents that no group has; overflow gets them."""
        return sorted(set(self.intents) - _owned(self.routing))

    def route(
        self, probabilities: NDArray[np.floating], out_of_scope: float, at: datetime | None = None, busy: Mapping[str, int] | None = None
    ) -> Route:
        """Who should answer.

        Parameters
        ----------
        probabilities
            Of each intent, given that the message is in scope.
        out_of_scope
            Probability that it is not.
        at
            When; ``None``: hours are ignored.
        busy
            Chats that each group has now; absent: none.
        """
        costs = self._costs @ np.append(probabilities * (1 - out_of_scope), out_of_scope)
        obstacles = [self._obstacle(name, group, at, (busy or {}).get(name, 0)) for name, group in self._groups]
        wished = int(np.argmin(costs))
        chosen = int(np.argmin(np.where([obstacle is None for obstacle in obstacles], costs, np.inf)))
        name, cost, about = self._groups[chosen][0], float(costs[chosen]), self._about(probabilities, out_of_scope)
        if wished != chosen:
            return Route(skill_group=name, expected_cost=cost, overflow=True, reason=f"{about}; {obstacles[wished]}, so {name}")
        return Route(skill_group=name, expected_cost=cost, reason=f"{about}; {self._because(name, probabilities, out_of_scope)}")

    def _about(self, probabilities: NDArray[np.floating], out_of_scope: float) -> str:
        if out_of_scope > LIKELY:
            return f"out of scope {out_of_scope:.2f}"
        best = int(np.argmax(probabilities))
        return f"{self.intents[best]} {probabilities[best] * (1 - out_of_scope):.2f}"

    def _because(self, name: str, probabilities: NDArray[np.floating], out_of_scope: float) -> str:
        has = self.intents[int(np.argmax(probabilities))] in self.routing.groups[name].intents
        if has and out_of_scope <= LIKELY:
            return f"{name} answers it"
        if name == self.routing.overflow:
            return f"no other group is sure enough to have it, so {name}"
        return f"a mistake costs least at {name}"

    def _obstacle(self, name: str, group: Group, at: datetime | None, chats: int) -> str | None:
        """Why a group cannot answer now, in words; overflow always can."""
        if name == self.routing.overflow:
            return None
        if at is not None and group.hours is not None and not group.hours.is_open(at):
            return f"{name} is closed{_until(group.hours, at)}"
        if group.capacity is not None and chats >= group.capacity:
            return f"{name} is full with {chats} of {group.capacity} chats"
        return None


def _owned(routing: Routing) -> set[str]:
    return {intent for group in routing.groups.values() for intent in group.intents}


def _until(hours: Hours, at: datetime) -> str:
    opens = hours.opens(at)
    if opens is None:
        return ""
    return f" until {opens:%H:%M}" if opens.date() == at.astimezone(opens.tzinfo).date() else f" until {opens:%a %H:%M}"


def _cost_matrix(routing: Routing, intents: Sequence[str]) -> NDArray[np.float64]:
    """Cost of each intent, and of out of scope in the last column, at each group; of shape (groups, intents + 1)."""
    owned = _owned(routing)

    def cost(name: str, group: Group, intent: str) -> float:
        overflow = name == routing.overflow
        has = intent in group.intents or (overflow and intent not in owned)
        usual = 0.0 if has else routing.overflow_cost if overflow else routing.misroute_cost
        return routing.costs.get(intent, {}).get(name, usual)

    return np.array([[cost(name, group, intent) for intent in (*intents, OUT_OF_SCOPE)] for name, group in routing.groups.items()])
