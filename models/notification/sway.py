"""What the hour of the day and earlier pushes do to a click, as the nightly model has it: so that a decision can look ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from models.churn.records import Scalar
from models.notification.champion import Champion
from models.notification.clock import DAY, HOUR, local

Row = Mapping[str, Scalar]

_ROWS = 200
"""Enough for a mean effect, few enough to be asked about every hour and type."""
_TIRING_ROWS = 2_000
_MOST_TYPES = 200
_HOURS = 24


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
        return cls(max(0.0, float((before - after).mean())), week / 7, float((p * (1 - p) * values[places]).mean()))

    def follow(self, pushes_a_day: float) -> float:
        """How many pushes follow in a day for a user of whom so many a day are known; as few days are, half of it is what all get."""
        return (pushes_a_day + self.pushes_a_day) / 2

    def cost(self, pushes_a_day: float) -> float:
        """Value of the later clicks that a push costs such a user."""
        return self.slope * self.worth * self.follow(pushes_a_day)


def daily_rhythm(champion: Champion, rows: Sequence[Row]) -> dict[str, list[float]]:
    """Mean log-odds by hour of the user's day, by type and (under the empty name) overall, of some rows that are moved to that hour."""
    if champion.columns is None:
        return {}
    some = [rows[place] for place in np.linspace(0, len(rows) - 1, min(len(rows), _ROWS)).astype(int)]
    kinds = sorted({str(row["type"]) for row in rows})[:_MOST_TYPES]
    rhythm = {}
    for kind in ["", *kinds]:
        moved = [{**row, **({"type": kind} if kind else {}), "hour": hour} for hour in range(_HOURS) for row in some]
        rhythm[kind] = champion.log_odds(moved).reshape(_HOURS, -1).mean(axis=1).tolist()
    return rhythm


def gains(rhythm: Mapping[str, Sequence[float]], kind: str, at: int, zone: str, latest: int) -> dict[int, float]:
    """What the log-odds gain by waiting, by hours until `latest`, at most a day, as the hour of the user's day alone has it."""
    of_hour = rhythm.get(kind) or rhythm.get("")
    if not of_hour:
        return {}
    now = of_hour[local(at, zone) % DAY // HOUR]
    waits = range(1, min(latest, _HOURS - 1) + 1)
    return {wait: of_hour[local(at + wait * HOUR, zone) % DAY // HOUR] - now for wait in waits}


def _number(value: Scalar) -> float:
    return float(value or 0)
