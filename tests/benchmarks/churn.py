"""Churn on every customer table of a folder, beside what one would write without Foretell.

A table is a CSV file with a column named for churn or attrition; others are skipped. Two files ``x-80.csv`` and ``x-20.csv`` are one
table. A column whose name ends in "id" and whose values are all different names the customer and is shown to nobody; columns that
restate the label ("Churn Reason" beside "Churn Label") are taken away from everybody. Predictions are out of fold, from one 5-fold
stratified cross-validation with fixed seed; figures are of all of them together.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, Self, cast

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # only here, as the peers' users do
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from models.churn import Churn, ChurnExample
from models.rows import read_rows
from training.metrics import binary_metrics

DATA = "churn"

_LABELS = (
    "churn",
    "churned",
    "churnlabel",
    "churnvalue",
    "ischurn",
    "churnflag",
    "exited",
    "attrition",
    "attritionflag",
    "attrited",
    "left",
)
_FOLDS = 5
_TIMED_ROWS = 200

Probabilities = NDArray[np.float64]
Predictor = Callable[[Sequence[int]], Probabilities]
"""Positions of rows -> their probabilities."""

Fit = Callable[[Sequence[int]], Predictor]
"""Positions of rows to learn from -> a predictor."""


class Classifier(Protocol):
    """What scikit-learn calls one."""

    def fit(self, X: pd.DataFrame, y: NDArray[np.bool_]) -> Self: ...

    def predict_proba(self, X: pd.DataFrame) -> Probabilities: ...


def run(data: Path) -> list[dict[str, object]]:
    """Quality, seconds to fit and microseconds to predict one row, for each table and system."""
    rows: list[dict[str, object]] = []
    for name, examples in tables(data):
        frame = typed([dict(example.features) for example in examples])
        labels = np.array([example.label for example in examples])
        systems: dict[str, Fit] = {
            "foretell": foretell(examples),
            "logistic regression, one-hot": peer(frame, labels, logistic),
            "lightgbm, defaults": peer(frame, labels, lambda: LGBMClassifier(random_state=0, n_jobs=1, verbose=-1)),
            "base rate": peer(frame, labels, lambda: DummyClassifier(strategy="prior")),
        }
        rows += [{"system": system, "data": name, "rows": len(labels)} | judged(fit, labels) for system, fit in systems.items()]
    return rows


def tables(data: Path) -> Iterator[tuple[str, list[ChurnExample]]]:
    """Every table below a folder that has a label, by name."""
    parts: dict[Path, list[Path]] = {}
    for path in sorted(data.rglob("*.csv")):
        parts.setdefault(path.with_name(re.sub(r"-(80|20)$", "", path.stem)), []).append(path)
    for name, paths in parts.items():
        columns = paths[0].open(encoding="utf-8-sig").readline().strip().replace('"', "").split(",")
        label = next((column for known in _LABELS for column in columns if _plain(column) == known), None)
        if label is not None:
            examples = [row for path in paths for row in read_rows(path, ChurnExample, {"label": label})]
            yield name.name, [_without(example, _hidden(examples)) for example in examples]


def _plain(column: str) -> str:
    return re.sub(r"[^a-z]", "", column.lower())


def _hidden(examples: Sequence[ChurnExample]) -> set[str]:
    """Columns that name the customer or restate the label."""
    names = examples[0].features
    restates = {name for name in names if _plain(name).startswith("churn") or _plain(name) in _LABELS}
    named_id = (name for name in names if _plain(name).endswith("id"))
    return restates | {name for name in named_id if len({example.features.get(name) for example in examples}) == len(examples)}


def _without(example: ChurnExample, hidden: set[str]) -> ChurnExample:
    return example.model_copy(update={"features": {name: value for name, value in example.features.items() if name not in hidden}})


def typed(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    """The table as an analyst would load it: columns of numbers as numbers, the others as categories."""
    frame = pd.DataFrame(rows)
    for name in frame.columns:
        numbers = pd.to_numeric(frame[name], errors="coerce")
        is_number = numbers.notna().sum() >= 0.95 * frame[name].notna().sum()
        frame[name] = numbers if is_number else frame[name].astype("category")
    return frame


def foretell(examples: Sequence[ChurnExample]) -> Fit:
    """The model under test, with its defaults, and with reasons."""

    def fit(train: Sequence[int]) -> Predictor:
        model = Churn().fit(examples[position] for position in train)
        return lambda test: np.array([answer.probability for answer in model.predict([examples[position] for position in test])])

    return fit


def peer(frame: pd.DataFrame, labels: NDArray[np.bool_], estimator: Callable[[], Classifier]) -> Fit:
    """Any scikit-learn classifier."""

    def fit(train: Sequence[int]) -> Predictor:
        fitted = estimator().fit(frame.iloc[train], labels[train])
        return lambda test: fitted.predict_proba(frame.iloc[test])[:, 1]

    return fit


def logistic() -> Classifier:
    """Medians, scaling, one-hot, logistic regression: the textbook pipeline."""
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    one_hot = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")), (one_hot, make_column_selector(dtype_include="category"))
    )
    return cast(Classifier, make_pipeline(columns, LogisticRegression(max_iter=2_000)))


def judged(fit: Fit, labels: NDArray[np.bool_]) -> dict[str, object]:
    """Metrics out of fold, seconds per fit, and the median microseconds of one prediction."""
    probabilities = np.empty(len(labels))
    seconds = []
    for train, test in StratifiedKFold(_FOLDS, shuffle=True, random_state=0).split(labels, labels):
        started = time.perf_counter()
        predict = fit(train)
        seconds.append(time.perf_counter() - started)
        probabilities[test] = predict(test)
    single = []
    for position in test[:_TIMED_ROWS]:
        started = time.perf_counter()
        predict([position])
        single.append(time.perf_counter() - started)
    timings = {"fit_seconds": float(np.mean(seconds)), "single_prediction_us": float(np.median(single)) * 1e6}
    return {**binary_metrics(labels, probabilities), **timings}
