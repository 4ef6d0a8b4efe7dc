"""Which kind of log a file is, and its rows; memory does not grow with the file."""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from models.root_cause.readers.objects import NAMES, rows
from models.root_cause.readers.text import MOST_CHARACTERS, SNIFFED, Form, form_of, plain, records
from models.root_cause.readers.times import iso
from models.rows.source import MAX_LINE, BrokenError

MAX_DOCUMENT = 256 * 2**20
"""Bytes of a JSON document that is not one object a line: it is read whole."""

_TABLES = {".csv", ".tsv", ".dat"}
_TEXTS = {".log", ".txt", ".out", ".err"}
_JSON = re.compile(rb"\s*(?:\{|\[\s*\{)")
_CONTAINER_FILE = re.compile(r"(?P<instance>[a-z0-9.-]+)_[a-z0-9-]+_(?P<service>[a-z0-9-]+)-[0-9a-f]{64}")

Row = dict[str, Any]
Numbered = Iterator[tuple[int, Row]]


def read(content: io.BufferedReader[Any], path: Path, mapping: Mapping[str, str], options: Mapping[str, str]) -> Numbered | None:
    """The rows of a log file; ``None`` if it is rather a table.

    Parameters
    ----------
    mapping
        Column by field: of JSON, keys.
    options
        ``pattern``, a form of lines (see `Form`), and ``year``, of times that do not say theirs.

    Raises
    ------
    BrokenError
        If it is a log of no known form.
    """
    time = partial(iso, year=_year(options))
    given = options.get("pattern")
    if given is None and _JSON.match(content.peek(2**12).removeprefix(b"\xef\xbb\xbf")):
        return _with_names_of(path, options, rows(_objects(content), mapping.keys(), time))
    suffixes = {suffix.lower() for suffix in path.suffixes}
    if given is None and (suffixes & _TABLES or (not suffixes & _TEXTS and _is_headed(content, mapping))):
        return None
    lines = ((number, plain(line)) for number, line in enumerate(_lines(content), start=1))
    head = list(islice(lines, SNIFFED))
    form = Form(given) if given is not None else form_of([line for _, line in head])
    if form is None:
        shown = next((line.strip() for _, line in head if line.strip()), "")[:60]
        raise BrokenError(
            "expected log lines that begin with a time, as in '2026-03-02T09:15:04Z ERROR cannot connect', "
            f"got {shown!r}: show the form of yours with --read pattern='{{timestamp}} {{level}} {{message}}'"
        )
    found = records(chain(head, lines), form, time)
    return _with_names_of(path, options, _refuse_empty(found, given))


def _lines(content: io.BufferedReader[Any]) -> Iterator[str]:
    """Lines of text in whatever encoding, the long ones cut."""
    encoding = "utf-16" if content.peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff") else None
    if encoding is not None:
        yield from (line.rstrip("\r\n") for line in codecs.getreader(encoding)(content, "replace"))
        return
    goes_on = False
    for line in iter(partial(content.readline, MOST_CHARACTERS), b""):
        if not goes_on:
            yield _decoded(line.rstrip(b"\r\n")).removeprefix("\ufeff")
        goes_on = not line.endswith(b"\n")


def _decoded(line: bytes) -> str:
    """UTF-8, or else what old Windows programs write; NUL bytes are of no use to anybody."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = line.decode("cp1252", "replace")
    return text.replace("\0", "\ufffd") if "\0" in text else text


def _objects(content: io.BufferedReader[Any]) -> Numbered:
    """JSON objects: one a line, or all in one document, perhaps in a list."""
    first = content.readline(MAX_LINE + 1)
    try:
        head = json.loads(first)
    except ValueError:
        head = None
    if not isinstance(head, dict):
        yield from enumerate(_document(first, content), start=1)
        return
    yield 1, head
    for number, line in enumerate(iter(partial(content.readline, MAX_LINE + 1), b""), start=2):
        if len(line) > MAX_LINE:
            raise BrokenError(f"expected lines of at most {MAX_LINE >> 20} MiB, got a longer one", f", row {number}")
        if not line.isspace():
            yield number, _object(line, number)


def _object(line: bytes, number: int) -> Row:
    try:
        found = json.loads(line.decode(errors="replace"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BrokenError(f"expected one JSON object per line, got {line[:40].decode(errors='replace').strip()!r}", f", row {number}")
    return found


def _document(first: bytes, content: io.BufferedReader[Any]) -> list[Row]:
    whole = first + content.read(MAX_DOCUMENT)
    if len(whole) > MAX_DOCUMENT:
        raise BrokenError(f"expected a JSON document of at most {MAX_DOCUMENT >> 20} MiB, got a larger one: write one object a line")
    try:
        found = json.loads(whole.decode(errors="replace"))
    except (ValueError, RecursionError) as error:
        raise BrokenError(f"expected JSON, one object a line or one document, got something else ({error})") from error
    return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, dict)]


def _is_headed(content: io.BufferedReader[Any], mapping: Mapping[str, str]) -> bool:
    """Whether the first line names columns: those that are mapped, or some of ours."""
    head = content.peek(2**16)[: 2**16].decode(errors="replace").partition("\n")[0]
    names = {cell.strip().strip('"') for cell in re.split(r"[,\t;|]", head)}
    return bool(mapping) or len(names & {name for names in NAMES.values() for name in names}) >= 2


def _with_names_of(path: Path, options: Mapping[str, str], found: Numbered) -> Numbered:
    """Rows whose service or instance neither they nor options say have the file's: app.log is the log of app."""
    stem = path.name.partition(".")[0]
    container = _CONTAINER_FILE.search(path.name)
    own = container.groupdict() if container is not None else {"service": stem}
    named = {field: name for field, name in own.items() if field not in options}
    for number, row in found:
        missing = {field: name for field, name in named.items() if not row.get(field)}
        yield number, row | missing if missing else row


def _refuse_empty(found: Numbered, pattern: str | None) -> Numbered:
    first = next(found, None)
    if first is None:
        raise BrokenError(f"expected lines of the form {pattern!r}, got none")
    yield from chain([first], found)


def _year(options: Mapping[str, str]) -> int | None:
    year = options.get("year")
    if year is not None and not (year.isdecimal() and 1970 <= int(year) <= 9999):
        raise BrokenError(f"expected --read year=2026, got {year!r}")
    return int(year) if year is not None else None
