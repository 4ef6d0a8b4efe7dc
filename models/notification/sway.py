"""What the hour of the day and earlier pushes do to a click, as the nightly model has it: so that a decision can look ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from models.notification.champion import Champion
from models.notification.clock import DAY, HOUR, local
from models.notification.evidence import shift, spread_of
from models.scalar import Scalar

Row = Mapping[str, Scalar]

_TIRING_ROWS = 2_000
_HOURS = 24
_WIDE = 3.0
"""A spread that leaves a shift where the outcomes put it."""
_TRUSTED_PUSHES = 5.0
"""Pushes after which a user's own weigh as much as those of all."""


class Tiring(NamedTuple):
    """What a push takes from those after it.

    Parameters
    ----------
    slope
        What it takes from the log-odds of each of them, for a day.
    pushes_a_day
        How many follow, for the average user.
    worth
        What a unit of log-odds of a push is worth: the mean of p (1 - p) and the value.
    """

    slope: float
    pushes_a_day: float
    worth: float

    @classmethod
    def learn(cls, champion: Champion, rows: Sequence[Row], values: NDArray[np.float64]) -> Self:
        """Ask the nightly model about pushes, and about the same ones after one push more."""
        places = np.linspace(0, len(rows) - 1, min(len(rows), _TIRING_ROWS)).astype(int).tolist()
        some = [rows[place] for place in places]
        more = [{**row, **{name: _number(row[name]) + 1 for name in ("pushes_last_day", "pushes_last_week")}} for row in some]
        before, after = champion.log_odds(some), champion.log_odds(more)
        p = expit(before)
        week = float(np.mean([_number(row["pushes_last_week"]) for row in some]))
        return cls(float((before - after).mean()), week / 7, float((p * (1 - p) * values[places]).mean()))

    def follow(self, pushes_a_day: float) -> float:
        """How many pushes follow in a day for a user of whom so many a day are known; as few days are, half of it is what all get."""
        return (pushes_a_day + self.pushes_a_day) / 2

    def worth_of(self, pushes: float, worth: float) -> float:
        """What a unit of log-odds is worth for a user of whose pushes so many are known, worth so much in sum."""
        return (worth + _TRUSTED_PUSHES * self.worth) / (pushes + _TRUSTED_PUSHES)


def daily_rhythm(champion: Champion, rows: Sequence[Row], clicked: NDArray[np.bool_]) -> list[float]:
    """What each hour of the user's day adds to the log-odds of a click; nothing where outcomes do not show that hours differ.

    Clicks of each hour are held against what the nightly model expects of the same pushes at one and the same hour, and shrunk by
    empirical Bayes: a decision takes the best of many hours, and of effects that are not shrunk the best is mostly luck.
    """
    if champion.columns is None:
        return [0.0] * _HOURS
    hours = np.array([int(_number(row["hour"])) % _HOURS for row in rows])
    log_odds = champion.log_odds([{**row, "hour": _HOURS // 2} for row in rows])
    everything = len(rows), clicked.sum(), expit(log_odds).sum()
    expected = expit(log_odds + shift(everything, _WIDE, 0.0)[0])
    sums = np.column_stack([np.bincount(hours, weights=each, minlength=_HOURS) for each in (np.ones(len(rows)), clicked, expected)])
    tried = sums[:, 0] > 0
    spread = spread_of(*sums[tried].T)
    return [shift(tuple(row), spread, 0.0)[0] for row in sums.tolist()]


def hourly(rhythm: Sequence[float], at: int, zone: str, latest: int) -> list[float]:
    """What the log-odds gain by waiting so many hours, none until `latest` at most a day, as the hour of the user's day alone has it."""
    clock = [local(at + wait * HOUR, zone) % DAY // HOUR for wait in range(min(latest, _HOURS - 1) + 1)]
    return [rhythm[hour] - rhythm[clock[0]] for hour in clock]


def _number(value: Scalar) -> float:
    return float(value or 0)
