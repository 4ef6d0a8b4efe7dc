"""Digests: what waits for them, when they are due, and how they are composed.

An item waits from the event that puts it into a digest until the event that closes a digest with it; nothing else takes it away, so
none is lost, whatever comes late or twice and whoever crashes. A digest is asked for, then closed by an event that lists what became of
each item, then sent; asked for again it is the same. Composition is a function of what waits and of what was known at the last
training: the same question has the same answer in every worker.

References
----------
Carbonell and Goldstein (1998), The use of MMR, diversity-based reranking, SIGIR.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from models.instants import to_datetime, to_microseconds
from models.notification.clock import DAY, HOUR, day_name, instant_of, local
from models.notification.config import Rhythm
from models.notification.digest_records import Digest, DigestClosing, DigestEntry, ItemFate
from models.notification.records import NotificationExample
from models.notification.vocabulary import Fate

KEPT = 8 * DAY
"""A closed digest can be asked for again for so long."""

_SAME_TYPE = 0.7
"""What an entry is worth beside each one of its type that stands above it."""


@dataclass(frozen=True)
class Held:
    """An item of a digest; absent instants are none, as in `records.Item`."""

    item_id: str
    digest: str
    type: str
    channel: str
    put_at: int
    about: str
    actor: str | None
    title: str | None
    value: float
    expires_at: int | None


@dataclass(frozen=True)
class Closed:
    """What became of an item, and in which digest."""

    held: Held
    slot: int
    fate: Fate


class Digests:
    """Items that wait, and those of digests that were closed of late, by user and item."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[str, Held]] = {}
        self._closed: dict[str, dict[str, Closed]] = {}

    def hear(self, events: Iterable[NotificationExample]) -> None:
        """Let items wait for their digests, and take away those of digests that were closed."""
        for event in events:
            if event.closing is not None:
                self.close(event.user_id, event.closing)
            else:
                self.put(event)

    def put(self, event: NotificationExample) -> None:
        """Let an item wait; one that waits already, or was in a digest, is the same one reported again."""
        item, user = event.item, event.user_id
        if item is None or item.item_id in self._closed.get(user, ()):
            return
        held = Held(
            item_id=item.item_id,
            digest=item.digest,
            type=event.type,
            channel=event.channel,
            put_at=to_microseconds(event.sent_at),
            about=item.about or item.item_id,
            actor=item.actor,
            title=item.title,
            value=event.value,
            expires_at=None if item.expires_at is None else to_microseconds(item.expires_at),
        )
        known = self._waiting.setdefault(user, {}).get(item.item_id)
        if known is None or (held.put_at, repr(held)) < (known.put_at, repr(known)):
            self._waiting[user][item.item_id] = held

    def close(self, user: str, closing: DigestClosing) -> None:
        """Take away what a digest lists; what was closed before stays as it was."""
        waiting, closed = self._waiting.get(user, {}), self._closed.setdefault(user, {})
        slot = to_microseconds(closing.slot_at)
        for each in closing.items:
            held = waiting.pop(each.item_id, None)
            if held is not None:
                closed[each.item_id] = Closed(held, slot, each.fate)
        if not waiting:
            self._waiting.pop(user, None)
        if not closed:
            self._closed.pop(user, None)

    def due(self, user: str, digest: str, slot: int) -> list[Held]:
        """What waits for a digest, the earliest first."""
        waiting = self._waiting.get(user, {}).values()
        return sorted(
            (each for each in waiting if each.digest == digest and each.put_at < slot), key=lambda each: (each.put_at, each.item_id)
        )

    def closed(self, user: str, digest: str, slot: int) -> list[Closed]:
        """What a closed digest had, in its order."""
        return [each for each in self._closed.get(user, {}).values() if each.held.digest == digest and each.slot == slot]

    def drop(self, until: int) -> None:
        """Drop digests that were due until an instant and closed."""
        for user in list(self._closed):
            kept = {item: each for item, each in self._closed[user].items() if each.slot > until}
            if kept:
                self._closed[user] = kept
            else:
                del self._closed[user]

    def forget(self, user: str) -> None:
        """Drop a user's items."""
        self._waiting.pop(user, None)
        self._closed.pop(user, None)

    def dump(self) -> dict[str, Any]:
        """All of it as JSON."""
        waiting = {user: [asdict(items[item]) for item in sorted(items)] for user, items in self._waiting.items()}
        closed = {user: [asdict(each) for each in items.values()] for user, items in self._closed.items()}
        return {"waiting": waiting, "closed": closed}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """Take back what `dump` gave."""
        digests = cls()
        digests._waiting = {user: {each["item_id"]: Held(**each) for each in items} for user, items in state["waiting"].items()}
        digests._closed = {
            user: {each["held"]["item_id"]: Closed(Held(**each["held"]), each["slot"], each["fate"]) for each in items}
            for user, items in state["closed"].items()
        }
        return digests


