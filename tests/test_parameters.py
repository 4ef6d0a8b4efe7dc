"""Parameters of messages: worked by hand, and the promise that a template with its parameters put back is the message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.root_cause import RootCause, RootCauseQuery
from models.root_cause.masks import headline, mask
from models.root_cause.parameters import gaps, parameters, restored, values
from models.root_cause.templates import Templates
from tests.test_root_cause import ask, incident, model  # noqa: F401 - fixture


def template_of(message: str) -> str:
    masked = mask([message])
    return Templates.mine(masked).assign(masked)[0]


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("pool exhausted after 5000 ms", [("after", "duration", "5000 ms")]),
        ("block blk_-160 of size 91178", [("block", "id", "blk_-160"), ("size", "number", "91178")]),
        ("from /10.250.10.6 to db:80", [("from", "ip", "/10.250.10.6"), ("db", "number", "80")]),
        ("1165 bytes (1.13 KB) sent", [(None, "size", "1165 bytes"), (None, "size", "1.13 KB")]),
        ("GET https://a.example/b?c=7 answered HTTP 503", [("GET", "url", "https://a.example/b?c=7"), ("HTTP", "status", "503")]),
        ("lease 0x7f3a is free", [("lease", "hex", "0x7f3a")]),
        ("user 550e8400-e29b-41d4-a716-446655440000", [("user", "uuid", "550e8400-e29b-41d4-a716-446655440000")]),
        ("at 2026-03-02T09:15:04.120Z all is well", [("at", "time", "2026-03-02T09:15:04.120Z")]),
        ("wrote /var/log/x.log", [("wrote", "path", "/var/log/x.log")]),
        ('login user="ann5" port=22 cpu: 80%', [("user", "quoted", "ann5"), ("port", "number", "22"), ("cpu", "percent", "80%")]),
        ("refused by inventory:8003 (fe80::1)", [("inventory", "number", "8003"), ("inventory", "ip", "fe80::1")]),
        ("call(7) done", [("call", "number", "7")]),
        ("boom 7\n\tat a.B(B.java:3)\nCaused by: java.io.IOException: disk 3 is full", [("boom", "number", "7"), ("disk", "number", "3")]),
        ("nothing to see", []),
        ("", []),
    ],
)  # fmt: skip
def test_parameters_are_named_and_typed(message: str, told: list[tuple[str | None, str, str]]) -> None:
    assert [(value.name, value.kind, value.text) for value in values(template_of(message), message)] == told


def test_numbers_durations_and_sizes_have_ends_in_one_unit() -> None:
    (waited, of) = parameters("waited <*> for <*>", ["waited 1500 ms for 1 KiB", "waited 2 s for 2.5 MB", "waited 1500 ms for 1 KiB"])
    assert (waited.values, waited.distinct, waited.lowest, waited.highest) == (("1500 ms", "2 s"), 2, 1.5, 2.0)
    assert (of.kind, of.lowest, of.highest) == ("size", 1024, 2.5e6)


def test_a_message_of_another_template_has_no_parameters() -> None:
    assert gaps("opened <*> twice", "closed 7 twice") is None
    assert values("opened <*> twice", "closed 7 twice") == []


shapes = [*"aé5\x00:-./ =()[]<>\n", '"', "12", "503", "HTTP ", "status=", "5xx", "<*>", "FooException", "db:80", "ms", "user root"]
pieces = st.sampled_from([*shapes, "user anna", "user bob", " open", "k=v", "a.b.C", "10.0.0.1", "\x1b[31m", "Caused by: ", "\ue001"])
messages = st.lists(st.lists(pieces, max_size=10).map("".join), min_size=1, max_size=12)


@given(messages)
def test_a_template_with_its_parameters_put_back_is_the_message(lines: list[str]) -> None:
    masked = mask(lines)
    for message, template in zip(lines, Templates.mine(masked).assign(masked), strict=True):
        parts = gaps(template, headline(message))
        assert parts is not None
        assert restored(template, parts) == headline(message)


@given(st.lists(st.text(max_size=40), min_size=1, max_size=6))
def test_any_text_is_taken_apart_and_put_together_again(lines: list[str]) -> None:
    masked = mask(lines)
    for message, template in zip(lines, Templates.mine(masked).assign(masked), strict=True):
        parts = gaps(template, headline(message))
        assert parts is not None
        assert restored(template, parts) == headline(message)


def test_an_answer_tells_the_parameters_of_the_lines_it_shows(model: RootCause) -> None:  # noqa: F811
    query = incident("memory", "database")
    prediction = ask(model, query)
    (new,) = [evidence for evidence in prediction.suspects[0].evidence if evidence.kind == "new"]
    pause, heap = new.parameters
    shown = [query.lines[number - 1].message for number in new.lines]
    assert new.template == "GC pause of <*> , heap <*> percent used"
    assert (pause.name, pause.kind, heap.name, heap.kind) == ("of", "duration", "heap", "number")
    assert all(value in message for value, message in zip(sorted(pause.values), sorted(shown), strict=True))
    (kind,) = [kind for kind in prediction.message_kinds if kind.example == new.template]
    assert kind.parameters[0].kind == "duration"
    assert kind.parameters[0].distinct >= pause.distinct


def test_a_window_in_which_nothing_varies_has_no_parameters(model: RootCause) -> None:  # noqa: F811
    plain = RootCauseQuery(lines=tuple(row.model_copy(update={"message": "all is well"}) for row in incident("none", "").lines[:20]))
    assert all(kind.parameters == () for kind in ask(model, plain).message_kinds)
