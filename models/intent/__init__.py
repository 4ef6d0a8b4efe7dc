"""Intent; `models.intent.model` says what it does and when not to trust it."""

from models.intent.model import Intent
from models.intent.records import (
    OUT_OF_SCOPE,
    Candidate,
    IntentConfig,
    IntentExample,
    IntentPrediction,
    IntentQuery,
    Neighbour,
    Route,
    Slot,
    SlotSpan,
    Word,
)

__all__ = [
    "OUT_OF_SCOPE",
    "Candidate",
    "Intent",
    "IntentConfig",
    "IntentExample",
    "IntentPrediction",
    "IntentQuery",
    "Neighbour",
    "Route",
    "Slot",
    "SlotSpan",
    "Word",
]
