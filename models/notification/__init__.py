"""Notifications; `models.notification.model` says what it does and when not to trust it."""

from models.notification.config import NotificationConfig
from models.notification.model import Notification
from models.notification.records import NotificationExample, NotificationPrediction, NotificationQuery
from models.notification.vocabulary import ACTIONS, Action

__all__ = [
    "ACTIONS",
    "Action",
    "Notification",
    "NotificationConfig",
    "NotificationExample",
    "NotificationPrediction",
    "NotificationQuery",
]
