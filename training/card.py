"""The model card: what a reviewer reads before a version may answer customers."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from training.evaluation import BASELINE_GATE, AnyModel, AnyRecipe, Evaluation, GateResult

_WORST_SLICES = 10


@dataclass(frozen=True)
class Card:
    """Everything that the card says.

    Parameters
    ----------
    data
        What was read, in words; ``data_sha256`` is the hash of the files.
    rows
        How many to learn from, and how many to be judged on.
    decision
        What became of the version, in words.
    absorbed
        Whether the model also learned the hold-out, after it was judged on it.
    """

    recipe: AnyRecipe
    model: AnyModel
    evaluation: Evaluation
    gates: Mapping[str, GateResult]
    data: str
    data_sha256: str
    rows: tuple[int, int]
    trained_at: datetime
    decision: str
    absorbed: bool

    def markdown(self) -> str:
        """The whole card."""
        parts = [
            f"# {self.recipe.slug}",
            f"{self.decision}\n\nTrained at {self.trained_at.isoformat(timespec='seconds')}.",
            *(f"**Look at this first.** {note}" for note in self.recipe.notes(self.model)),
            "## Question and method",
            _method(self.model),
            "## Data",
            self._data(),
            "## Figures",
            self._figures(),
            self._gates(),
            *self._slices(),
            "## Limits, and when not to use it",
            inspect.cleandoc(self.recipe.limits),
            "## Settings",
            _table(("setting", "value"), [(name, str(value)) for name, value in self.model.config.model_dump(mode="json").items()]),
        ]
        return "\n\n".join(parts) + "\n"

    def description(self) -> str:
        """The short form, for the registered version."""
        limits = f"**Limits.**\n\n{inspect.cleandoc(self.recipe.limits)}"
        parts = [self.decision, *self.recipe.notes(self.model), self._data(), self._figures(), limits]
        return "\n\n".join([*parts, "The whole card is `card.md` of the run, beside `slices.json` and `figures/`."])

    def _data(self) -> str:
        learned, judged = self.rows
        lines = [
            f"`{self.data}`, sha256 `{self.data_sha256}`: {learned:,} rows to learn from, {judged:,} held out, "
            f"from which {len(self.evaluation.cases):,} cases. {self.recipe.split_protects}"
        ]
        if self.absorbed:
            lines.append("After it was judged, the model also learned the held-out rows: the served version has seen all of them.")
        return "\n\n".join(lines)

    def _figures(self) -> str:
        evaluation = self.evaluation
        columns = {"model": evaluation.metrics, f"baseline: {self.recipe.baseline_name}": evaluation.baseline}
        if evaluation.champion is not None:
            columns["champion before"] = evaluation.champion
        primary = self.recipe.primary
        names = sorted(evaluation.metrics, key=lambda name: (name != primary, name))
        figures = {name: [_figure(metrics.get(name)) for metrics in columns.values()] for name in names}
        rows = [(f"**{name}**" if name == primary else name, *row) for name, row in figures.items()]
        return _table(("on the same hold-out", *columns), rows)

    def _gates(self) -> str:
        rows = [
            (
                f"{gate.metric} against the baseline" if name == BASELINE_GATE else name,
                _figure(gate.at_least),
                _figure(gate.at_most),
                _figure(gate.value),
                "passed" if gate.passed else "**missed**",
            )
            for name, gate in self.gates.items()
        ]
        return _table(("gate", "at least", "at most", "value", ""), rows)

    def _slices(self) -> list[str]:
        primary = self.recipe.primary
        rows = [row for row in self.evaluation.slices if primary in row]
        if not rows:
            return []
        by_gain = sorted(rows, key=lambda row: abs(row[primary] - self.evaluation.metrics[primary]), reverse=True)[:_WORST_SLICES]
        cells = [
            (row["slice"], row["group"], f"{row['cases']:,}", _figure(row[primary]), _figure(row.get(f"baseline_{primary}")))
            for row in by_gain
        ]
        return ["### Slices that differ most from the whole", _table(("slice", "group", "cases", primary, "baseline"), cells)]


def _method(model: AnyModel) -> str:
    """The docstring of the model's module."""
    return inspect.cleandoc(sys.modules[type(model).__module__].__doc__ or "")


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
