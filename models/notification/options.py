"""What each action on a notification is worth by the log-odds of a click; `models.notification.decision` has the formulas."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.instants import to_microseconds
from models.notification.belief import Belief, sigmoid
from models.notification.clock import HOUR, is_quiet
from models.notification.config import NotificationConfig
from models.notification.records import NotificationQuery
from models.notification.vocabulary import Action


@dataclass(frozen=True)
class Options:
    """What each action is worth as a function of the log-odds: share x value x p(z + gain) - cost.

    In the mode ``threshold`` push is worth p - threshold against a digest's 0.
    """

    costs: Mapping[Action, float]
    factors: Mapping[Action, float]
    gain: float
    wait: int

    def utility(self, action: Action, log_odds: float) -> float:
        """What an action is worth."""
        moved = log_odds + self.gain if action == "later" else log_odds
        return self.factors[action] * sigmoid(moved) - self.costs[action]

    def utilities(self, log_odds: float) -> dict[Action, float]:
        """What each action is worth."""
        return {action: self.utility(action, log_odds) for action in self.costs}

    def matrix(self, log_odds: NDArray[np.float64], actions: Sequence[Action]) -> NDArray[np.float64]:
        """Utilities of shape (number_of_actions, number_of_draws)."""
        p = 1.0 / (1.0 + np.exp(-log_odds))
        moved = 1.0 / (1.0 + np.exp(-(log_odds + self.gain))) if "later" in actions else p
        return np.array([self.factors[each] * (moved if each == "later" else p) - self.costs[each] for each in actions])


def options_of(query: NotificationQuery, belief: Belief, config: NotificationConfig, at: int) -> Options:
    """What may be done with a notification, and what it is worth."""
    if config.mode == "threshold":
        return Options({"push": config.threshold, "digest": 0.0}, {"push": 1.0, "digest": 0.0}, 0.0, 0)
    value = query.value
    burden = (belief.disable + belief.disable_later) * config.disable_cost + config.fatigue_cost * belief.fatigue
    costs: dict[Action, float] = {
        "push": burden,
        "in_app": config.least_value,
        "digest": config.least_value,
        "drop": 0.0,
    }
    factors: dict[Action, float] = {
        "push": value,
        "in_app": belief.in_app_share * value,
        "digest": belief.digest_share * value,
        "drop": 0.0,
    }
    wait, gain = _better_hour(query, belief, config, at)
    if wait:
        costs["later"], factors["later"] = burden, value * max(0.0, 1.0 - config.delay_cost * wait)
    return Options(costs, factors, gain, wait)


def _better_hour(query: NotificationQuery, belief: Belief, config: NotificationConfig, at: int) -> tuple[int, float]:
    """How many hours to wait for the most valuable hour in reach, and what the log-odds gain; 0 if none is in reach."""
    most, wait, gain = -math.inf, 0, 0.0
    zone = query.time_zone or config.time_zone
    latest = math.inf if query.expires_at is None else to_microseconds(query.expires_at)
    for hours, further in belief.gain_at.items():
        instant = at + hours * HOUR
        if hours > config.delay_hours or instant >= latest or (config.quiet_hours and is_quiet(instant, zone, config.quiet_hours)):
            continue
        worth = sigmoid(belief.log_odds + further) * (1.0 - config.delay_cost * hours)
        if worth > most:
            most, wait, gain = worth, hours, further
    return wait, gain


def best_of(utilities: Mapping[Action, float], actions: Sequence[Action]) -> Action:
    """The most valuable; of equals the first, which is the one that was offered first."""
    return max(actions, key=lambda action: utilities[action])
