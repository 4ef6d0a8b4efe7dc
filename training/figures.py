"""Pictures for the reviewer, in one plain style; each is a matplotlib `Figure` of its own, without pyplot's global state.

Series are given by name, so that a model is drawn beside its baseline.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from sklearn.metrics import average_precision_score
from sklearn.metrics import precision_recall_curve as precision_recall

from training.metrics import equal_mass_bins

COLOURS = ("#1f5fa8", "#c4622d", "#3b8f5c", "#8a5aa6", "#8c8c8c", "#b8a13a", "#5aa5b8", "#a64b6b", "#4d4d4d", "#7a9c3c")
GREY = "#8c8c8c"


def reliability_curve(labels: ArrayLike, probabilities: Mapping[str, ArrayLike]) -> Figure:
    """Observed share against predicted probability in bins of equal mass, those of `ece`; below, how many cases have which probability."""
    y = np.asarray(labels, dtype=float)
    figure = Figure(figsize=(6, 6.5), layout="constrained")
    upper, lower = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
    upper.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="perfect")
    for (name, values), colour in zip(probabilities.items(), COLOURS, strict=False):
        p = np.asarray(values, dtype=float)
        members = [np.flatnonzero(equal_mass_bins(p) == b) for b in np.unique(equal_mass_bins(p))]
        upper.plot([p[m].mean() for m in members], [y[m].mean() for m in members], "o-", color=colour, label=name)
        lower.hist(p, bins=np.linspace(0, 1, 26), histtype="step", color=colour)
    _finish(upper, "Reliability", "", "observed share")
    _finish(lower, "", "predicted probability", "cases")
    lower.set_yscale("symlog", linthresh=10)
    return figure


def precision_recall_curve(labels: ArrayLike, probabilities: Mapping[str, ArrayLike]) -> Figure:
    """Precision against recall at every threshold; the legend holds the average precision, the dotted line the base rate."""
    y = np.asarray(labels, dtype=int)
    figure, axes = _one()
    axes.axhline(y.mean(), color=GREY, linestyle=":", label=f"base rate {y.mean():.3f}")
    for (name, values), colour in zip(probabilities.items(), COLOURS, strict=False):
        precision, recall, _ = precision_recall(y, np.asarray(values))
        average = average_precision_score(y, np.asarray(values))
        axes.step(recall, precision, where="post", color=colour, label=f"{name}, average precision {average:.3f}")
    axes.set_ylim(0, 1.02)
    _finish(axes, "Precision and recall", "recall", "precision")
    return figure


def bar(values: Mapping[str, float], title: str, xlabel: str, top: int = 20) -> Figure:
    """The largest values by name, the largest on top."""
    shown = sorted(values.items(), key=lambda item: item[1])[-top:]
    figure, axes = _one(height=max(2.0, 0.8 + 0.28 * len(shown)))
    axes.barh([_short(name) for name, _ in shown], [value for _, value in shown], color=COLOURS[0])
    _finish(axes, title, xlabel, "")
    return figure


def line(values: Mapping[str, Mapping[float, float]], title: str, xlabel: str, ylabel: str) -> Figure:
    """What becomes of y as x grows: one line per series, given as y by x."""
    figure, axes = _one()
    for (name, points), colour in zip(values.items(), COLOURS, strict=False):
        x = sorted(points)
        axes.plot(x, [points[place] for place in x], "o-", color=colour, markersize=4, label=name)
    _finish(axes, title, xlabel, ylabel, legend=len(values) > 1)
    return figure


def log_log(values: Mapping[str, ArrayLike], title: str, xlabel: str) -> Figure:
    """Share of values that are at least x, on two logarithmic axes: for degrees, weights and other heavy tails.

    Values that are not positive cannot be shown; they count in the share.
    """
    figure, axes = _one()
    for (name, numbers), colour in zip(values.items(), COLOURS, strict=False):
        ordered = np.sort(np.asarray(numbers, dtype=float))
        at_least = 1 - np.arange(len(ordered)) / max(len(ordered), 1)
        axes.step(ordered[ordered > 0], at_least[ordered > 0], where="post", color=colour, label=name)
    axes.set_xscale("log")
    axes.set_yscale("log")
    _finish(axes, title, xlabel, "share of at least x", legend=len(values) > 1)
    return figure


def _one(width: float = 6.5, height: float = 4.2) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _finish(axes: Axes, title: str, xlabel: str, ylabel: str, *, legend: bool = True) -> None:
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.set_axisbelow(True)
    if legend and axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=9)


def _short(name: str, length: int = 40) -> str:
    return name if len(name) <= length else name[: length - 1] + "…"
