"""How notifications are trained, and judged: on what was pushed later than anything learned, by whether it was clicked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from scipy.special import expit

from models.base import Model
from models.notification import (
    Notification,
    NotificationConfig,
    NotificationExample,
    NotificationPrediction,
    NotificationQuery,
)
from models.notification.policy import questions
from training import figures
from training.metrics import binary_metrics
from training.recipe import Case, Gate, Predictor, Recipe, Split
from training.splits import by_time_where_known

NotificationCase = Case[NotificationQuery, bool]
NotificationModel = Model[NotificationConfig, NotificationQuery, NotificationExample, NotificationPrediction]

HOLDOUT_SHARE = 0.2
_MOST_SLICES = 12
_PRIOR_PUSHES = 20.0
_SHOWN_TYPES = 6
_THRESHOLDS = 50


def _split(rows: Sequence[NotificationExample], seed: int) -> Split[NotificationExample]:
    return by_time_where_known(rows, lambda row: row.sent_at, lambda row: row.user_id, HOLDOUT_SHARE, seed)


def _cases(split: Split[NotificationExample], seed: int) -> list[NotificationCase]:
    """One question per push of the hold-out of which it is known whether it was clicked.

    A server would have been told of the pushes before it; here the question tells.
    """
    known = {row.user_id for row in split.train}
    asked = zip(split.holdout, questions(split.holdout), strict=True)
    return [Case(query, row.clicked, _slices(row, known)) for row, query in asked if row.decision == "push" and row.clicked is not None]


def _slices(row: NotificationExample, known: set[str]) -> dict[str, str]:
    return {"type": row.type, "user": "known" if row.user_id in known else "unknown"}


def _evaluate(predictions: Sequence[NotificationPrediction], cases: Sequence[NotificationCase]) -> dict[str, float]:
    return binary_metrics([case.truth for case in cases], [prediction.probability for prediction in predictions])


def _type_rate(rows: Sequence[NotificationExample]) -> Predictor[NotificationQuery, NotificationPrediction]:
    """The share of the type's pushes that were clicked, of few pushes drawn to the share of all."""
    pushes = [row for row in rows if row.decision == "push" and row.clicked is not None]
    sent, clicked = Counter(row.type for row in pushes), Counter(row.type for row in pushes if row.clicked)
    overall = (clicked.total() + 0.5) / (sent.total() + 1)

    def answer(query: NotificationQuery) -> NotificationPrediction:
        rate = (clicked[query.type] + overall * _PRIOR_PUSHES) / (sent[query.type] + _PRIOR_PUSHES)
        return NotificationPrediction(
            user_id=query.user_id,
            type=query.type,
            probability=rate,
            low=rate,
            high=rate,
            disable_probability=0.0,
            decision="push",
            send_at=query.at,
            reason="best_value",
            explanation="The rate of the type.",
            propensity=1.0,
            propensities={"push": 1.0},
            utilities={},
            known=False,
        )

    return lambda queries: [answer(query) for query in queries]


def _figures(
    model: NotificationModel, predictions: Sequence[NotificationPrediction], cases: Sequence[NotificationCase]
) -> Mapping[str, Figure]:
    clicked = np.array([case.truth for case in cases])
    probabilities = np.array([prediction.probability for prediction in predictions])
    drawn = {
        "reliability": figures.reliability_curve(clicked, {"notification": probabilities}),
        "reliability_by_type": _reliability_by_type(clicked, probabilities, cases),
        "value": _value(clicked, probabilities, cases),
    }
    if isinstance(model, Notification):
        drawn["fatigue"] = _fatigue(clicked, probabilities, model.pressures([case.query for case in cases]))
        drawn["never_reached"] = _never_reached(predictions, model.config)
    return drawn


def _reliability_by_type(clicked: np.ndarray, probabilities: np.ndarray, cases: Sequence[NotificationCase]) -> Figure:
    """What was predicted and what was seen for each of the most frequent types, with two standard errors."""
    kinds = np.array([case.query.type for case in cases])
    figure = Figure(figsize=(6.5, 4.2), layout="constrained")
    axes = figure.subplots()
    shown = [kind for kind, _ in Counter(kinds.tolist()).most_common(_SHOWN_TYPES)]
    for kind, colour in zip(shown, figures.COLOURS, strict=False):
        of_kind = kinds == kind
        order = np.flatnonzero(of_kind)[np.argsort(probabilities[of_kind], kind="stable")]
        parts = np.array_split(order, min(5, len(order)))
        x, y = [probabilities[part].mean() for part in parts], [clicked[part].mean() for part in parts]
        errors = [2 * np.sqrt(max(p * (1 - p), 1e-9) / len(part)) for p, part in zip(x, parts, strict=True)]
        axes.errorbar(x, y, yerr=errors, fmt="o-", color=colour, label=f"{kind} ({len(order):,})", markersize=4, linewidth=1)
    end = float(max(probabilities.max(), 0.01))
    axes.plot([0, end], [0, end], color=figures.GREY, linestyle=":", label="perfect")
    axes.set(xlabel="predicted probability of a click", ylabel="share that was clicked")
    axes.set_title("Reliability by type", loc="left", fontsize=11)
    axes.legend(frameon=False, fontsize=8)
    return figure


