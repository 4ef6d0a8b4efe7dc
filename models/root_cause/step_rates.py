"""How often each kind of message is written in normal time, by the time of day or week where normal time is long enough to tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.root_cause.window import MICROSECONDS, Array

HOUR = 3600 * MICROSECONDS
_DAILY_HOURS, _WEEKLY_HOURS = 3 * 24, 14 * 24
"""Hours that normal time must span for expectations by the hour of the day, and of the week."""
_FROM_MONDAY = 3 * 24
"""Hours from a Monday to 1970-01-01, a Thursday."""
PRIOR_STEPS = 10.0
"""Steps of all normal time that an hour's own are mixed with: an hour that was seen for a minute says little."""


@dataclass(frozen=True)
class StepRates:
    """Lines a step, by symbol and hour.

    Parameters
    ----------
    step
        Microseconds.
    mean, deviation
        Of the lines in a step, shape (symbol, hour); 1, 24 or 168 hours.
    """

    step: int
    mean: Array
    deviation: Array

    @property
    def is_seasonal(self) -> bool:
        """Whether hours differ."""
        return bool(self.mean.shape[1] > 1)

    def expected(self, symbols: Array, steps: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of the lines of symbols in steps (numbered from 1970), each shape (symbol, step).

        Symbols beyond those of normal time are never expected.
        """
        hour = _hour(steps * self.step, self.mean.shape[1])
        known = symbols < len(self.mean)
        row = np.where(known, symbols, 0)
        mean = np.where(known[:, None], self.mean[row][:, hour] if len(self.mean) else 0.0, 0.0)
        deviation = np.where(known[:, None], self.deviation[row][:, hour] if len(self.mean) else 0.0, 0.0)
        return mean, deviation


def step_rates(at: Array, symbol: Array, n_symbols: int, step_seconds: float, thinned: float) -> StepRates:
    """Count normal time in steps; those without any line do not count as normal time.

    Parameters
    ----------
    at, symbol
        Of the lines of normal time.
    thinned
        Share of the lines of normal time that these are.
    """
    step = max(1, round(step_seconds * MICROSECONDS))
    steps, number = np.unique(at // step, return_inverse=True)
    span = (int(at.max()) - int(at.min())) / HOUR
    n_hours = 168 if span >= _WEEKLY_HOURS else 24 if span >= _DAILY_HOURS else 1
    hour = _hour(steps * step, n_hours)
    cells, counts = np.unique(symbol * len(steps) + number, return_counts=True)
    which, when = cells // len(steps), hour[cells % len(steps)]
    scaled = counts / thinned
    covered = np.bincount(hour, minlength=n_hours)
    total, squares = np.zeros((n_symbols, n_hours)), np.zeros((n_symbols, n_hours))
    np.add.at(total, (which, when), scaled)
    np.add.at(squares, (which, when), scaled**2)
    overall = total.sum(axis=1, keepdims=True) / len(steps)
    mean = (total + PRIOR_STEPS * overall) / (covered + PRIOR_STEPS)
    within = (squares.sum(axis=1) - (total**2 / np.maximum(covered, 1)).sum(axis=1)) / len(steps)
    deviation = np.sqrt(np.maximum(np.maximum(within, 0.0)[:, None] * (mean / np.maximum(overall, 1e-12)), mean))
    return StepRates(step, mean.astype(np.float32), deviation.astype(np.float32))


def _hour(at: Array, n_hours: int) -> Array:
    return (at // HOUR + _FROM_MONDAY) % n_hours
