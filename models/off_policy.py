r"""What a policy would have been worth, from the log of another that decided by lot.

Of each logged decision is known with which probability it was taken (the propensity :math:`\pi_0`), what it brought (r), with which
probability the policy in question would take it (:math:`\pi`), and what a model expects of it (q). With the weights
:math:`w = \pi / \pi_0`:

.. math::
   V_{IPS} = \frac{1}{n} \sum w r, \quad V_{SNIPS} = \frac{\sum w r}{\sum w}, \quad
   V_{DR} = \frac{1}{n} \sum \Big( \sum_a \pi(a) q(a) + w (r - q) \Big)

Weights average to 1 if the log tried whatever the policy would do. Where they do not, or where a few decisions carry all the weight, no
arithmetic helps: `refusal` says so, and no value should be shown. Intervals are normal ones, and robust to the dependence of decisions
about one user; with some dozen rewards they are too narrow.

References
----------
Horvitz and Thompson (1952), A generalization of sampling without replacement from a finite universe, JASA 47.
Swaminathan and Joachims (2015), The self-normalized estimator for counterfactual learning, NeurIPS.
Dudík, Langford and Li (2011), Doubly robust policy evaluation and learning, ICML.
Kong (1992), A note on importance sampling using standardized weights: the effective sample size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field

Array = NDArray[np.float64]

Verdict = Literal["better", "worse", "not shown to be better"]

_Z = 1.96
LEAST_EFFECTIVE = 100.0
"""Decisions; below, an interval from so few rewards means little."""
MOST_UNTRIED = 0.05
"""Share of the policy's decisions that the log may never have taken; their worth is unknown, and no interval shows it."""


class Interval(BaseModel):
    """A value with its interval of 95%."""

    model_config = ConfigDict(frozen=True)

    value: float = Field(description="The estimate.")
    low: float = Field(description="Lower end of its interval.")
    high: float = Field(description="Upper end of its interval.")

    def holds(self, value: float) -> bool:
        """Whether a value is in the interval."""
        return self.low <= value <= self.high


class Overlap(BaseModel):
    """How much of what a policy would do the log has tried."""

    model_config = ConfigDict(frozen=True)

    decisions: int = Field(description="Logged decisions with a propensity.")
    effective: float = Field(description="As many decisions of the policy's own would say as much: the effective sample size.")
    mean_weight: float = Field(description="Near 1 if the log tried all that the policy would do, and its propensities are right.")
    greatest_share: float = Field(description="Share of all weight that the weightiest decision has.")


class PolicyValue(BaseModel):
    """What a policy would have been worth per decision, by three estimators, beside what the log was worth."""

    model_config = ConfigDict(frozen=True)

    logged: Interval = Field(description="What the logged decisions brought.")
    ips: Interval = Field(description="Inverse propensity score: unbiased, and wide.")
    snips: Interval = Field(description="The same over the sum of weights: a little biased, and narrower.")
    dr: Interval = Field(description="Doubly robust: with a model of what decisions bring.")
    difference: Interval = Field(description="The doubly robust value less what the log was worth, decision by decision.")
    verdict: Verdict = Field(description="Whether the interval of the difference leaves zero on one side.")


@dataclass(frozen=True)
class Trials:
    """Logged decisions, and what a policy would have done; all of shape (n,).

    Parameters
    ----------
    reward
        What each decision brought.
    propensity
        With which probability it was taken.
    target
        With which probability the policy would take it.
    expected
        What a model, or nothing but zeros, expects of it.
    expected_of_policy
        What the model expects of the policy at this place: the mean over what it might do.
    subject
        Whom each is about, as numbers; decisions about one are taken together. ``None``: each stands alone.
    """

    reward: Array
    propensity: Array
    target: Array
    expected: Array
    expected_of_policy: Array
    subject: NDArray[np.int64] | None = None

    @property
    def weights(self) -> Array:
        """How much each decision says about the policy."""
        return self.target / self.propensity

    @property
    def robust(self) -> Array:
        """What each decision says of the policy's value, doubly robust."""
        return self.expected_of_policy + self.weights * (self.reward - self.expected)


def overlap(trials: Trials) -> Overlap:
    """How much the log says about the policy."""
    weights = trials.weights
    total = float(weights.sum())
    return Overlap(
        decisions=len(weights),
        effective=total**2 / float((weights**2).sum()) if total > 0 else 0.0,
        mean_weight=float(weights.mean()) if len(weights) else 0.0,
        greatest_share=float(weights.max()) / total if total > 0 else 1.0,
    )


def refusal(trials: Trials, least_effective: float = LEAST_EFFECTIVE) -> str | None:
    """Why the log cannot say what the policy is worth, in one sentence; ``None`` if it can."""
    found = overlap(trials)
    if not found.decisions:
        return "expected logged decisions with a propensity, got none: log the propensity that comes with every decision"
    mean = _interval(trials.weights, trials.subject)
    if mean.high < 1.0 - MOST_UNTRIED:
        return (
            f"the log never tried {1 - mean.value:.0%} of what this policy would do, so what that is worth cannot be known: "
            "let some decisions be drawn (exploration), or ask about a policy nearer to the logged one"
        )
    if mean.low > 1.0 + MOST_UNTRIED:
        return (
            f"weights average {mean.value:.2f} and should average 1: the logged propensities are not those with which it was decided, "
            "log them as they come with the decision"
        )
    if found.effective < least_effective:
        return (
            f"the {found.decisions:,} logged decisions say as much about this policy as {found.effective:.0f} of its own would, and "
            f"{least_effective:.0f} is the least: log more, explore more, or ask about a policy nearer to the logged one"
        )
    return None


def value(trials: Trials) -> PolicyValue:
    """What the policy would have been worth per decision, if the log can say it; see `refusal`."""
    weights, reward, subject = trials.weights, trials.reward, trials.subject
    mean = float(weights.mean())
    normalised = float((weights * reward).sum() / weights.sum())
    spread = _interval(weights * (reward - normalised) / mean, subject)
    difference = _interval(trials.robust - reward, subject)
    return PolicyValue(
        logged=_interval(reward, subject),
        ips=_interval(weights * reward, subject),
        snips=Interval(value=normalised, low=normalised + spread.low, high=normalised + spread.high),
        dr=_interval(trials.robust, subject),
        difference=difference,
        verdict=_verdict(difference),
    )


def compare(policy: Trials, other: Trials) -> tuple[Interval, Verdict]:
    """How much more one policy is worth than another on the same log, doubly robust, decision by decision."""
    difference = _interval(policy.robust - other.robust, policy.subject)
    return difference, _verdict(difference)


def _verdict(difference: Interval) -> Verdict:
    return "better" if difference.low > 0 else "worse" if difference.high < 0 else "not shown to be better"


def numbered(subjects: Sequence[str] | ArrayLike) -> NDArray[np.int64]:
    """Subjects as numbers."""
    _, numbers = np.unique(np.asarray(subjects), return_inverse=True)
    return numbers.astype(np.int64)


def _interval(terms: Array, subject: NDArray[np.int64] | None) -> Interval:
    """The mean of some terms; those of one subject may depend on each other."""
    mean = float(terms.mean())
    off = terms - mean
    if subject is not None:
        off = np.bincount(subject, weights=off).astype(np.float64)
    groups = len(off)
    error = float(np.sqrt((off**2).sum() * groups / max(groups - 1, 1))) / len(terms)
    return Interval(value=mean, low=mean - _Z * error, high=mean + _Z * error)
