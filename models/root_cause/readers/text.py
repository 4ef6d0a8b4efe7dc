"""Plain text: a record begins with a line that has the log's form; what follows without it belongs to that, as a stack trace does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from models.rows.source import BrokenError

MOST_CHARACTERS = 65_536
"""Of one record; more of it is left out."""
SNIFFED = 500
"""Lines by which the form of a file is chosen."""

Row = dict[str, Any]
Numbered = tuple[int, str]
Time = Callable[[str], str]

_CLOCK = r"\d\d:\d\d:\d\d(?:[.,:]\d{1,9})?"
_ISO = rf"\d{{4}}[-/.]?\d\d[-/.]?\d\d[T -]{_CLOCK}(?: ?(?:Z\b|UTC|[+-]\d\d:?\d\d))?"
_SYSLOG = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"
_LEVEL = r"(?P<level>TRACE|DEBUG|FINE|INFO|NOTICE|WARN(?:ING)?|ERR(?:OR)?|SEVERE|CRIT(?:ICAL)?|ALERT|EMERG|FATAL|PANIC)"
_LOGGER = r"(?P<logger>[A-Za-z_$][\w.$/#:@-]*)"
_FORMS: dict[str, str] = {
    "cri": rf"(?P<timestamp>{_ISO}) (?P<stream>stdout|stderr) (?P<tag>[FP])(?:\S*) ?(?P<message>.*)",
    "rfc5424": rf"<\d{{1,3}}>1 (?P<timestamp>{_ISO}) (?P<instance>\S+) (?P<service>\S+) \S+ \S+ (?:-|(?:\[[^\]]*\])+) ?(?P<message>.*)",
    "syslog": (
        rf"(?:<\d{{1,3}}>)?(?P<timestamp>{_SYSLOG}|{_ISO}) (?P<instance>[\w.:-]+) "
        r"(?P<service>[\w./() -]+?)(?:\[\d+\])?: (?P<message>.*)"
    ),
    "access": r"(?P<instance>\S+) \S+ \S+ \[(?P<timestamp>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] (?P<message>.*)",
    "apache": rf"\[(?P<timestamp>[A-Z][a-z]{{2}} [A-Z][a-z]{{2}} [ \d]\d {_CLOCK} \d{{4}})\] \[(?:\w+:)?(?P<level>\w+)\] (?P<message>.*)",
    "glog": rf"(?P<level>[IWEF])(?P<timestamp>\d{{4}} {_CLOCK})\s+\d+ (?P<logger>[^\]]+)\] (?P<message>.*)",
    "python": rf"(?P<timestamp>{_ISO})\s+[-|] {_LOGGER}\s+[-|] {_LEVEL}\s+[-|] (?P<message>.*)",
    "short": rf"(?P<timestamp>\d{{6}} \d{{6}}|\d\d/\d\d/\d\d {_CLOCK}) (?:\d+ )?{_LEVEL} {_LOGGER}: (?P<message>.*)",
    "leveled": (
        rf"\[?(?P<timestamp>{_ISO}|\d{{10}}(?:\.?\d+)?)\]?\s*[-|,]?\s*(?:\[[^\]]*\]\s*)?(?:\d+ )?[\[(]?{_LEVEL}[\])]?:?\s*[-|]?\s*(?:\d+ )?"
        rf"(?:(?:--- )?\[[^\]]*\]:?\s*)*(?:{_LOGGER}\s*(?:\[[^\]]*\]\s*)?[-:|]\s+)?(?P<message>.*)"
    ),
    "timed": rf"\[?(?P<timestamp>{_ISO}|\d{{10}}\.\d+)\]?[\s|,-]+(?P<message>.*)",
    "dated": rf"(?P<timestamp>{_SYSLOG})[\s|,-]+(?P<message>.*)",
}
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_FIELD = re.compile(r"\\\{(\w*)\\\}")


class Form:
    """How the first line of a record looks.

    Parameters
    ----------
    pattern
        ``{timestamp} {level} [{service}] {message}``: fields in braces, ``{}`` for what is of no interest, any run of spaces for another;
        or a regular expression with named groups, as in ``(?P<timestamp>...)``.

    Raises
    ------
    BrokenError
        If the pattern is none.
    """

    def __init__(self, pattern: str) -> None:
        try:
            self._expression = re.compile(pattern if "(?P<" in pattern else _expression(pattern), re.DOTALL)
        except re.error as error:
            raise BrokenError(f"expected --read pattern='{{timestamp}} {{level}} {{message}}', got {pattern!r} ({error})") from error
        if missing := {"timestamp", "message"} - self._expression.groupindex.keys():
            raise BrokenError(
                f"expected a pattern with {{timestamp}} and {{message}}, got {pattern!r} without {' and '.join(sorted(missing))}"
            )

    def parts(self, line: str) -> Row | None:
        """The fields of a line that begins a record; ``None`` of one that goes on."""
        found = self._expression.fullmatch(line)
        return None if found is None else {name: value for name, value in found.groupdict().items() if value}


FORMS = {name: Form(pattern) for name, pattern in _FORMS.items()}


def form_of(lines: Sequence[str]) -> Form | None:
    """The form that most lines have, among equals the most telling one; ``None`` if hardly any has one."""
    shown = [line for line in lines if line.strip()]
    scores = {name: sum(form.parts(line) is not None for line in shown) for name, form in FORMS.items()}
    best = max(scores, key=lambda name: scores[name])
    return FORMS[best] if scores[best] else None


def records(lines: Iterable[Numbered], form: Form, time: Time) -> Iterator[tuple[int, Row]]:
    """Records with the number of their first line; lines before the first record have no time, and are left out.

    Parameters
    ----------
    time
        Makes ISO 8601 of a time as logged.
    """
    number, row, rest = 0, None, _Rest()
    partial = False
    for line_number, line in lines:
        parts = form.parts(line)
        if parts is not None and row is not None and (partial or ("tag" in parts and rest.goes_on(parts.get("message", "")))):
            rest.add(parts.get("message", ""), glued=partial)
        elif parts is not None:
            if row is not None:
                yield number, _finished(row, rest, time)
            number, row, rest = line_number, parts, _Rest(parts.get("message", ""))
        elif row is not None:
            rest.add(line, glued=False)
        partial = parts.get("tag") == "P" if parts is not None else partial
    if row is not None:
        yield number, _finished(row, rest, time)


class _Rest:
    """A message that grows, up to `MOST_CHARACTERS`."""

    def __init__(self, first: str = "") -> None:
        self._parts = [first[:MOST_CHARACTERS]]
        self._length = len(first)
        self._trace = Trace(first)

    def add(self, line: str, *, glued: bool) -> None:
        """Take a further line, or the rest of the last one."""
        if self._length < MOST_CHARACTERS:
            self._parts.append(line[: MOST_CHARACTERS - self._length] if glued else "\n" + line[: MOST_CHARACTERS - self._length])
        self._length += len(line) + 1
        self._trace.take(line)

    def goes_on(self, line: str) -> bool:
        """Whether a line that looks like a record of its own belongs to a stack trace."""
        return self._trace.goes_on(line)

    def text(self) -> str:
        """All of it."""
        return "".join(self._parts).rstrip()


class Trace:
    """Which lines belong to a stack trace, where each line is a record of its own, as containers log them."""

    _FRAME = re.compile(
        r"\s+\S|Caused by: |Suppressed: |\.\.\. \d+ more|Traceback \(most recent call last\)|During handling of |The above ex"
    )

    def __init__(self, first: str) -> None:
        self._python = first.startswith("Traceback")

    def take(self, line: str) -> None:
        """Note a line that belongs to it."""
        self._python = line.startswith("Traceback") or (self._python and line[:1] in {" ", "\t"})

    def goes_on(self, line: str) -> bool:
        """Whether a line belongs to it; of Python's, the exception comes last and is not indented."""
        return bool(self._FRAME.match(line)) or self._python


def plain(line: str) -> str:
    """A line without colours and other instructions to terminals."""
    return _COLOURS.sub("", line) if "\x1b" in line else line


def _finished(row: Row, rest: _Rest, time: Time) -> Row:
    kept = {name: value for name, value in row.items() if name not in {"tag", "stream"}}
    return kept | {"message": rest.text(), "timestamp": time(row["timestamp"])}


def _expression(pattern: str) -> str:
    """A regular expression of a pattern with fields in braces."""

    def group(found: re.Match[str]) -> str:
        name = found[1]
        return (f"(?P<{name}>.*)" if name == "message" else f"(?P<{name}>.+?)") if name else ".*?"

    return re.sub(r"(?:\\ )+", r"\\s+", _FIELD.sub(group, re.escape(pattern)))
