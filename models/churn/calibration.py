"""From the sum of both halves to log-odds that mean what they say: a rising line with bends.

Platt's straight line cannot follow a table where most customers leave for reasons that no column shows, so that observed shares stop
falling long before scores do. Isotonic regression can, but ties and jumps; a line with a few bends neither ties nor jumps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """A continuous, rising, piecewise linear function of log-odds.

    Parameters
    ----------
    knots
        Where it bends, rising; of shape (n_knots,).
    slopes
        Positive, one per stretch, of shape (n_knots + 1,).
    height
        Its value at the first knot.
    """

    knots: Array
    slopes: Array
    height: float

    def __call__(self, log_odds: Array) -> Array:
        """The calibrated log-odds."""
        calibrated: Array = self.height + (stretches(self.knots, log_odds) * self.slopes).sum(axis=-1)
        return calibrated

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The fields as arrays."""
        return {name: np.asarray(value) for name, value in vars(self).items()}


IDENTITY = Calibration(np.zeros(1), np.ones(2), 0.0)


def stretches(knots: Array, log_odds: Array) -> Array:
    """How far each value reaches into each stretch between the knots, of shape (n_values, n_knots + 1); negative below the first."""
    ends = np.concatenate([knots, [np.inf]])
    below = np.minimum(log_odds - knots[0], 0.0)[..., None]
    above = np.clip(log_odds[..., None], ends[:-1], ends[1:]) - ends[:-1]
    return np.concatenate([below, above], axis=-1)
