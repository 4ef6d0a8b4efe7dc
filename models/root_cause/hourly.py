"""How often each kind of message is written in normal time, by the hour of the day or week where normal time is long enough to tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.root_cause.types import Traffic
from models.root_cause.window import MICROSECONDS, Array

HOUR = 3600 * MICROSECONDS
_DAILY_HOURS, _WEEKLY_HOURS = 3 * 24, 14 * 24
"""Hours that normal time must span for expectations by the hour of the day, and of the week: one Monday is no season."""
_FROM_MONDAY = 3 * 24
"""Hours from a Monday to 1970-01-01, a Thursday."""
PRIOR_STEPS = 10.0
"""Steps of all normal time that an hour's own are mixed with: an hour that was seen for a minute says little."""
LEAST_SEASONAL_LINES = 30
LEAST_EXPECTED = 5.0
"""Expected lines of a service are never taken to be fewer, or any three lines would be a spike."""


@dataclass(frozen=True)
class HourlyRates:
    """Lines a step, by symbol and hour; the hours are those of UTC.

    Parameters
    ----------
    step
        Microseconds.
    mean, deviation
        Of the lines in a step, shape (symbol, hour); 1, 24 or 168 hours.
    covered
        By hour, the steps of normal time in which anybody wrote.
    """

    step: int
    mean: Array
    deviation: Array
    covered: Array

    @property
    def is_seasonal(self) -> bool:
        """Whether hours differ."""
        return len(self.covered) > 1

    def expected(self, symbols: Array, steps: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of the lines of symbols in steps (numbered from 1970), each shape (symbol, step).

        Symbols beyond those of normal time are never expected.
        """
        hour = _hour(steps * self.step, len(self.covered))
        known = symbols < len(self.mean)
        row = np.where(known, symbols, 0)
        mean = np.where(known[:, None], self.mean[row][:, hour] if len(self.mean) else 0.0, 0.0)
        deviation = np.where(known[:, None], self.deviation[row][:, hour] if len(self.mean) else 0.0, 0.0)
        return mean, deviation

    def lines_between(self, start: int, end: int, service_of: Array, n_services: int) -> Array:
        """Lines of each service between two instants (microseconds), at that hour."""
        rates = self._of_services(service_of, n_services)
        return np.asarray(rates[:, _hour((start + end) // 2, len(self.covered))] * (end - start) / self.step)

    def factors(self, at: int, service_of: Array, n_services: int) -> Array:
        """By service, this hour as a multiple of all hours; 1 where hardly a line of it is known."""
        rates, hour = self._of_services(service_of, n_services), _hour(at, len(self.covered))
        overall = rates @ self.covered / max(int(self.covered.sum()), 1)
        enough = rates[:, hour] * self.covered[hour] >= LEAST_SEASONAL_LINES
        return np.where(enough, rates[:, hour] / np.maximum(overall, 1e-12), 1.0)

    def _of_services(self, service_of: Array, n_services: int) -> Array:
        """Lines a step, shape (service, hour); of the service of each symbol, those of normal time come first."""
        rates = np.zeros((n_services, len(self.covered)))
        np.add.at(rates, service_of[: len(self.mean)], self.mean)
        return rates


def hourly_rates(at: Array, symbol: Array, n_symbols: int, step_seconds: float, thinned: float) -> HourlyRates:
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
    return HourlyRates(step, mean.astype(np.float32), deviation.astype(np.float32), covered)


def traffic(services: Sequence[str], lines: Array, expected: Array, factor: float, *, seasonal: bool) -> tuple[Traffic, ...]:
    """Services that write more than `factor` times what is expected, the largest excess first."""
    found = [
        Traffic(service=service, lines=int(count), expected=float(usual), seasonal=seasonal, spike=True)
        for service, count, usual in zip(services, lines, expected, strict=True)
        if count > factor * max(usual, LEAST_EXPECTED)
    ]
    return tuple(sorted(found, key=lambda row: (-row.lines / max(row.expected, LEAST_EXPECTED), row.service)))


def _hour(at: Array | int, n_hours: int) -> Array:
    return np.asarray((at // HOUR + _FROM_MONDAY) % n_hours)
