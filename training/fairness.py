"""Are groups treated alike by a ranking? Figures over the groups that the user supplies; the ranking itself never sees them.

References
----------
29 CFR 1607.4 (1978), Uniform Guidelines on Employee Selection Procedures, for the four-fifths rule.
Katz et al. (1978), Obtaining confidence intervals for the risk ratio in cohort studies, Biometrics 34.
Wilson (1927), Probable inference, the law of succession, and statistical inference.
Singh and Joachims (2018), Fairness of Exposure in Rankings, KDD.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from models.wilson import wilson_bounds

FOUR_FIFTHS = 0.8
_Z = 1.96


@dataclass(frozen=True)
class Placed:
    """One candidate of a ranking.

    Parameters
    ----------
    rank
        From 1.
    of
        How many candidates the ranking has.
    """

    group: str
    rank: int
    of: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class Interval:
    """A value with its 95% interval."""

    value: float
    low: float
    high: float


def wilson(hits: int, trials: int) -> Interval:
    """A share, with Wilson's interval: sound for few trials, and at 0 and 1."""
    return Interval(hits / trials, *wilson_bounds(hits, trials, _Z))


def ratio(hits: int, trials: int, best_hits: int, best_trials: int) -> Interval:
    """A share over another, with Katz's interval; half a hit is added to either where one has none."""
    extra = 0.5 if 0 in (hits, best_hits) else 0.0
    share, best = (hits + extra) / (trials + extra), (best_hits + extra) / (best_trials + extra)
    spread = _Z * math.sqrt((1 - share) / (hits + extra) + (1 - best) / (best_hits + extra))
    value = hits / trials / (best_hits / best_trials) if best_hits else 1.0
    return Interval(value, share / best * math.exp(-spread), share / best * math.exp(spread))


def selection(placed: Sequence[Placed], k: int) -> dict[str, tuple[int, int]]:
    """By group, how many are among the first k of their ranking, and how many there are."""
    counts: dict[str, list[int]] = {}
    for each in placed:
        count = counts.setdefault(each.group, [0, 0])
        count[0] += each.rank <= k
        count[1] += 1
    return {group: (hits, trials) for group, (hits, trials) in sorted(counts.items())}


def selection_ratios(placed: Sequence[Placed], k: int) -> dict[str, Interval]:
    """Each group's selection rate over that of the group with the highest; below `FOUR_FIFTHS` calls for a look."""
    counts = selection(placed, k)
    best = max(counts, key=lambda group: (counts[group][0] / counts[group][1], group))
    return {group: ratio(*count, *counts[best]) for group, count in counts.items() if group != best}


def exposure(placed: Sequence[Placed]) -> dict[str, float]:
    """Mean attention that a group's places get, by group: 1 / log2(1 + rank), over the mean of all."""
    attention = np.array([1 / math.log2(1 + each.rank) for each in placed])
    groups = np.array([each.group for each in placed])
    return {group: float(attention[groups == group].mean() / attention.mean()) for group in np.unique(groups).tolist()}


def rank_parity(placed: Sequence[Placed]) -> dict[str, float]:
    """By group, the probability that one of it is placed above one of the others, in shares of the ranking; .5 is parity."""
    share = [-each.rank / each.of for each in placed]
    groups = np.array([each.group for each in placed])
    return {group: auc(groups == group, share) for group in np.unique(groups).tolist()}


def proxies(placed: Sequence[Placed]) -> dict[str, dict[str, float]]:
    """By group, how well each value of a candidate alone tells the group from the others: an AUC; .5 tells nothing."""
    groups = np.array([each.group for each in placed])
    names = list(placed[0].values)
    return {
        group: {name: auc(groups == group, [each.values[name] for each in placed]) for name in names}
        for group in np.unique(groups).tolist()
    }


def auc(member: ArrayLike, values: ArrayLike) -> float:
    """Mann and Whitney's U over the number of pairs; a tie counts half; .5 if everybody or nobody is a member."""
    inside, numbers = np.asarray(member, dtype=bool), np.asarray(values, dtype=float)
    count = int(inside.sum())
    if count in (0, len(inside)):
        return 0.5
    wins = rankdata(numbers)[inside].sum() - count * (count + 1) / 2
    return float(wins / (count * (len(inside) - count)))
