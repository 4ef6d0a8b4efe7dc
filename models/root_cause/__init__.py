"""Which service started this incident, and why do you say so? See `RootCause`."""

from models.root_cause.alarm import Alert
from models.root_cause.events import ConfirmedCause, Incident, RootCauseEvent, Sign
from models.root_cause.model import RootCause
from models.root_cause.parameter import Parameter
from models.root_cause.resemblance import Resemblance
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
    "Alert",
    "Change",
    "ClockSkew",
    "ConfirmedCause",
    "Evidence",
    "Incident",
    "Lag",
    "LogLine",
    "MessageKind",
    "Parameter",
    "Resemblance",
    "RootCause",
    "RootCauseConfig",
    "RootCauseEvent",
    "RootCauseExample",
    "RootCausePrediction",
    "RootCauseQuery",
    "Sign",
    "Suspect",
    "Traffic",
]
