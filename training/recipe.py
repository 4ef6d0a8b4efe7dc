"""What a training file must state: how rows are split, what is measured, what must be beaten, what a reviewer sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from models.base import E, Model, P, Q
from models.feedback import Observed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

T = TypeVar("T")

LOWER_IS_BETTER = frozenset({"brier_score", "log_loss", "ece", "false_confidence_rate"})


@dataclass(frozen=True)
class Split(Generic[E]):
    """Rows to learn from and rows to be judged on."""

    train: Sequence[E]
    holdout: Sequence[E]


@dataclass(frozen=True)
class Case(Generic[Q, T]):
    """One question of the hold-out, with the right answer: what the paired bootstrap resamples.

    Parameters
    ----------
    query
        What the model is asked.
    truth
        The right answer, in whatever form `Recipe.evaluate` understands.
    slices
        Groups this case belongs to, by the name of the grouping: ``{"contract": "monthly"}``.
    """

    query: Q
    truth: T
    slices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Gate:
    """A bound that a metric must keep, or nothing is registered."""

    metric: str
    at_least: float | None = None
    at_most: float | None = None

    def shortfall(self, value: float) -> float:
        """By how much `value` misses the bound; zero or less if it keeps it. NaN misses by infinity."""
        if value != value:
            return float("inf")
        misses = [bound - value for bound in (self.at_least,) if bound is not None]
        misses += [value - bound for bound in (self.at_most,) if bound is not None]
        return max(misses, default=0.0)


Predictor = Callable[[Sequence[Q]], list[P]]


def no_notes(_: object) -> Sequence[str]:
    """There is nothing to say about this version in particular."""
    return ()


def nothing_measured(_: object) -> Mapping[str, float]:
    """Fitting measured nothing."""
    return {}


def in_a_list(batches: Iterable[Iterable[E]]) -> Sequence[E]:
    """All rows."""
    return list(chain.from_iterable(batches))


@dataclass(frozen=True)
class Recipe(Generic[Q, E, P, T]):
    """How one model is trained and judged; `training.run` does the rest, the same for every slug.

    Parameters
    ----------
    slug
        The model's.
    split
        ``(rows, seed) -> Split``; used when no hold-out file is given.
    split_protects
        What the split protects against, in one sentence for the model card.
    cases
        ``(split, seed) -> cases`` of the hold-out. May draw synthetic cases from it, and must say so in `limits`.
    evaluate
        ``(predictions, cases) -> metrics``, both in the same order; the names are those of the field (DESIGN's list).
        Also run on resamples and on slices, so it must accept any non-empty selection of cases and leave out what is undefined there.
    baseline
        ``(training rows) -> predictor``: the trivial answer that must be beaten, kept in every evaluation.
    baseline_name
        What the baseline does, in a few words.
    primary
        The metric that decides promotion, and that the baseline must lose on.
    gates
        Bounds on metrics of the hold-out.
    figures
        ``(model, predictions, cases) -> figures`` by file stem: what a person wants to look at before approving. Text is an SVG document.
    limits
        When not to use the model, as Markdown for the card.
    notes
        ``(model) -> sentences`` that a reviewer of this very version should read first.
    measured
        ``(model) -> figures`` that fitting itself measured, without the hold-out; logged with the prefix ``fit_``.
    from_feedback
        ``(observed) -> training rows`` for what users reported of earlier predictions; ``None``: they teach this model nothing.
    gather
        What the batches of rows of a file (`models.rows.read_batches`) are held in: a list of all rows, or something smaller, for models
        that learn from many millions of rows.
    """

    slug: str
    split: Callable[[Sequence[E], int], Split[E]]
    split_protects: str
    cases: Callable[[Split[E], int], list[Case[Q, T]]]
    evaluate: Callable[[Sequence[P], Sequence[Case[Q, T]]], dict[str, float]]
    baseline: Callable[[Sequence[E]], Predictor[Q, P]]
    baseline_name: str
    primary: str
    gates: tuple[Gate, ...]
    figures: Callable[[Model[Any, Q, E, P], Sequence[P], Sequence[Case[Q, T]]], Mapping[str, Figure | str]]
    limits: str
    notes: Callable[[Model[Any, Q, E, P]], Sequence[str]] = no_notes
    measured: Callable[[Model[Any, Q, E, P]], Mapping[str, float]] = nothing_measured
    from_feedback: Callable[[Sequence[Observed[Q, P]]], list[E]] | None = None
    gather: Callable[[Iterable[Iterable[E]]], Sequence[E]] = in_a_list
