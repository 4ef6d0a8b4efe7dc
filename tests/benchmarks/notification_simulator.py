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
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np

from models.notification import ACTIONS, Notification, NotificationConfig, NotificationExample, NotificationQuery
from tests.benchmarks._notification_policies import Oracle, PushEverything, Threshold
from tests.benchmarks._notification_world import (
    DELAY_COST,
    DIGEST,
    DROP,
    IN_APP,
    LATER,
    LOGGED_DAYS,
    PUSH,
    PUSHED_IN_THE_LOG,
    SEGMENTS,
    START,
    TYPES,
    VALUES,
    Floats,
    Ints,
    Policy,
    Told,
    World,
    arrivals,
    happen,
    subscriber_value,
)

USERS, DAYS = 10_000, 60
SEED = 41


def run(data: Path) -> list[dict[str, object]]:
    """One row per policy."""
    return simulate(USERS, DAYS, SEED)


class Foretell(Policy):
    """The model under test, asked and told as over HTTP, but in this process."""

    def __init__(self, segment: Ints, n: int) -> None:
        self.names = [f"u{user}" for user in range(n)]
        self.contexts = [{"segment": SEGMENTS[each]} for each in segment]
        self.seconds = {"train": 0.0, "decide": 0.0, "tell": 0.0}
        self.decided = self.told = 0

    def learn(self, told: Sequence[Told]) -> None:
        config = NotificationConfig(
            mode="value", daily_cap=None, disable_cost=subscriber_value(told), exploration_scale=0.25, exploration_floor=0.01
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


def simulate(n: int, days: int, seed: int) -> list[dict[str, object]]:
    """Every policy in the same world, one after the other."""
    segment = World.made(n, days, seed).segment
    policies: dict[str, Callable[[], Policy]] = {
        "foretell": lambda: Foretell(segment, n),
        "push everything": PushEverything,
        "one threshold on the rate of the type": lambda: Threshold(n, by_user=False),
        "one threshold on the rate of the user's type": lambda: Threshold(n, by_user=True),
        "oracle that knows the world": Oracle,
    }
    return [{"system": name, "data": f"{n:,} users x {days} days", **played(made(), n, days, seed)} for name, made in policies.items()]


def played(policy: Policy, n: int, days: int, seed: int) -> dict[str, object]:
    """Totals of the days that a policy decides."""
    world, log, fate = World.made(n, days, seed), list[Told](), np.random.default_rng([seed, 1])
    policy.enter(world)
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


def _later(world: World, hour: int, users: Ints, kinds: Ints, luck: Floats, worth: Floats) -> Told:
    actions = np.where(world.subscribed[users], PUSH, DIGEST)
    return happen(world, hour, users, kinds, actions, luck, worth)
