"""Log files as people have them: each form gives the rows that it says, whatever else is in the file, in bounded memory."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InputError
from models.root_cause import RootCause, RootCauseExample, RootCauseQuery
from models.root_cause.readers.text import FORMS, MOST_CHARACTERS
from models.root_cause.readers.times import iso
from models.root_cause.types import MAX_LINES
from models.rows import read_queries, read_rows
from training import root_cause as recipe

AT = "2026-03-02T09:15:04"


def rows(
    path: Path, content: str | bytes, options: Mapping[str, str] | None = None, mapping: Mapping[str, str] | None = None
) -> list[RootCauseExample]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_rows(path, RootCauseExample, mapping, options=options))


def told(row: RootCauseExample) -> dict[str, Any]:
    """What a row says beside when."""
    return {name: value for name, value in row.model_dump().items() if value is not None and name != "timestamp"}


def docker(log: str) -> str:
    return json.dumps({"log": log, "stream": "stdout", "time": f"{AT}.5Z"})


YEAR = {"zone": "UTC", "year": "2026"}
PATTERN = "<{timestamp}> {service} {level} {message}"
ACCESS = '10.0.0.1 - - [02/Mar/2026:10:15:04 +0100] "GET / HTTP/1.1" 500 1'
FLUENT = {"log": "hi\n", "@timestamp": f"{AT}Z", "kubernetes": {"pod_name": "p", "labels": {"app": "web"}}}
ECS = {"@timestamp": f"{AT}Z", "log.level": "error", "message": "m", "service": {"name": "pay"}, "trace": {"id": "t"}}
PINO = {"level": 50, "time": 1772442904500, "msg": "no"}
OTEL_ROW = {"service": "cart", "level": "ERROR", "logger": "lib", "trace_id": "7f3a", "message": "boom\nKeyError"}
OTEL = {
    "resourceLogs": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "cart"}}]},
            "scopeLogs": [
                {
                    "scope": {"name": "lib"},
                    "logRecords": [
                        {
                            "timeUnixNano": "1772442904500000000",
                            "severityNumber": 17,
                            "body": {"stringValue": "boom"},
                            "traceId": "7f3a",
                            "attributes": [{"key": "exception.type", "value": {"stringValue": "KeyError"}}],
                        }
                    ],
                }
            ],
        }
    ]
}


@pytest.mark.parametrize(
    ("name", "content", "options", "expected"),
    [
        ("app.log", f"{AT}Z ERROR no db", {}, {"service": "app", "level": "ERROR", "message": "no db"}),
        ("a.log", f"{AT},5 - a.b - INFO - ok", {"zone": "UTC"}, {"service": "a", "level": "INFO", "logger": "a.b", "message": "ok"}),
        ("a.log", f"{AT}Z  WARN 7 --- [main] c.Foo : ok", {}, {"service": "a", "level": "WARN", "logger": "c.Foo", "message": "ok"}),
        ("a.log", "Mar  2 09:15:04 h1 sshd[9]: no", YEAR, {"service": "sshd", "instance": "h1", "message": "no"}),
        ("a.log", f"<34>1 {AT}Z h1 su 8 ID47 - no", {}, {"service": "su", "instance": "h1", "message": "no"}),
        ("web.log", ACCESS, {}, {"service": "web", "instance": "10.0.0.1", "message": '"GET / HTTP/1.1" 500 1'}),
        ("a.log", "[Mon Mar 02 09:15:04 2026] [error] no", {"zone": "UTC"}, {"service": "a", "level": "error", "message": "no"}),
        ("a.log", "E0302 09:15:04.5 7 x.go:9] no", YEAR, {"service": "a", "level": "E", "logger": "x.go:9", "message": "no"}),
        ("a.log", "260302 091504 9 INFO d.Node: ok", YEAR, {"service": "a", "level": "INFO", "logger": "d.Node", "message": "ok"}),
        ("a.log", f"<{AT}Z> pay ERR no", {"pattern": PATTERN}, {"service": "pay", "level": "ERR", "message": "no"}),
        ("a.log", f"{AT}Z\thello", {"service": "shop"}, {"service": "shop", "message": "hello"}),
        (f"p-1_ns_web-{'a' * 64}.log", f"{AT}Z stdout F hi", {}, {"service": "web", "instance": "p-1", "message": "hi"}),
        ("docker.log", docker("hi\n"), {}, {"service": "docker", "message": "hi"}),
        ("d.log", docker('{"level":"warn","msg":"low","app":"x"}\n'), {}, {"service": "x", "level": "warn", "message": "low"}),
        ("k8s.jsonl", json.dumps(FLUENT), {}, {"service": "web", "instance": "p", "message": "hi"}),
        ("ecs.ndjson", json.dumps(ECS), {}, {"service": "pay", "level": "error", "trace_id": "t", "message": "m"}),
        ("otel.jsonl", json.dumps(OTEL), {}, OTEL_ROW),
        ("otel.json", json.dumps(OTEL, indent=2), {}, OTEL_ROW),
        (
            "pino.log",
            json.dumps({"level": 50, "time": 1772442904500, "msg": "no"}),
            {},
            {"service": "pino", "level": "ERROR", "message": "no"},
        ),
        ("t.csv", f"timestamp,message\n{AT},hi\n", {"zone": "UTC", "service": "shop"}, {"service": "shop", "message": "hi"}),
    ],
)
def test_each_form_says_who_wrote_what_and_when(tmp_path: Path, name: str, content: str, options: dict[str, str], expected: Any) -> None:
    (row,) = rows(tmp_path / name, content + "\n", options)
    assert told(row) == expected
    assert row.timestamp.replace(microsecond=0) == datetime(2026, 3, 2, 9, 15, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    "content",
    [
        f"{AT}Z ERROR failed\njava.lang.X: y\n\tat a.B(C.java:1)\nCaused by: Z\n{AT}Z INFO next\n",
        "\n".join(docker(line) for line in ("failed\n", "\tat a.B(C.java:1)\n", "Caused by: Z\n", "next\n")),
        f"{AT}Z stderr F failed\n{AT}Z stderr F \tat a.B(C.java:1)\n{AT}Z stderr F Caused by: Z\n{AT}Z stdout F next\n",
        "\n".join(docker(line) for line in ("Traceback (most recent call last):\n", "  File x\n", "Caused by: ValueError\n", "next\n")),
    ],
    ids=["text", "docker", "kubernetes", "python in docker"],
)
def test_a_stack_trace_is_one_message(tmp_path: Path, content: str) -> None:
    first, second = rows(tmp_path / "a.log", content)
    assert ("Caused by" in first.message, second.message) == (True, "next")


def test_parts_of_a_long_line_are_put_together(tmp_path: Path) -> None:
    (row,) = rows(tmp_path / "a.log", f"{AT}Z stdout P one \n{AT}Z stdout F two\n")
    assert row.message == "one two"
    (row,) = rows(tmp_path / "b.log", docker("one ") + "\n" + docker("two\n"))
    assert row.message == "one two"


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (f"{AT} ERROR no", {}, r"row 1, column timestamp: expected a time with its zone, .*, got .*: --read zone=Europe/Berlin"),
        (
            "Mar  2 09:15:04 h1 sshd[9]: no",
            {"zone": "UTC"},
            "expected times with a year, got 'Mar  2 09:15:04': .*--read year=2026",
        ),
        ("no time at all", {}, "expected log lines that begin with a time, .*, got 'no time at all': show the form of yours with --read"),
        (f"{AT}Z no", {"pattern": "{level} {message}"}, r"expected a pattern with \{timestamp\} and \{message\}"),
        (f"{AT}Z no", {"pattern": "(?P<message>.*"}, "expected --read pattern="),
        (f"{AT}Z no", {"pattern": "{level} at {timestamp}: {message}"}, "expected lines of the form"),
        (f"{AT}Z no", {"zone": "Mars/Olympus"}, "expected --read zone=UTC or another zone"),
        (f"{AT}Z no", {"year": "soon"}, "expected --read year=2026, got 'soon'"),
        (f"{AT}Z no", {"colour": "red"}, "expected one of zone, pattern, year, timestamp, .* before the = of --read, got 'colour'"),
        ("", {}, "expected rows, got an empty file"),
        ('{"message": "x"\n{"a": 1}', {}, "expected JSON"),
        (f'{{"message": "x", "timestamp": "{AT}Z"}}\nnonsense', {}, "row 2: expected one JSON object per line, got 'nonsense'"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(tmp_path: Path, content: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        rows(tmp_path / "a.log", content, options)


def test_times_have_the_zone_that_was_stated_in_summer_and_winter(tmp_path: Path) -> None:
    winter, summer = rows(tmp_path / "a.log", "2026-01-02 09:00:00 a\n2026-07-02 09:00:00 b\n", {"zone": "Europe/Berlin"})
    assert (winter.timestamp.utcoffset(), summer.timestamp.utcoffset()) == (timedelta(hours=1), timedelta(hours=2))


def test_a_zone_that_is_said_wins_over_the_stated_one(tmp_path: Path) -> None:
    (row,) = rows(tmp_path / "a.log", f"{AT}+05:00 x\n", {"zone": "Europe/Berlin"})
    assert row.timestamp.utcoffset() == timedelta(hours=5)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"\xe9t\xe9 \xc3\xa9", "été Ã©"),
        (b"\x1b[31mred\x1b[0m \x1b]0;title\x07x", "red x"),
        (b"nul \x00 here", "nul \ufffd here"),
        (bytes(range(14, 27)), None),
        (b"x" * 300_000, "x" * (MOST_CHARACTERS - len(AT) - 2)),
    ],
    ids=["encodings", "colours", "NUL", "control", "long"],
)
def test_garbage_in_a_line_harms_no_other(tmp_path: Path, raw: bytes, expected: str | None) -> None:
    before, damaged, after = rows(tmp_path / "a.log", b"\n".join(AT.encode() + b"Z " + text for text in ("grün".encode(), raw, b"end")))
    assert (before.message, after.message) == ("grün", "end")
    assert expected is None or damaged.message == expected


def test_utf_16_is_read(tmp_path: Path) -> None:
    assert [row.message for row in rows(tmp_path / "a.log", f"{AT}Z grün\r\n{AT}Z b\r\n".encode("utf-16"))] == ["grün", "b"]


def test_a_packed_log_is_read(tmp_path: Path) -> None:
    (row,) = rows(tmp_path / "app.log.gz", gzip.compress(f"{AT}Z hi\n".encode()))
    assert (row.service, row.message) == ("app", "hi")


def test_mapped_keys_of_json_win(tmp_path: Path) -> None:
    line = json.dumps({"time": f"{AT}Z", "message": "outer", "what": "inner", "who": "pay"})
    (row,) = rows(tmp_path / "a.jsonl", line, mapping={"message": "what", "service": "who"})
    assert (row.service, row.message) == ("pay", "inner")


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "a.log"
    try:
        found = rows(path, AT.encode() + b"Z first\n" + content)
    except InputError:
        assert content.lstrip()[:1] in (b"{", b"[") or b"Z first" not in content
    else:
        assert found[0].message.startswith("first")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1772442904", f"{AT}.0Z"),
        ("1772442904.25", f"{AT}.25Z"),
        ("1772442904500", f"{AT}.500Z"),
        ("1772442904500000000", f"{AT}.500000Z"),
        ("20260302-09:15:04:606", f"{AT}.606"),
        ("2026-03-02-09.15.04.672875", f"{AT}.672875"),
        ("Mon, 02 Mar 2026 09:15:04 GMT", f"{AT}Z"),
        ("26/03/02 09:15:04", AT),
        ("half past nine", "half past nine"),
    ],
)
def test_times_are_understood(text: str, expected: str) -> None:
    assert iso(text, None) == expected


def test_every_known_form_has_a_time_and_a_message() -> None:
    assert all(form.parts("nothing of the kind") is None for form in FORMS.values())


def test_a_query_keeps_the_latest_lines_in_bounded_memory(tmp_path: Path) -> None:
    path, start = tmp_path / "a.log", datetime(2026, 3, 2, tzinfo=UTC)
    with path.open("w") as file:
        file.writelines(f"{(start + timedelta(seconds=n)).isoformat()} line {n}\n" for n in range(2 * MAX_LINES + 1))
    (query,) = read_queries(path, RootCause.contract)
    assert isinstance(query, RootCauseQuery)
    assert (len(query.lines), query.lines[0].message) == (MAX_LINES, f"line {MAX_LINES + 1}")


def test_training_keeps_incidents_and_whole_minutes_of_normal_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "MOST_NORMAL_ROWS", 600)
    start = datetime(2026, 3, 2, tzinfo=UTC)

    def row(n: int, **fields: Any) -> RootCauseExample:
        return RootCauseExample(timestamp=start + timedelta(seconds=n), service="a", message=str(n), **fields)

    normal, incident = [row(n) for n in range(6_000)], [row(n, incident="i", root_service="a") for n in range(50)]
    kept = recipe.gather([normal[:4_000], incident, normal[4_000:]])
    minutes = [one.timestamp.replace(second=0) for one in kept if one.incident is None]
    assert sum(one.incident is not None for one in kept) == 50
    assert 0 < len(minutes) <= 1.25 * 600
    assert all(minutes.count(minute) == 60 for minute in set(minutes))
