"""The one durable place: what happened, what was predicted, what turned out to be true."""

from serving.store.rows import NewEvent, NewFeedback, NewPrediction, Status, StoredEvent
from serving.store.store import Store

__all__ = ["NewEvent", "NewFeedback", "NewPrediction", "Status", "Store", "StoredEvent"]
