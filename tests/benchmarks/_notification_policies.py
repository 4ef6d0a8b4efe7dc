"""Policies beside the model: simple ones, and an oracle that knows what nobody can."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from tests.benchmarks._notification_world import (
    DELAY_COST,
    DIGEST,
    DIGEST_SHARE,
    HORIZON_DAYS,
    HOUR_GAIN,
    LATER,
    PER_DAY,
    PUSH,
    PUSHED_IN_THE_LOG,
    SHARES,
    TIRING,
    TYPES,
    UNSUBSCRIBE,
    VALUES,
    Floats,
    Ints,
    Policy,
    Told,
    World,
    subscriber_value,
)


class PushEverything(Policy):
    """Push whatever comes."""

    def decide(self, hour: int, users: Ints, kinds: Ints) -> tuple[Ints, Ints]:
        return np.full(len(users), PUSH), np.zeros(len(users), dtype=np.int64)


class Threshold(Policy):
    """Push where the value of the click by its rate is above a threshold; the rate is of the type, or of the user and type.

    Parameters
    ----------
    by_user
        Whether users are told apart; their rates are drawn towards that of the type with the weight of `PRIOR` pushes.
    """

    PRIOR = 5.0

    def __init__(self, n: int, *, by_user: bool) -> None:
        self.sent, self.clicked = np.zeros((n, len(TYPES))), np.zeros((n, len(TYPES)))
        self.by_user, self.threshold = by_user, 0.0

    def rate(self, users: Ints, kinds: Ints) -> Floats:
        """Of clicks per push."""
        of_type = ((self.clicked.sum(axis=0) + 1) / (self.sent.sum(axis=0) + 20))[kinds]
        if not self.by_user:
            return np.asarray(of_type)
        return np.asarray((self.clicked[users, kinds] + self.PRIOR * of_type) / (self.sent[users, kinds] + self.PRIOR))

    def learn(self, told: Sequence[Told]) -> None:
        for each in told:
            self.tell(each)
        users, kinds, clicked, gone, pushed = (np.concatenate([getattr(each, name) for each in told]) for name in _COLUMNS)
        pushed = pushed == PUSH
        worth, lost = VALUES[kinds] * clicked, subscriber_value(told) * gone
        expected = self.rate(users, kinds) * VALUES[kinds]

        def value(threshold: float) -> float:
            """Of the log under the threshold, by inverse propensities."""
            above = expected >= threshold
            taken = np.where(above, pushed / PUSHED_IN_THE_LOG, ~pushed / (1 - PUSHED_IN_THE_LOG))
            return float((taken * (worth - lost)).sum())

        self.threshold = max(np.quantile(expected, np.linspace(0, 0.95, 20)).tolist(), key=value)

    def tell(self, told: Told) -> None:
        pushed = told.actions == PUSH
        np.add.at(self.sent, (told.users[pushed], told.kinds[pushed]), 1)
        np.add.at(self.clicked, (told.users[pushed], told.kinds[pushed]), told.clicked[pushed])

    def decide(self, hour: int, users: Ints, kinds: Ints) -> tuple[Ints, Ints]:
        expected = self.rate(users, kinds) * VALUES[kinds]
        return np.where(expected >= self.threshold, PUSH, DIGEST), np.zeros(len(users), dtype=np.int64)


class Oracle(Policy):
    """Knows every user's tastes of today, their best hour and what tires them, and prices what a push takes from later ones.

    It is no upper bound in the strict sense, since it does not plan; it shows how much of the value is there to be learned.
    """

    ROUNDS = 15

    def enter(self, world: World) -> None:
        self.world, self.day = world, -1

    def decide(self, hour: int, users: Ints, kinds: Ints) -> tuple[Ints, Ints]:
        if hour // 24 != self.day:
            self.day = hour // 24
            self._price()
        taste, value = self.world.taste[users, kinds], VALUES[kinds]
        best, wait = np.full(len(users), -np.inf), np.zeros(len(users), dtype=np.int64)
        for hours in range(24):
            worth = self._worth(users, taste, value, hour, hours)
            wait = np.where(worth > best, hours, wait)
            best = np.maximum(worth, best)
        actions = np.where(best > DIGEST_SHARE * expit(taste) * value, np.where(wait > 0, LATER, PUSH), DIGEST)
        return actions, np.where(actions == LATER, wait, 0)

    def _worth(self, users: Ints, taste: Floats, value: Floats, hour: int, hours: int) -> Floats:
        """Of a push after so many hours, with what it takes from others."""
        lasting = [(hour - past) % 24 for past in range(24 - hours)]
        load = self.world.tired[lasting][:, users].sum(axis=0) + self.rate[users] * hours / 24
        near = np.abs((hour + hours) % 24 - self.world.best_hour[users]) <= 1
        p = expit(taste + HOUR_GAIN * near - TIRING * load)
        gone = UNSUBSCRIBE * (1 - p) ** 9 * 1.6**load
        return np.asarray(p * value * (1 - DELAY_COST * hours) - self.fatigue[users] - gone * self.worth[users])

    def _price(self) -> None:
        """What a push takes from the next day's, and what a user is worth who can be pushed to: each follows from the other."""
        taste = self.world.taste
        self.rate, self.fatigue, self.worth = (np.full(len(taste), start) for start in (1.5, 0.1, 3.0))
        for _ in range(self.ROUNDS):
            load = self.rate[:, None]
            p = expit(taste + HOUR_GAIN - TIRING * load)
            gone = UNSUBSCRIBE * (1 - p) ** 9 * 1.6**load
            gain = (p - DIGEST_SHARE * expit(taste)) * VALUES
            taken = PER_DAY * SHARES * (gain > self.fatigue[:, None] + gone * self.worth[:, None])
            leaving = (taken * gone).sum(axis=1)
            worth = HORIZON_DAYS * (taken * gain).sum(axis=1) / (1 + leaving * HORIZON_DAYS / 2)
            fatigue = TIRING * (taken * p * (1 - p) * VALUES).sum(axis=1) + 0.6 * leaving * self.worth
            found = (self.rate, taken.sum(axis=1)), (self.fatigue, fatigue), (self.worth, worth)
            self.rate, self.fatigue, self.worth = ((old + new) / 2 for old, new in found)


_COLUMNS = ("users", "kinds", "clicked", "gone", "actions")
