"""What normal time teaches: how loud the evidence speaks when nothing happened, and when something did."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle

import numpy as np

from models.root_cause.calibration import SIZES, SPLITS, draw, references
from models.root_cause.calls import regular
from models.root_cause.change import Normal
from models.root_cause.injection import plant
from models.root_cause.scan import scan
from models.root_cause.tally import Tally, tally
from models.root_cause.types import PlantedFault, RootCauseConfig
from models.root_cause.verdict import Judgement, learn_judgement
from models.root_cause.window import MICROSECONDS, Array, Window

PLANTED_PER_SIZE = 40
LARGEST_DRAW = 4
"""A pseudo-window is at most this many times as large as what it is drawn from: beyond, it only repeats itself."""


@dataclass(frozen=True)
class NormalTime:
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

    @property
    def seconds_per_unit(self) -> float:
        """How long a unit lasts until the next begins, on average."""
        return duration(self.window) / max(self.window.n_units, 1)

    def compared_with(self, reference: Window) -> Normal:
        """A part of it as the reference of other parts."""
        counted: Tally = tally(reference, self.service_of, self.n_services, reference.n_units * self.seconds_per_unit)
        known = counted.units_of_symbol > 0
        return Normal(
            counted, known, np.where(known, 0.0, self.resemblance), self.mentions, regular(counted.calls), np.ones(self.n_services)
        )


def duration(window: Window) -> float:
    """Seconds from the first line to the last, less the pauses."""
    gaps = np.diff(np.sort(window.at)) / MICROSECONDS
    return float(gaps[~is_pause(gaps)].sum())


PAUSE_SECONDS = 240.0
ORDINARY_GAPS = 20.0


def is_pause(gaps: Array) -> Array:
    """Which silences of all services together are none, but times of which no logs were taken; gaps in seconds.

    Those of four minutes and more, unless a twentieth as much is ordinary.
    """
    return np.asarray(gaps >= max(PAUSE_SECONDS, ORDINARY_GAPS * float(np.median(gaps)))) if len(gaps) else np.zeros(0, dtype=bool)


def learn(normal: NormalTime, config: RootCauseConfig, rng: np.random.Generator) -> dict[int, Judgement]:
    """Draw pseudo-windows of several sizes, plant faults into further ones, and learn by size what the evidence means."""
    halves = [(normal.compared_with(reference), units) for reference, units in references(normal.window)]
    sizes = [size for size in SIZES if size <= LARGEST_DRAW * min(len(units) for _, units in halves)] if halves else []
    judgements = {}
    for size in sizes:
        windows = [(half, draw(normal.window, units, size, rng)) for half, units in _repeated(halves, config.n_draws)]
        untouched = [scan(half, window, seconds_per_unit=normal.seconds_per_unit).totals for half, window in windows]
        faulty = [(half, draw(normal.window, units, size, rng)) for half, units in _repeated(halves, PLANTED_PER_SIZE)]
        faults = cycle(config.planted_faults)
        planted = [_planted(normal, half, window, fault, rng) for (half, window), fault in zip(faulty, faults, strict=False)]
        judgements[size] = learn_judgement(np.stack(untouched), planted, config.false_alarm_rate)
    return judgements


def _repeated(halves: list[tuple[Normal, Array]], n: int) -> list[tuple[Normal, Array]]:
    return [halves[number * SPLITS // n] for number in range(n)]


def _planted(normal: NormalTime, half: Normal, window: Window, fault: PlantedFault, rng: np.random.Generator) -> tuple[Array, int]:
    """Totals of a window with a planted fault, and the service at fault."""
    guilty = int(rng.choice(np.unique(normal.service_of[window.symbol])))
    error = len(normal.service_of) - normal.n_services + guilty
    faulty = plant(window, fault, guilty, normal.service_of, error, rng)
    return scan(half, faulty, seconds_per_unit=normal.seconds_per_unit).totals, guilty
