"""What a single column tells about the label: the trivial model, and the sign of a leak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from models.churn.columns import Column
from models.churn.values import token
from models.scalar import Scalar

_PRIOR_ROWS = 10.0  # a group's rate is pulled to the base rate as if that many average customers were in it


@dataclass(frozen=True)
class GroupRates:
    """The share of customers who left by group of one column: levels of a category, stretches between the knots of a number.

    Parameters
    ----------
    rates
        Smoothed share by group.
    roc_auc
        How well rates that were counted on every other row order the rows between, and the other way round; so a column of many
        small groups is not taken for a telling one.
    """

    column: Column
    base_rate: float
    rates: dict[str, float]
    roc_auc: float

    @classmethod
    def count(cls, column: Column, values: Sequence[Scalar], labels: NDArray[np.bool_]) -> GroupRates:
        """Count who left in each group."""
        base_rate = float(labels.mean())
        groups, group_of = np.unique([_group(column, value) for value in values], return_inverse=True)
        by_group = dict(zip(groups.tolist(), _smoothed(group_of, labels, len(groups), base_rate).tolist(), strict=True))
        scores = np.empty(len(labels))
        even = np.arange(len(labels)) % 2 == 0
        for counted in (even, ~even):
            scores[~counted] = _smoothed(group_of[counted], labels[counted], len(groups), base_rate)[group_of[~counted]]
        return cls(column, base_rate, by_group, float(roc_auc_score(labels, scores)))

    def rate(self, value: Scalar) -> float:
        """The smoothed share who left in the group of a value; the base rate for a group never seen."""
        return self.rates.get(_group(self.column, value), self.base_rate)


def _smoothed(group_of: NDArray[np.intp], labels: NDArray[np.bool_], n_groups: int, base_rate: float) -> NDArray[np.float64]:
    left, rows = (np.bincount(group_of, weights=weights, minlength=n_groups) for weights in (labels, None))
    rates: NDArray[np.float64] = (left + _PRIOR_ROWS * base_rate) / (rows + _PRIOR_ROWS)
    return rates


def _group(column: Column, value: Scalar) -> str:
    if column.kind == "category":
        return token(value)
    place, parsed = column.place(value)
    return str(np.searchsorted(column.knots, parsed)) if place == 0 else ""
