r"""Which of several options was chosen, by what is known of each: the conditional logit.

Option i of a choice, with features :math:`x_i`, is taken with probability :math:`e^{w \cdot x_i} / \sum_j e^{w \cdot x_j}`; the weights w
maximise the likelihood of the choices made, less :math:`\lambda |w|^2 / 2`.

References
----------
D. McFadden, "Conditional logit analysis of qualitative choice behavior" (1973).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array

Features = Mapping[str, float]
Choice = tuple[Sequence[Features], int]
"""The options, and which of them was right."""


def learn_choices(choices: Sequence[Choice], ridge: float) -> dict[str, float]:
    """Weights by feature; none if there are no choices."""
    if not choices:
        return {}
    names = sorted({name for options, _ in choices for features in options for name in features})
    matrix = _matrix([features for options, _ in choices for features in options], {name: place for place, name in enumerate(names)})
    sizes = np.array([len(options) for options, _ in choices])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    right = starts + np.array([chosen for _, chosen in choices])
    group = np.repeat(np.arange(len(choices)), sizes)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = matrix @ weights
        scores -= np.maximum.reduceat(scores, starts)[group]
        powers = np.exp(scores)
        sums = np.add.reduceat(powers, starts)
        residual = powers / sums[group]
        residual[right] -= 1
        value = float(np.log(sums).sum() - scores[right].sum() + ridge / 2 * weights @ weights)
        return value, matrix.T @ residual + ridge * weights

    weights = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    return {name: round(float(weight), 6) for name, weight in zip(names, weights, strict=True)}


def _matrix(rows: Sequence[Features], columns: Mapping[str, int]) -> Any:
    values = [value for features in rows for value in features.values()]
    places = [columns[name] for features in rows for name in features]
    ends = np.concatenate([[0], np.cumsum([len(features) for features in rows])])
    return csr_array((values, places, ends), shape=(len(rows), len(columns)))
