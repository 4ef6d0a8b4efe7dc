"""The report on a policy as a picture, for whoever must approve it."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.figures import COLOURS, GREY

_NAMES = {"logged": "as logged", "ips": "IPS", "snips": "SNIPS", "dr": "doubly robust"}


def picture(report: Mapping[str, Any]) -> Figure:
    """Values with intervals beside what was logged, and what would have changed; or the refusal, where the log cannot tell.

    Parameters
    ----------
    report
        As `models.notification.policy.PolicyReport` is written to JSON; of any model with such a report.
    """
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    settings = ", ".join(f"{name} = {value}" for name, value in report["settings"].items())
    figure.suptitle(f"What if {settings}?", x=0.01, ha="left", fontsize=12)
    if report["refused"]:
        left.axis("off")
        left.text(0, 0.9, fill(f"Refused: {report['refused']}", 58), va="top", fontsize=10, transform=left.transAxes)
    else:
        _values(left, report["value"])
    _changes(right, report["changed"])
    found = report["overlap"]
    worth = f"{found['decisions']:,} logged decisions, worth {found['effective']:,.0f} of this policy's own"
    figure.supxlabel(f"{worth}; mean weight {found['mean_weight']:.3f}", x=0.01, ha="left", fontsize=9)
    return figure


def _values(axes: Axes, value: Mapping[str, Any]) -> None:
    for place, (key, name) in enumerate(_NAMES.items()):
        estimate = value[key]
        colour = GREY if key == "logged" else COLOURS[0]
        axes.plot([estimate["low"], estimate["high"]], [-place, -place], color=colour, linewidth=2.5)
        axes.plot([estimate["value"]], [-place], "o", color=colour)
        axes.annotate(
            f"{name}  {estimate['value']:.4f}", (estimate["value"], -place), xytext=(0, 7), textcoords="offset points", ha="center"
        )
    axes.axvline(value["logged"]["value"], color=GREY, linestyle=":")
    axes.set_yticks([])
    axes.set_ylim(-len(_NAMES) + 0.5, 0.7)
    axes.spines[["top", "right", "left"]].set_visible(False)
    difference = value["difference"]
    axes.set_xlabel("value per decision")
    axes.set_title(
        f"{value['verdict']}: {difference['value']:+.4f} ({difference['low']:+.4f} to {difference['high']:+.4f})", loc="left", fontsize=11
    )


def _changes(axes: Axes, changed: list[Mapping[str, Any]]) -> None:
    names = [f"{each['logged']} → {each['instead']}" for each in changed]
    axes.barh(names[::-1], [each["decisions"] for each in changed][::-1], color=COLOURS[1])
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("decisions")
    axes.set_title("What would have changed", loc="left", fontsize=11)
