"""Digests: nothing is lost or told twice, and each is the same however often it is asked for."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import InputError
from models.instants import to_datetime, to_microseconds
from models.notification import Notification, NotificationConfig, NotificationExample, NotificationPrediction, NotificationQuery
from models.notification.config import Rhythm
from models.notification.digest import latest_slot
from models.notification.digest_records import Digest, DigestQuestion, Item

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
EVENING = NOON.replace(hour=18)
RHYTHMS = {"daily": Rhythm(), "twice": Rhythm(hours=(8, 20)), "weekly": Rhythm(hours=(9,), weekdays=("Monday",))}
CONFIG = NotificationConfig(threshold=0.2, digests=RHYTHMS, daily_cap=3, quiet_hours=(22, 7), exploration_floor=0.2)


def fitted() -> Notification:
    rates = {"Social": 4, "News": 2, "Promo": 1}
    earlier = NOON - timedelta(days=30)
    return Notification(CONFIG).fit(
        NotificationExample(user_id=f"u{n}", type=kind, sent_at=earlier + timedelta(minutes=n), clicked=n % 10 < rate)
        for kind, rate in rates.items()
        for n in range(60)
    )


def put(item_id: str, kind: str = "Social", at: datetime = NOON, user: str = "ada", value: float = 1.0, **item: Any) -> NotificationExample:
    held = Item(item_id=item_id, **item)
    return NotificationExample(user_id=user, type=kind, sent_at=at, decision="digest", item=held, value=value)


def ask(model: Notification, at: datetime = EVENING, digest: str = "daily", user: str = "ada", time_zone: str | None = None) -> Digest:
    return model.digest(DigestQuestion(user_id=user, digest=digest, at=at, time_zone=time_zone))


def close(model: Notification, found: Digest, at: datetime | None = None) -> Notification:
    return model.update(
        [NotificationExample(user_id=found.user_id, type="digest", sent_at=at or found.slot_at, decision="digest", closing=found.closing)]
    )


def fates(found: Digest) -> dict[str, str]:
    return {each.item_id: each.fate for each in found.closing.items}


def test_people_who_did_the_same_are_one_entry() -> None:
    names = ("Ann", "Bob", "Cyd", "Dan", "Eve")
    likes = [put(f"l{n}", at=NOON + timedelta(minutes=n), about="photo 1", actor=name) for n, name in enumerate(names)]
    others = [put("c", about="photo 2", actor="Ann"), put("d", about="photo 3", actor="Bob"), put("e", about="photo 3", actor="Cyd")]
    found = {entry.about: entry for entry in ask(fitted().update([*likes, *others])).entries}
    assert found["photo 1"].who == "Eve and 4 others"
    assert found["photo 1"].items == ["l4", "l3", "l2", "l1", "l0"]
    assert (found["photo 2"].who, found["photo 3"].who) == ("Ann", "Cyd and Bob")


def test_what_expired_or_came_twice_or_is_unwanted_is_left_out_with_its_reason() -> None:
    model = fitted().update(
        [
            put("old", expires_at=NOON + timedelta(hours=1)),
            put("first", about="photo", actor="Ann"),
            put("again", about="photo", actor="Ann", at=NOON + timedelta(minutes=1)),
            put("unwanted", "Promo"),
            NotificationExample(user_id="ada", type="Promo", sent_at=NOON, disabled=True),
        ]
    )
    assert fates(ask(model)) == {"old": "expired", "first": "duplicate", "again": "digested", "unwanted": "turned_off"}


def test_the_likeliest_stand_first_and_no_type_crowds_out_the_others() -> None:
    events = [put(f"s{n}", "Social") for n in range(4)] + [put(f"n{n}", "News") for n in range(4)]
    kinds = [entry.type for entry in ask(fitted().update(events)).entries]
    assert kinds[0] == "Social"
    assert kinds[:4] not in (["Social"] * 4, ["News"] * 4)
    valued = ask(fitted().update([*events, put("gold", "Promo", value=50.0)]))
    assert valued.entries[0].items == ["gold"]


def test_more_than_a_digest_holds_is_outranked() -> None:
    model = fitted()
    model.config = CONFIG.model_copy(update={"digest_entries": 2})
    assert Counter(fates(ask(model.update(put(f"i{n}") for n in range(5)))).values()) == {"digested": 2, "outranked": 3}


def test_asked_twice_it_is_the_same_and_closed_it_stays_so() -> None:
    model = fitted().update(put(f"i{n}", kind, actor=f"A{n}", about="it") for n, kind in enumerate(("Social", "News", "Social")))
    before = ask(model)
    assert before == ask(model, EVENING + timedelta(hours=3))
    assert not before.closed
    close(model, before)
    late = put("late", at=NOON + timedelta(minutes=5))
    model.update([late])
    after = ask(model, EVENING + timedelta(hours=3))
    assert after == before.model_copy(update={"closed": True})
    close(model, after)
    assert fates(ask(model, EVENING + timedelta(days=1))) == {"late": "digested"}


def test_digests_of_several_rhythms_stand_side_by_side() -> None:
    model = fitted().update(put(f"for {name}", digest=name) for name in RHYTHMS)
    for name in RHYTHMS:
        assert fates(ask(model, NOON + timedelta(days=8), name)) == {f"for {name}": "digested"}
    with pytest.raises(InputError, match="expected one of the digests daily, twice, weekly, got 'hourly'"):
        ask(model, digest="hourly")
    assert "expected one of the digests" in str(model.refusal(put("x", digest="hourly")))


@pytest.mark.parametrize(
    ("at", "zone", "slot"),
    [
        ("2026-03-02T17:59:00Z", "UTC", "2026-03-01T18:00:00Z"),
        ("2026-03-02T18:00:00Z", "UTC", "2026-03-02T18:00:00Z"),
        ("2026-03-28T18:00:00Z", "Europe/Berlin", "2026-03-28T17:00:00Z"),
        ("2026-03-29T18:00:00Z", "Europe/Berlin", "2026-03-29T16:00:00Z"),  # summer time began that morning
        ("2026-10-25T18:00:00Z", "Europe/Berlin", "2026-10-25T17:00:00Z"),
        ("2026-03-02T05:00:00Z", "Asia/Tokyo", "2026-03-01T09:00:00Z"),
    ],
)
def test_a_digest_is_due_by_the_users_clock(at: str, zone: str, slot: str) -> None:
    assert latest_slot(to_microseconds(datetime.fromisoformat(at)), Rhythm(), zone) == to_microseconds(datetime.fromisoformat(slot))


def test_an_hour_that_the_clock_skips_is_told_by_the_next() -> None:
    at = to_microseconds(datetime(2026, 3, 29, 12, tzinfo=UTC))
    assert to_datetime(latest_slot(at, Rhythm(hours=(2.5,)), "Europe/Berlin")) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_what_waits_survives_a_new_training() -> None:
    told = [put("before"), put("after", at=EVENING + timedelta(hours=1))]
    rows = [NotificationExample(user_id="bob", type="Social", sent_at=NOON - timedelta(days=n), clicked=n < 3) for n in range(9)]
    found = ask(fitted().update(told))
    closing = NotificationExample(user_id="ada", type="digest", sent_at=EVENING, decision="digest", closing=found.closing)
    again = Notification(CONFIG).fit([*rows, *told, closing])
    assert ask(again).closed
    assert fates(ask(again, EVENING + timedelta(days=1))) == {"after": "digested"}


class Client:
    """Whoever sends: asks, tells, crashes and asks again; and writes down what became of every event."""

    def __init__(self, model: Notification) -> None:
        self.model = model
        self.fates: dict[str, list[str]] = {}
        self.waiting: list[tuple[datetime, str]] = []
        self.mailed: dict[str, Digest] = {}

    def arrives(self, name: str, query: NotificationQuery, digest: str) -> None:
        (answer,) = self.model.predict([query])
        self.fates[name] = []
        if answer.decision in ("push", "in_app"):
            self._sent(name, query, answer)
        elif answer.decision == "later":
            assert answer.send_at is not None
            self.waiting.append((answer.send_at, name))
        elif answer.decision == "drop":
            self.fates[name].append(f"dropped: {answer.reason}")
        else:
            item = Item(item_id=name, digest=digest, expires_at=query.expires_at, about=f"thing {len(name) % 3}", actor=name)
            event = NotificationExample(user_id=query.user_id, type=query.type, sent_at=query.at, decision="digest", item=item)
            self.model.update([event] * (1 + len(name) % 2))  # some are reported twice

    def _sent(self, name: str, query: NotificationQuery, answer: NotificationPrediction) -> None:
        self.fates[name].append("sent")
        event = NotificationExample(user_id=query.user_id, type=query.type, sent_at=query.at, decision=answer.decision)
        self.model.update([event])

    def flush(self, user: str, digest: str, at: datetime, *, crash: bool) -> None:
        found = ask(self.model, at, digest, user)
        if not found.closing.items:
            return
        close(self.model, found, at)
        if crash:
            self.crash()
            assert ask(self.model, at, digest, user).entries == found.entries
        if found.digest_id not in self.mailed:
            self.mailed[found.digest_id] = found
            for item, fate in fates(found).items():
                self.fates[item].append(fate)

    def crash(self) -> None:
        with TemporaryDirectory() as folder:
            self.model.save(Path(folder, "model"))
            self.model = Notification.load(Path(folder, "model"))


ARRIVAL = st.fixed_dictionaries(
    {
        "user": st.sampled_from(["ada", "bob"]),
        "kind": st.sampled_from(["Social", "News", "Promo"]),
        "minutes": st.integers(-300, 900),  # since the one before: clocks go back, too
        "digest": st.sampled_from(sorted(RHYTHMS)),
        "expires": st.none() | st.integers(-10, 3_000),
        "mode": st.sampled_from(["threshold", "value"]),
        "flush": st.booleans(),
        "crash": st.booleans(),
    }
)
FITTED = fitted()


@settings(max_examples=60)
@given(st.lists(ARRIVAL, max_size=25))
def test_every_event_ends_in_exactly_one_place(arrivals: list[dict[str, Any]]) -> None:
    with TemporaryDirectory() as folder:
        FITTED.save(Path(folder, "model"))
        client = Client(Notification.load(Path(folder, "model")))
    now = datetime(2026, 3, 28, 12, tzinfo=UTC)
    for number, each in enumerate(arrivals):
        now += timedelta(minutes=each["minutes"])
        client.model.config = CONFIG.model_copy(update={"mode": each["mode"]})
        expires = None if each["expires"] is None else now + timedelta(minutes=each["expires"])
        query = NotificationQuery(user_id=each["user"], type=each["kind"], at=now, expires_at=expires, time_zone="Europe/Berlin")
        client.arrives(f"event {number}", query, each["digest"])
        if each["flush"]:
            client.flush(each["user"], each["digest"], now, crash=each["crash"])
    for _, name in client.waiting:
        client.fates[name].append("sent")
    for user in ("ada", "bob"):
        for digest in RHYTHMS:
            client.flush(user, digest, now + timedelta(days=60), crash=False)
    assert all(len(fate) == 1 for fate in client.fates.values()), client.fates
    assert len(client.fates) == len(arrivals)
