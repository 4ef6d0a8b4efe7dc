"""From findings to a chart of them: when each service wrote, how much of it was unusual, and whose trouble explains whose."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain, product

import numpy as np

from models.root_cause.chart import Arrow, Timeline, TimelineRow
from models.root_cause.findings import EPOCH, Findings, moment
from models.root_cause.window import MICROSECONDS, Array

MOST_ROWS = 24
"""Services in a timeline: what fits on a screen."""
MOST_STEPS = 80

_FIRST_DAY = (datetime.min.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
_SHORT_STEPS = (number * 10.0**power for power, number in product((-3, -2, -1, 0), (1, 2, 5)))
_STEPS = (*_SHORT_STEPS, 10.0, 15.0, 30.0, *map(float, (60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)))


def timeline(findings: Findings) -> Timeline:
    """Cut a window into at most `MOST_STEPS` steps."""
    window, names = findings.window, findings.symbols.services
    first, last = int(window.at.min()), int(window.at.max())
    step = step_seconds((last - first) / MICROSECONDS)
    start = max(first - first % round(step * MICROSECONDS), _FIRST_DAY)
    n_steps = (last - start) // round(step * MICROSECONDS) + 1
    service = findings.normal.service_of[window.symbol]
    cell = service * n_steps + (window.at - start) // round(step * MICROSECONDS)

    def counted(chosen: Array) -> Array:
        return np.bincount(cell[chosen], minlength=len(names) * n_steps).reshape(len(names), n_steps)

    lines, errors, unusual = counted(np.ones(len(cell), dtype=bool)), counted(window.severe), counted(findings.flagged)
    present = np.flatnonzero(lines.sum(axis=1)).tolist()
    order = sorted(present, key=lambda s: (-findings.left[s], -lines[s].sum(), names[s]))
    rows = [
        TimelineRow(
            service=names[s],
            lines=tuple(lines[s].tolist()),
            errors=tuple(errors[s].tolist()),
            unusual=tuple(unusual[s].tolist()),
            onset_at=_onset(findings, s),
        )
        for s in order[:MOST_ROWS]
    ]
    shown = set(order[:MOST_ROWS])
    return Timeline(
        started_at=moment(start),
        step_seconds=step,
        rows=tuple(rows),
        arrows=tuple(_arrow(findings, s) for s in order[:MOST_ROWS] if int(findings.blamed[s]) in shown and _is_dated(findings, s)),
        other_services=len(order) - len(rows),
    )


def step_seconds(span_seconds: float) -> float:
    """The shortest round length of which at most `MOST_STEPS` cover a span, with one more for where the first begins."""
    days = (float(86400 * 2**power) for power in range(40))
    return next(step for step in chain(_STEPS, days) if span_seconds / step <= MOST_STEPS - 1)


def _is_dated(findings: Findings, service: int) -> bool:
    return not np.isnan(findings.onset[[service, int(findings.blamed[service])]]).any()


def _arrow(findings: Findings, service: int) -> Arrow:
    blamed, names = int(findings.blamed[service]), findings.symbols.services
    lag = float(findings.onset[service] - findings.onset[blamed]) / MICROSECONDS
    return Arrow(cause=names[blamed], effect=names[service], lag_seconds=lag)


def _onset(findings: Findings, service: int) -> datetime | None:
    onset = float(findings.onset[service])
    return None if np.isnan(onset) else moment(onset).astimezone(UTC)
