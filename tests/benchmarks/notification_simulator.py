"""Whom to push what: policies side by side in a made-up world whose truth is known.

Ten thousand users get some three notifications a day for sixty days. What a user clicks depends on the type, the user's own tastes, which
wander and for some change at once, the hour of the day that suits them, and the pushes of the last day, each of which tires. A push
may make a user turn pushes off for good, the likelier the less they want it and the more they got; from then on there is only the
digest, where a quarter of the clicks come. The first ten days are logged by lot and the same for everybody. Then each policy decides,
and is told what was clicked as a server would be; the value of all clicks counts.

Policies are set up on the log of the ten days alone: the thresholds are those that would have been worth most there, a lost user
counted with `HORIZON_DAYS` of what users bring.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.notification import ACTIONS, Notification, NotificationConfig, NotificationExample, NotificationQuery

USERS, DAYS, LOGGED_DAYS = 10_000, 60, 10
PER_DAY = 3.0
TYPES = ("Social", "News", "Promo", "Reminder", "Digest tip", "Live")
RATES = np.array([-1.3, -2.2, -3.2, -1.8, -3.6, -2.4])
VALUES = np.array([1.0, 0.6, 2.5, 1.2, 0.4, 0.8])
SEGMENTS = ("casual", "regular", "devoted")
TASTE, WANDER, TURNED_SHARE = 1.3, 0.03, 0.3
HOUR_GAIN, TIRING, UNSUBSCRIBE = 0.6, 0.3, 0.004
DIGEST_SHARE, IN_APP_SHARE, DELAY_COST = 0.25, 0.2, 0.02
PUSHED_IN_THE_LOG = 0.7
HORIZON_DAYS = 30
START = datetime(2026, 1, 5, tzinfo=UTC)
SEED = 20

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def run(data: Path) -> list[dict[str, object]]:
    """One row per policy."""
    return simulate(USERS, DAYS, SEED)


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

    def learn(self, told: Sequence[Told]) -> None:  # noqa: B027 - a policy need not
        """Set up from the log."""

    def tell(self, told: Told) -> None:  # noqa: B027 - a policy need not
        """Hear what became of decisions."""


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


class Foretell(Policy):
    """The model under test, asked and told as over HTTP, but in this process."""

    def __init__(self, segment: Ints, n: int) -> None:
        self.names = [f"u{user}" for user in range(n)]
        self.contexts = [{"segment": SEGMENTS[each]} for each in segment]
        self.seconds = {"train": 0.0, "decide": 0.0, "tell": 0.0}
        self.decided = self.told = 0

    def learn(self, told: Sequence[Told]) -> None:
        config = NotificationConfig(
            mode="value", daily_cap=None, disable_cost=subscriber_value(told), max_rows=60_000, exploration_floor=0.01
        )
        began = time.perf_counter()
        self.model = Notification(config).fit(event for each in told for event in self.events(each))
        self.seconds["train"] = time.perf_counter() - began

    def events(self, told: Told) -> list[NotificationExample]:
        """As they would be reported: a push that is not clicked yet, says nothing of a click."""
        at = START + timedelta(hours=told.hour)
        soon = at + timedelta(minutes=10)
        rows = zip(told.users.tolist(), told.kinds.tolist(), told.actions.tolist(), told.clicked.tolist(), told.gone.tolist(), strict=True)
        return [
            NotificationExample.model_construct(
                user_id=self.names[user],
                type=TYPES[kind],
                channel="push",
                time_zone=None,
                context=self.contexts[user],
                sent_at=at,
                clicked=True if clicked else None,
                happened_at=soon if clicked else None,
                decision=ACTIONS[PUSH if action == LATER else action],
                propensity=None,
                dismissed=False,
                dwell_s=None,
                scroll_speed=None,
                disabled=gone,
                value=float(VALUES[kind]),
                item=None,
                closing=None,
            )
            for user, kind, action, clicked, gone in rows
            if action != DROP
        ]

    def tell(self, told: Told) -> None:
        events = self.events(told)
        began = time.perf_counter()
        self.model.update(events)
        self.seconds["tell"] += time.perf_counter() - began
        self.told += len(events)

    def decide(self, hour: int, users: Ints, kinds: Ints) -> tuple[Ints, Ints]:
        at = START + timedelta(hours=hour)
        queries = [
            NotificationQuery.model_construct(
                user_id=self.names[user],
                type=TYPES[kind],
                channel="push",
                time_zone=None,
                context=self.contexts[user],
                at=at,
                value=float(VALUES[kind]),
                expires_at=None,
                critical=False,
                preference=None,
                unreported=(),
                explore=True,
            )
            for user, kind in zip(users.tolist(), kinds.tolist(), strict=True)
        ]
        began = time.perf_counter()
        answers = self.model.predict(queries)
        self.seconds["decide"] += time.perf_counter() - began
        self.decided += len(answers)
        waits = [
            round((answer.send_at - at).total_seconds() / 3600) if answer.decision == "later" and answer.send_at else 0
            for answer in answers
        ]
        return np.array([ACTIONS.index(answer.decision) for answer in answers]), np.array(waits, dtype=np.int64)


_COLUMNS = ("users", "kinds", "clicked", "gone", "actions")


def subscriber_value(told: Sequence[Told]) -> float:
    """What a user who can be pushed to brings in `HORIZON_DAYS`, as the log has it, beyond the digest's share."""
    value = sum(float((each.clicked * VALUES[each.kinds])[each.actions == PUSH].sum()) for each in told)
    users = len(np.unique(np.concatenate([each.users for each in told])))
    days = (told[-1].hour - told[0].hour + 1) / 24
    return (1 - DIGEST_SHARE) * value / users / days * HORIZON_DAYS


