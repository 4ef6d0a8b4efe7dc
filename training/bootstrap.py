"""Is the new model better than the champion, or was it luck? A paired bootstrap over the cases of one hold-out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.recipe import LOWER_IS_BETTER, Case

Evaluate = Callable[[Sequence[Any], Sequence[Case[Any, Any]]], dict[str, float]]

_INTERVAL = (0.025, 0.975)


@dataclass(frozen=True)
class Comparison:
    """By how much one model is better than another, with a 95% interval; positive is better, also for metrics that should be low.

    Parameters
    ----------
    difference
        On all cases.
    low, high
        Ends of the interval.
    resamples
        How many it was drawn from.
    """

    metric: str
    difference: float
    low: float
    high: float
    resamples: int

    @property
    def wins(self) -> bool:
        """Whether even the low end is better."""
        return self.low > 0


def compare(
    evaluate: Evaluate, cases: Sequence[Case[Any, Any]], ours: Sequence[Any], theirs: Sequence[Any], metric: str, seed: int
) -> Comparison:
    """Draw the same cases, with replacement, for both models; take the percentiles of the difference.

    Both models are judged on each resample, so that what makes a case hard for both cancels out. Too narrow when cases depend on each
    other (several of one user), and with fewer than some thirty cases.

    Parameters
    ----------
    evaluate
        The recipe's; resamples on which it leaves the metric out are not counted.
    ours, theirs
        Predictions for the cases, in their order.
    metric
        The recipe's primary one.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13; Koehn (2004), "Statistical significance tests for
    machine translation evaluation", for the paired form.
    """
    sign = -1.0 if metric in LOWER_IS_BETTER else 1.0
    if list(ours) == list(theirs):
        return Comparison(metric, 0.0, 0.0, 0.0, 0)
    rng = np.random.default_rng(seed)
    differences = []
    for _ in range(_resamples(len(cases))):
        drawn = rng.integers(len(cases), size=len(cases)).tolist()
        some = [cases[i] for i in drawn]
        a, b = evaluate([ours[i] for i in drawn], some), evaluate([theirs[i] for i in drawn], some)
        if metric in a and metric in b:
            differences.append(sign * (a[metric] - b[metric]))
    low, high = np.quantile(differences, _INTERVAL).tolist() if differences else (float("-inf"), float("inf"))
    difference = sign * (evaluate(ours, cases)[metric] - evaluate(theirs, cases)[metric])
    return Comparison(metric, difference, low, high, len(differences))


def _resamples(cases: int) -> int:
    """1,000 for a small hold-out; fewer, but at least 200, for a large one, whose interval is narrow anyway."""
    return max(200, min(1_000, 500_000 // cases))
