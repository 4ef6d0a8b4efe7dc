"""Another threshold for offers, judged on a log: what it would have been worth, and which decisions would be others.

The log says who got an offer (`treatment`) and what became of them. Either each row says with which probability that was decided, or
offers were drawn alike for everybody; a log where offers followed the risk is refused, for nobody knows what its offers did. A decision
is worth `outcome_value` where all rows have it (what the customer was worth afterwards, the offer's cost taken off), else 1 if they
stayed. Give rows that the model was not trained on: it knows those too well to be judged by them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from models.churn.records import ChurnExample, ChurnPrediction
from models.off_policy import Overlap, PolicyValue, Trials, numbered, overlap, refusal, value

Array = NDArray[np.float64]
Decision = Literal["offer", "none"]

DECIDING = frozenset({"offer_threshold"})
"""Settings that change decisions and nothing that was learned."""

_NOTHING = frozenset({"", "0", "none", "no", "control", "false", "nothing"})
_STANDARD_ERRORS = 3.0
"""By so many may offers differ in risk before they are no lottery; a fair one is refused once in four hundred."""

_ROW: dict[str, Any] = {"features": {"tenure_months": 4}, "label": True, "treatment": "offer"}


class ChurnPolicyQuestion(BaseModel):
    """A threshold to be tried, and the log to try it on."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        json_schema_extra={"examples": [{"log": [_ROW], "set": {"offer_threshold": 0.5}}]},
    )

    log: list[ChurnExample] = Field(min_length=1, description="Who got an offer (`treatment`), with which `propensity`, and who left.")
    settings: Mapping[str, Any] = Field(
        alias="set", description="`offer_threshold` and its new value; text is read as on the command line."
    )


class OfferChange(BaseModel):
    """How often one decision would become another."""

    model_config = ConfigDict(frozen=True)

    logged: Decision = Field(description="What was done.")
    instead: Decision = Field(description="What would be done.")
    decisions: int = Field(description="How many of the log.")


class ChurnPolicyReport(BaseModel):
    """What another threshold would have been worth on a log; or why that cannot be known."""

    model_config = ConfigDict(frozen=True)

    settings: Mapping[str, Any] = Field(description="What was tried.")
    refused: str | None = Field(description="Why the log cannot say what this is worth; then there is no value.")
    overlap: Overlap = Field(description="How much of what the threshold would do the log has tried.")
    left_out: int = Field(description="Rows without a propensity, where others have one.")
    value: PolicyValue | None = Field(description="Per customer: `outcome_value`, or 1 if they stayed.")
    changed: list[OfferChange] = Field(description="What would have changed, the most frequent first.")


def report(log: Sequence[ChurnExample], answers: Sequence[ChurnPrediction], settings: Mapping[str, Any]) -> ChurnPolicyReport:
    """What a model's offers would have been worth on a log.

    Parameters
    ----------
    answers
        What the model says to each row.
    """
    logged_by = any(row.propensity is not None for row in log)
    kept = [place for place, row in enumerate(log) if not logged_by or row.propensity is not None]
    rows, answers = [log[place] for place in kept], [answers[place] for place in kept]
    offered = np.array([_is_offer(row.treatment) for row in rows])
    wanted = np.array([answer.action == "offer" for answer in answers])
    risk = np.array([answer.probability for answer in answers])
    propensity = _logged(rows) if logged_by else np.where(offered, offered.mean(), 1 - offered.mean())
    reward, expected = _worth(rows, risk)
    trials = Trials(
        reward, propensity, (offered == wanted).astype(np.float64), expected, expected, numbered([row.identity() for row in rows])
    )
    refused = (None if logged_by else _no_lottery(offered, risk)) or refusal(trials)
    changed = Counter((_name(was), _name(would)) for was, would in zip(offered, wanted, strict=True) if was != would)
    return ChurnPolicyReport(
        settings=settings,
        refused=refused,
        overlap=overlap(trials),
        left_out=len(log) - len(rows),
        value=None if refused else value(trials),
        changed=[OfferChange(logged=old, instead=new, decisions=count) for (old, new), count in changed.most_common()],
    )


def _is_offer(treatment: str | None) -> bool:
    return treatment is not None and treatment.strip().lower() not in _NOTHING


def _name(offer: bool) -> Decision:
    return "offer" if offer else "none"


def _logged(rows: Sequence[ChurnExample]) -> Array:
    return np.array([row.propensity for row in rows], dtype=np.float64)


def _worth(rows: Sequence[ChurnExample], risk: Array) -> tuple[Array, Array]:
    """What each customer was worth, and what those of such a risk are worth on average, offer or none."""
    stayed = np.array([not row.label for row in rows])
    if any(row.outcome_value is None for row in rows):
        return stayed.astype(np.float64), 1 - risk
    worth = np.array([row.outcome_value for row in rows], dtype=np.float64)
    if stayed.all() or not stayed.any():
        return worth, np.full(len(rows), worth.mean())
    return worth, (1 - risk) * worth[stayed].mean() + risk * worth[~stayed].mean()


def _no_lottery(offered: NDArray[np.bool_], risk: Array) -> str | None:
    """Why offers cannot have been drawn alike for everybody; ``None`` if they may have been."""
    if offered.all() or not offered.any():
        return "expected customers with an offer and customers without, got one kind only: let some offers be drawn, and log `propensity`"
    some, others = risk[offered], risk[~offered]
    error = float(np.sqrt(some.var() / len(some) + others.var() / len(others)))
    difference = float(some.mean() - others.mean())
    if abs(difference) > _STANDARD_ERRORS * error:
        than = "higher" if difference > 0 else "lower"
        return (
            f"offers went to customers whose risk is {abs(difference):.3f} {than} than that of others, so they were not drawn alike for "
            "everybody: log the `propensity` of each decision"
        )
    return None
