"""Learning from judged resumes: how features are weighed, and how far two scores must be apart to mean something.

References
----------
Burges (2010), From RankNet to LambdaRank to LambdaMART: An Overview. Microsoft Research MSR-TR-2010-82.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.resume_ranking.matching import FEATURES, Matched
from models.resume_ranking.records import UNIT, ResumeRankingConfig
from models.resume_ranking.scoring import Scoring, Steps

_MOST_GRADES = 31  # LightGBM's gains are 2**grade - 1
_STEEPNESS = 10.0  # one tenth of the scale is one unit of LambdaRank's log-odds that the better one is ahead
_FOLDS = 5
_ROUND_STEP = 10
_LEAST_BAND, _MOST_BAND, _UNLABELLED_BAND = UNIT // 200, UNIT // 20, UNIT // 50
_LEAST_PAIRS = 50

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """Resumes of one job, with their grades.

    Parameters
    ----------
    grades
        Whole numbers from 0.
    weights
        How much each judgement counts.
    """

    matched: tuple[Matched, ...]
    grades: tuple[int, ...]
    weights: tuple[float, ...]

    @property
    def features(self) -> Array:
        """Of shape (resumes, features); 0 where the job asks for nothing."""
        rows = [[0 if value is None else value for value in each.features] for each in self.matched]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(FEATURES))


def grades(relevance: Sequence[float]) -> list[int]:
    """Whole numbers in the order of the relevance, the lowest 0."""
    levels = np.unique(relevance)
    place = np.searchsorted(levels, relevance)
    return [int(grade) for grade in np.minimum(place, _MOST_GRADES - 1)]


def learn(jobs: Sequence[Judged], config: ResumeRankingConfig) -> Scoring:
    """The scoring that orders held-out jobs best: the lines as set, or with the steps of LambdaRank."""
    plain = Scoring({}, 0)
    telling = [job for job in jobs if len(set(job.grades)) > 1]
    rounds = _rounds(telling, config)
    found = Scoring(_boost(telling, rounds, config.seed), 0) if rounds else plain
    return Scoring(found.steps, band(telling, found, config.tie_confidence))


def _rounds(jobs: Sequence[Judged], config: ResumeRankingConfig) -> int:
    """How many rounds to boost; 0 keeps the lines alone."""
    if config.learner == "sum" or len(jobs) < 2 or (config.learner == "auto" and len(jobs) < config.min_jobs):
        return 0
    steps = range(_ROUND_STEP, config.max_rounds + 1, _ROUND_STEP)
    order = np.random.default_rng(config.seed).permutation(len(jobs))
    folds = [order[start::_FOLDS] for start in range(min(_FOLDS, len(jobs)))]
    quality = np.zeros(len(steps) + 1)
    for held in folds:
        rest = [job for place, job in enumerate(jobs) if place not in held]
        booster = _booster(rest, config.max_rounds, config.seed)
        for place in held:
            job, base = jobs[place], _base(jobs[place])
            scores = [base, *(base + booster.predict(job.features, raw_score=True, num_iteration=last) for last in steps)]
            quality += [_ndcg(score, job.grades) for score in scores]
    best = int(np.argmax(quality if config.learner == "auto" else quality[1:])) + (config.learner != "auto")
    return best * _ROUND_STEP


def _base(job: Judged) -> Array:
    """Scores of the lines alone, on LambdaRank's scale."""
    plain = Scoring({}, 0)
    return np.array([plain.score(each) for each in job.matched]) * (_STEEPNESS / UNIT)


def _booster(jobs: Sequence[Judged], rounds: int, seed: int) -> Any:
    import lightgbm  # stays out of a process that only serves

    data = lightgbm.Dataset(
        np.concatenate([job.features for job in jobs]),
        np.concatenate([job.grades for job in jobs]),
        group=[len(job.grades) for job in jobs],
        weight=np.concatenate([job.weights for job in jobs]),
        init_score=np.concatenate([_base(job) for job in jobs]),
        feature_name=list(FEATURES),
    )
    parameters = {
        "objective": "lambdarank",
        "num_leaves": 2,
        "learning_rate": 0.1,
        "min_data_in_leaf": 10,
        "monotone_constraints": [1] * len(FEATURES),
        "lambda_l2": 1.0,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbose": -1,
    }
    return lightgbm.train(parameters, data, rounds)


def _boost(jobs: Sequence[Judged], rounds: int, seed: int) -> dict[str, Steps]:
    """The steps of the trees, by feature, in points."""
    rises: dict[str, dict[int, int]] = {}
    for tree in _booster(jobs, rounds, seed).dump_model()["tree_info"]:
        root = tree["tree_structure"]
        if "split_feature" in root:
            name, threshold = FEATURES[root["split_feature"]], int(np.floor(root["threshold"]))
            rise = root["right_child"]["leaf_value"] - root["left_child"]["leaf_value"]
            steps = rises.setdefault(name, {})
            steps[threshold] = steps.get(threshold, 0) + max(0, round(rise * UNIT / _STEEPNESS))
    return {name: Steps(tuple(sorted(steps)), tuple(steps[at] for at in sorted(steps))) for name, steps in sorted(rises.items())}


def _ndcg(scores: Array, relevance: Sequence[int]) -> float:
    """NDCG of the first ten, with the gains that LambdaRank uses."""
    gains = np.exp2(np.array(relevance)) - 1
    discounts = 1 / np.log2(np.arange(2, 2 + min(10, len(gains))))
    best = np.sort(gains)[::-1][: len(discounts)] @ discounts
    return float(gains[np.argsort(-scores, kind="stable")][: len(discounts)] @ discounts / best)


def band(jobs: Sequence[Judged], scoring: Scoring, confidence: float) -> int:
    """The largest difference up to which scores order pairs of different grade right less often than `confidence`."""
    gaps, right = [], []
    for job in jobs:
        scores = np.array([scoring.score(each) for each in job.matched])
        grade = np.array(job.grades)
        better, worse = np.nonzero(grade[:, None] > grade[None, :])
        gaps.append(np.abs(scores[better] - scores[worse]))
        right.append(scores[better] > scores[worse])
    if sum(map(len, gaps)) < _LEAST_PAIRS:
        return _UNLABELLED_BAND
    gap, hit = np.concatenate(gaps), np.concatenate(right)
    order = np.argsort(gap, kind="stable")
    share = np.cumsum(hit[order]) / np.arange(1, len(gap) + 1)
    unsure = np.flatnonzero(share < confidence)
    found = int(gap[order][unsure[-1]]) if len(unsure) else 0
    return int(np.clip(found, _LEAST_BAND, _MOST_BAND))
