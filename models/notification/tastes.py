"""How far types, segments and users are from what the nightly model expects of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from models.notification.evidence import Sums, shift, spread_of, stretch_of

Array = NDArray[np.float64]

LEVELS = ("type", "segment", "user", "user_type")
DRIFT = {"type": 0.1, "segment": 0.05, "user": 0.2, "user_type": 0.4}
"""The least spread of each level: what showed no differences until last night may begin to."""

SEPARATOR = "\x1f"
"""Between the parts of a key; control characters cannot be in a name."""


class Group(NamedTuple):
    """Whose notification it is."""

    user: str
    type: str
    segment: str

    def keys(self) -> tuple[str, str, str, str]:
        """One key per level."""
        return self.type, f"{self.type}{SEPARATOR}{self.segment}", self.user, f"{self.user}{SEPARATOR}{self.type}"


class Tastes:
    """Counts by level, and how much groups of each level differ.

    Types and segments are counted against the nightly model; users against the nightly model and what was known of their types and
    segments last night, or who is sent much of what nobody clicks would seem to dislike everything.

    Parameters
    ----------
    spreads
        Standard deviation between groups, in log-odds, by level.
    sums
        Counts by level.
    settled
        Shifts of types and segments as of last night, by the key of the segment; of a type alone, by its own.
    """

    def __init__(self, spreads: Mapping[str, float], sums: Mapping[str, Sums], settled: Mapping[str, float]) -> None:
        self.spreads, self.sums, self.settled = dict(spreads), dict(sums), dict(settled)

    @classmethod
    def nothing(cls) -> Self:
        """Before anything was counted."""
        return cls(DRIFT, {level: Sums() for level in LEVELS}, {})

    @classmethod
    def learn(cls, groups: Sequence[Group], log_odds: Array, clicked: Array, weights: Array) -> Self:
        """Count outcomes, and estimate how much groups differ, level by level.

        Parameters
        ----------
        log_odds
            What the nightly model gave each outcome.
        weights
            What each outcome counts.
        """
        tastes = cls.nothing()
        columns = list(zip(*(group.keys() for group in groups), strict=True))
        moved = log_odds.copy()
        for level, keys in zip(LEVELS, columns, strict=True):
            tastes._learn_spread(level, keys, moved, clicked, weights)
            if level in ("type", "segment"):
                base = log_odds
                tastes.sums[level].add(keys, _outcomes(base, clicked, weights))
                shifts = {group: tastes._of_type(group)[0] for group in dict.fromkeys(Group("", g.type, g.segment) for g in groups)}
                moved = log_odds + np.array([shifts[Group("", g.type, g.segment)] for g in groups])
        tastes.settled = {group.keys()[1]: value for group, value in shifts.items()}
        tastes.settled |= {each.type: tastes._level("type", each.type, 0.0, 0.0)[0] for each in groups}
        for level, keys in zip(LEVELS[2:], columns[2:], strict=True):
            tastes.sums[level].add(keys, _outcomes(moved, clicked, weights))
        return tastes

    def _learn_spread(self, level: str, keys: Sequence[str], log_odds: Array, clicked: Array, weights: Array) -> None:
        _, place = np.unique(np.array(keys), return_inverse=True)
        p = expit(log_odds)
        trials, clicks, expected = (
            np.bincount(place, weights=column).astype(np.float64) for column in (weights, weights * clicked, weights * p)
        )
        self.spreads[level] = max(DRIFT[level], spread_of(trials, clicks, expected))

    def add(self, groups: Sequence[Group], log_odds: Array, clicked: Array, weights: Array) -> None:
        """Count further outcomes."""
        columns = list(zip(*(group.keys() for group in groups), strict=True))
        outcomes = _outcomes(log_odds, clicked, weights)
        for level, keys in zip(LEVELS[:2], columns[:2], strict=True):
            self.sums[level].add(keys, outcomes)
        self.add_users(groups, self.expected(groups, log_odds), clicked, weights)

    def add_grades(self, groups: Sequence[Group], log_odds: Array, grades: Array, weights: Array) -> None:
        """Count what is no click as a part of one, for users alone: it tells their taste, and nothing of rates of clicks.

        A grade of 0 counts as no click, a half as what was expected, 1 as a click.
        """
        p = self.expected(groups, log_odds)
        self.add_users(groups, p, np.where(grades <= 0.5, 2 * grades * p, p + (1 - p) * (2 * grades - 1)), weights)

    def add_users(self, groups: Sequence[Group], expected: Array, clicks: Array, weights: Array) -> None:
        """Count outcomes of users, beside what was expected of each."""
        columns = list(zip(*(group.keys() for group in groups), strict=True))
        for level, keys in zip(LEVELS[2:], columns[2:], strict=True):
            self.sums[level].add(keys, np.column_stack([weights, weights * clicks, weights * expected]))

    def expected(self, groups: Sequence[Group], log_odds: Array) -> Array:
        """Probabilities of a click by the nightly model, and by what was known of types and segments last night."""
        return np.asarray(expit(log_odds + np.array([self.settled_of(group) for group in groups])), dtype=np.float64)

    def of(self, group: Group, log_odds: float) -> tuple[float, float]:
        """Mean and variance of the log-odds of a group's own, for which the nightly model gave `log_odds`.

        These lie further from zero than log-odds of the nightly model, which are those of all users like this one; see `stretch_of`.
        """
        stretch = stretch_of(self.spreads["user"] ** 2 + self.spreads["user_type"] ** 2)
        settled = self.settled_of(group)
        mean, variance = self._of_type(group)
        mean, variance = shift(self.sums["user"].get(group.user), self.spreads["user"], stretch * (mean - settled), variance, stretch)
        mean, variance = shift(self.sums["user_type"].get(group.keys()[3]), self.spreads["user_type"], mean, variance, stretch)
        return stretch * (log_odds + settled) + mean, variance

    def _of_type(self, group: Group) -> tuple[float, float]:
        mean, variance = self._level("type", group.type, 0.0, 0.0)
        return self._level("segment", group.keys()[1], mean, variance)

    def settled_of(self, group: Group) -> float:
        """The shift of a type and segment as of last night."""
        return self.settled.get(group.keys()[1], self.settled.get(group.type, 0.0))

    def _level(self, level: str, key: str, mean: float, variance: float) -> tuple[float, float]:
        return shift(self.sums[level].get(key), self.spreads[level], mean, variance)

    def knows(self, user: str) -> bool:
        """Whether any outcome of a user was counted."""
        return user in self.sums["user"]

    def forget(self, user: str) -> None:
        """Drop a user; what types and segments learned of them remains, without a name."""
        self.sums["user"].drop([user])
        prefix = user + SEPARATOR
        self.sums["user_type"].drop([key for key in self.sums["user_type"] if key.startswith(prefix)])

    def dump(self) -> tuple[dict[str, Any], dict[str, NDArray[np.int64]]]:
        """Names and counts."""
        dumped = {level: sums.dump() for level, sums in self.sums.items()}
        names = {"spreads": self.spreads, "settled": self.settled, "keys": {level: keys for level, (keys, _) in dumped.items()}}
        return names, {level: counts for level, (_, counts) in dumped.items()}

    @classmethod
    def restore(cls, names: Mapping[str, Any], counts: Mapping[str, NDArray[np.int64]]) -> Self:
        """Take back what `dump` gave."""
        return cls(names["spreads"], {level: Sums(names["keys"][level], counts[level]) for level in LEVELS}, names["settled"])


def _outcomes(log_odds: Array, clicked: Array, weights: Array) -> Array:
    return np.column_stack([weights, weights * clicked, weights * expit(log_odds)])
