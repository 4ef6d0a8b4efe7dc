"""What was sent, and what of it is now known: events become outcomes and grades, each counted once, with the weight of its age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.instants import to_microseconds
from models.notification.clock import DAY
from models.notification.columns import columns_of, group_of
from models.notification.config import NotificationConfig
from models.notification.evidence import MOST_HALVINGS
from models.notification.impressions import Impression, Impressions, grade
from models.notification.knowledge import Knowledge
from models.notification.records import NotificationExample
from models.notification.tastes import Group
from models.scalar import Scalar

Array = NDArray[np.float64]

PUSHES = ("push", "later")

Met = tuple[NotificationExample, Impression]
Fresh = tuple[Impression, Mapping[str, Scalar]]
Outcome = tuple[Impression, float]


class Lesson(NamedTuple):
    """Outcomes, from 0 to 1, and grades of implicit signals."""

    outcomes: list[Outcome]
    grades: list[Outcome]


@dataclass(frozen=True)
class Ledger:
    """Reads events.

    Parameters
    ----------
    config
        The model's.
    reference
        The instant at which an outcome counts 1, in microseconds since 1970.
    known
        What goes on being learned; of it, the ledger keeps what was sent and turned off.
    impressions
        What was sent and may yet be clicked.
    """

    config: NotificationConfig
    reference: int
    known: Knowledge
    impressions: Impressions

    def meet(self, events: Sequence[NotificationExample]) -> tuple[list[Met], list[Fresh]]:
        """Find or hold what each event is about; of what is new, the columns as they were when it was sent."""
        met: list[Met] = []
        fresh: list[Fresh] = []
        for event in events:
            at = to_microseconds(event.sent_at)
            key = event.user_id, event.type, event.channel, at
            impression = self.impressions.get(key)
            if impression is None:
                pressure = self.known.history.before(event.user_id, at)
                impression = Impression(group_of(event, at, pressure, self.config), at, event.decision, event.value)
                fresh.append((impression, columns_of(event, at, pressure, self.config)))
                self.impressions.hold(key, impression)
                if event.decision in PUSHES:
                    self.known.history.sent(event.user_id, at)
            if event.clicked:
                self.known.history.clicked(event.user_id, newest(event))
            met.append((event, impression))
        pushed = [each for each, _ in fresh if each.decision in PUSHES]
        if pushed:
            loads = [each.group.load for each in pushed]
            self.known.rates.pushed([each.group.type for each in pushed], loads, self.weights(pushed))
        return met, fresh

    def lesson(self, met: Sequence[Met]) -> Lesson:
        """What is now known of notifications, and was not before."""
        found = Lesson([], [])
        for event, impression in met:
            if event.disabled and not impression.disabled:
                impression.disabled = True
                key = event.user_id, event.type, event.channel
                self.known.turned_off[key] = min(newest(event), self.known.turned_off.get(key, newest(event)))
                self.known.rates.disabled(event.type, impression.group.load, self.weight(impression.sent_at))
                if impression.interest is not None:
                    self.known.rates.wanted([impression.interest], np.array([self.weight(impression.sent_at)]), np.zeros(1))
            if not impression.resolved and (event.clicked is not None or event.dismissed or event.disabled):
                impression.resolved = True
                found.outcomes.append((impression, float(bool(event.clicked))))
            if not impression.graded and not event.clicked and (graded := grade(event)) is not None:
                impression.graded = True
                found.grades.append((impression, graded))
        return found

    def columns(self, outcomes: Sequence[Outcome]) -> tuple[list[Group], Array, Array, Array]:
        """Groups, log-odds, outcomes and weights."""
        return (
            [impression.group for impression, _ in outcomes],
            np.array([impression.log_odds for impression, _ in outcomes]),
            np.array([outcome for _, outcome in outcomes]),
            self.weights([impression for impression, _ in outcomes]),
        )

    def weights(self, impressions: Sequence[Impression]) -> Array:
        """What the outcome of each counts."""
        return np.array([self.weight(each.sent_at) for each in impressions])

    def weight(self, sent_at: int) -> float:
        """What an outcome counts, by when it was sent."""
        halvings = (sent_at - self.reference) / DAY / self.config.half_life_days
        return float(2.0 ** min(halvings, MOST_HALVINGS))


def pushed_of(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Outcomes of pushes."""
    return [each for each in outcomes if each[0].decision in PUSHES]


def newest(row: NotificationExample) -> int:
    """The last instant that an event is about."""
    at = to_microseconds(row.sent_at)
    return at if row.happened_at is None else max(at, to_microseconds(row.happened_at))
