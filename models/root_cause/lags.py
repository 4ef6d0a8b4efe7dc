"""Which bursts come before which: order in time that chance does not explain.

Lines of one kind that follow each other closely are one burst. If bursts of one kind start a constant time after those of another more
often than they do once the second series is shifted in time at random, the first precedes the second. Precedence is no proof of cause,
but a cause that comes after its effect is none.

References
----------
Good (2005), Permutation, parametric and bootstrap tests of hypotheses.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np

from models.root_cause.types import Lag
from models.root_cause.window import MICROSECONDS, Array

BURST_SECONDS = 0.5
HORIZON_SECONDS = 20.0
BIN_SECONDS = 0.25
"""Lags are told apart to about this."""
LEAST_BURSTS = 5
MOST_BURSTS = 80
SHIFTS = 199
RARE = 0.02
"""Share of random shifts that may do as well."""


def lags(
    names: Sequence[str], services: Sequence[str], times: Sequence[Array], unsure_seconds: Sequence[float], rng: np.random.Generator
) -> tuple[Lag, ...]:
    """The surest order between messages of any two services, the surest of all first.

    Parameters
    ----------
    names, services
        Each kind as “service: template”, and its service.
    times
        When each was written, microseconds.
    unsure_seconds
        How far the clock of each may be wrong; shorter lags are not told.
    """
    starts = [_bursts(at) for at in times]
    often = [number for number, own in enumerate(starts) if len(own) >= LEAST_BURSTS]
    best: dict[tuple[str, str], Lag] = {}
    for first, then in permutations(often, 2):
        pair, unsure = (services[first], services[then]), unsure_seconds[first] + unsure_seconds[then]
        if pair[0] != pair[1] and (lag := _lag(names[first], names[then], starts[first], starts[then], unsure, rng)):
            best[pair] = min(best.get(pair, lag), lag, key=_doubt)
    return tuple(sorted(best.values(), key=_doubt))


def _doubt(lag: Lag) -> tuple[float, float, int, str, str]:
    return lag.p_value, -lag.followed / lag.bursts, -lag.bursts, lag.first, lag.then


def _bursts(at: Array) -> Array:
    """Seconds at which bursts start; the earliest ones."""
    seconds = np.sort(at) / MICROSECONDS
    starts = seconds[np.append(True, np.diff(seconds) > BURST_SECONDS)] if len(seconds) else seconds
    return starts[:MOST_BURSTS]


def _lag(first: str, then: str, causes: Array, effects: Array, unsure: float, rng: np.random.Generator) -> Lag | None:
    start, end = min(causes[0], effects[0]), max(causes[-1], effects[-1]) + BURST_SECONDS
    seconds, followed = _peak(causes, effects)
    if followed < LEAST_BURSTS or 2 * followed < len(causes) or seconds <= unsure:
        return None
    shifts = rng.uniform(min(HORIZON_SECONDS, (end - start) / 2), end - start, SHIFTS)  # less would keep the order, only later
    by_chance = sum(_peak(causes, np.sort(start + (effects - start + shift) % (end - start)))[1] >= followed for shift in shifts)
    p_value = (1 + by_chance) / (1 + SHIFTS)
    if p_value > RARE:
        return None
    words = f"“{first}” precedes “{then}” by {seconds:.{1 if seconds >= 1 else 3}f} s in {followed} of {len(causes)} bursts"
    return Lag(first=first, then=then, seconds=seconds, bursts=len(causes), followed=followed, p_value=p_value, words=words)


def _peak(causes: Array, effects: Array) -> tuple[float, int]:
    """The commonest lag, and how many bursts are followed after about that long."""
    lag = effects[None, :] - causes[:, None]
    near = (lag > 0) & (lag <= HORIZON_SECONDS)
    if not near.any():
        return 0.0, 0
    bins = np.where(near, lag / BIN_SECONDS, 0).astype(np.int64)
    burst, _ = np.nonzero(near)
    taken = np.unique(burst * (int(HORIZON_SECONDS / BIN_SECONDS) + 2) + bins[near]) % (int(HORIZON_SECONDS / BIN_SECONDS) + 2)
    best = int(np.bincount(taken).argmax())
    around = near & (np.abs(bins - best) <= 1)
    return float(np.median(lag[around])), int(around.any(axis=1).sum())
