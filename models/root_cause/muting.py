"""Alerts that people need not hear of any more: muted on a few days at the same time of day, as a nightly backup is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.root_cause.alarm import Alert
from models.root_cause.events import RootCauseEvent
from models.root_cause.templates import same_kind

SAME_TIME_OF_DAY = timedelta(hours=1)
MOST_MUTES = 10_000
FORGOTTEN = "(forgotten)"

Mute = tuple[datetime, str, str, str]
"""When, service, template, by whom (empty if nobody said)."""


@dataclass(frozen=True)
class Mutes:
    """What was muted, the latest last. Neither the order in which it was told nor telling it twice matters.

    Parameters
    ----------
    mutes
        What was muted.
    undone
        By service and template, until when what was muted before counts no more.
    """

    mutes: tuple[Mute, ...] = ()
    undone: tuple[Mute, ...] = ()

    def after(self, events: Iterable[RootCauseEvent]) -> Mutes:
        """With what further events say; beyond `MOST_MUTES` the oldest are dropped."""
        told = defaultdict[str, set[Mute]](set, {"mute": set(self.mutes), "unmute": set(self.undone)})
        for event in events:
            if event.service is not None and event.template is not None:
                told[event.action].add((event.at, event.service, event.template, event.by or ""))
        return Mutes(tuple(sorted(told["mute"])[-MOST_MUTES:]), tuple(sorted(told["unmute"])[-MOST_MUTES:]))

    def without(self, person: str) -> Mutes:
        """The same, naming a person no more."""

        def nameless(mutes: Sequence[Mute]) -> tuple[Mute, ...]:
            return tuple(sorted({(*mute[:3], FORGOTTEN if mute[3] == person else mute[3]) for mute in mutes}))

        return Mutes(nameless(self.mutes), nameless(self.undone))

    def judge(self, alert: Alert, days: int, lasting: timedelta) -> Alert:
        """The alert as it is, or muted: with who muted it, and when that ends.

        A message that normal time does not have is never muted: it may be anything.

        Parameters
        ----------
        days
            On how many days it must have been muted at this time of day.
        lasting
            How long each mute counts.
        """
        mutes = self._of(alert, lasting)
        if alert.state == "resolved" or not mutes:
            return alert
        if alert.kind == "new":
            return alert.model_copy(update={"why": f"{alert.why}; never muted, because it is new: train again with it in normal time"})
        if len(mutes) < days:
            return alert.model_copy(update={"why": f"{alert.why}; muted on {len(mutes)} of the {days} days that suppress it"})
        expires = mutes[-days][0] + lasting
        people = sorted({mute[3] for mute in mutes if mute[3]})
        by = f" by {', '.join(people)}" if people else ""
        when = ", ".join(f"{mute[0]:%Y-%m-%d %H:%M}" for mute in mutes[-days:])
        why = f"{alert.why}; suppressed until {expires:%Y-%m-%d %H:%M %Z}, because it was muted{by} at this time of day ({when})"
        return alert.model_copy(update={"state": "muted", "why": why, "expires_at": expires})

    def _of(self, alert: Alert, lasting: timedelta) -> list[Mute]:
        """The mutes that speak about an alert, one a day, the latest last."""
        undone = max((mute[0] for mute in self.undone if _is_about(mute, alert)), default=None)
        own = [
            mute
            for mute in self.mutes
            if _is_about(mute, alert)
            and (undone is None or mute[0] > undone)
            and timedelta(0) <= alert.until - mute[0] <= lasting
            and _apart(mute[0], alert.since) <= SAME_TIME_OF_DAY
        ]
        return sorted({mute[0].date(): mute for mute in own}.values())


def _is_about(mute: Mute, alert: Alert) -> bool:
    """Whether a mute speaks of the kind of message that an alert is about, whose template another training may have worded otherwise."""
    return mute[1] == alert.service and same_kind(mute[2], alert.template)


def _apart(one: datetime, other: datetime) -> timedelta:
    """Difference of the times of day, around midnight if that is shorter."""
    difference = abs(one - other) % timedelta(days=1)
    return min(difference, timedelta(days=1) - difference)
