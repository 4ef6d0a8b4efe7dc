"""Model, baseline and champion judged on the same cases; gates; slices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from models.base import Model
from models.errors import GateError
from training.bootstrap import Comparison, compare
from training.recipe import LOWER_IS_BETTER, Case, Gate, Recipe, Split

Metrics = dict[str, float]
AnyModel = Model[Any, Any, Any, Any]
AnyRecipe = Recipe[Any, Any, Any, Any]

BASELINE_GATE = "baseline"
_SMALLEST_SLICE = 20


class GateResult(BaseModel):
    """Whether a metric kept its bound; the gate ``baseline`` is the primary metric against the baseline's."""

    metric: str
    value: float | None
    at_least: float | None = None
    at_most: float | None = None
    passed: bool


@dataclass(frozen=True)
class Evaluation:
    """What was measured on the hold-out.

    Parameters
    ----------
    cases, predictions
        The questions, and the new model's answers in their order.
    metrics, baseline, champion
        Of the new model, the baseline and the current champion (``None`` without one).
    comparison
        New model against champion; ``None`` without one.
    slices
        Rows of a table: grouping, group, cases, then each metric of model and baseline.
    """

    cases: Sequence[Case[Any, Any]]
    predictions: Sequence[Any]
    metrics: Metrics
    baseline: Metrics
    champion: Metrics | None
    comparison: Comparison | None
    slices: list[dict[str, Any]]


def evaluate(recipe: AnyRecipe, model: AnyModel, split: Split[Any], champion: AnyModel | None) -> Evaluation:
    """Ask everybody the same questions once, and judge the answers.

    The seed is that of the model's configuration.
    """
    cases = recipe.cases(split, model.config.seed)
    queries = [case.query for case in cases]
    ours, simple = model.predict(queries), recipe.baseline(split.train)(queries)
    theirs = champion.predict(queries) if champion else None
    return Evaluation(
        cases=cases,
        predictions=ours,
        metrics=recipe.evaluate(ours, cases),
        baseline=recipe.evaluate(simple, cases),
        champion=recipe.evaluate(theirs, cases) if theirs else None,
        comparison=compare(recipe.evaluate, cases, ours, theirs, recipe.primary, model.config.seed) if theirs else None,
        slices=_slices(recipe, cases, ours, simple),
    )


def gates(recipe: AnyRecipe, evaluation: Evaluation) -> dict[str, GateResult]:
    """The recipe's gates by metric, and the baseline's."""
    primary, bound = recipe.primary, evaluation.baseline.get(recipe.primary)
    results = {gate.metric: _result(gate, evaluation.metrics) for gate in recipe.gates}
    beaten = Gate(primary, at_most=bound) if primary in LOWER_IS_BETTER else Gate(primary, at_least=bound)
    result = _result(beaten, evaluation.metrics)
    # A bound may be met exactly; a baseline that is only equalled is not beaten.
    results[BASELINE_GATE] = result.model_copy(update={"passed": result.passed and result.value != bound})
    return results


def require(slug: str, results: Mapping[str, GateResult]) -> None:
    """Do nothing if every gate was passed.

    Raises
    ------
    GateError
        Which were missed, and by how much.
    """
    missed = [_missed(name, result) for name, result in results.items() if not result.passed]
    if missed:
        raise GateError(f"{slug} was not registered: expected {'; and '.join(missed)}: give better data or settings")


def _result(gate: Gate, metrics: Metrics) -> GateResult:
    value = metrics.get(gate.metric, math.nan)
    return GateResult(
        metric=gate.metric,
        value=None if math.isnan(value) else value,
        at_least=gate.at_least,
        at_most=gate.at_most,
        passed=gate.shortfall(value) <= 0,
    )


def _missed(name: str, result: GateResult) -> str:
    bounds = [f"{word} {bound:.4g}" for word, bound in (("at least", result.at_least), ("at most", result.at_most)) if bound is not None]
    whose = " (the baseline's, to be beaten)" if name == BASELINE_GATE else ""
    if result.value is None:
        return f"{result.metric} {' and '.join(bounds)}{whose}, but it is undefined on this hold-out"
    off = Gate(result.metric, result.at_least, result.at_most).shortfall(result.value)
    return f"{result.metric} {' and '.join(bounds)}{whose}, got {result.value:.4g}, off by {off:.2g}"


def _slices(recipe: AnyRecipe, cases: Sequence[Case[Any, Any]], ours: Sequence[Any], simple: Sequence[Any]) -> list[dict[str, Any]]:
    members: dict[tuple[str, str], list[int]] = {}
    for position, case in enumerate(cases):
        for slice_and_group in case.slices.items():
            members.setdefault(slice_and_group, []).append(position)
    rows = []
    for (grouping, group), places in sorted(members.items()):
        if len(places) >= _SMALLEST_SLICE:
            some = [cases[i] for i in places]
            model, baseline = (recipe.evaluate([answers[i] for i in places], some) for answers in (ours, simple))
            rows.append({"slice": grouping, "group": group, "cases": len(places)} | model | prefixed("baseline", baseline))
    return rows


def prefixed(prefix: str, metrics: Metrics) -> Metrics:
    """The same figures under ``prefix_name``."""
    return {f"{prefix}_{name}": value for name, value in metrics.items()}
