r"""How much likelier what is seen is if something happened than if nothing did: Bayes factors, as logarithms, in nats.

If nothing happened, shares, rates and times differ between normal time and a window by chance and by drift: load, caches and neighbours
move everything a little, so a difference is no news merely because many lines show it. If something happened, they may have become
anything. Drift is a normal error of log times, log rates and log odds with standard deviation :math:`\tau`, a fault a larger one. For
shares, which may be at their ends, drift is a limit to what many trials are worth: n at share p count as

.. math:: n' = \frac{n}{1 + n\,p(1-p)\,\tau^2}

Nats of different kinds may be added.

References
----------
Kass and Raftery (1995), Bayes factors.
Jeffreys (1961), Theory of probability, §5.1, for shares.
Tierney and Kadane (1986), Accurate approximations for posterior moments and marginal densities, for rates.
Benjamini and Hochberg (1995), Controlling the false discovery rate.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betaln, chdtrc, log_ndtr, xlogy

from models.root_cause.window import Array

DRIFT = 0.5
"""Logarithm of the factor by which odds, rates and times differ between normal hours: about two thirds more, or less."""
EFFECT = 2.0
"""The same under a fault: seven times as long, as often or as seldom is ordinary."""
HALF = 0.5
"""Jeffreys' prior: half a hit and half a miss."""
NEWTON_STEPS = 12


def share_nats(hits: Array, n: Array, normal_hits: Array, m: Array) -> tuple[Array, Array]:
    """Evidence that two shares differ; and the p-value of the same difference."""
    hits, n, normal_hits, m = (np.asarray(part, dtype=float) for part in (hits, n, normal_hits, m))
    pooled = (hits + normal_hits + HALF) / (n + m + 1)
    spread = pooled * (1 - pooled) * DRIFT**2
    scale, normal_scale = 1 / (1 + n * spread), 1 / (1 + m * spread)
    a, b, c, d = hits * scale, (n - hits) * scale, normal_hits * normal_scale, (m - normal_hits) * normal_scale
    apart = betaln(a + HALF, b + HALF) + betaln(c + HALF, d + HALF)
    together = betaln(HALF, HALF) + betaln(a + c + HALF, b + d + HALF)
    both = np.maximum(a + b + c + d, 1e-9)
    deviance = 2 * (xlogy(a, a) + xlogy(b, b) + xlogy(c, c) + xlogy(d, d) + xlogy(both, both))
    deviance -= 2 * (xlogy(a + b, a + b) + xlogy(c + d, c + d) + xlogy(a + c, a + c) + xlogy(b + d, b + d))
    seen = (n > 0) & (m > 0)
    return np.where(seen, apart - together, 0.0), np.where(seen, chdtrc(1, np.maximum(deviance, 0)), 1.0)


def rate_nats(
    count: Array, exposure: Array | float, normal_count: Array, normal_exposure: Array | float, dispersion: Array | float = 1.0
) -> tuple[Array, Array]:
    """Evidence that two rates differ; and the p-value of the same difference.

    Parameters
    ----------
    dispersion
        Variance of the count per unit, divided by its mean; at least 1.
    """
    exposure, normal_exposure = np.asarray(exposure, dtype=float), np.asarray(normal_exposure, dtype=float)
    seen = (exposure > 0) & (normal_exposure > 0)
    count, usual = count / dispersion, (normal_count + HALF) / dispersion
    expected = usual * np.where(seen, exposure, 1.0) / np.where(seen, normal_exposure, 1.0)
    unknown = DRIFT**2 + 1 / usual
    evidence = _log_marginal(count, expected, unknown + EFFECT**2) - _log_marginal(count, expected, unknown)
    deviance = (np.log((count + HALF) / expected)) ** 2 / (unknown + 1 / (count + HALF))
    return np.where(seen, evidence, 0.0), np.where(seen, chdtrc(1, deviance), 1.0)


def _log_marginal(count: Array, expected: Array, variance: Array) -> Array:
    """Log probability of a Poisson count whose log rate is off by a normal error, up to what depends on the count alone (Laplace)."""
    error = np.log((count + HALF) / (expected + HALF)) * variance / (variance + 1 / (count + HALF))
    for _ in range(NEWTON_STEPS):
        rate = expected * np.exp(error)
        error = error - np.clip((rate + error / variance - count) / (rate + 1 / variance), -1, 1)
    rate = expected * np.exp(error)
    return np.asarray(count * error - rate - 0.5 * error**2 / variance - 0.5 * np.log1p(variance * rate))


def dispersion(n: Array | float, total: Array, squares: Array, m: Array | float, normal_total: Array, normal_squares: Array) -> Array:
    """Variance of a count per unit over its mean, from both sides, each about its own mean; never below a Poisson count's, which is 1."""
    within = squares - total**2 / np.maximum(n, 1) + normal_squares - normal_total**2 / np.maximum(m, 1)
    return np.asarray(np.maximum(within / np.maximum(total + normal_total, 1), 1.0))


def slower_nats(difference: Array, variance: Array) -> Array:
    """Evidence that times are longer, from the difference of mean logarithms; negative where that they are not is likelier."""
    null = variance + DRIFT**2
    fault = null + EFFECT**2
    gain = 1 / null - 1 / fault
    return np.asarray(np.log(2) - 0.5 * np.log(fault / null) + 0.5 * difference**2 * gain + log_ndtr(difference * np.sqrt(gain)))


def discoveries(p_values: Array, rate: float) -> Array:
    """Which of many tests may be called changed, so that at most the given share of them is wrong (Benjamini and Hochberg)."""
    order = np.sort(p_values)
    passed = np.flatnonzero(order <= rate * np.arange(1, len(order) + 1) / max(len(order), 1))
    return np.asarray(p_values <= order[passed[-1]]) if len(passed) else np.zeros(len(p_values), dtype=bool)
