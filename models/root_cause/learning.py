"""What normal time teaches: the null distributions of the evidence, and what a total of it is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.root_cause.calibration import SIZES, Calibration, calibrate, pseudo_windows, raw_of
from models.root_cause.calls import regular
from models.root_cause.change import Change, Tally, compare, tally
from models.root_cause.injection import FAULTS, plant
from models.root_cause.types import KINDS
from models.root_cause.verdict import Judgement, explain, learn_judgement
from models.root_cause.window import Array, Window

PLANTED_PER_SIZE = 40
LARGEST_DRAW = 4
"""A pseudo-window is at most this many times as large as normal time: beyond, it repeats itself."""


@dataclass(frozen=True)
class Normal:
    """Normal time with its symbols.

    Parameters
    ----------
    window
        Its lines.
    service_of
        Service of each symbol; one symbol more per service stands for an error message that was never seen.
    resemblance
        By symbol, how new it would be if normal time lacked it.
    mentions
        Which symbols name which service, as booleans of shape (symbol, service).
    """

    window: Window
    service_of: Array
    n_services: int
    resemblance: Array
    mentions: Array

    def tally(self, window: Window) -> Tally:
        """Count a window over the symbols of normal time."""
        return tally(window, self.service_of, self.n_services)

    def compare(self, reference: Tally, window: Tally) -> Change:
        """Compare two windows of normal time."""
        return compare(reference, window, self.resemblance, self.mentions)


def learn(normal: Normal, n_draws: int, false_alarm_rate: float, rng: np.random.Generator) -> tuple[Calibration, list[Judgement]]:
    """Draw pseudo-windows of several sizes, then plant faults into others."""
    n_units = normal.window.n_units
    sizes = [size for size in SIZES if size <= LARGEST_DRAW * n_units]
    draws = {size: _null(normal, size, n_draws, rng) for size in sizes}
    sizes = [size for size in sizes if len(draws[size])]
    shape = (0, 0, len(KINDS), normal.n_services)
    null = np.stack([draws[size] for size in sizes]) if sizes else np.zeros(shape)
    calibration = calibrate(null, np.array(sizes))
    calls = regular(normal.tally(normal.window).calls)
    judgements = []
    for size, drawn in zip(sizes, null, strict=True):
        untouched = np.stack([_total(calibration.surprise(raw, size), calls) for raw in drawn])
        planted = [(_total(calibration.surprise(raw, size), calls), guilty) for raw, guilty in _planted(normal, size, rng)]
        judgements.append(learn_judgement(untouched, planted, false_alarm_rate))
    return calibration, judgements


def _null(normal: Normal, size: int, n_draws: int, rng: np.random.Generator) -> Array:
    drawn = pseudo_windows(normal.window, size, n_draws, rng)
    return np.array([raw_of(normal.compare(normal.tally(reference), normal.tally(window))) for reference, window in drawn])


def _planted(normal: Normal, size: int, rng: np.random.Generator) -> list[tuple[Array, int]]:
    """Raw evidence of windows with a planted fault, and the service at fault."""
    cases = []
    first_error = len(normal.service_of) - normal.n_services
    for number, (reference, window) in enumerate(pseudo_windows(normal.window, size, PLANTED_PER_SIZE, rng)):
        services = np.unique(normal.service_of[window.symbol])
        guilty = int(rng.choice(services))
        fault = FAULTS[number % len(FAULTS)]
        faulty = plant(window, fault, guilty, normal.service_of, first_error + guilty, rng)
        cases.append((raw_of(normal.compare(normal.tally(reference), normal.tally(faulty))), guilty))
    return cases


def _total(surprise: Array, calls: Array) -> Array:
    return explain(surprise, calls, np.full(surprise.shape[1], np.nan))[0]
