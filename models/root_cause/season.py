"""How much each service usually writes at this hour of the week, from all of normal time, however little of it is kept otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from models.root_cause.types import Traffic
from models.root_cause.window import MICROSECONDS, Array

HOURS = 168
_MINUTE, _HOUR = 60 * MICROSECONDS, 3600 * MICROSECONDS
LEAST_WEEKS = 2
"""Weeks of which an hour must be known before it has an expectation of its own: one Monday is no season."""
LEAST_MINUTES = 30
"""Minutes that must be known of such an hour."""
LEAST_SEASONAL_LINES = 30
LEAST_EXPECTED = 5.0
"""Expected lines are never taken to be fewer, or any three lines would be a spike."""


class Season:
    """Lines by service and hour of the week; the hours are those of UTC, counted from a Thursday.

    Parameters
    ----------
    lines
        By service, 168 counts.
    minutes, weeks
        By hour of the week, minutes in which any service wrote, and weeks in which any did.
    """

    def __init__(self, lines: Mapping[str, Array], minutes: Array, weeks: Array) -> None:
        self.lines = {service: np.asarray(counts) for service, counts in lines.items()}
        self.minutes = np.asarray(minutes)
        self.weeks = np.asarray(weeks)

    def expected(self, service: str, start: int, end: int) -> tuple[float, bool]:
        """Lines of a service between two instants (microseconds), and whether they are those of the hour of the week."""
        counts = self.lines.get(service)
        if counts is None:
            return 0.0, False
        slot = (start + end) // 2 // _HOUR % HOURS
        minutes = (end - start) / _MINUTE
        if self.seasonal(slot):
            return float(counts[slot]) / self.minutes[slot] * minutes, True
        return float(counts.sum()) / max(int(self.minutes.sum()), 1) * minutes, False

    def seasonal(self, slot: int) -> bool:
        """Whether an hour of the week is known from several weeks."""
        return bool(self.weeks[slot] >= LEAST_WEEKS and self.minutes[slot] >= LEAST_MINUTES)

    def factors(self, services: Iterable[str], at: int) -> Array:
        """By service, this hour of the week as a multiple of all hours; 1 where that is not known."""
        slot = at // _HOUR % HOURS
        overall = self.minutes.sum() / max(int(self.minutes[slot]), 1)
        known = self.seasonal(slot)
        counts = [self.lines.get(service) if known else None for service in services]
        return np.array(
            [float(own[slot] / own.sum() * overall) if own is not None and own[slot] >= LEAST_SEASONAL_LINES else 1.0 for own in counts]
        )


def traffic(season: Season, lines: Mapping[str, int], start: int, end: int, factor: float) -> tuple[Traffic, ...]:
    """Services that write more than `factor` times what is expected between two instants, the largest excess first."""
    told = [(service, count, *season.expected(service, start, end)) for service, count in lines.items()]
    found = [
        Traffic(service=service, lines=count, expected=expected, seasonal=seasonal, spike=True)
        for service, count, expected, seasonal in told
        if count > factor * max(expected, LEAST_EXPECTED)
    ]
    return tuple(sorted(found, key=lambda row: (-row.lines / max(row.expected, LEAST_EXPECTED), row.service)))


class Calendar:
    """Counts a log for `Season`, chunk by chunk."""

    def __init__(self) -> None:
        self._lines: Counter[tuple[str, int]] = Counter()
        self._minutes: set[int] = set()

    def add(self, services: list[str], at: Array) -> None:
        """Take further lines."""
        slots = at // _HOUR % HOURS
        self._lines.update(zip(services, slots.tolist(), strict=True))
        self._minutes.update(np.unique(at // _MINUTE).tolist())

    def season(self) -> Season:
        """What was counted."""
        lines: dict[str, Array] = {service: np.zeros(HOURS, dtype=np.int64) for service, _ in self._lines}
        for (service, slot), count in self._lines.items():
            lines[service][slot] = count
        minutes = np.array(sorted(self._minutes), dtype=np.int64)
        hours = np.unique(minutes // 60)
        return Season(lines, np.bincount(minutes // 60 % HOURS, minlength=HOURS), np.bincount(hours % HOURS, minlength=HOURS))
