"""Notifications that were sent and may yet be clicked, and those of which enough is known but more may be told."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from models.notification.clock import DAY
from models.notification.records import NotificationExample
from models.notification.tastes import Group
from models.notification.vocabulary import Action

REMEMBERED = 2 * DAY
"""After the attribution window: a report that comes so late still finds what it is about, and does not count a second time."""

Key = tuple[str, str, str, int]
"""User, type, channel, and when it was sent."""

_NEUTRAL_DWELL_S = 6.0
_NEUTRAL_SCREENS_PER_S = 1.0


@dataclass
class Impression:
    """A notification that was sent.

    Parameters
    ----------
    value
        Of a click.
    log_odds
        What the nightly model gave it.
    interest
        The probability of a click, as known at the last training; ``None``: not asked yet.
    resolved
        Whether its outcome was counted.
    graded
        Whether an implicit signal was counted.
    disabled
        Whether it was counted that the user turned the type off because of it.
    """

    group: Group
    sent_at: int
    decision: Action
    value: float
    log_odds: float = 0.0
    interest: float | None = None
    resolved: bool = False
    graded: bool = False
    disabled: bool = False


class Impressions:
    """By key; those of which nobody will speak again are dropped."""

    def __init__(self, held: Mapping[Key, Impression] | None = None) -> None:
        self._held = dict(held or {})
        self._unresolved = [(each.sent_at, key) for key, each in self._held.items() if not each.resolved]
        self._remembered = [(each.sent_at, key) for key, each in self._held.items()]
        heapq.heapify(self._unresolved)
        heapq.heapify(self._remembered)

    def get(self, key: Key) -> Impression | None:
        """What is held of a notification."""
        return self._held.get(key)

    def hold(self, key: Key, impression: Impression) -> None:
        """Wait for what becomes of a notification."""
        self._held[key] = impression
        if not impression.resolved:
            heapq.heappush(self._unresolved, (impression.sent_at, key))
        heapq.heappush(self._remembered, (impression.sent_at, key))

    def due(self, sent_until: int) -> Iterator[Impression]:
        """Those without a known outcome that were sent until an instant, the earliest first; each is given once."""
        while self._unresolved and self._unresolved[0][0] <= sent_until:
            _, key = heapq.heappop(self._unresolved)
            impression = self._held.get(key)
            if impression is not None and not impression.resolved:
                impression.resolved = True
                yield impression

    def drop(self, sent_until: int) -> None:
        """Drop those that were sent until an instant."""
        while self._remembered and self._remembered[0][0] <= sent_until:
            self._held.pop(heapq.heappop(self._remembered)[1], None)

    def forget(self, user: str) -> None:
        """Drop those of a user."""
        self.__init__({key: each for key, each in self._held.items() if key[0] != user})  # type: ignore[misc]

    def dump(self) -> list[Any]:
        """All that is held, in order of the keys."""
        return [[list(key), asdict(self._held[key]) | {"group": list(self._held[key].group)}] for key in sorted(self._held)]

    @classmethod
    def restore(cls, state: list[Any]) -> Self:
        """Take back what `dump` gave."""
        return cls({tuple(key): Impression(**{**kept, "group": Group(*kept["group"])}) for key, kept in state})


def grade(event: NotificationExample) -> float | None:
    """How much interest an implicit signal shows, from 0 (swiped away, scrolled past) to 1; a half says nothing. ``None``: no signal."""
    if event.dismissed:
        return 0.0
    signals = []
    if event.dwell_s is not None:
        signals.append(event.dwell_s / (event.dwell_s + _NEUTRAL_DWELL_S))
    if event.scroll_speed is not None:
        signals.append(_NEUTRAL_SCREENS_PER_S / (event.scroll_speed + _NEUTRAL_SCREENS_PER_S))
    return sum(signals) / len(signals) if signals else None
