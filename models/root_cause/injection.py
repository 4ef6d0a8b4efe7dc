"""Faults planted into pseudo-windows of normal time, to learn what the total of the evidence means.

They calibrate how sure an answer is; no template, service or real incident is learned from them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.root_cause.types import PlantedFault
from models.root_cause.window import MICROSECONDS, Array, Window


def plant(window: Window, fault: PlantedFault, service: int, service_of: Array, error_symbol: int, rng: np.random.Generator) -> Window:
    """A window in which one service is at fault.

    ``delay`` makes each of its steps slower, ``errors`` adds an error message that was never seen, ``break`` ends requests at it
    with such a message, ``silence`` drops most of what it writes. The fault hits between a half and all of the units, the latest.
    """
    share = rng.uniform(0.5, 1.0)
    hit = window.unit >= (1 - share) * window.n_units
    own = hit & (service_of[window.symbol] == service)
    if fault == "delay":
        return _delayed(window, own, rng.uniform(0.1, 3.0))
    if fault == "silence":
        return _without(window, own & (rng.random(len(own)) < 0.9))
    failing = own & (rng.random(len(own)) < rng.uniform(0.3, 1.0))
    if fault == "break":
        first = _first_of_unit(window, failing)
        window, failing = _cut_after(window, first)
    changed = window.symbol.copy()
    changed[failing] = error_symbol
    return replace(window, symbol=changed, severe=window.severe | failing)


def _delayed(window: Window, own: Array, seconds: float) -> Window:
    later = np.cumsum(own) * round(seconds * MICROSECONDS)
    starts = np.searchsorted(window.unit, np.arange(window.n_units))
    before = (later - own * round(seconds * MICROSECONDS))[starts]
    traced = window.traced[window.unit]
    return replace(window, at=window.at + np.where(traced, later - before[window.unit], 0))


def _without(window: Window, dropped: Array) -> Window:
    keep = ~dropped
    return replace(
        window, at=window.at[keep], symbol=window.symbol[keep], unit=window.unit[keep], severe=window.severe[keep], line=window.line[keep]
    )


def _first_of_unit(window: Window, failing: Array) -> Array:
    places = np.flatnonzero(failing)
    _, first = np.unique(window.unit[places], return_index=True)
    return places[first]


def _cut_after(window: Window, last: Array) -> tuple[Window, Array]:
    """Traces end at the given lines; blocks go on."""
    end = np.full(window.n_units, len(window.unit))
    end[window.unit[last]] = np.where(window.traced[window.unit[last]], last, len(window.unit))
    places = np.arange(len(window.unit))
    dropped = places > end[window.unit]
    failing = np.isin(places, last)
    return _without(window, dropped), failing[~dropped]
