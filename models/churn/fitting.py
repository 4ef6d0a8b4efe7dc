"""How the churn model learns: two models of one matrix, weighed and calibrated by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import lightgbm
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from models.churn.calibration import IDENTITY, Calibration, stretches
from models.churn.linear import Linear
from models.churn.records import ChurnConfig
from models.churn.screening import GroupRates
from models.churn.table import Row, Table
from models.churn.trees import SPLITS, Trees
from models.errors import InputError

Array = NDArray[np.float64]
Labels = NDArray[np.bool_]

_SUSPICIOUS_AUC = 0.99
_ROUND_STEP = 20
_INVERSE_PENALTY = 0.1  # on standardised terms: correlated columns and bends share their effect
_PRIOR_ROWS = 10.0  # pulls towards a plain average and a straight line; only small tables feel it
_BENDS = (0.1, 0.3, 0.5, 0.7, 0.9)
_ALL = slice(None)
_LEAST_SLOPE = 0.02  # keeps the order of customers


@dataclass(frozen=True)
class Learned:
    """What training gives: the model's parts, and what a reviewer should know."""

    table: Table
    linear: Linear
    trees: Trees
    calibration: Calibration
    base_rate: float
    suspicious_columns: tuple[str, ...]


def learn(rows: Sequence[Row], labels: Labels, customers: Sequence[str], config: ChurnConfig) -> Learned:
    """Read the table, fit both models, weigh them.

    Parameters
    ----------
    customers
        Whose row it is: rows of one customer are held out together while weighing, or the model would believe itself too much.

    Raises
    ------
    InputError
        If there is no row, only one class, or no column that teaches anything.
    """
    _check_labels(labels)
    table = Table.read(rows)
    if not table.columns:
        raise InputError("expected a column that varies between customers, got only constant or identifying ones: give more columns")
    X, _ = table.matrix(rows)
    with threadpool_limits(1):  # the same bytes on any number of cores; also faster, the matrices are small
        weights, calibration, rounds = _weigh(table, X, labels, customers, config)
        linear = fit_linear(table, X, labels).scaled(weights[0])
        trees = fit_trees(X, labels, rounds, config.seed).scaled(weights[1])
    return Learned(
        table=table,
        linear=replace(linear, bias=linear.bias + weights[2]),
        trees=trees,
        calibration=calibration,
        base_rate=float(labels.mean()),
        suspicious_columns=tuple(
            column.name
            for column in table.columns
            if GroupRates.count(column, [row.get(column.name) for row in rows], labels).roc_auc >= _SUSPICIOUS_AUC
        ),
    )


def _check_labels(labels: Labels) -> None:
    if not len(labels):
        raise InputError("expected customers who left and customers who stayed, got no rows: give a table with a label column")
    if labels.all() or not labels.any():
        word = "left" if labels[0] else "stayed"
        raise InputError(f"expected customers who left and customers who stayed, got {len(labels)} who {word}: give rows of both kinds")


def fit_linear(table: Table, X: Array, labels: Labels, learned: Labels | slice = _ALL) -> Linear:
    """A penalised logistic regression on the table's terms, from the rows that are to be learned.

    Terms are standardised by all rows, so that a value which only held-out rows have is not a thousand deviations away.
    """
    unfitted = Linear.unfitted(table)
    terms = unfitted.terms(X)
    mean, spread = terms.mean(axis=0), terms.std(axis=0)
    spread[spread < 1e-12] = np.inf  # constant: no coefficient
    standardised = (terms - mean) / spread
    model = LogisticRegression(C=_INVERSE_PENALTY, max_iter=1_000).fit(standardised[learned], labels[learned])
    return replace(unfitted, mean=mean, coefficient=model.coef_[0] / spread, bias=float(model.intercept_[0]))


def _boost(X: Array, labels: Labels, rounds: int, seed: int) -> lightgbm.Booster:
    parameters = {
        "objective": "binary",
        "num_leaves": SPLITS + 1,
        "learning_rate": 0.05,
        "lambda_l2": 1.0,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbose": -1,
    }
    return lightgbm.train(parameters, lightgbm.Dataset(X, labels.astype(np.float64)), rounds)


