"""What is known of a notification before anything is decided."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from models.notification.evidence import stretch_of


def sigmoid(log_odds: float) -> float:
    """The probability of log-odds."""
    return 1.0 / (1.0 + math.exp(-max(min(log_odds, 500.0), -500.0)))


@dataclass(frozen=True)
class Belief:
    """What is known of a notification before anything is decided.

    Parameters
    ----------
    mean, deviation
        Of the log-odds of a click if it is pushed now.
    disable
        Probability that a push makes the user turn the type off.
    disable_later
        How much likelier this makes it that later pushes do, in sum.
    pushes_last_day
        Of this user.
    fatigue
        Value of the later clicks that a push costs.
    in_app_share, digest_share
        Clicks there per click of a push.
    turned_off
        Whether the user turned this type off.
    gain_at
        What the log-odds gain by waiting, by the number of hours; 0 hours are not among them.
    """

    mean: float
    deviation: float
    disable: float
    disable_later: float
    pushes_last_day: int
    fatigue: float
    in_app_share: float
    digest_share: float
    turned_off: bool
    gain_at: Mapping[int, float]

    @cached_property
    def log_odds(self) -> float:
        """Of the probability of a click if it is pushed now, doubt included."""
        return self.mean / stretch_of(self.deviation**2)

    @property
    def probability(self) -> float:
        """Of a click if it is pushed now."""
        return sigmoid(self.log_odds)
