"""Notifications; `models.notification.model` says what it does and when not to trust it."""

from models.notification.model import Notification
from models.notification.records import (
    ACTIONS,
    Action,
    NotificationConfig,
    NotificationExample,
    NotificationPrediction,
    NotificationQuery,
)

__all__ = [
    "ACTIONS",
    "Action",
    "Notification",
    "NotificationConfig",
    "NotificationExample",
    "NotificationPrediction",
    "NotificationQuery",
]
