"""Templates against answers worked by hand, and the promises that hold for any log."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.root_cause.masks import _PHRASES, _STATUS, PARAMETER, _mask_runs, mask
from models.root_cause.templates import Templates


@pytest.mark.parametrize(
    ("message", "masked"),
    [
        ("Received block blk_-160 of size 91178 from /10.250.10.6", "Received block <*> of size <*> from <*>"),
        ("user 550e8400-e29b-41d4-a716-446655440000 logged in", "user <*> logged in"),
        ("wrote /var/log/app/x.log in 12 ms", "wrote <*> in <*>"),
        ("GET https://shop.example/cart?id=7 took 1.5s", "GET <*> took <*>"),
        ("at 2026-03-02T09:15:04.120Z the lease 0x7f3a expired", "at <*> the lease <*> expired"),
        ("1165 bytes (1.13 KB) sent", "<*> sent"),
        ("connection refused by inventory:8003", "connection refused by inventory:<*>"),
    ],
)
def test_values_are_masked(message: str, masked: str) -> None:
    assert mask([message]) == [masked]


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("java.lang.NullPointerException: at line 12", "java.lang.NullPointerException"),
        ("upstream answered HTTP 503 after 7 tries", "HTTP 5xx"),
        ("status=404 for /a/b", "status=4xx"),
        ("FATAL: out of memory in worker 3", "FATAL"),
    ],
)
def test_what_an_incident_is_told_by_is_never_masked(message: str, kept: str) -> None:
    assert kept in mask([message])[0]


def test_a_word_that_varies_alone_is_a_parameter() -> None:
    lines = [f"session opened for user {name}" for name in ("root", "cyrus", "news")]
    assert set(Templates.mine(lines).assign(lines)) == {"session opened for user <*>"}


def test_two_plain_words_may_be_two_messages() -> None:
    lines = ["shard is now primary again", "shard is now secondary again"]
    assert len(set(Templates.mine(lines).assign(lines))) == 2


def test_words_of_state_are_never_parameters() -> None:
    lines = [f"payment gateway is {state} now" for state in ("up", "down", "ready", "unavailable")]
    assert len(set(Templates.mine(lines).assign(lines))) == 4


def test_names_of_services_are_no_parameters_in_known_and_unknown_messages() -> None:
    lines = [f"slow call to {name} again" for name in ("db", "cart", "auth", "mail")]
    templates = Templates.mine(lines, kept=("db", "cart", "auth", "mail"))
    assert templates.assign(lines) == lines
    assert Templates.restored(templates.state(), kept=templates.kept).assign(lines) == lines
    assert Templates.mine(["all is well"]).assign(lines, kept=("db",)) == [lines[0], *["slow call to <*> again"] * 3]


def test_an_unseen_value_falls_into_the_known_template() -> None:
    seen = [f"session opened for user {name}" for name in ("root", "cyrus", "news")]
    assert Templates.mine(seen).assign(["session opened for user mallory"]) == ["session opened for user <*>"]


def test_unseen_messages_are_mined_among_themselves() -> None:
    strangers = [f"lease of {name} was lost" for name in ("anna", "bob", "carl")]
    assert set(Templates.mine(["all is well"]).assign(strangers)) == {"lease of <*> was lost"}


def test_the_order_of_lines_does_not_matter() -> None:
    lines = [f"{verb} for {name} in zone {zone}" for verb in ("login", "logout") for name in ("ada", "ben", "eve") for zone in "abc"]
    shuffled = [lines[i] for i in np.random.default_rng(0).permutation(len(lines))]
    assert Templates.mine(lines).counts == Templates.mine(shuffled).counts


words = st.sampled_from(
    ["open", "user", "root", "anna", "bob", "failed", "disk", "sda", "12", "10.0.0.1", "(x)", "k=v", "a.b.C", "", "é", "\x00"]
)
messages = st.lists(st.lists(words, max_size=6).map(" ".join), min_size=1, max_size=30)


@given(messages)
def test_every_training_line_matches_its_own_template_when_it_comes_back(lines: list[str]) -> None:
    masked = mask(lines)
    templates = Templates.mine(masked)
    together = templates.assign(masked)
    assert together == [templates.assign([line])[0] for line in masked]
    assert set(together) <= set(templates.names())


pieces = st.sampled_from(
    [
        "a",
        "é",
        "5",
        "12",
        "503",
        ":",
        "-",
        ".",
        "/",
        " ",
        "=",
        "(",
        ")",
        "[",
        "]",
        "HTTP ",
        "status=",
        "5xx",
        "<*>",
        "FooException",
        "db:80",
        "ms",
    ]
)


@given(st.lists(pieces, max_size=12).map("".join))
def test_masking_whole_columns_changes_nothing_but_the_time_it_takes(message: str) -> None:
    replaced = pl.select(pl.lit(message).str.replace_all(*_STATUS).str.replace_all(_PHRASES, PARAMETER)).item()
    assert mask([message]) == [_mask_runs(replaced)]


def test_of_a_stack_trace_stays_what_was_thrown() -> None:
    java = "boom 7\njava.lang.IllegalStateException: x\n\tat a.B.c(B.java:31)\nCaused by: java.io.IOException: disk 3 is full"
    assert mask([java]) == ["boom <*> Caused by: java.io.IOException: disk <*> is full"]
    python = 'Traceback (most recent call last):\n  File "x.py", line 3\nValueError: 7 is odd'
    assert mask([python]) == ["Traceback (most recent call last): ValueError: <*> is odd"]


def test_colours_and_the_end_of_endless_lines_do_not_matter() -> None:
    assert mask(["\x1b[31mfailed\x1b[0m after 3"]) == mask(["failed after 3"]) == ["failed after <*>"]
    assert mask(["x" * 100_000]) == mask(["x" * 200_000])


@given(st.lists(st.text(max_size=60), max_size=10))
def test_any_text_has_a_template(lines: list[str]) -> None:
    masked = mask(lines)
    assert len(Templates.mine(masked).assign(masked)) == len(lines)


def test_masking_twice_changes_nothing() -> None:
    once = mask(["took 12 ms on node-7 for user 5"])
    assert mask(once) == once
    assert PARAMETER in once[0]


@given(messages, messages)
def test_parts_of_a_log_are_merged_in_either_order(one: list[str], other: list[str]) -> None:
    left, right = Templates.mine(mask(one)), Templates.mine(mask(other))
    merged = left.merged(right)
    assert merged.counts == right.merged(left).counts
    assert sum(merged.counts.values()) == len(one) + len(other)
    assert all(merged.match(pattern) is not None for pattern in (*left.counts, *right.counts))


@given(messages)
def test_merging_with_itself_or_nothing_finds_nothing_new(lines: list[str]) -> None:
    mined = Templates.mine(mask(lines))
    assert mined.merged(Templates({})).counts == mined.counts
    assert mined.merged(mined).counts.keys() == mined.counts.keys()


def test_parts_of_a_log_give_what_the_whole_gives() -> None:
    rng = np.random.default_rng(0)
    names = ["ada", "ben", "eve", "joe", "kim", "lee", "mia", "ned"]
    kinds = ["session opened for user {}", "disk {} of node is full", "lease of {} was lost again", "all caches are warm"]
    lines = mask([kinds[kind].format(name) for kind, name in zip(rng.integers(0, 4, 4_000), rng.choice(names, 4_000), strict=True)])
    parts = [Templates.mine(lines[start::8]) for start in range(8)]
    merged = Templates({})
    for number in rng.permutation(8):
        merged = merged.merged(parts[number])
    assert merged.counts == Templates.mine(lines).counts


def test_values_that_no_part_has_three_of_are_found_when_parts_are_merged() -> None:
    parts = [Templates.mine([f"session opened for user {name}"]) for name in ("root", "cyrus", "news")]
    assert parts[0].merged(parts[1]).merged(parts[2]).names() == ["session opened for user <*>"]


@given(messages, st.integers(1, 5))
def test_of_too_many_templates_those_of_most_lines_stay(lines: list[str], limit: int) -> None:
    masked = mask(lines)
    every, few = Templates.mine(masked), Templates.mine(masked, limit)
    assert len(few.counts) == min(limit, len(every.counts))
    assert sorted(few.counts.values()) == sorted(every.counts.values())[-limit:]


def test_memory_is_bounded_however_many_kinds_there_are_and_what_is_frequent_stays() -> None:
    kept = Templates({}, limit=10)
    for part in range(30):
        rare = [f"{chr(97 + part % 26)}{chr(97 + n)} happened" for n in range(20)]
        kept = kept.merged(Templates.mine([*rare, *["all is well"] * 3], limit=10))
        assert len(kept.counts) == 10
    assert kept.counts["all", "is", "well"] == 90


@given(messages)
def test_the_state_is_json_and_comes_back_the_same(lines: list[str]) -> None:
    mined = Templates.mine(mask(lines))
    again = Templates.restored(json.loads(json.dumps(mined.state())))
    assert again.counts == mined.counts
    assert again.assign(mask(lines)) == mined.assign(mask(lines))
