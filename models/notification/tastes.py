"""How far types, segments, weekdays, loads and users are from what the nightly model expects of them."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from models.notification.evidence import Sums, common_spread_of, shift, spread_of, stretch_of

Array = NDArray[np.float64]

Keys = tuple[str, str, str, str, str, str]
"""One key per level."""

LEVELS = ("type", "segment", "weekday", "load", "recency", "user_type")
_BEFORE_USERS, _AFTER_USERS = LEVELS[:4], LEVELS[4]
DRIFT = {"type": 0.1, "segment": 0.05, "weekday": 0.05, "load": 0.05, "recency": 0.05, "user": 0.2, "user_type": 0.4}
"""The least spread of each level: what showed no differences until last night may begin to."""

SEPARATOR = "\x1f"
"""Between the parts of a key; control characters cannot be in a name."""


MOST_LOAD = 8


class Group(NamedTuple):
    """Whose notification it is, and what lies on them.

    Parameters
    ----------
    load
        Pushes of the last day.
    recency
        How long ago the last click was, and whether there was a push in the last hour, in coarse steps.
    """

    user: str
    type: str
    segment: str
    weekday: str = ""
    load: int = 0
    recency: str = ""

    def keys(self) -> Keys:
        """One key per level."""
        return *_keys_of_many(self.type, self.segment, self.weekday, min(self.load, MOST_LOAD), self.recency), self.own_key()

    def own_key(self) -> str:
        """The key of the user's own type."""
        return f"{self.user}{SEPARATOR}{self.type}"


@lru_cache(maxsize=65_536)
def _keys_of_many(kind: str, segment: str, weekday: str, load: int, recency: str) -> tuple[str, str, str, str, str]:
    """Keys of the levels whose groups many users share."""
    return kind, f"{kind}{SEPARATOR}{segment}", f"weekday {weekday}", f"load {load}", f"recency {recency}"


class Shift(NamedTuple):
    """How far a group is from what is expected of it, in log-odds: mean and variance."""

    mean: float
    variance: float

    def __add__(self, other: Shift) -> Shift:  # type: ignore[override]
        return Shift(self.mean + other.mean, self.variance + other.variance)


