"""What the nightly model and the counts see of a notification: the same of what was sent and of what is asked."""

from __future__ import annotations

from collections.abc import Mapping

from models.churn.records import Scalar
from models.notification.clock import DAY, HOUR, day_name, local
from models.notification.history import Pressure
from models.notification.records import NotificationConfig, NotificationExample, NotificationQuery
from models.notification.tastes import Group


def columns_of(
    record: NotificationExample | NotificationQuery, at: int, pressure: Pressure, config: NotificationConfig
) -> Mapping[str, Scalar]:
    """The columns of the nightly model; those of the context win over ours of the same name."""
    clock = local(at, record.time_zone or config.time_zone)
    return {
        "type": record.type,
        "channel": record.channel,
        "hour": clock % DAY // HOUR,
        "weekday": day_name(clock // DAY),
        "pushes_last_hour": pressure.hour,
        "pushes_last_day": pressure.day,
        "pushes_last_week": pressure.week,
        "hours_since_click": pressure.hours_since_click,
        **record.context,
    }


def group_of(record: NotificationExample | NotificationQuery, config: NotificationConfig) -> Group:
    """Whose notification it is."""
    segment = record.context.get(config.segment)
    return Group(record.user_id, record.type, "" if segment is None else str(segment))
