"""Which service started this incident, and why do you say so? See `RootCause`."""

from models.root_cause.model import RootCause
from models.root_cause.types import (
    Change,
    Evidence,
    LogLine,
    MessageKind,
    RootCauseConfig,
    RootCauseExample,
    RootCausePrediction,
    RootCauseQuery,
    Suspect,
)

__all__ = [
    "Change",
    "Evidence",
    "LogLine",
    "MessageKind",
    "RootCause",
    "RootCauseConfig",
    "RootCauseExample",
    "RootCausePrediction",
    "RootCauseQuery",
    "Suspect",
]
