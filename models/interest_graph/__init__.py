"""The interest graph; `models.interest_graph.graph` says what it does and when not to trust it."""

from models.interest_graph.graph import InterestGraph
from models.interest_graph.records import (
    Interest,
    InterestGraphConfig,
    InterestGraphEvent,
    InterestGraphPrediction,
    InterestGraphQuery,
    Reason,
    Recommendation,
    RelatedQuery,
    RelatedTopic,
    RelatedTopics,
)

__all__ = [
    "Interest",
    "InterestGraph",
    "InterestGraphConfig",
    "InterestGraphEvent",
    "InterestGraphPrediction",
    "InterestGraphQuery",
    "Reason",
    "Recommendation",
    "RelatedQuery",
    "RelatedTopic",
    "RelatedTopics",
]
