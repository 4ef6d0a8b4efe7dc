"""The formats: each gives its columns, if they are known up front, and then numbered rows."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from models.rows.parquet import parquet
from models.rows.source import MAX_LINE, BrokenError, on_disk, open_bytes, text_lines

_DELIMITERS = ",\t;|"
_NO_DELIMITER = "\x1f"
"""Delimiter of a table with one column, so that a comma in its text is text."""

_INDEX_NAME = re.compile(r"^[a-z][\w.+-]*\t(?=\{)")
"""What some dumps of OpenSearch put before each document."""

_SNIFFED_BYTES = 2**16


@dataclass(frozen=True)
class Rows:
    """What a file holds.

    Parameters
    ----------
    columns
        Names in the order of the cells; ``None`` if every row is an object with names of its own.
    numbered
        Rows with their numbers, from 1: a sequence of cells each, or a JSON object. An absent value is ``None``.
    frames
        Instead of the rows, the chosen columns in batches of so many rows; ``None`` if the file is not stored in columns.
    """

    columns: Sequence[str] | None
    numbered: Iterator[tuple[int, Any]]
    frames: Callable[[Sequence[str], int], Iterator[pl.DataFrame]] | None = None


Reader = Callable[["io.BufferedReader[Any]", Path, Mapping[str, str], Mapping[str, str]], Iterator[tuple[int, dict[str, Any]]] | None]
"""Takes the content, the path, columns by field and options; gives numbered objects, or ``None`` if the file is a table."""


@contextmanager
def open_rows(
    path: Path,
    mapping: Mapping[str, str],
    progress: Callable[[int], None],
    reader: Reader | None = None,
    options: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Rows]:
    """Open a file as what its content says it is.

    Parameters
    ----------
    mapping
        Column by field; to see whether the columns are positions, so that a table has no header.
    reader
        Is asked first about what is not Parquet.
    options
        For the reader.
    """
    with open_bytes(path, progress) as content:
        suffixes = {suffix.lower() for suffix in path.suffixes}
        named_json = bool(suffixes & {".jsonl", ".ndjson", ".json"})
        head = content.peek(4)
        first = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        if head[:4] == b"PAR1":
            with on_disk(path, content) as file:
                yield Rows(*parquet(file, progress))
        elif ".parquet" in suffixes:
            raise BrokenError("expected Parquet, as the name says, got something else")
        elif reader is not None and (found := reader(content, path, mapping, options)) is not None:
            yield Rows(None, found)
        elif first == b"{" or named_json:
            yield Rows(None, _objects(text_lines(content)))
        else:
            headless = bool(mapping) and all(column.isdecimal() for column in mapping.values())
            yield _table(content, headless)


def _objects(lines: Iterator[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number in count(start=1):
        try:
            line = next(lines, None)
            value = None if line is None or line.isspace() else _object(line)
        except BrokenError as error:
            raise BrokenError(str(error), f", row {number}") from error
        if line is None:
            return
        if value is not None:
            yield number, value


def _object(line: str) -> dict[str, Any]:
    """A JSON object; of a dump of an OpenSearch index the document, without the index's name before or around it."""
    line = _INDEX_NAME.sub("", line, count=1)
    if line.lstrip().startswith("["):
        raise BrokenError("expected one JSON object per line, got a JSON array: convert it with jq -c '.[]'")
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise BrokenError(f"expected a JSON object, got broken JSON ({error.msg} at character {error.colno})") from error
    except RecursionError as error:
        raise BrokenError("expected a JSON object, got one that is nested too deep") from error
    if not isinstance(value, dict):
        raise BrokenError(f"expected one JSON object per line, got {line.strip()[:40]}")
    document = value.get("_source") if "_index" in value else None
    return document if isinstance(document, dict) else value


def _table(content: io.BufferedReader[Any], headless: bool) -> Rows:
    csv.field_size_limit(MAX_LINE)
    head = content.peek(_SNIFFED_BYTES)[:_SNIFFED_BYTES].decode(errors="replace").splitlines(keepends=True)
    records = csv.reader(text_lines(content), delimiter=_sniffed(head), strict=True)
    try:
        header = next(record for record in records if record)
    except (csv.Error, BrokenError) as error:
        raise BrokenError(_plain(error), ", header") from error
    except StopIteration:
        raise BrokenError("expected a header and rows, got only empty lines") from None
    if headless:
        return Rows([str(position) for position in range(1, len(header) + 1)], _cells(chain([header], records), len(header)))
    columns = [name.strip() or f"column {position}" for position, name in enumerate(header, start=1)]
    if twice := {name for name in columns if columns.count(name) > 1}:
        raise BrokenError(f"expected columns with different names, got {', '.join(sorted(twice))} more than once", ", header")
    return Rows(columns, _cells(records, len(columns)))


def _cells(records: Iterator[list[str]], width: int) -> Iterator[tuple[int, list[str | None]]]:
    number = 0
    try:
        for cells in records:
            if len(cells) == width:
                number += 1
                yield number, [cell or None for cell in cells]
            elif cells:
                raise BrokenError(f"expected {width} cells as in the header, got {len(cells)}: is a delimiter or a quote missing?")
    except (csv.Error, BrokenError) as error:
        raise BrokenError(_plain(error), f", row {number + 1}") from error


def _plain(error: Exception) -> str:
    """What csv says, in words for those who do not know the module."""
    if "unexpected end of data" in str(error):
        return "expected the quote to be closed, got the end of the file"
    if "expected after" in str(error):
        return "expected quotes to enclose a whole cell and to be doubled inside it, got text after a closing quote"
    if "new-line character" in str(error):
        return "expected lines to end with LF or CRLF, got a lone CR: convert the line ends, or put the cell in quotes"
    return str(error)


def _sniffed(head: Sequence[str]) -> str:
    """The delimiter that splits the first line, and most of the next ones into as many cells."""

    def agreement(delimiter: str) -> tuple[int, int]:
        try:
            widths = [len(cells) for cells in csv.reader(head, delimiter=delimiter) if cells]
        except csv.Error:
            return 0, 0
        if not widths or widths[0] == 1:
            return 0, 0
        return widths.count(widths[0]), widths[0]

    best = max(_DELIMITERS, key=agreement)
    return best if agreement(best) > (0, 0) else _NO_DELIMITER
