"""Which service started this incident, and why do you say so? See `RootCause`."""

from models.root_cause.model import RootCause
from models.root_cause.types import (
    Change,
    ClockSkew,
    Evidence,
    Lag,
    LogLine,
    MessageKind,
    RootCauseConfig,
    RootCauseExample,
    RootCausePrediction,
    RootCauseQuery,
    Suspect,
    Traffic,
)

__all__ = [
    "Change",
    "ClockSkew",
    "Evidence",
    "Lag",
    "LogLine",
    "MessageKind",
    "RootCause",
    "RootCauseConfig",
    "RootCauseExample",
    "RootCausePrediction",
    "RootCauseQuery",
    "Suspect",
    "Traffic",
]
