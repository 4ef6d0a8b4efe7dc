"""Slots are found where they are, mean what people mean, and hold no card."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.intent.slots import SlotTagger, Tagged, entities, slots_of
from models.intent.slots.features import Gazetteer, tokens_of

WEDNESDAY = datetime(2026, 3, 4, 15, 30, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("text", "written", "value"),
    [
        ("come tomorrow at 5pm please", "tomorrow at 5pm", "2026-03-05T17:00:00+01:00"),
        ("at 5pm tomorrow", "5pm tomorrow", "2026-03-05T17:00:00+01:00"),
        ("I paid last Friday", "last Friday", "2026-02-27"),
        ("on friday", "friday", "2026-03-06"),
        ("next friday at noon", "next friday at noon", "2026-03-13T12:00:00+01:00"),
        ("tonight at 8", "tonight at 8", "2026-03-04T20:00:00+01:00"),
        ("tomorrow morning", "tomorrow morning", "2026-03-05T06:00:00+01:00/2026-03-05T12:00:00+01:00"),
        ("the 2026-03-05", "2026-03-05", "2026-03-05"),
        ("at 2026-03-05T10:00:00Z", "2026-03-05T10:00:00Z", "2026-03-05T10:00:00+00:00"),
        ("05.03.2026 14:30", "05.03.2026 14:30", "2026-03-05T14:30:00+01:00"),
        ("on 3/4/2026", "3/4/2026", None),
        ("on 13/4/2026", "13/4/2026", "2026-04-13"),
        ("since December 30th", "December 30th", "2025-12-30"),
        ("two weeks ago", "two weeks ago", "2026-02-18"),
        ("in a month", "in a month", "2026-04-04"),
        ("last month", "last month", "2026-02"),
        ("next week", "next week", "2026-W11"),
        ("after 29 March at 3am", "29 March at 3am", "2026-03-29T03:00:00+02:00"),
    ],
)
def test_times_mean_what_they_mean_where_the_text_was_written(text: str, written: str, value: str | None) -> None:
    (found,) = entities(text, WEDNESDAY)
    assert (found.slot, text[found.start : found.end], found.value) == ("time", written, value)


@pytest.mark.parametrize(
    ("text", "slot", "written", "value"),
    [
        ("what is in my checking account?", "account", "checking account", {"kind": "checking"}),
        ("move it to my savings", "account", "savings", {"kind": "savings"}),
        ("account ending in 1234", "account", "1234", {"kind": "number", "last4": "1234"}),
        ("IBAN DE89 3704 0044 0532 0130 00", "account", "DE89 3704 0044 0532 0130 00", {"kind": "iban", "last4": "3000"}),
        ("card 4111-1111-1111-1111", "card", "4111-1111-1111-1111", {"last4": "1111"}),
        ("it cost $1,250.50", "money", "$1,250.50", {"amount": "1250.50", "currency": "USD"}),
        ("1.234,50 €", "money", "1.234,50 €", {"amount": "1234.50", "currency": "EUR"}),
        ("12 000 pounds", "money", "12 000 pounds", {"amount": "12000", "currency": "GBP"}),
        ("order #A-1042 is late", "order_number", "A-1042", "A-1042"),
        ("my order number is 4021-88.", "order_number", "4021-88", "4021-88"),
        ("tracking 1Z999AA10123456784", "tracking_number", "1Z999AA10123456784", "1Z999AA10123456784"),
        ("where is RR473124829GB", "tracking_number", "RR473124829GB", "RR473124829GB"),
        ("write to Ann@Example.org", "email", "Ann@Example.org", "ann@example.org"),
        ("call +44 20 7946 0958", "phone", "+44 20 7946 0958", "+442079460958"),
    ],
)
def test_typed_values_need_no_training(text: str, slot: str, written: str, value: Any) -> None:
    (found,) = entities(text, None)
    assert (found.slot, text[found.start : found.end], found.value) == (slot, written, value)


@pytest.mark.parametrize(
    "text", ["in order to pay", "it may be late", "version 1.2.3", "AB123456789XY", "10:20:30:40", "I ordered two", "no account of it", ""]
)
def test_what_only_looks_like_a_value_is_left(text: str) -> None:
    assert entities(text, WEDNESDAY) == []


def test_without_an_instant_tomorrow_means_nothing() -> None:
    assert entities("tomorrow at 5pm", None) == []


@given(st.text(st.sampled_from("0123456789 $.,:/-abcdmonpAZ@#"), max_size=60) | st.text(max_size=40))
def test_any_text_is_read(text: str) -> None:
    found = entities(text, WEDNESDAY)
    assert all(first.end <= second.start for first, second in pairwise(found))
    json.dumps([one.value for one in found])


@pytest.mark.parametrize("piece", ["1 ", "$1 ", "order ", "A-", "in 5 ", "monday ", "9400 ", "may "])
def test_long_texts_are_read_in_a_moment(piece: str) -> None:
    started = time.process_time()
    entities((piece * 20_000)[:20_000], WEDNESDAY)
    assert time.process_time() - started < 2


def test_a_card_stays_hidden_in_text_and_value() -> None:
    (slot,) = slots_of("charge 4111 1111 1111 1111 now", None, None, None)
    assert (slot.text, slot.value) == ("[card]", {"last4": "1111"})


CITIES = ("Paris", "New York", "Oslo", "San Jose", "Lima", "Bad Homburg", "Rome", "Cape Town", "Bern", "Los Angeles")
ARTISTS = ("Queen", "Miles Davis", "Abba", "The Clash", "Nina Simone", "Blur", "Pink Floyd", "Air", "Talk Talk", "Bach")


def _rows(count: int, seed: int = 0) -> list[Tagged]:
    """Weather wants a city, music an artist; `in` and `by` tell where."""
    rng, rows = np.random.default_rng(seed), []
    for place in range(count):
        weather = place % 2 == 0
        value = str(rng.choice(CITIES if weather else ARTISTS))
        before = str(
            rng.choice(["weather in ", "will it rain in ", "forecast for "] if weather else ["play ", "songs by ", "I want to hear "])
        )
        after = str(rng.choice(["", " please", " today", " now"]))
        span = ("city" if weather else "artist", len(before), len(before) + len(value))
        rows.append(Tagged(before + value + after, "Weather" if weather else "Music", [span]))
    return rows


@pytest.fixture(scope="module")
def tagger() -> SlotTagger:
    fitted = SlotTagger.fit(_rows(160))
    assert fitted is not None
    return fitted


def test_planted_slots_are_found_even_with_values_never_seen(tagger: SlotTagger) -> None:
    assert tagger.tag("will it rain in Reykjavik today", "Weather") == [("city", 16, 25)]
    assert tagger.tag("songs by Sigur Ros please", "Music") == [("artist", 9, 18)]


def test_slots_are_those_of_the_intent(tagger: SlotTagger) -> None:
    assert tagger.tag("play Queen now", "Music") == [("artist", 5, 10)]
    assert tagger.tag("", "Music") == []


def test_the_same_rows_give_the_same_bytes_and_parts_give_the_tagger_back(tagger: SlotTagger) -> None:
    again = SlotTagger.fit(_rows(160))
    assert again is not None
    assert again.parts() == tagger.parts()
    parts = tagger.parts()
    restored = SlotTagger.of({name: part if isinstance(part, bytes) else json.loads(json.dumps(part)) for name, part in parts.items()})
    assert restored is not None
    rows = _rows(40, seed=1)
    assert [restored.tag(row.text, row.intent) for row in rows] == [tagger.tag(row.text, row.intent) for row in rows]


def test_threads_do_not_disturb_each_other(tagger: SlotTagger) -> None:
    rows = _rows(200, seed=2)
    alone = [tagger.tag(row.text, row.intent) for row in rows]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda row: tagger.tag(row.text, row.intent), rows)) == alone


def test_without_spans_there_is_no_tagger() -> None:
    assert SlotTagger.fit([Tagged("hello", "Greeting", [])]) is None
    assert SlotTagger.of({}) is None


def test_a_learned_slot_keeps_its_name_and_takes_the_typed_value() -> None:
    rows = [
        Tagged(f"book a table {when}", "Book", [("booking_time", 13, 13 + len(when))]) for when in ("tomorrow", "today", "on monday") * 20
    ]
    (slot,) = slots_of("book a table tomorrow", "Book", WEDNESDAY, SlotTagger.fit(rows))
    assert (slot.slot, slot.text, slot.value) == ("booking_time", "tomorrow", "2026-03-05")


def test_nothing_personal_is_learned() -> None:
    rows = [Tagged(f"write to ann{n}@example.org", "Write", [("to", 9, len(f"write to ann{n}@example.org"))]) for n in range(20)]
    fitted = SlotTagger.fit(rows)
    assert fitted is not None
    assert b"example" not in b"".join(fitted.fields.values())
    assert "example" not in json.dumps(fitted.parts()["slots.json"])


def test_known_values_mark_their_words_and_the_longer_wins() -> None:
    gazetteer = Gazetteer.of([(["New"], "mood"), (["New", "York"], "city")])
    assert gazetteer.marks(["in", "new", "york"]) == [set(), {"B-city"}, {"I-city"}]


def test_a_token_is_a_word_a_mark_or_a_piece_of_personal_data() -> None:
    assert [token.text for token in tokens_of("don't, ann@x.org!")] == ["don't", ",", "[email]", "!"]