def fit_trees(X: Array, labels: Labels, rounds: int, seed: int) -> Trees:
    """Boosted trees of at most eight leaves."""
    return Trees.from_lightgbm(_boost(X, labels, rounds, seed).dump_model())


def _weigh(
    table: Table, X: Array, labels: Labels, customers: Sequence[str], config: ChurnConfig
) -> tuple[tuple[float, float, float], Calibration, int]:
    """Weights of the two models and an intercept, calibration, and how many rounds to boost, from predictions for rows not learned from.

    With fewer than two customers of a kind nothing can be held out; the honest answer is then the base rate for everybody.
    """
    folds = _folds(labels, customers, config)
    if not folds:
        return (0.0, 0.0, float(logit(labels.mean()))), IDENTITY, _ROUND_STEP
    linear = np.zeros(len(labels))
    rounds = range(_ROUND_STEP, config.max_rounds + 1, _ROUND_STEP)
    boosted = np.zeros((len(rounds), len(labels)))
    for test in folds:
        linear[test] = fit_linear(table, X, labels, ~test).log_odds(X[test])
        booster = _boost(X[~test], labels[~test], config.max_rounds, config.seed)
        steps = [booster.predict(X[test], raw_score=True, start_iteration=last - _ROUND_STEP, num_iteration=_ROUND_STEP) for last in rounds]
        boosted[:, test] = np.cumsum(steps, axis=0)
    best = int(np.argmin([log_loss(labels, expit(scores)) for scores in boosted]))
    scores = np.column_stack([linear, boosted[best]])
    weights = stack(scores, labels)
    return weights, calibrate(scores @ weights[:2] + weights[2], labels), rounds[best]


def _folds(labels: Labels, customers: Sequence[str], config: ChurnConfig) -> list[Labels]:
    """Which rows each fold holds out: whole customers, and both kinds of them in every fold; none if there are too few."""
    names, customer_of = np.unique(customers, return_inverse=True)
    left = np.bincount(customer_of, weights=labels, minlength=len(names)) > 0
    n_folds = min(config.folds, int(left.sum()), int((~left).sum()))
    if n_folds < 2:
        return []
    splits = StratifiedKFold(n_folds, shuffle=True, random_state=config.seed).split(left, left)
    return [np.isin(customer_of, held_out) for _, held_out in splits]


def stack(scores: Array, labels: Labels) -> tuple[float, float, float]:
    """Two non-negative weights and an intercept that make one log-odds of two, given in shape (n_rows, 2)."""
    found = _fit_logistic(scores, labels, towards=0.5, at_least=0.0)
    return float(found[0]), float(found[1]), float(found[2])


def calibrate(log_odds: Array, labels: Labels) -> Calibration:
    """The rising line with bends that makes log-odds fit what happened."""
    knots = np.unique(np.quantile(log_odds, _BENDS))
    found = _fit_logistic(stretches(knots, log_odds), labels, towards=1.0, at_least=_LEAST_SLOPE)
    return Calibration(knots, found[:-1], float(found[-1]))


def _fit_logistic(terms: Array, labels: Labels, *, towards: float, at_least: float) -> Array:
    """Coefficients of the terms, bounded below and pulled towards a value, and last the intercept, of a logistic regression."""

    def loss(parameters: Array) -> tuple[float, Array]:
        odds = terms @ parameters[:-1] + parameters[-1]
        error = expit(odds) - labels
        pull = parameters[:-1] - towards
        value = np.logaddexp(0.0, odds).sum() - odds[labels].sum() + _PRIOR_ROWS / 2 * pull @ pull
        return float(value), np.append(terms.T @ error + _PRIOR_ROWS * pull, error.sum())

    n_terms = terms.shape[1]
    start = np.append(np.full(n_terms, towards), 0.0)
    bounds = [(at_least, None)] * n_terms + [(None, None)]
    found: Array = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return found
