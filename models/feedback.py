"""What the world teaches after a training: outcomes of predictions, and rows made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Stored:
    """Training rows that come from the store instead of a file.

    Parameters
    ----------
    rows
        Of the contract's example type; personal data in their texts is masked.
    what
        What they are, in words.
    tags
        To be given to the version that is trained on them.
    """

    rows: Sequence[Any]
    what: str
    tags: Mapping[str, str] = field(default_factory=dict)
