"""What the nightly model and the counts see of a notification: the same of what was sent and of what is asked."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping

from models.notification.clock import DAY, HOUR, day_name, local
from models.notification.config import NotificationConfig
from models.notification.history import Pressure
from models.notification.records import NotificationExample, NotificationQuery
from models.notification.tastes import Group
from models.scalar import Scalar

_SINCE_CLICK = (1.0, 6.0, 24.0, 72.0, 168.0)
"""Hours."""


def columns_of(
    record: NotificationExample | NotificationQuery, at: int, pressure: Pressure, config: NotificationConfig
) -> Mapping[str, Scalar]:
    """The columns of the nightly model; those of the context win over ours of the same name."""
    clock = local(at, record.time_zone or config.time_zone)
    return {
        "type": record.type,
        "channel": record.channel,
        "hour": clock % DAY // HOUR,
        "pushes_last_day": pressure.day,
        "pushes_last_week": pressure.week,
        **record.context,
    }


def group_of(record: NotificationExample | NotificationQuery, at: int, pressure: Pressure, config: NotificationConfig) -> Group:
    """Whose notification it is, and what lies on them."""
    segment = record.context.get(config.segment)
    weekday = day_name(local(at, record.time_zone or config.time_zone) // DAY)
    recency = f"{bisect_right(_SINCE_CLICK, pressure.hours_since_click)} {min(pressure.hour, 1)}"
    return Group(record.user_id, record.type, "" if segment is None else str(segment), weekday, pressure.day, recency)
