"""Which kinds of messages are far too frequent, and have been for long enough to say so.

A window is cut into steps. A kind of message is too frequent in a step that holds three times what normal time lets expect at that
time of day or week, and beyond what varies there; it fires when that lasts, and is resolved only when it has been clearly lower for
as long: an alert must not flap.

References
----------
Montgomery (2012), Introduction to statistical quality control, 7th edition, section 5.3: limits of so many standard deviations, and runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from models.root_cause.alarm import Alert, AlertKind, AlertState
from models.root_cause.findings import Findings, moment
from models.root_cause.hourly import HourlyRates
from models.root_cause.window import Array

RAISED, CLEARED = 3.0, 1.5
"""Multiples of the expected count above which a step is too frequent, and below which it no longer is."""
DEVIATIONS = 4.0
LEAST_LINES = 5
MOST_ALERTS = 50
_STATES: tuple[AlertState, ...] = ("firing", "pending", "resolved", "muted")
MOST_CELLS = 2_000_000
"""Steps that are looked at, times the kinds of messages in them; the last steps, where a window has more."""


def alerts(findings: Findings, rates: HourlyRates, after_steps: int, firing: Collection[str]) -> tuple[Alert, ...]:
    """The alerts of a window, firing ones first.

    Of services that normal time does not know, nothing is expected, so nothing is too frequent.

    Parameters
    ----------
    after_steps
        Steps that it must last, and be quiet again.
    firing
        Keys of alerts that fired at the end of the window before.
    """
    window, symbols, normal = findings.window, findings.symbols, findings.normal
    last = int(window.at.max()) // rates.step
    first = max(int(window.at.min()) // rates.step, last + 1 - max(1, MOST_CELLS // len(np.unique(window.symbol))))
    steps = np.arange(first, last + 1)
    seen, counts = _counted(window.symbol, window.at // rates.step - first, len(steps))
    mean, deviation = rates.expected(seen, steps)
    raised = counts >= np.maximum(np.maximum(RAISED * mean, mean + DEVIATIONS * deviation), LEAST_LINES)
    cleared = counts < np.maximum(CLEARED * mean, LEAST_LINES)
    is_known = np.bincount(normal.service_of, weights=normal.units_of_symbol, minlength=len(symbols.services)) > 0
    found = []
    for row, symbol in enumerate(seen.tolist()):
        fired = _key(*symbols.pairs[symbol]) in firing
        run = _watch(raised[row], cleared[row], after_steps, fired) if raised[row].any() or fired else None
        if run is not None and is_known[normal.service_of[symbol]]:
            part = slice(run.first, run.last + 1)
            kind: AlertKind = "burst" if normal.units_of_symbol[symbol] else "new"
            service, template = symbols.pairs[symbol]
            lines, expected = int(counts[row, part].sum()), float(mean[row, part].sum())
            told = _Told(service, template, kind, lines, expected, rates.is_seasonal)
            found.append(told.alert(run, (first + run.first) * rates.step, (first + run.last + 1) * rates.step))
    return tuple(sorted(found, key=lambda alert: (_STATES.index(alert.state), -alert.lines, alert.key))[:MOST_ALERTS])


def _counted(symbol: Array, step: Array, n_steps: int) -> tuple[Array, Array]:
    """The symbols that occur, and their lines by step, shape (symbol, step); lines before the first step are left out."""
    seen, row = np.unique(symbol, return_inverse=True)
    inside = step >= 0
    cells = np.bincount(row[inside] * n_steps + step[inside], minlength=len(seen) * n_steps)
    return seen, cells.reshape(len(seen), n_steps)


@dataclass(frozen=True)
class _Run:
    """The last time that a kind of message was too frequent: its first and last step, and what that makes of the alert."""

    first: int
    last: int
    state: AlertState


def _watch(raised: Array, cleared: Array, after_steps: int, firing: bool) -> _Run | None:
    """Go through the steps with hysteresis."""
    first, last, length, quiet, run = 0, 0, 0, 0, None
    for step, (is_raised, is_cleared) in enumerate(zip(raised.tolist(), cleared.tolist(), strict=True)):
        if is_raised:
            first = step if not firing and length == 0 else first
            length, last, quiet = length + 1, step, 0
            firing = firing or length >= after_steps
        elif firing:
            quiet = quiet + 1 if is_cleared else 0
            if quiet >= after_steps:
                run, firing, length = _Run(first, last, "resolved"), False, 0
        else:
            length = 0
    if firing:
        return _Run(first, last, "firing")
    return _Run(first, last, "pending") if length else run


@dataclass(frozen=True)
class _Told:
    """What an alert is about, and how much of it there was."""

    service: str
    template: str
    kind: AlertKind
    lines: int
    expected: float
    seasonal: bool

    def alert(self, run: _Run, since: int, until: int) -> Alert:
        """The alert, between two instants in microseconds."""
        expected = f"{self.expected:.1f} expected" + (" at this hour" if self.seasonal else "")
        usual = "normal time has no such message" if self.kind == "new" else expected
        why = f"{self.service}: “{self.template}” came {self.lines:,} times, {usual}"
        between = {"since": moment(since), "until": moment(until)}
        return Alert(key=_key(self.service, self.template), state=run.state, why=why, **between, **vars(self))


def _key(service: str, template: str) -> str:
    return hashlib.blake2b(f"{service}\0{template}".encode("utf-8", "replace"), digest_size=8).hexdigest()