class Tastes:
    """Counts by level, and how much groups of each level differ.

    Types, segments and what lies on users are counted since last night, against what was expected of each user: who is sent only what they
    like clicks more than others would, and says nothing of the type. Users' types are counted since ever, against the nightly model and
    what was known of the other levels last night. Recency is held against users' own tastes: who clicked just now is mostly somebody who
    often clicks, and what that tells of a stranger changes as soon as decisions do.

    Parameters
    ----------
    spreads
        Standard deviation between groups, in log-odds: by level; of users in all types under `user`.
    sums
        Counts by level.
    settled
        Shifts as of last night by key; that of a segment holds its type's.
    """

    def __init__(self, spreads: Mapping[str, float], sums: Mapping[str, Sums], settled: Mapping[str, Shift]) -> None:
        self.spreads, self.sums, self.settled = dict(spreads), dict(sums), dict(settled)
        self._kinds: dict[str, list[str]] = {}
        for key in self.sums["user_type"]:
            self._meet(key)

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
        tastes, moved = cls.nothing(), log_odds
        columns = list(zip(*(group.keys() for group in groups), strict=True))
        for level, keys in zip(_BEFORE_USERS, columns, strict=False):
            shifts = tastes._learn_level(level, keys, moved, clicked, weights)
            parents = dict(zip(keys, columns[0], strict=True)) if level == "segment" else {}
            tastes.settled |= {key: each + tastes.settled[parents[key]] if parents else each for key, each in shifts.items()}
            moved = moved + np.array([shifts[key].mean for key in keys])
        tastes._learn_users(columns[-1], expit(moved), clicked, weights)
        tastes.add_users(groups, expit(moved), clicked, weights)
        own = [tastes.of(*each) for each in zip(groups, log_odds.tolist(), strict=True)]
        personal = np.array([mean / stretch_of(variance) for mean, variance in own])
        tastes.settled |= tastes._learn_level(_AFTER_USERS, columns[LEVELS.index(_AFTER_USERS)], personal, clicked, weights)
        return tastes

    def _learn_level(self, level: str, keys: Sequence[str], log_odds: Array, clicked: Array, weights: Array) -> dict[str, Shift]:
        """How far groups of a level are from what is known of the levels before."""
        names, sums = _summed(keys, expit(log_odds), clicked, weights)
        self.spreads[level] = max(DRIFT[level], spread_of(*sums.T))
        return {name: Shift(*shift(tuple(row), self.spreads[level], 0.0)) for name, row in zip(names, sums.tolist(), strict=True)}

    def _learn_users(self, keys: Sequence[str], expected: Array, clicked: Array, weights: Array) -> None:
        """How much users differ in all types, and beyond that in each."""
        names, sums = _summed(keys, expected, clicked, weights)
        users = [name.rpartition(SEPARATOR)[0] for name in names]
        whole, common = spread_of(*sums.T), common_spread_of(users, *sums.T)
        self.spreads["user"] = max(DRIFT["user"], min(common, whole))
        self.spreads["user_type"] = max(DRIFT["user_type"], math.sqrt(max(0.0, whole**2 - common**2)))

    def add(self, groups: Sequence[Group], log_odds: Array, wanted: Array, clicked: Array, weights: Array) -> None:
        """Count further outcomes.

        Parameters
        ----------
        wanted
            The probability of each click as known last night, the user's own taste included.
        """
        outcomes = np.column_stack([weights, weights * clicked, weights * wanted])
        columns = zip(*(group.keys() for group in groups), strict=True)
        for level, keys in zip(LEVELS[:-1], columns, strict=False):
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
        keys, known = [group.own_key() for group in groups], self.sums["user_type"]
        for key in {*keys}:
            if key not in known:
                self._meet(key)
        known.add(keys, np.column_stack([weights, weights * clicks, weights * expected]))

    def _meet(self, key: str) -> None:
        user, _, _ = key.rpartition(SEPARATOR)
        insort(self._kinds.setdefault(user, []), key)  # in the same order in every worker, or sums differ in their last bits

    def expected(self, groups: Sequence[Group], log_odds: Array) -> Array:
        """Probabilities of a click by the nightly model, and by what was known of types and segments last night."""
        return np.asarray(expit(log_odds + np.array([self._settled_of(group.keys()).mean for group in groups])), dtype=np.float64)

    def of(self, group: Group, log_odds: float) -> tuple[float, float]:
        """Mean and variance of the log-odds of a group's own, for which the nightly model gave `log_odds`.

        These lie further from zero than log-odds of the nightly model, which are those of all users like this one; see `stretch_of`.
        """
        stretch = stretch_of(self.spreads["user"] ** 2 + self.spreads["user_type"] ** 2)
        keys = group.keys()
        settled, since, of_user = self._settled_of(keys), self._since(keys), self._of_user(group.user, keys[-1])
        spread = math.sqrt(self.spreads["user_type"] ** 2 + of_user.variance + settled.variance + since.variance)
        mean, variance = shift(self.sums["user_type"].get(keys[-1]), spread, stretch * since.mean + of_user.mean, stretch)
        recency = self.settled.get(keys[4], _NOTHING)
        return stretch * (log_odds + settled.mean + recency.mean) + mean, variance

    def _since(self, keys: Keys) -> Shift:
        """How far a type and segment, the weekday, load and recency have moved since last night."""
        if not len(self.sums["type"]):  # as of last night, which every event asks about
            return _UNMOVED
        kind, segment, weekday, load, recency, _ = keys
        mean, variance = shift(self.sums["type"].get(kind), DRIFT["type"], 0.0)
        here = shift(self.sums["segment"].get(segment), math.sqrt(DRIFT["segment"] ** 2 + variance), mean)
        others = self._moved("weekday", weekday), self._moved("load", load), self._moved("recency", recency)
        return sum(others, Shift(*here))

    def _moved(self, level: str, key: str) -> Shift:
        return Shift(*shift(self.sums[level].get(key), DRIFT[level], 0.0))

    def of_load(self) -> float:
        """What a push of the last day takes from the log-odds beyond what the nightly model says: the slope over their number."""
        loads = [load for load in range(MOST_LOAD) if f"load {load}" in self.settled]
        if len(loads) < 2:
            return 0.0
        shifts = [self._in_all("load", f"load {load}") for load in loads]
        return -float(np.polyfit(loads, [each.mean for each in shifts], 1, w=[each.variance**-0.5 for each in shifts])[0])

    def _in_all(self, level: str, key: str) -> Shift:
        return self.settled.get(key, _NOTHING) + self._moved(level, key)

    def _of_user(self, user: str, own: str) -> Shift:
        """A user's shift in all types, by what they did with other types than this one.

        A type of which much was sent counts little more than another: it tells of the user's taste for all, and of that for itself.
        """
        within, known = self.spreads["user_type"] ** 2, self.sums["user_type"]
        score, precision = 0.0, 1.0 / self.spreads["user"] ** 2
        for key in self._kinds.get(user, ()):
            if key != own:
                trials, clicks, expected = known.get(key)
                information = expected * (1.0 - expected / trials) if trials else 0.0
                damping = 1.0 + information * within
                score += (clicks - expected) / damping
                precision += information / damping
        return Shift(max(-_FURTHEST, min(score / precision, _FURTHEST)), 1.0 / precision)

    def _settled_of(self, keys: Keys) -> Shift:
        """The shifts as of last night; what was never seen may be anything that others are."""
        kind, segment, weekday, load, _, _ = keys
        found = self.settled.get(segment)
        if found is None:
            above = self.settled.get(kind, Shift(0.0, self.spreads["type"] ** 2))
            found = Shift(above.mean, above.variance + self.spreads["segment"] ** 2)
        day, pressed = self.settled.get(weekday, _NOTHING), self.settled.get(load, _NOTHING)
        return Shift(found.mean + day.mean + pressed.mean, found.variance + day.variance + pressed.variance)

    def knows(self, user: str) -> bool:
        """Whether any outcome of a user was counted."""
        return user in self._kinds

    def forget(self, user: str) -> None:
        """Drop a user; what types and segments learned of them remains, without a name."""
        self.sums["user_type"].drop(self._kinds.pop(user, ()))

    def dump(self) -> tuple[dict[str, Any], dict[str, NDArray[np.int64]]]:
        """Names and counts."""
        dumped = {level: sums.dump() for level, sums in self.sums.items()}
        names = {"spreads": self.spreads, "settled": self.settled, "keys": {level: keys for level, (keys, _) in dumped.items()}}
        return names, {level: counts for level, (_, counts) in dumped.items()}

    @classmethod
    def restore(cls, names: Mapping[str, Any], counts: Mapping[str, NDArray[np.int64]]) -> Self:
        """Take back what `dump` gave."""
        settled = {key: Shift(*each) for key, each in names["settled"].items()}
        return cls(names["spreads"], {level: Sums(names["keys"][level], counts[level]) for level in LEVELS}, settled)


_NOTHING = Shift(0.0, 0.0)
_UNMOVED = Shift(0.0, sum(DRIFT[level] ** 2 for level in LEVELS[:-1]))
_FURTHEST = 2.0
"""A step along the slope overshoots where a user clicks much more than expected; few users are further from the others."""


def _summed(keys: Sequence[str], expected: Array, clicked: Array, weights: Array) -> tuple[list[str], Array]:
    """Names of groups, and their trials, clicks and expected clicks, of shape (number_of_groups, 3)."""
    names, place = np.unique(np.array(keys), return_inverse=True)
    columns = [np.bincount(place, weights=column) for column in (weights, weights * clicked, weights * expected)]
    return names.tolist(), np.column_stack(columns).astype(np.float64)
