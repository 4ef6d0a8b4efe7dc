"""A log alone: what kinds of messages it holds, which begin only late in it, which burst."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from models.root_cause import LogLine, MessageKind, RootCause, RootCauseQuery
from models.root_cause.clusters import grouped
from models.root_cause.message_kinds import _within
from models.root_cause.window import MICROSECONDS
from tests.test_root_cause import NOON, ask, incident, line, model  # noqa: F401 - fixture


def stranger(second: float, message: str) -> LogLine:
    return line(timestamp=NOON + timedelta(seconds=second), service="gateway", message=message)


def kinds(model: RootCause, *lines: LogLine) -> dict[str, MessageKind]:  # noqa: F811
    found = ask(model, RootCauseQuery(lines=lines)).message_kinds
    return {kind.example: kind for kind in found}


def test_an_unknown_service_is_compared_with_itself(model: RootCause) -> None:  # noqa: F811
    ticks = [stranger(n, f"heartbeat {n} of peer sent") for n in range(240)]
    burst = [stranger(100 + n / 20, f"queue overflow, {n} messages dropped") for n in range(100)]
    late = [stranger(200 + n, f"certificate {n} has expired") for n in range(3)]
    early = stranger(5, "queue overflow, 1 messages dropped")
    found = kinds(model, *ticks, *burst, *late, early)
    told = {example: (kind.new, kind.bursts, kind.lines) for example, kind in found.items()}
    assert told == {
        "heartbeat <*> of peer sent": (False, False, 240),
        "queue overflow , <*> messages dropped": (False, True, 101),
        "certificate <*> has expired": (True, False, 3),
    }
    assert {kind.compared_with for kind in found.values()} == {"this window"}
    assert found["certificate <*> has expired"].first_seen_at == NOON + timedelta(seconds=200)


def test_new_kinds_come_first_and_similar_messages_are_one(model: RootCause) -> None:  # noqa: F811
    refused = [f"connection to {name} refused" for name in ("database host", "database server", "the database")]
    lines = [stranger(n, text) for n, text in enumerate([*refused * 3, *["heartbeat sent"] * 60])]
    found = ask(model, RootCauseQuery(lines=(*lines, stranger(69, "disk is broken")))).message_kinds
    assert (found[0].example, found[0].new) == ("disk is broken", True)
    (together,) = [kind for kind in found if kind.templates == 3]
    assert "refused" in together.name


def test_known_services_are_compared_with_normal_time(model: RootCause) -> None:  # noqa: F811
    found = ask(model, incident("exception", "payment")).message_kinds
    assert {kind.compared_with for kind in found} == {"normal time"}
    assert found[0].new


def test_a_window_without_length_has_neither_new_kinds_nor_bursts() -> None:
    assert _within(np.array([7, 7]), np.array([7, 7])) == (2.0, False, False)


def test_an_even_course_is_expected_and_no_burst() -> None:
    at = np.arange(0, 240) * MICROSECONDS
    assert _within(at, at) == (240.0, False, False)


def test_groups_are_of_similar_templates() -> None:
    vectors = np.array([[1.0, 0.0], [0.99, 0.14], [0.0, 1.0]])
    assert grouped(vectors, 0.6).tolist() == [0, 0, -1]
    assert grouped(vectors[:1], 0.6).tolist() == [-1]
    assert grouped(vectors[:0], 0.6).tolist() == []
