"""Predictions to a file."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import NoneType
from typing import Any, get_args

import polars as pl
from pydantic import BaseModel

from models.errors import InputError

Columns = Mapping[str, pl.DataType]
Write = Callable[[dict[str, Any]], object]

_GZIP_LEVEL = 6


def write_rows(path: Path, kind: type[BaseModel], rows: Iterable[BaseModel], *, leave_out: Collection[str] = ()) -> int:
    """Write rows as what the path's ending says: ``.csv``, ``.tsv``, ``.jsonl`` or ``.parquet``; ``.gz`` after it packs the text.

    The file appears whole or not at all: rows go to a file beside it that takes its name at the end.

    Parameters
    ----------
    kind
        Type of the rows; its fields are the columns. In CSV and Parquet a nested value is written as JSON.
    rows
        Are taken one by one.
    leave_out
        Fields that are not written.

    Returns
    -------
    int
        How many rows were written.

    Raises
    ------
    InputError
        If the ending is another, or the folder does not exist.
    """
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    opener = _OPENERS.get(plain.suffix.lower())
    if opener is None or (opener is _parquet and plain != path):
        raise InputError(f"expected an output ending in .csv, .tsv, .jsonl (each also .gz) or .parquet, got {path.name}")
    if not path.parent.is_dir() or path.is_dir():
        raise InputError(f"expected a file in an existing folder to write to, got {path}")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    count = 0
    try:
        with opener(
            part, path, {name: _dtype(field.annotation) for name, field in kind.model_fields.items() if name not in leave_out}
        ) as write:
            for row in rows:
                write(row.model_dump(mode="json", exclude=set(leave_out)))
                count += 1
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count


@contextmanager
def _text(part: Path, path: Path) -> Iterator[io.TextIOWrapper]:
    with part.open("wb") as file:
        # No name and no time inside, so that the same rows give the same bytes.
        binary = gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) if path.suffix == ".gz" else file
        with io.TextIOWrapper(binary, encoding="utf-8", newline="") as text:
            yield text


@contextmanager
def _csv(part: Path, path: Path, columns: Columns) -> Iterator[Write]:
    with _text(part, path) as text:
        writer = csv.writer(text, delimiter="\t" if ".tsv" in path.suffixes else ",", lineterminator="\r\n")
        writer.writerow(columns)
        yield lambda row: writer.writerow([_flat(row[column]) for column in columns])


@contextmanager
def _jsonl(part: Path, path: Path, columns: Columns) -> Iterator[Write]:
    with _text(part, path) as text:
        yield lambda row: text.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


@contextmanager
def _parquet(part: Path, path: Path, columns: Columns) -> Iterator[Write]:
    """Parquet needs all rows of a column together: they go to a file of JSON lines first, which polars converts in a stream."""
    lines = part.with_suffix(".jsonl")
    try:
        with _jsonl(lines, lines, columns) as write:
            yield lambda row: write({column: _flat(row[column]) for column in columns})
        pl.scan_ndjson(lines, schema=columns).sink_parquet(part)
    finally:
        lines.unlink(missing_ok=True)


_OPENERS = {".csv": _csv, ".tsv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}


_DTYPES = {bool: pl.Boolean(), int: pl.Int64(), float: pl.Float64()}


def _dtype(annotation: Any) -> pl.DataType:
    """The type of a Parquet column; what is not a plain number or truth value is text."""
    kinds = {*(get_args(annotation) or (annotation,))} - {NoneType}
    return _DTYPES.get(kinds.pop(), pl.String()) if len(kinds) == 1 else pl.String()


def _flat(value: object) -> object:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if isinstance(value, (dict, list)) else value
