r"""Counts of outcomes against expectation, and what they say: empirical Bayes over type, segment, user, and user's type.

Of every outcome with the probability p that the nightly model gave it, each of its groups counts one trial, y of a click and p
expected. For a group with n trials, O clicks and E expected, whose parent is shifted by s in log-odds, the further shift d has the
posterior mode

.. math:: O - n \, \sigma(\operatorname{logit}(E / n) + s + d) = d / \tau^2

under the prior :math:`N(0, \tau^2)`, the variance :math:`v = (n \sigma' + \tau^{-2})^{-1}` from its curvature, and the mean
:math:`d - n \sigma'' v^2 / 2`: of few rare clicks the posterior is skewed, and its mode would promise a tenth too many. A group nobody has
seen is its parent; the parent's doubt adds to :math:`\tau`, whose value is the likeliest one, and 0 where outcomes show no differences
clearly: what chance explains is not learned.

Trials count half per half-life. They are kept as integers worth `UNIT` at the reference instant, so sums do not depend on the order
of events, and every worker that has seen the same ones holds the same bits.

References
----------
Efron and Morris (1975), Data analysis using Stein's estimator and its generalizations, JASA 70(350).
Gelman et al. (2013), Bayesian Data Analysis, chapter 5.
Tierney and Kadane (1986), Accurate approximations for posterior moments and marginal densities, JASA 81(393).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

Array = NDArray[np.float64]

UNIT = 2.0**-24
MOST_HALVINGS = 12.0
"""A model that is this many half-lives old counts further outcomes as if it were not older: integers end somewhere."""

_SPREADS = (0.0, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5)
_LEAST_GAIN = 4.0
_NODES, _NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
_NODE_WEIGHTS /= _NODE_WEIGHTS.sum()

_STEPS = 12
_PRIOR_TRIALS = 1e-9


class Sums:
    """Trials, clicks and expected clicks by the key of a group."""

    def __init__(self, keys: Iterable[str] = (), sums: NDArray[np.int64] | None = None) -> None:
        self._place = {key: place for place, key in enumerate(keys)}
        self._sums = np.zeros((max(16, len(self._place)), 3), dtype=np.int64)
        if sums is not None:
            self._sums[: len(sums)] = sums

    def __contains__(self, key: str) -> bool:
        return key in self._place

    def __len__(self) -> int:
        return len(self._place)

    def add(self, keys: Sequence[str], outcomes: Array) -> None:
        """Add rows of trials, clicks and expected clicks, of shape (n, 3)."""
        known = self._place
        places = np.array([known.setdefault(key, len(known)) for key in keys], dtype=np.intp)
        if len(known) > len(self._sums):
            larger = np.zeros((max(2 * len(self._sums), len(known)), 3), dtype=np.int64)
            larger[: len(self._sums)] = self._sums
            self._sums = larger
        np.add.at(self._sums, places, np.rint(outcomes / UNIT).astype(np.int64))

    def get(self, key: str) -> tuple[float, float, float]:
        """Trials, clicks and expected clicks of a group, worth 1 at the reference instant."""
        place = self._place.get(key)
        if place is None:
            return 0.0, 0.0, 0.0
        trials, clicks, expected = self._sums[place].tolist()
        return trials * UNIT, clicks * UNIT, expected * UNIT

    def drop(self, keys: Iterable[str]) -> None:
        """Drop some groups."""
        gone = set(keys)
        kept = [key for key in self._place if key not in gone]
        sums = self._sums[[self._place[key] for key in kept]]
        self.__init__(kept, sums)  # type: ignore[misc]

    def __iter__(self) -> Iterator[str]:
        return iter(self._place)

    def dump(self) -> tuple[list[str], NDArray[np.int64]]:
        """Keys in order, and their sums."""
        keys = sorted(self._place)
        return keys, self._sums[[self._place[key] for key in keys]]


def shift(sums: tuple[float, float, float], spread: float, mean: float, stretch: float = 1.0) -> tuple[float, float]:
    """Mean and variance of a group's shift in log-odds.

    Parameters
    ----------
    sums
        The group's trials, clicks and expected clicks.
    spread, mean
        Of the shift before the group's own outcomes.
    stretch
        How much further from zero log-odds of one are than those of all; see `stretch_of`.
    """
    trials, clicks, expected = sums
    if trials < _PRIOR_TRIALS or spread <= 0.0:
        return mean, spread * spread
    rate = min(max(expected / trials, 1e-9), 1 - 1e-9)
    start = stretch * math.log(rate / (1 - rate)) + mean
    precision, further = 1.0 / (spread * spread), 0.0
    for _ in range(_STEPS):
        z = start + further
        p = 1.0 / (1.0 + math.exp(-40.0 if z > 40.0 else 40.0 if z < -40.0 else -z))
        curvature = trials * p * (1 - p) + precision
        step = (clicks - trials * p - further * precision) / curvature
        if abs(step) < 1e-6:
            break
        further += max(min(step, 1.5), -1.5)  # far from the mode a whole Newton step overshoots
    skew = trials * p * (1 - p) * (1 - 2 * p) / (2 * curvature * curvature)
    return mean + further - skew, 1.0 / curvature


def stretch_of(variance: float) -> float:
    r"""How much further from zero the log-odds of one are than those of all, whose own vary by so much.

    The mean of :math:`\sigma(N(m, v))` is nearly :math:`\sigma(m / \sqrt{1 + \pi v / 8})`.

    References
    ----------
    MacKay (1992), The evidence framework applied to classification networks, Neural Computation 4(5).
    """
    return math.sqrt(1.0 + math.pi * variance / 8.0)


def spread_of(trials: Array, clicks: Array, expected: Array) -> float:
    """The standard deviation between groups that makes their clicks likeliest; 0 where it is not clear that they differ.

    The likelihood of each group is integrated over its shift by quadrature. Twice the gain in its logarithm against no spread must be
    `_LEAST_GAIN`, two standard errors.
    """
    if len(trials) < 2:
        return 0.0
    rate = np.clip(expected / trials, 1e-9, 1 - 1e-9)
    centre = np.log(rate / (1 - rate))
    likelihoods = [_log_likelihood(trials, clicks, centre, spread) for spread in _SPREADS]
    best = int(np.argmax(likelihoods))
    return _SPREADS[best] if 2 * (likelihoods[best] - likelihoods[0]) > _LEAST_GAIN else 0.0


def common_spread_of(parents: Sequence[str], trials: Array, clicks: Array, expected: Array) -> float:
    r"""The standard deviation of what groups with the same parent have in common; 0 where it is not clear that they have anything.

    What two of them have more than expected is alike only by that: :math:`E[(O_j - E_j)(O_k - E_k)] \approx \tau^2 V_j V_k` for the
    variances V of clicks.
    """
    _, place = np.unique(np.array(parents), return_inverse=True)
    excess, variance = clicks - expected, expected * (1 - np.clip(expected / trials, 0.0, 1.0))

    def of_pairs(values: Array) -> Array:
        squares = np.bincount(place, weights=values**2)
        return np.asarray(np.bincount(place, weights=values) ** 2 - squares, dtype=np.float64)

    alike, possible = of_pairs(excess), of_pairs(variance)
    total = float(alike.sum())
    clear = total**2 > _LEAST_GAIN * float((alike**2).sum())
    return float(np.sqrt(total / possible.sum())) if total > 0 and clear else 0.0


def _log_likelihood(trials: Array, clicks: Array, centre: Array, spread: float) -> float:
    log_odds = stretch_of(spread * spread) * centre[:, None] + spread * _NODES
    fits = clicks[:, None] * log_odds - trials[:, None] * np.logaddexp(0.0, log_odds)
    return float(logsumexp(fits, axis=1, b=_NODE_WEIGHTS).sum())