def latest_slot(at: int, rhythm: Rhythm, zone: str) -> int:
    """The last instant until `at` at which a digest is due, by the user's clock; an hour that the clock skips is the next it shows."""
    today = local(at, zone) // DAY
    for day in range(today + 1, today - 9, -1):  # a day ahead, as clocks may just have been changed
        if rhythm.weekdays and day_name(day) not in rhythm.weekdays:
            continue
        slots = [instant_of(day * DAY + int(hour * HOUR), zone) for hour in rhythm.hours]
        if past := [slot for slot in slots if slot <= at]:
            return max(past)
    raise AssertionError("a rhythm has a slot in every week")


def compose(
    due: Sequence[Held], slot: int, unwanted: Collection[str], probability: Mapping[str, float], most: int
) -> tuple[list[list[Held]], dict[str, Fate]]:
    """The entries of a digest, best first, each with its items, newest first; and what becomes of every item.

    Parameters
    ----------
    due
        The earliest first.
    unwanted
        Items of types that the user turned off.
    probability
        Of a click, by type.
    most
        Entries.
    """
    fates: dict[str, Fate] = {}
    entries: dict[tuple[str, str], list[Held]] = {}
    seen: set[tuple[str, str, str | None]] = set()
    for held in reversed(due):
        key = held.type, held.about, held.actor
        if held.expires_at is not None and held.expires_at <= slot:
            fates[held.item_id] = "expired"
        elif held.item_id in unwanted:
            fates[held.item_id] = "turned_off"
        elif key in seen:
            fates[held.item_id] = "duplicate"
        else:
            seen.add(key)
            fates[held.item_id] = "digested"
            entries.setdefault((held.type, held.about), []).append(held)
    ranked = _diverse(list(entries.values()), probability)
    fates |= {held.item_id: "outranked" for entry in ranked[most:] for held in entry}
    return ranked[:most], fates


def _diverse(entries: list[list[Held]], probability: Mapping[str, float]) -> list[list[Held]]:
    """The most valuable first, where each further entry of a type is worth less beside those above it."""
    above: dict[str, int] = {}
    left, ranked = list(entries), []

    def worth(entry: list[Held]) -> tuple[float, int, str]:
        value = probability.get(entry[0].type, 0.0) * max(held.value for held in entry) * _SAME_TYPE ** above.get(entry[0].type, 0)
        return value, entry[0].put_at, entry[0].item_id

    while left:
        best = max(left, key=worth)
        left.remove(best)
        ranked.append(best)
        above[best[0].type] = above.get(best[0].type, 0) + 1
    return ranked


def written(user: str, digest: str, slot: int, entries: Sequence[Sequence[Held]], fates: Mapping[str, Fate], *, closed: bool) -> Digest:
    """A digest as it is answered."""
    order = [held.item_id for entry in entries for held in entry]
    listed = [*order, *sorted(fates.keys() - set(order))]
    slot_at = to_datetime(slot)
    return Digest(
        user_id=user,
        digest=digest,
        digest_id=f"{digest}:{slot_at.isoformat()}:{user}",
        slot_at=slot_at,
        closed=closed,
        entries=[_entry(entry) for entry in entries],
        closing=DigestClosing(digest=digest, slot_at=slot_at, items=tuple(ItemFate(item_id=each, fate=fates[each]) for each in listed)),
    )


def rewritten(user: str, digest: str, slot: int, items: Sequence[Closed]) -> Digest:
    """A closed digest as it was answered."""
    entries: dict[tuple[str, str], list[Held]] = {}
    for each in items:
        if each.fate == "digested":
            entries.setdefault((each.held.type, each.held.about), []).append(each.held)
    fates = {each.held.item_id: each.fate for each in items}
    return written(user, digest, slot, list(entries.values()), fates, closed=True)


def _entry(items: Sequence[Held]) -> DigestEntry:
    actors = list(dict.fromkeys(held.actor for held in items if held.actor is not None))
    return DigestEntry(
        type=items[0].type,
        about=items[0].about,
        who=_who(actors),
        title=items[0].title,
        items=[held.item_id for held in items],
        newest_at=to_datetime(items[0].put_at),
    )


def _who(actors: Sequence[str]) -> str | None:
    """``Ann``, ``Ann and Bob``, ``Ann and 4 others``."""
    if not actors:
        return None
    if len(actors) == 1:
        return actors[0]
    return f"{actors[0]} and {actors[1]}" if len(actors) == 2 else f"{actors[0]} and {len(actors) - 1} others"
