"""A logistic regression whose lines may bend: the additive half of the score.

For a number x with knots k the log-odds are β₀·x + Σ βₖ·max(x - k, 0), a broken line; for a category one β per level. What a column
contributes is its part of the sum, against the average row of training: it is exact, because the model is a sum.

References
----------
Hastie and Tibshirani (1986), Generalized Additive Models, Statistical Science 1(3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.churn.table import Table

Array = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Linear:
    """Coefficients of the terms, all arrays of shape (n_terms,).

    Parameters
    ----------
    place
        The place in the matrix that the term reads.
    knot
        The term is max(x - knot, 0); minus infinity for x itself.
    owner
        The column of the table that the term belongs to.
    mean, coefficient
        The term contributes coefficient * (term - mean).
    bias
        Log-odds of the average row.
    """

    place: Places
    knot: Array
    owner: Places
    mean: Array
    coefficient: Array
    bias: float

    @classmethod
    def unfitted(cls, table: Table) -> Self:
        """The terms that a table gives, with nothing learned."""
        bends = [(start, knot) for column, start in zip(table.columns, table.starts, strict=False) for knot in column.knots]
        width = len(table.owner)
        place = np.array([*range(width), *(start for start, _ in bends)], dtype=np.intp)
        knot = np.array([-np.inf] * width + [knot for _, knot in bends])
        zeros = np.zeros(len(place))
        return cls(place, knot, table.owner[place].astype(np.intp), zeros, zeros, 0.0)

    def terms(self, X: Array) -> Array:
        """The terms of each row, of shape (n_rows, n_terms)."""
        values = X[:, self.place]
        return np.where(np.isneginf(self.knot), values, np.maximum(values - self.knot, 0.0))

    def parts(self, X: Array) -> Array:
        """What each term adds to the log-odds of each row, of shape (n_rows, n_terms)."""
        return (self.terms(X) - self.mean) * self.coefficient

    def log_odds(self, X: Array) -> Array:
        """The log-odds of each row."""
        scores: Array = self.bias + self.parts(X).sum(axis=1)
        return scores

    def scaled(self, weight: float) -> Linear:
        """The same model with its log-odds multiplied."""
        return Linear(self.place, self.knot, self.owner, self.mean, self.coefficient * weight, self.bias * weight)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The fields as arrays."""
        return {name: np.asarray(value) for name, value in vars(self).items()}
