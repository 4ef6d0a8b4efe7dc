"""What each user was sent and clicked of late: the source of fatigue and recency."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from models.notification.clock import DAY, HOUR

KEPT = 8 * DAY
"""Sendings older than this no window looks at."""
KEPT_CLICKS = 4
NEVER_HOURS = 24.0 * 90
"""Stands for "no click is remembered": older ones make no difference."""


class Pressure(NamedTuple):
    """What lies on a user at an instant: pushes in the last hour, day and week, and hours since the last click."""

    hour: int
    day: int
    week: int
    hours_since_click: float


class History:
    """Instants of pushes and clicks by user, ascending; only the latest are kept."""

    def __init__(self) -> None:
        self._sent: dict[str, list[int]] = {}
        self._clicked: dict[str, list[int]] = {}

    def knows(self, user: str) -> bool:
        """Whether a user was sent anything that is remembered."""
        return user in self._sent or user in self._clicked

    def sent(self, user: str, at: int) -> None:
        """Remember a push."""
        instants = self._sent.setdefault(user, [])
        insort(instants, at)
        if instants[0] < instants[-1] - KEPT:
            del instants[: bisect_left(instants, instants[-1] - KEPT)]

    def clicked(self, user: str, at: int) -> None:
        """Remember a click."""
        instants = self._clicked.setdefault(user, [])
        insort(instants, at)
        del instants[:-KEPT_CLICKS]

    def before(self, user: str, at: int, unreported: Sequence[int] = ()) -> Pressure:
        """What lay on a user just before an instant; nothing of that instant itself.

        Parameters
        ----------
        unreported
            Pushes that are not remembered.
        """
        sent, clicked = self._sent_to(user, unreported), self._clicked.get(user, ())
        now = bisect_left(sent, at)
        last = bisect_left(clicked, at)
        since = (at - clicked[last - 1]) / HOUR if last else NEVER_HOURS
        return Pressure(now - bisect_left(sent, at - HOUR), now - bisect_left(sent, at - DAY), now - bisect_left(sent, at - 7 * DAY), since)

    def _sent_to(self, user: str, unreported: Sequence[int]) -> list[int]:
        sent = self._sent.get(user, [])
        return sorted({*sent, *unreported}) if unreported else sent

    def fading(self, user: str, at: int, hours: int, unreported: Sequence[int] = ()) -> list[int]:
        """How many of the pushes of the day before an instant are still of the last day, so many hours later: from none to `hours`."""
        sent = self._sent_to(user, unreported)
        now = bisect_left(sent, at)
        day = sent[bisect_left(sent, at - DAY) : now]
        return [len(day) - bisect_left(day, at - DAY + hour * HOUR) for hour in range(hours + 1)]

    def forget(self, user: str) -> None:
        """Drop a user."""
        self._sent.pop(user, None)
        self._clicked.pop(user, None)

    def dump(self) -> tuple[dict[str, list[str]], dict[str, np.ndarray[Any, Any]]]:
        """Names, and the instants of all of them one after the other with how many each has."""
        names, arrays = {}, {}
        for what, held in (("sent", self._sent), ("clicked", self._clicked)):
            users = sorted(held)
            names[what] = users
            arrays[what] = np.array([at for user in users for at in held[user]], dtype=np.int64)
            arrays[f"{what}_count"] = np.array([len(held[user]) for user in users], dtype=np.int64)
        return names, arrays

    @classmethod
    def restore(cls, names: Mapping[str, list[str]], arrays: Mapping[str, np.ndarray[Any, Any]]) -> History:
        """Take back what `dump` gave."""
        history = cls()
        for what, held in (("sent", history._sent), ("clicked", history._clicked)):
            parts = np.split(arrays[what], np.cumsum(arrays[f"{what}_count"])[:-1]) if names[what] else []
            held.update(zip(names[what], (part.tolist() for part in parts), strict=True))
        return history
