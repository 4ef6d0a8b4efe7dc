"""The figures that models are judged by; one name each, everywhere: in MLflow, ``--json`` and the benchmarks.

A metric that is undefined for the cases given (one class only, nothing relevant) is left out, never guessed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

ECE_BINS = 15

Relevance = Mapping[Hashable, float] | Collection[Hashable]
"""The relevant items, or each item's grade; what is not in it is irrelevant."""


def binary_metrics(labels: ArrayLike, probabilities: ArrayLike) -> dict[str, float]:
    """``roc_auc, average_precision, brier_score, log_loss, ece`` of the probabilities that labels are 1.

    With one class only, the two rank metrics are left out. The same figures as scikit-learn's, which spends twenty times as long on
    checking its input: too long for a bootstrap.
    """
    y, p = np.asarray(labels, dtype=bool), np.asarray(probabilities, dtype=float)
    metrics = {"brier_score": float(np.mean((p - y) ** 2)), "log_loss": _log_loss(y, p), "ece": ece(y, p)}
    if y.any() and not y.all():
        metrics |= {"roc_auc": _roc_auc(y, p), "average_precision": _average_precision(y, p)}
    return metrics


def _log_loss(y: np.ndarray, p: np.ndarray) -> float:
    smallest = np.finfo(float).eps
    return float(-np.mean(np.log(np.clip(np.where(y, p, 1 - p), smallest, 1))))


def _roc_auc(y: np.ndarray, p: np.ndarray) -> float:
    """Mann and Whitney's U over the number of pairs; a tie counts half."""
    positives = int(y.sum())
    wins = rankdata(p)[y].sum() - positives * (positives + 1) / 2
    return float(wins / (positives * (len(y) - positives)))


def _average_precision(y: np.ndarray, p: np.ndarray) -> float:
    """The precision at each distinct threshold, weighted by the recall it adds."""
    order = np.argsort(-p, kind="stable")
    last_of_tie = np.flatnonzero(np.append(np.diff(p[order]) != 0, True))
    hits = np.cumsum(y[order])[last_of_tie]
    return float(np.sum(np.diff(hits, prepend=0) * hits / (last_of_tie + 1)) / hits[-1])


def ece(outcomes: ArrayLike, probabilities: ArrayLike, bins: int = ECE_BINS) -> float:
    r"""Expected calibration error over bins of equal mass.

    .. math:: \mathrm{ECE} = \sum_b \frac{|B_b|}{n} \left| \bar y_b - \bar p_b \right|

    Bin edges are quantiles of the probabilities, and equal probabilities share a bin, so the order of the cases does not matter.
    It is biased upwards on few cases: a perfectly calibrated model does not reach 0 there.

    Parameters
    ----------
    outcomes
        1 where the event happened; for a classifier of many classes, where the answer was right.
    probabilities
        Of the event; for many classes, the probability of the answer.

    References
    ----------
    Naeini, Cooper and Hauskrecht (2015), "Obtaining well calibrated probabilities using Bayesian binning";
    Nixon et al. (2019), "Measuring calibration in deep learning", for equal mass.
    """
    y, p = np.asarray(outcomes, dtype=float), np.asarray(probabilities, dtype=float)
    gaps = np.bincount(equal_mass_bins(p, bins), weights=y - p)
    return float(np.abs(gaps).sum() / len(p))


def equal_mass_bins(probabilities: ArrayLike, bins: int = ECE_BINS) -> np.ndarray:
    """The bin, 0 to ``bins - 1``, of each probability; equal ones share a bin."""
    p = np.asarray(probabilities, dtype=float)
    edges = np.quantile(p, np.linspace(0, 1, bins + 1)[1:-1])
    return np.searchsorted(edges, p, side="right")


def ndcg_at(ranking: Sequence[Hashable], relevant: Relevance, k: int) -> float:
    r"""Normalised discounted cumulative gain of the first k, with linear gain; NaN when nothing is relevant.

    .. math:: \mathrm{DCG}@k = \sum_{i=1}^{k} \frac{\mathrm{grade}_i}{\log_2(i + 1)}

    References
    ----------
    Järvelin and Kekäläinen (2002), "Cumulated gain-based evaluation of IR techniques".
    """
    grades = _grades(relevant)
    ideal = _dcg(sorted(grades.values(), reverse=True)[:k])
    return _dcg([grades.get(item, 0.0) for item in ranking[:k]]) / ideal if ideal else float("nan")