def simulate(n: int, days: int, seed: int) -> list[dict[str, object]]:
    """Every policy in the same world, one after the other."""
    segment = World.made(n, days, seed).segment
    policies: dict[str, Callable[[], Policy]] = {
        "foretell": lambda: Foretell(segment, n),
        "push everything": PushEverything,
        "one threshold on the rate of the type": lambda: Threshold(n, by_user=False),
        "one threshold on the rate of the user's type": lambda: Threshold(n, by_user=True),
    }
    return [{"system": name, "data": f"{n:,} users x {days} days", **played(made(), n, days, seed)} for name, made in policies.items()]


def played(policy: Policy, n: int, days: int, seed: int) -> dict[str, object]:
    """Totals of the days that a policy decides."""
    world, log, fate = World.made(n, days, seed), list[Told](), np.random.default_rng([seed, 1])
    waiting: dict[int, list[tuple[Ints, Ints, Floats, Floats]]] = {}
    for hour in range(days * 24):
        if hour == LOGGED_DAYS * 24:
            policy.learn(log)
            world.totals = dict.fromkeys(world.totals, 0.0)
        users, kinds, luck, lot = arrivals(n, hour, fate)
        logging = hour < LOGGED_DAYS * 24
        if logging:
            actions, waits = np.where(lot < PUSHED_IN_THE_LOG, PUSH, DIGEST), np.zeros(len(users), dtype=np.int64)
        else:
            actions, waits = policy.decide(hour, users, kinds)
        actions = np.where(world.subscribed[users] | (actions >= IN_APP), actions, DIGEST)
        now = actions != LATER
        told = happen(world, hour, users[now], kinds[now], actions[now], luck[now], np.ones(int(now.sum())))
        for wait in np.unique(waits[~now]).tolist():
            chosen = ~now & (waits == wait)
            worth = np.full(int(chosen.sum()), 1 - DELAY_COST * wait)
            waiting.setdefault(hour + wait, []).append((users[chosen], kinds[chosen], luck[chosen], worth))
        parts = [told, *(_later(world, hour, *each) for each in waiting.pop(hour, ()))]
        for each in parts:
            log.append(each) if logging else policy.tell(each)
        world.next_hour()
    rows: dict[str, object] = {name: round(total, 1) for name, total in world.totals.items()}
    rows["pushes_per_subscribed_day"] = round(world.totals["pushes"] / world.totals["subscribed_days"], 3)
    if isinstance(policy, Foretell):
        rows |= {
            "train_seconds": round(policy.seconds["train"], 1),
            "decisions_per_second": round(policy.decided / policy.seconds["decide"]),
            "updates_per_second": round(policy.told / policy.seconds["tell"]),
        }
    return rows


def arrivals(n: int, hour: int, fate: np.random.Generator) -> tuple[Ints, Ints, Floats, Floats]:
    """Users, types, and what chance has in store for each: the same for every policy."""
    shape = np.where((np.arange(24) >= 7) & (np.arange(24) < 23), 1.5, 0.0)
    users = np.flatnonzero(fate.random(n) < PER_DAY * shape[hour % 24] / shape.sum())
    count = len(users)
    return users, fate.choice(len(TYPES), count, p=[0.25, 0.2, 0.2, 0.1, 0.15, 0.1]), fate.random((count, 2)), fate.random(count)


def happen(world: World, hour: int, users: Ints, kinds: Ints, actions: Ints, luck: Floats, worth: Floats) -> Told:
    """Let decisions become true."""
    clicked, gone = np.zeros(len(users), dtype=bool), np.zeros(len(users), dtype=bool)
    for action, share in ((DIGEST, DIGEST_SHARE), (IN_APP, IN_APP_SHARE)):
        chosen = actions == action
        clicked[chosen] = world.show(users[chosen], kinds[chosen], share, luck[chosen])
    chosen = actions == PUSH
    clicked[chosen], gone[chosen] = world.push(users[chosen], kinds[chosen], worth[chosen], luck[chosen])
    return Told(hour, users, kinds, actions, clicked, gone)


def _later(world: World, hour: int, users: Ints, kinds: Ints, luck: Floats, worth: Floats) -> Told:
    actions = np.where(world.subscribed[users], PUSH, DIGEST)
    return happen(world, hour, users, kinds, actions, luck, worth)
