"""A made-up world of users who get notifications, whose truth is known; what happens there, and what a policy is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

LOGGED_DAYS = 10
PER_DAY = 3.0
TYPES = ("Social", "News", "Promo", "Reminder", "Digest tip", "Live")
RATES = np.array([-1.3, -2.2, -3.2, -1.8, -3.6, -2.4])
SHARES = np.array([0.25, 0.2, 0.2, 0.1, 0.15, 0.1])
VALUES = np.array([1.0, 0.6, 2.5, 1.2, 0.4, 0.8])
SEGMENTS = ("casual", "regular", "devoted")
TASTE, WANDER, TURNED_SHARE = 1.3, 0.03, 0.3
HOUR_GAIN, TIRING, UNSUBSCRIBE = 0.6, 0.3, 0.004
DIGEST_SHARE, IN_APP_SHARE, DELAY_COST = 0.25, 0.2, 0.02
PUSHED_IN_THE_LOG = 0.7
HORIZON_DAYS = 30
START = datetime(2026, 1, 5, tzinfo=UTC)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass
class World:
    """Users, what they like today, and what was pushed to them.

    Parameters
    ----------
    tired
        Pushes in each of the last 24 hours, of shape (24, number_of_users), by hour modulo 24.
    """

    n: int
    rng: np.random.Generator
    segment: Ints
    taste: Floats
    later_taste: Floats
    turns_on: Ints
    best_hour: Ints
    tired: Ints
    subscribed: Bools
    hour: int = 0
    totals: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(("value", "pushes", "clicks", "unsubscribed", "subscribed_days"), 0.0)
    )

    @classmethod
    def made(cls, n: int, days: int, seed: int) -> World:
        """The same world for the same seed."""
        rng = np.random.default_rng([seed, 0])
        segment = rng.choice(3, n, p=[0.5, 0.35, 0.15])
        centre = RATES + np.array([-0.5, 0.0, 0.6])[segment][:, None]
        taste, later = (centre + rng.normal(0, TASTE, (n, len(TYPES))) for _ in range(2))
        turns_on = np.where(rng.random(n) < TURNED_SHARE, rng.integers(LOGGED_DAYS, days, n), days + 1)
        zeros = np.zeros((24, n), dtype=np.int64)
        return cls(n, rng, segment, taste, later, turns_on, rng.choice([8, 13, 20], n), zeros, np.ones(n, dtype=bool))

    def next_hour(self) -> None:
        """Let an hour pass."""
        self.hour += 1
        self.totals["subscribed_days"] += float(self.subscribed.sum()) / 24
        self.tired[self.hour % 24] = 0
        if self.hour % 24 == 0:
            self.taste += self.rng.normal(0, WANDER, self.taste.shape)
            turning = self.turns_on == self.hour // 24
            self.taste[turning] = self.later_taste[turning]

    def load(self, users: Ints) -> Ints:
        """Pushes of the last day."""
        found: Ints = self.tired[:, users].sum(axis=0)
        return found

    def probability(self, users: Ints, kinds: Ints) -> Floats:
        """That a push now is clicked."""
        near = np.abs((self.hour % 24) - self.best_hour[users]) <= 1
        return np.asarray(1 / (1 + np.exp(-(self.taste[users, kinds] + HOUR_GAIN * near - TIRING * self.load(users)))))

    def push(self, users: Ints, kinds: Ints, worth: Floats, luck: Floats) -> tuple[Bools, Bools]:
        """Push; who clicked, and who turned pushes off."""
        p = self.probability(users, kinds)
        clicked = luck[:, 0] < p
        gone = ~clicked & (luck[:, 1] < UNSUBSCRIBE * (1 - p) ** 8 * 1.6 ** self.load(users))
        np.add.at(self.tired[self.hour % 24], users, 1)
        self.subscribed[users[gone]] = False
        self._count(clicked, kinds, worth)
        self.totals["pushes"] += len(users)
        self.totals["unsubscribed"] += int(gone.sum())
        return clicked, gone

    def show(self, users: Ints, kinds: Ints, share: float, luck: Floats) -> Bools:
        """Show in the app or in a digest; who clicked."""
        clicked = np.asarray(luck[:, 0] < share / (1 + np.exp(-self.taste[users, kinds])))
        self._count(clicked, kinds, np.ones(len(users)))
        return clicked

    def _count(self, clicked: Bools, kinds: Ints, worth: Floats) -> None:
        self.totals["value"] += float((clicked * VALUES[kinds] * worth).sum())
        self.totals["clicks"] += int(clicked.sum())


@dataclass(frozen=True)
class Told:
    """What became of decisions: codes of `ACTIONS` by user and type, clicks, users who turned pushes off."""

    hour: int
    users: Ints
    kinds: Ints
    actions: Ints
    clicked: Bools
    gone: Bools


PUSH, LATER, IN_APP, DIGEST, DROP = range(5)


class Policy(ABC):
    """Decides, and is told."""

    @abstractmethod
    def decide(self, hour: int, users: Ints, kinds: Ints) -> tuple[Ints, Ints]:
        """Codes of actions, and how many hours a push waits."""

    def enter(self, world: World) -> None:  # noqa: B027 - a policy need not
        """See the world; only an oracle looks."""

    def learn(self, told: Sequence[Told]) -> None:  # noqa: B027 - a policy need not
        """Set up from the log."""

    def tell(self, told: Told) -> None:  # noqa: B027 - a policy need not
        """Hear what became of decisions."""


def arrivals(n: int, hour: int, fate: np.random.Generator) -> tuple[Ints, Ints, Floats, Floats]:
    """Users, types, and what chance has in store for each: the same for every policy."""
    shape = np.where((np.arange(24) >= 7) & (np.arange(24) < 23), 1.5, 0.0)
    users = np.flatnonzero(fate.random(n) < PER_DAY * shape[hour % 24] / shape.sum())
    count = len(users)
    return users, fate.choice(len(TYPES), count, p=SHARES), fate.random((count, 2)), fate.random(count)


def happen(world: World, hour: int, users: Ints, kinds: Ints, actions: Ints, luck: Floats, worth: Floats) -> Told:
    """Let decisions become true."""
    clicked, gone = np.zeros(len(users), dtype=bool), np.zeros(len(users), dtype=bool)
    for action, share in ((DIGEST, DIGEST_SHARE), (IN_APP, IN_APP_SHARE)):
        chosen = actions == action
        clicked[chosen] = world.show(users[chosen], kinds[chosen], share, luck[chosen])
    chosen = actions == PUSH
    clicked[chosen], gone[chosen] = world.push(users[chosen], kinds[chosen], worth[chosen], luck[chosen])
    return Told(hour, users, kinds, actions, clicked, gone)


def subscriber_value(told: Sequence[Told]) -> float:
    """What a user who can be pushed to brings in `HORIZON_DAYS`, as the log has it, beyond the digest's share."""
    value = sum(float((each.clicked * VALUES[each.kinds])[each.actions == PUSH].sum()) for each in told)
    users = len(np.unique(np.concatenate([each.users for each in told])))
    days = (told[-1].hour - told[0].hour + 1) / 24
    return (1 - DIGEST_SHARE) * value / users / days * HORIZON_DAYS