def recall_at(ranking: Sequence[Hashable], relevant: Relevance, k: int) -> float:
    """Share of the relevant items that are among the first k; NaN when nothing is relevant. Cannot reach 1 with more than k of them."""
    grades = _grades(relevant)
    return _hits(ranking, grades, k) / len(grades) if grades else float("nan")


def precision_at(ranking: Sequence[Hashable], relevant: Relevance, k: int) -> float:
    """Share of k places that hold a relevant item; a ranking shorter than k has empty places. NaN when nothing is relevant."""
    grades = _grades(relevant)
    return _hits(ranking, grades, k) / k if grades else float("nan")


def ac_at(ranking: Sequence[Hashable], relevant: Relevance, k: int) -> float:
    """AC@k of root cause analysis: culprits among the first k suspects, of those that fit there; NaN when there is no culprit.

    References
    ----------
    Pham, Ha and Zhang (2024), "BARO: robust root cause analysis for microservices via multivariate Bayesian online change point
    detection".
    """
    grades = _grades(relevant)
    return _hits(ranking, grades, k) / min(k, len(grades)) if grades else float("nan")


_AT: dict[str, Callable[[Sequence[Hashable], Relevance, int], float]] = {
    "ndcg": ndcg_at,
    "recall": recall_at,
    "precision": precision_at,
    "ac": ac_at,
}


def ranking_metrics(rankings: Sequence[Sequence[Hashable]], relevant: Sequence[Relevance], names: Sequence[str]) -> dict[str, float]:
    """Means over the rankings that have something relevant; empty when none has.

    Parameters
    ----------
    rankings
        Items, best first, one ranking per case.
    relevant
        What is relevant in each case.
    names
        Such as ``"ndcg_at_10"``, ``"recall_at_20"``, ``"precision_at_5"``, ``"ac_at_1"``.
    """
    judged = [(ranking, truth) for ranking, truth in zip(rankings, relevant, strict=True) if _grades(truth)]
    metrics = {}
    for name in names if judged else ():
        function, _, k = name.rpartition("_at_")
        metrics[name] = float(np.mean([_AT[function](ranking, truth, int(k)) for ranking, truth in judged]))
    return metrics


def false_confidence_rate(confident: ArrayLike, correct: ArrayLike) -> float:
    """Share of all cases in which the model was confident and wrong; 0 for a model that never commits itself."""
    return float(np.mean(np.asarray(confident, dtype=bool) & ~np.asarray(correct, dtype=bool)))


def grouping_accuracy(truth: Sequence[Hashable], predicted: Sequence[Hashable]) -> float:
    """Share of log lines whose predicted group holds exactly the lines of their true group.

    References
    ----------
    Zhu et al. (2019), "Tools and benchmarks for automated log parsing".
    """
    true_groups, predicted_groups = _codes(truth), _codes(predicted)
    pairs = _codes(list(zip(true_groups.tolist(), predicted_groups.tolist(), strict=True)))
    sizes = [np.bincount(codes)[codes] for codes in (true_groups, predicted_groups, pairs)]
    return float(np.mean((sizes[0] == sizes[2]) & (sizes[1] == sizes[2])))


def _codes(groups: Sequence[Hashable]) -> np.ndarray:
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(group, len(numbers)) for group in groups], dtype=int)


def _grades(relevant: Relevance) -> dict[Hashable, float]:
    grades = dict(relevant) if isinstance(relevant, Mapping) else dict.fromkeys(relevant, 1.0)
    return {item: grade for item, grade in grades.items() if grade > 0}


def _dcg(grades: Sequence[float]) -> float:
    return sum(grade / math.log2(place + 2) for place, grade in enumerate(grades))


def _hits(ranking: Sequence[Hashable], grades: Mapping[Hashable, float], k: int) -> int:
    return sum(item in grades for item in ranking[:k])
