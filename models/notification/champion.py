"""The nightly model: the probability of a click from columns, by the tabular learner of `models.churn`.

A logistic regression with bends and small boosted trees, stacked and calibrated out of fold; of a log that teaches nothing it keeps
the rate of clicks only. Whether it teaches is seen on users it has not learned from: with some dozen clicks a model of many columns is
usually worse than their rate, and never shown to be better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from models.base import Part
from models.churn.calibration import Calibration
from models.churn.linear import Linear
from models.churn.records import ChurnConfig
from models.churn.table import Table
from models.churn.trees import Trees
from models.errors import InputError
from models.scalar import Scalar

Array = NDArray[np.float64]
Row = Mapping[str, Scalar]

_FOLDS = 5
_STANDARD_ERRORS = 3.0
"""By so many must the columns beat the bare rate on held-out users; so one useless log in seven hundred is believed."""
_LEAST_CLICKS = 10
_BRIEF_FOLDS, _BRIEF_ROUNDS = 2, 100
"""Enough to see whether columns teach anything, in a quarter of the time."""


@dataclass(frozen=True)
class Columns:
    """What columns say of a click.

    Parameters
    ----------
    table
        Reads the columns.
    linear, trees
        Their log-odds are added.
    calibration
        Bends the sum.
    """

    table: Table
    linear: Linear
    trees: Trees
    calibration: Calibration

    def log_odds(self, rows: Sequence[Row]) -> Array:
        """The log-odds of a click for each row."""
        X, _ = self.table.matrix(rows)
        total = self.linear.bias + self.trees.bias + self.linear.parts(X).sum(axis=1) + self.trees.parts(X).sum(axis=1)
        return np.asarray(self.calibration(total), dtype=np.float64)

    @classmethod
    def learn(cls, rows: Sequence[Row], labels: NDArray[np.bool_], users: Sequence[str], config: ChurnConfig) -> Self | None:
        """Learn from outcomes; ``None`` if nothing can be learned: one class, or no column that varies."""
        from models.churn.fitting import learn  # scikit-learn and LightGBM stay out of a process that only serves

        # Folds hold whole groups out and balance those with an outcome; users have outcomes of both kinds.
        groups = [f"{user} {clicked}" for user, clicked in zip(users, labels.tolist(), strict=True)]
        try:
            learned = learn(rows, labels, groups, config)
        except InputError:
            return None
        return cls(learned.table, learned.linear, learned.trees, learned.calibration)


@dataclass(frozen=True)
class Champion:
    """The nightly model.

    Parameters
    ----------
    rate_log_odds
        Of the bare rate of clicks.
    columns
        ``None``: they were not shown to teach anything.
    """

    rate_log_odds: float
    columns: Columns | None

    @classmethod
    def learn(cls, rows: Sequence[Row], labels: NDArray[np.bool_], users: Sequence[str], seed: int) -> Self:
        """Learn from outcomes; the columns only if they beat the rate on a fifth of the users, chosen by a hash."""
        columns = Columns.learn(rows, labels, users, ChurnConfig(seed=seed)) if _teaches(rows, labels, users, seed) else None
        return cls(_log_odds(labels), columns)

    def log_odds(self, rows: Sequence[Row]) -> Array:
        """The log-odds of a click for each row."""
        return np.full(len(rows), self.rate_log_odds) if self.columns is None or not rows else self.columns.log_odds(rows)

    def state(self) -> dict[str, Part]:
        """As parts of a saved model."""
        if self.columns is None:
            return {"champion.json": {"rate_log_odds": self.rate_log_odds, "table": None}}
        return {
            "champion.json": {"rate_log_odds": self.rate_log_odds, "table": self.columns.table.dump()},
            "linear.npz": self.columns.linear.arrays(),
            "trees.npz": self.columns.trees.arrays(),
            "calibration.npz": self.columns.calibration.arrays(),
        }

    @classmethod
    def restore(cls, parts: Mapping[str, Part]) -> Self:
        """Take back what `state` gave."""
        kept: dict[str, Any] = parts["champion.json"]
        if kept["table"] is None:
            return cls(kept["rate_log_odds"], None)
        linear, calibration = parts["linear.npz"], parts["calibration.npz"]
        columns = Columns(
            Table.restore(kept["table"]),
            Linear(**{**linear, "bias": float(linear["bias"])}),
            Trees(**parts["trees.npz"]),
            Calibration(**{**calibration, "height": float(calibration["height"])}),
        )
        return cls(kept["rate_log_odds"], columns)


def _log_odds(labels: NDArray[np.bool_]) -> float:
    """Of the rate, half a click and half none added, so that there is one."""
    return float(np.log((labels.sum() + 0.5) / ((~labels).sum() + 0.5)))


def _teaches(rows: Sequence[Row], labels: NDArray[np.bool_], users: Sequence[str], seed: int) -> bool:
    held_out = np.array([crc32(f"{seed}:{user}".encode()) % _FOLDS == 0 for user in users])
    train, test = np.flatnonzero(~held_out).tolist(), np.flatnonzero(held_out).tolist()
    if min(labels[train].sum(), (~labels[train]).sum(), len(test)) < _LEAST_CLICKS:
        return False
    briefly = ChurnConfig(seed=seed, folds=_BRIEF_FOLDS, max_rounds=_BRIEF_ROUNDS)
    columns = Columns.learn([rows[place] for place in train], labels[train], [users[place] for place in train], briefly)
    if columns is None:
        return False
    rate = np.full(len(test), _log_odds(labels[train]))
    gain: Array = _loss(rate, labels[test]) - _loss(columns.log_odds([rows[place] for place in test]), labels[test])
    return bool(gain.mean() > _STANDARD_ERRORS * gain.std() / np.sqrt(len(gain)))


def _loss(log_odds: Array, labels: NDArray[np.bool_]) -> Array:
    return np.asarray(np.logaddexp(0.0, np.where(labels, -log_odds, log_odds)), dtype=np.float64)
