"""Where in a window the trouble begins: the cut after which it differs most from normal time and from its own quiet part.

An incident is noticed with lines from before it. Those are the best reference there is, of the same hour and the same release, but nobody
says where they end; so every sixth of the window is tried as the beginning, and the one that speaks loudest is taken. The same is done to
windows of normal time, which therefore know how loud chance speaks when it may choose.

What differed from normal time before the cut already is taken off: another release, a wrong clock and a collector that loses lines are
no incident. So a change within the window is preferred to one that was there from its first line.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.root_cause.change import Change, Normal, compare
from models.root_cause.tally import Tally, tally
from models.root_cause.verdict import explain
from models.root_cause.window import MICROSECONDS, Array, Window

SEGMENTS = 6
CLEAR_NATS = 10.0
"""A change within the window of this many nats is preferred to any that was there from the beginning."""
LEAST_SERVICES = 5
LEAST_UNITS = 12
"""Windows of fewer units are not cut: two units a piece say nothing."""


@dataclass(frozen=True)
class Cut:
    """A window, cut where the trouble begins.

    Parameters
    ----------
    first_unit
        The first unit after the cut.
    reference, counted
        Normal time and what is before the cut; what is after it.
    nats
        Evidence, shape (kind, service), less what there was of it before the cut.
    totals
        What is left of the nats of each service after its callees explained their part.
    """

    first_unit: int
    reference: Tally
    counted: Tally
    change: Change
    nats: Array
    totals: Array


def scan(normal: Normal, window: Window, searched_from: int = 0, seconds_per_unit: float | None = None) -> Cut:
    """Find the cut.

    Parameters
    ----------
    searched_from
        The first unit in which the trouble may begin.
    seconds_per_unit
        How long a unit counts, where units were drawn at random; ``None``: the times of the lines tell.
    """
    n_units = window.n_units - searched_from
    pieces = SEGMENTS if n_units >= LEAST_UNITS else 1
    by_units = [searched_from + n_units * piece // pieces for piece in range(pieces)]
    cuts = _cuts(normal, window, by_units, seconds_per_unit)
    clearest = max(cuts[1:], key=_loudness, default=cuts[0])
    if _loudness(clearest) < CLEAR_NATS and pieces > 1 and seconds_per_unit is None:
        later = _cuts(normal, window, _by_time(window, searched_from, pieces), None)[1:]
        clearest = max([clearest, *later], key=_loudness)
    return clearest if _loudness(clearest) >= CLEAR_NATS else max([*cuts, clearest], key=_loudness)


def _by_time(window: Window, searched_from: int, pieces: int) -> list[int]:
    """The first unit of each sixth of the time: where requests cease, most of it holds few of the units."""
    began = window.at[np.searchsorted(window.unit, np.arange(searched_from, window.n_units))]
    edges = began[0] + (began[-1] - began[0]) * np.arange(pieces) / pieces
    return [searched_from + int(place) for place in np.unique(np.searchsorted(began, edges))]


def _cuts(normal: Normal, window: Window, starts: list[int], seconds_per_unit: float | None) -> list[Cut]:
    """The window, cut where each piece but the last begins."""
    ends = [*starts[1:], window.n_units]
    counts = [_tally(normal, window, start, end, seconds_per_unit) for start, end in zip([0, *starts], [starts[0], *ends], strict=True)]
    before, after = [counts[0]], [counts[-1]]
    for piece in range(1, len(starts)):
        before.append(before[-1] + counts[piece])
        after.append(counts[-1 - piece] + after[-1])
    after.reverse()
    absent = (normal.tally.units_of_service > 0) & (after[0].units_of_service == 0)
    return [_cut(normal, starts[piece], before[piece], after[piece], absent) for piece in range(max(1, len(starts) - 1))]


def _loudness(cut: Cut) -> float:
    return float(cut.totals.max(initial=0.0))


def _common(nats: Array, active: Array) -> Array:
    """By kind, what half of the services show, where there are enough of them: what everybody has is nobody's fault."""
    if active.sum() < LEAST_SERVICES:
        return np.zeros((len(nats), 1))
    return np.asarray(np.median(nats[:, active], axis=1, keepdims=True))


def _tally(normal: Normal, window: Window, start: int, end: int, seconds_per_unit: float | None) -> Tally:
    places = np.searchsorted(window.unit, [start, end])
    part = window.between(*places)
    seconds = (end - start) * seconds_per_unit if seconds_per_unit is not None else _seconds(window, start, end)
    return tally(part, normal.tally.service_of, normal.tally.n_services, seconds)


def _seconds(window: Window, start: int, end: int) -> float:
    """From the first line of one unit to the first of another, or to the last line of all."""
    if start >= end:
        return 0.0
    first, after = np.searchsorted(window.unit, [start, end])
    until = window.at[after] if after < len(window.at) else window.at.max()
    return float(until - window.at[first]) / MICROSECONDS


def _cut(normal: Normal, first_unit: int, before: Tally, counted: Tally, absent: Array) -> Cut:
    reference = normal.tally + before
    change = compare(normal, reference, counted, absent)
    already = compare(normal, normal.tally, before, absent).nats if before.n_units else 0.0
    nats = np.maximum(change.nats - already, 0)
    nats = np.maximum(nats - _common(nats, counted.units_of_service > 0), 0)
    totals, _ = explain(nats, normal.calls | change.accuses, np.full(counted.n_services, np.nan))
    return Cut(first_unit, reference, counted, change, nats, totals)
