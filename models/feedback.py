"""A prediction, and what turned out to be true."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic

from models.base import P, Q


@dataclass(frozen=True)
class Observed(Generic[Q, P]):
    """A stored prediction with its outcome.

    Parameters
    ----------
    query, prediction
        As they were when the model was asked; personal data in them is masked.
    outcome
        What was reported, of the contract's type.
    predicted_at, occurred_at
        When the model was asked, and when the outcome came about: never earlier.
    """

    query: Q
    prediction: P
    outcome: Any
    predicted_at: datetime
    occurred_at: datetime
