"""How surprising raw evidence is: against pseudo-windows of normal time.

Normal time is cut into stretches. Half of them in a row play the reference, and a pseudo-window of the size asked for is drawn from
the other half with replacement: neighbouring minutes are alike, so random halves would hide how much normal time drifts. What
`change.compare` says of such windows, in which nothing happened, is the null distribution, per service and kind. Only after that may
evidence of different kinds be added.

References
----------
Efron and Tibshirani (1993), An introduction to the bootstrap, ch. 16.
Fisher (1925), Statistical methods for research workers, on adding logarithms of tail probabilities.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from models.root_cause.change import Change
from models.root_cause.types import KINDS
from models.root_cause.window import Array, Window

STRETCHES = 10
SPLITS = 10
TAIL = 0.1
"""Beyond this share of the null distribution its tail is taken to be exponential."""
POOLING = 20.0
"""Weight, in draws, of the spread over all services in that of one: a service with little traffic has few draws of its own."""
Z_KINDS = ("rates", "errors", "silence")
"""Kinds measured in standard errors: never more surprising than those are under the normal law, however quiet normal time was."""
SIZES = (16, 64, 256, 1024)


def pseudo_windows(normal: Window, size: int, n_draws: int, rng: np.random.Generator) -> Iterator[tuple[Window, Window]]:
    """Pairs of a reference and a pseudo-window, drawn from different stretches of normal time."""
    n = normal.n_units
    stretch = np.arange(n) * min(STRETCHES, n) // max(n, 1)
    n_stretches = int(stretch.max()) + 1 if n else 0
    if n_stretches < 2:
        return
    for split in range(SPLITS):
        chosen = (np.arange(n_stretches) - split) % n_stretches < n_stretches // 2
        others = np.flatnonzero(~chosen[stretch])
        reference = normal.take(np.flatnonzero(chosen[stretch]))
        for _ in range(n_draws * split // SPLITS, n_draws * (split + 1) // SPLITS):
            yield reference, normal.take(np.sort(rng.choice(others, size)))


@dataclass(frozen=True)
class Calibration:
    """Null distributions of raw evidence, per window size.

    Parameters
    ----------
    sizes
        Window sizes, in units.
    location, scale
        Shape (size, kind, service + 1); the last service stands for those that normal time lacks.
    tail, excess
        Shape (size, kind): the standardised evidence beyond which the tail begins, and its mean excess there.
    """

    sizes: Array
    location: Array
    scale: Array
    tail: Array
    excess: Array

    def rung(self, n_units: int) -> int:
        """Which of the sizes is nearest."""
        return int(np.argmin(np.abs(np.log(self.sizes) - np.log(max(n_units, 1)))))

    def covers(self, n_units: int) -> bool:
        """Whether a window is not much smaller than those that were drawn."""
        return len(self.sizes) > 0 and 2 * n_units >= int(self.sizes[0])

    def surprise(self, raw: Array, n_units: int) -> Array:
        """Minus the logarithm of the null's tail probability; same shape as `raw`, (kind, service)."""
        if not len(self.sizes):
            return np.zeros_like(raw)
        rung = self.rung(n_units)
        service = np.minimum(np.arange(raw.shape[1]), self.location.shape[2] - 1)
        standard = (raw - self.location[rung][:, service]) / self.scale[rung][:, service]
        beyond = (standard - self.tail[rung][:, None]) / self.excess[rung][:, None]
        nats = np.where(raw > 0, np.maximum(beyond - np.log(TAIL), 0), 0)
        standardised = np.isin(KINDS, Z_KINDS)
        nats[standardised] = np.minimum(nats[standardised], -log_ndtr(-raw[standardised]))
        return nats


def calibrate(draws: Array, sizes: Array) -> Calibration:
    """Fit null distributions.

    Parameters
    ----------
    draws
        Raw evidence of pseudo-windows, of shape (size, draw, kind, service).
    """
    n_draws = draws.shape[1]
    if not len(sizes):
        return Calibration(sizes, *(np.zeros((0, len(KINDS), draws.shape[3] + 1)),) * 2, *(np.zeros((0, len(KINDS))),) * 2)
    centre = draws.mean(axis=1)
    spread = draws.var(axis=1)
    common_centre, common_spread = centre.mean(axis=2, keepdims=True), draws.var(axis=(1, 3))[:, :, None]
    scale = np.sqrt((n_draws * spread + POOLING * common_spread) / (n_draws + POOLING))
    floor = 0.05
    location = np.concatenate([centre, common_centre], axis=2)
    scale = np.maximum(np.concatenate([scale, np.sqrt(common_spread)], axis=2), floor)
    standard = (draws - location[:, None, :, :-1]) / scale[:, None, :, :-1]
    flat = standard.transpose(0, 2, 1, 3).reshape(len(sizes), len(KINDS), -1)
    tail = np.quantile(flat, 1 - TAIL, axis=2) if flat.size else np.zeros(flat.shape[:2])
    over = np.maximum(flat - tail[:, :, None], 0)
    excess = over.sum(axis=2) / np.maximum((over > 0).sum(axis=2), 1)
    return Calibration(sizes, location, scale, tail, np.maximum(excess, floor))


def raw_of(change: Change) -> Array:
    """The raw evidence as an array of shape (kind, service)."""
    return np.stack([change.raw[kind] for kind in KINDS])
