"""Pseudo-windows of normal time: how loud the evidence speaks when nothing happened.

Normal time is cut into stretches. Half of them in a row play the reference, and a pseudo-window of the size asked for is drawn from
the other half with replacement: neighbouring minutes are alike, so random halves would hide how much normal time drifts.

References
----------
Efron and Tibshirani (1993), An introduction to the bootstrap, ch. 16.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from models.root_cause.window import Array, Window

STRETCHES = 10
SPLITS = 10
HELD_OUT = 0.3
SIZES = (16, 64, 256, 1024)


def references(normal: Window) -> Iterator[tuple[Window, Array]]:
    """Reference windows, each with the units of the other half."""
    n = normal.n_units
    stretch = np.arange(n) * min(STRETCHES, n) // max(n, 1)
    n_stretches = int(stretch.max()) + 1 if n else 0
    if n_stretches < 2:
        return
    for split in range(SPLITS):
        chosen = (np.arange(n_stretches) - split) % n_stretches < n_stretches - max(1, round(HELD_OUT * n_stretches))
        yield normal.take(np.flatnonzero(chosen[stretch])), np.flatnonzero(~chosen[stretch])


def draw(normal: Window, units: Array, size: int, rng: np.random.Generator) -> Window:
    """A pseudo-window of the given units."""
    return normal.take(np.sort(rng.choice(units, size)))


def rung(sizes: Sequence[int], n_units: int) -> int | None:
    """Which of the sizes is nearest; ``None`` if a window is much smaller than all of them."""
    if not sizes or 2 * n_units < sizes[0]:
        return None
    return int(np.argmin(np.abs(np.log(np.asarray(sizes)) - np.log(n_units))))
