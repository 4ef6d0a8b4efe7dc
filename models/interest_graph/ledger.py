r"""The exact memory of the graph: what each user did with each topic, per UTC day.

An edge weighs :math:`w(t) = \sum_i a_i 2^{-(t - t_i)/h}` at the instant t, for actions of weight :math:`a_i` at :math:`t_i` and the
half-life h. Within a day that begins at d the sum is :math:`2^{-(t - d)/h} \sum_i a_i 2^{(t_i - d)/h}`, and only the right factor must be
kept. It is kept as an integer, a multiple of `UNIT`: sums of integers do not depend on the order of their terms, so every worker
that has seen the same events holds the same bits, however they were ordered and batched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models import instants

UNIT = 2.0**-16
"""What a view is divided into. The greatest single event is some 2^48 of these, and 2^63 is the end of an int64."""

DAY = 86_400_000_000
"""Microseconds."""

TIMELESS = np.iinfo(np.int64).min
"""Stands for an absent time; such a row does not fade."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def to_microseconds(instant: datetime | None) -> int:
    """Microseconds since 1970; `TIMELESS` for ``None``."""
    return int(TIMELESS) if instant is None else instants.to_microseconds(instant)


def to_datetime(microseconds: int) -> datetime | None:
    """The inverse of `to_microseconds`."""
    return None if microseconds == TIMELESS else instants.to_datetime(microseconds)


@dataclass(frozen=True)
class Ledger:
    """Rows of one user, topic and day each, sorted by these; all columns have the same length.

    Parameters
    ----------
    user, topic
        Interned names.
    day
        Days since 1970; `TIMELESS` for what happened at no known time.
    units
        Sum of the action weights, each worth :math:`2^{(t_i - d)/h}` of what it was at the day's beginning, in `UNIT`.
    newest
        The last instant of the day that is in the sum, in microseconds since 1970.
    actions
        Number of the actions.
    """

    user: Ints
    topic: Ints
    day: Ints
    units: Ints
    newest: Ints
    actions: Ints

    @classmethod
    def empty(cls) -> Self:
        """No rows."""
        return cls(*(np.empty(0, dtype=np.int64) for _ in fields(cls)))

    @classmethod
    def of_events(cls, user: Ints, topic: Ints, at: Ints, weight: Floats, half_life_days: float) -> Self:
        """One row per event, summed where they share user, topic and day.

        Parameters
        ----------
        at
            Instants in microseconds since 1970, or `TIMELESS`.
        weight
            Action weights, in views.
        """
        day = np.where(at == TIMELESS, TIMELESS, at // DAY)
        since_midnight = np.where(at == TIMELESS, 0, at % DAY) / DAY
        units = np.rint(weight * np.exp2(since_midnight / half_life_days) / UNIT).astype(np.int64)
        return cls.merged([cls(user, topic, day, units, at, np.ones_like(user))])

    @classmethod
    def joined(cls, ledgers: Sequence[Ledger]) -> Self:
        """All rows of several ledgers, as they come."""
        return cls(*map(np.concatenate, zip(*(ledger.columns() for ledger in ledgers), strict=True)))

    @classmethod
    def merged(cls, ledgers: Sequence[Ledger]) -> Self:
        """All rows of several ledgers, in any order; those of the same user, topic and day become one."""
        user, topic, day, units, newest, actions = cls.joined(ledgers).columns()
        if not len(user):
            return cls.empty()
        order = _order(user, topic, day)
        user, topic, day = user[order], topic[order], day[order]
        first = _firsts(user, topic, day)
        return cls(
            user[first],
            topic[first],
            day[first],
            np.add.reduceat(units[order], first),
            np.maximum.reduceat(newest[order], first),
            np.add.reduceat(actions[order], first),
        )

    def __len__(self) -> int:
        return len(self.user)

    def columns(self) -> tuple[Ints, ...]:
        """The arrays, in the order of the fields."""
        return self.user, self.topic, self.day, self.units, self.newest, self.actions

    def rows(self, which: slice | NDArray[np.bool_]) -> Ledger:
        """Some of the rows, in order; views of the same memory for a slice."""
        return Ledger(*(column[which] for column in self.columns()))

    def until(self, as_of: int) -> Ledger:
        """The rows of which nothing happened after an instant.

        A day that goes on after `as_of` is left out as a whole, for its sum cannot be taken apart: rather a few hours too little than
        a glance into the future.
        """
        return self if not len(self) or self.newest.max() <= as_of else self.rows(self.newest <= as_of)

    def edges(self, as_of: int | Ints, half_life_days: float) -> Edges:
        """The days of each user and topic, summed up at an instant (of each row, if there are several)."""
        if not len(self):
            return Edges(self.user, self.topic, np.empty(0), self.newest, self.actions)
        age_days = np.where(self.day == TIMELESS, 0.0, as_of / DAY - self.day)
        weight = self.units * UNIT * np.exp2(-age_days / half_life_days)
        first = _firsts(self.user, self.topic)
        return Edges(
            self.user[first],
            self.topic[first],
            np.add.reduceat(weight, first),
            np.maximum.reduceat(self.newest, first),
            np.add.reduceat(self.actions, first),
        )


@dataclass(frozen=True)
class Edges:
    """Edges from users to topics at an instant, sorted by these; columns as in `Ledger`, the weight in views."""

    user: Ints
    topic: Ints
    weight: Floats
    newest: Ints
    actions: Ints

    def damped(self) -> Floats:
        """Interest between -1 and 1: w / (|w| + m), where m is the median |w| of the user's edges.

        Five hundred plays are not a hundred times the interest of five; and as w and m fade together, a user's damped interests do not
        change while nothing happens.
        """
        if not len(self.user):
            return self.weight
        size = np.abs(self.weight)
        first = _firsts(self.user)
        count = np.diff(first, append=len(size))
        median = size[np.lexsort((size, self.user))][first + (count - 1) // 2]
        whole = size + np.repeat(median, count)
        damped: Floats = np.divide(self.weight, whole, where=whole > 0, out=np.zeros_like(size))
        return damped


def _order(user: Ints, topic: Ints, day: Ints) -> Ints:
    """Positions in the order of user, topic and day.

    As one number per row where 63 bits hold it: rows that come nearly sorted, as they do once there is a ledger, are then sorted in
    one pass, ten million of them in a second instead of twenty.
    """
    timed = day != TIMELESS
    first = day[timed].min(initial=0)
    rank = np.where(timed, day - first + 1, 0)
    topics, days = int(topic.max()) + 1, int(rank.max()) + 1
    if (int(user.max()) + 1) * topics * days >= 2**63:
        return np.lexsort((day, topic, user))
    return np.argsort((user * topics + topic) * days + rank, kind="stable")


def _firsts(*columns: Ints) -> Ints:
    """Positions at which a run of equal rows begins."""
    differs = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return np.concatenate([[0], np.flatnonzero(differs) + 1])