def _value(clicked: np.ndarray, probabilities: np.ndarray, cases: Sequence[NotificationCase]) -> Figure:
    """Clicks that are kept if only the likeliest are pushed: by this model, and by one threshold on the rates of types."""
    kinds = [case.query.type for case in cases]
    rate = {kind: float(clicked[[each == kind for each in kinds]].mean()) for kind in set(kinds)}
    by_type = np.array([rate[kind] for kind in kinds])
    curves = {"notification": _kept(clicked, probabilities), "one threshold on the rate of the type": _kept(clicked, by_type)}
    figure = figures.line(curves, "Clicks that are kept by pushing less", "share of the pushes that is sent", "share of the clicks")
    axes = figure.axes[0]
    axes.plot([0, 1], [0, 1], color=figures.GREY, linestyle=":")
    axes.annotate("push everything", (1, 1), xytext=(-8, -14), textcoords="offset points", ha="right", fontsize=9)
    return figure


def _kept(clicked: np.ndarray, scores: np.ndarray) -> dict[float, float]:
    kept = np.cumsum(clicked[np.argsort(-scores, kind="stable")]) / max(clicked.sum(), 1)
    places = np.unique(np.linspace(0, len(kept) - 1, _THRESHOLDS).astype(int))
    return {0.0: 0.0} | {float((place + 1) / len(kept)): float(kept[place]) for place in places}


def _fatigue(clicked: np.ndarray, probabilities: np.ndarray, pushes_last_day: Sequence[int]) -> Figure:
    """What was clicked, and what the model expected, by how much a user had got on the day before."""
    load = np.minimum(np.array(pushes_last_day), 8)
    loads = [each for each in range(9) if (load == each).sum() >= 10]
    curves = {
        "clicked": {float(each): float(clicked[load == each].mean()) for each in loads},
        "expected": {float(each): float(probabilities[load == each].mean()) for each in loads},
    }
    return figures.line(curves, "Fatigue", "pushes in the 24 hours before (8: 8 or more)", "share of clicks")


def _never_reached(predictions: Sequence[NotificationPrediction], config: NotificationConfig) -> Figure:
    """Users of whom nothing would be pushed, by the threshold."""
    best: dict[str, float] = {}
    for prediction in predictions:
        best[prediction.user_id] = max(best.get(prediction.user_id, 0.0), prediction.probability)
    values = np.sort(np.array(list(best.values())))
    thresholds = np.unique(np.append(expit(np.linspace(-6, 1, 40)), config.threshold))
    shares = {float(t): float(np.searchsorted(values, t) / len(values)) for t in thresholds}
    figure = figures.line({"users": shares}, "Who is never reached", "threshold", "share of users without any push")
    figure.axes[0].axvline(config.threshold, color=figures.GREY, linestyle=":")
    return figure


def _notes(model: NotificationModel) -> Sequence[str]:
    if not isinstance(model, Notification) or model.champion_.columns is not None:
        return ()
    return ("The columns were not shown to tell more than the rate of clicks; only types, segments and users are told apart.",)


RECIPE = Recipe(
    slug="notification",
    split=_split,
    split_protects=(
        "Against learning from the future: the newest fifth of the notifications is held out. A log whose rows all have the same time is "
        "split by users."
    ),
    cases=_cases,
    evaluate=_evaluate,
    baseline=_type_rate,
    baseline_name="share of the type's pushes that were clicked",
    primary="log_loss",
    gates=(
        Gate("roc_auc", at_least=0.55),
        Gate("ece", at_most=0.1),  # gross errors only: on a hold-out of some hundred rows chance alone gives 0.05
    ),
    figures=_figures,
    notes=_notes,
    limits="""
- Judged on what was pushed, and to whom it was; what a cautious log never pushed is not judged. `foretell evaluate-policy` weighs
  decisions by their propensities, and refuses where the log never tried what is asked.
- In the hold-out nothing is learned online, so figures are those of a model that is as old as the hold-out is long.
- Whether a push was worth it, beyond its click, is for `value`, `disable_cost` and `fatigue_cost` to say; their defaults are a guess.
- Do not use it to decide who gets what they need to know: name such types in `critical_types`, and they always pass.
""",
)
