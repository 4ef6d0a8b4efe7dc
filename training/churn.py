"""How churn is trained and judged: customers held out whole, a single column to beat, probabilities that must mean what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from models.churn import Churn, ChurnConfig, ChurnExample, ChurnPrediction, ChurnQuery
from models.churn.screening import GroupRates
from models.churn.table import Table
from models.churn.values import token
from models.feedback import Observed
from training import figures
from training.metrics import binary_metrics
from training.recipe import Case, Gate, Predictor, Recipe, Split
from training.splits import by_time_where_known

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from models.base import Model

ChurnCase = Case[ChurnQuery, bool]

_HOLDOUT_SHARE = 0.2
_SLICED_COLUMNS = 2
_MOST_SLICES = 12


def _split(rows: Sequence[ChurnExample], seed: int) -> Split[ChurnExample]:
    return by_time_where_known(rows, lambda row: row.observed_at, ChurnExample.identity, _HOLDOUT_SHARE, seed)


def _from_feedback(observed: Sequence[Observed[ChurnQuery, ChurnPrediction]]) -> list[ChurnExample]:
    """Customers as they were when they were asked about, with what became of them.

    The features are those that came with the query and were stored with its answer, so nothing that was learned later can be among
    them: a later look at the customer is another prediction, with its own outcome. What is left to exclude is a question that was asked
    when the answer had come about already: such a row would teach the outcome from its traces. The instant of the question is
    ``observed_at``, so the newest are held out.
    """
    return [
        ChurnExample(customer_id=each.query.customer_id, features=each.query.features, label=each.outcome, observed_at=each.predicted_at)
        for each in observed
        if each.occurred_at > each.predicted_at
    ]


def _cases(split: Split[ChurnExample], seed: int) -> list[ChurnCase]:
    sliced = _most_telling_categories(split.train)
    return [
        Case(
            query=ChurnQuery(customer_id=row.customer_id, features=row.features),
            truth=row.label,
            slices={name: token(row.features.get(name)) or "missing" for name in sliced},
        )
        for row in split.holdout
    ]


def _rates(rows: Sequence[ChurnExample]) -> list[GroupRates]:
    """Rates of every column, the most telling first."""
    labels = np.array([row.label for row in rows])
    columns = Table.read([row.features for row in rows]).columns
    rates = [GroupRates.count(column, [row.features.get(column.name) for row in rows], labels) for column in columns]
    return sorted(rates, key=lambda rate: (-rate.roc_auc, rate.column.name))


def _most_telling_categories(rows: Sequence[ChurnExample]) -> list[str]:
    categories = [rates.column for rates in _rates(rows) if rates.column.kind == "category"]
    return [column.name for column in categories if len(column.levels) <= _MOST_SLICES][:_SLICED_COLUMNS]


def _evaluate(predictions: Sequence[ChurnPrediction], cases: Sequence[ChurnCase]) -> dict[str, float]:
    return binary_metrics([case.truth for case in cases], [prediction.probability for prediction in predictions])


def _best_column(rows: Sequence[ChurnExample]) -> Predictor[ChurnQuery, ChurnPrediction]:
    best = _rates(rows)[0]

    def predict(queries: Sequence[ChurnQuery]) -> list[ChurnPrediction]:
        rates = [best.rate(query.features.get(best.column.name)) for query in queries]
        return [ChurnPrediction(customer_id=query.customer_id, probability=rate) for query, rate in zip(queries, rates, strict=True)]

    return predict


def _figures(
    model: Model[ChurnConfig, ChurnQuery, ChurnExample, ChurnPrediction], predictions: Sequence[ChurnPrediction], cases: Sequence[ChurnCase]
) -> Mapping[str, Figure]:
    labels = [case.truth for case in cases]
    probabilities = {"churn": [prediction.probability for prediction in predictions]}
    drawn = {
        "reliability": figures.reliability_curve(labels, probabilities),
        "precision_recall": figures.precision_recall_curve(labels, probabilities),
    }
    if isinstance(model, Churn):
        drawn["importance"] = figures.bar(_marked(model), "What moves the predictions", "mean absolute contribution, log-odds")
    return drawn


def _marked(model: Churn) -> dict[str, float]:
    """Importance by column; columns that may know the outcome say so."""
    return {
        f"{name} (knows the outcome?)" if name in model.suspicious_columns_ else name: importance
        for name, importance in model.importance_.items()
    }


def _notes(model: Model[ChurnConfig, ChurnQuery, ChurnExample, ChurnPrediction]) -> Sequence[str]:
    if not isinstance(model, Churn) or not model.suspicious_columns_:
        return ()
    names = ", ".join(f"`{name}`" for name in model.suspicious_columns_)
    return (f"{names} alone tells almost perfectly who left: most likely written after the fact. Remove it and train again.",)


RECIPE = Recipe(
    slug="churn",
    split=_split,
    split_protects=(
        "Against judging on the past where rows have `observed_at` (the newest fifth of these is held out); of other rows against one "
        "customer on both sides: a fifth of the customers is held out by a hash of their id, the same ones in next month's table."
    ),
    cases=_cases,
    evaluate=_evaluate,
    baseline=_best_column,
    baseline_name="share who left among customers alike in the one most telling column",
    primary="log_loss",
    gates=(
        Gate("roc_auc", at_least=0.6),
        Gate("ece", at_most=0.2),  # gross errors only: on a hold-out of some dozen rows chance alone gives 0.15
    ),
    figures=_figures,
    notes=_notes,
    from_feedback=_from_feedback,
    limits="""\
- **Reasons are associations.** Removing a reason need not keep the customer; who can be kept is a question for a trial (`treatment`).
- **A column written after the fact** (a cancellation reason, a final bill) makes every figure too good. A column that separates the
  classes almost alone is marked in the importance figure; remove it and train again.
- **Probabilities hold for customers like those in the table.** After a change of prices, products or market, look at the reliability
  curve on new rows before acting on a threshold.
- **No horizon of its own**: the label's definition ("left within 30 days") is the prediction's.
- **Not for decisions on credit, insurance or employment**, nor with columns that say who a person is where the law forbids their use.
- With fewer than some dozen customers who left, the ranking is a guess, and the figures above vary from split to split.
""",
)
