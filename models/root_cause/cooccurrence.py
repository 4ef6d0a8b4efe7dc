"""Who probably calls whom, where neither traces nor anybody tell it: from who speaks up together in normal time.

Lines come in spells: a request makes several services write within milliseconds, then nobody writes for longer. Where to cut is found in
the lengths of the silences, which are of two kinds. Within a spell the caller is who waits while the callee speaks, as within a trace;
what happens as often once the clock of every service is turned by a time of its own is coincidence, and no call.

References
----------
Otsu (1979), A threshold selection method from gray-level histograms.
Good (2005), Permutation, parametric and bootstrap tests of hypotheses.
"""

from __future__ import annotations

import numpy as np

from models.root_cause.calls import call_graph, regular
from models.root_cause.window import MICROSECONDS, Array, Window

SHIFTS = 49
"""A call must be more frequent than in all of so many random shifts: p = 1 / (1 + 49) = .02."""
LEAST_SPELLS = 10
ONE_WAY = 3.0
"""A call is as many times as frequent as one the other way, or nobody knows who calls."""
BINS = 64
SHORTEST, LONGEST = 0.001, 2.0
"""Seconds between which the silence that ends a spell is looked for."""


def likely_calls(at: Array, service: Array, n_services: int, rng: np.random.Generator) -> Array:
    """Calls that coincidence does not explain, as booleans of shape (caller, callee).

    Parameters
    ----------
    at, service
        Of the lines of normal time; microseconds.
    """
    if len(np.unique(service)) < 2:
        return np.zeros((n_services, n_services), dtype=bool)
    pause = silence(np.diff(np.sort(at)))
    counts = _spelled(at, service, n_services, pause)
    span = int(at.max()) - int(at.min()) + 1
    by_chance = np.zeros_like(counts)
    for _ in range(SHIFTS):
        turned = int(at.min()) + (at - at.min() + rng.integers(0, span, n_services)[service]) % span
        by_chance = np.maximum(by_chance, _spelled(turned, service, n_services, pause))
    return regular(counts) & (counts > by_chance) & (counts >= LEAST_SPELLS) & (counts >= ONE_WAY * counts.T)


def silence(gaps: Array) -> float:
    """How long nobody must speak for a spell to be over, in microseconds: what best parts short from long silences (Otsu)."""
    logs = np.log(np.clip(gaps[gaps > 0], SHORTEST * MICROSECONDS, LONGEST * MICROSECONDS))
    if not len(logs):
        return SHORTEST * MICROSECONDS
    share, edges = np.histogram(logs, BINS)
    middle = (edges[1:] + edges[:-1]) / 2
    below, sums = np.cumsum(share)[:-1], np.cumsum(share * middle)
    above = len(logs) - below
    means = sums[:-1] / np.maximum(below, 1), (sums[-1] - sums[:-1]) / np.maximum(above, 1)
    return float(np.exp(edges[1 + np.argmax(below * above * (means[0] - means[1]) ** 2)]))


def _spelled(at: Array, service: Array, n_services: int, pause: float) -> Array:
    """Spells in which one service calls another, shape (caller, callee)."""
    order = np.argsort(at, kind="stable")
    spell = np.empty(len(at), dtype=np.int64)
    spell[order] = np.cumsum(np.append(False, np.diff(at[order]) > pause))
    window = Window.of(at, service, spell, np.zeros(len(at), dtype=bool))
    return call_graph(window, np.arange(n_services), n_services)
