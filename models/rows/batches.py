"""Rows of a table in batches, whose cells can be had as columns: for models that learn from many millions of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

import polars as pl

from models.base import Record
from models.rows.binding import Binding
from models.rows.formats import Rows
from models.rows.source import BrokenError

R = TypeVar("R", bound=Record)

BATCH = 250_000
"""Rows at a time: enough that Python's share is small, few enough that a batch is some ten megabytes."""


class Batch(Generic[R]):
    """Some rows of a table: iterated over, records, each checked; or `columns` of what the file holds, of which nothing was checked.

    Parameters
    ----------
    columns
        By field; fields that no column names are absent. An absent value is null. The cells of text files are text.
    records
        Makes records of the columns.
    """

    def __init__(self, columns: pl.DataFrame, records: Callable[[pl.DataFrame], Iterator[R]]) -> None:
        self.columns = columns
        self._records = records

    def __iter__(self) -> Iterator[R]:
        return self._records(self.columns)


def batches_of(rows: Rows, binding: Binding, record: type[R], path: Path) -> Iterator[Batch[R]]:
    """The rows of a table, `BATCH` at a time.

    Raises
    ------
    BrokenError
        If the table lacks a column or is broken; after the rows before the broken one.
    """
    chosen = binding.choose(rows.columns or ())
    wanted = list(dict.fromkeys(chosen.values()))
    frames = _frames(rows, wanted) if rows.frames is None else rows.frames(wanted, BATCH)
    first = 1
    for frame in frames:
        columns = frame.select(pl.col(column).alias(field) for field, column in chosen.items())
        yield Batch(columns, partial(_records, binding, record, path, first))
        first += frame.height


def _records(binding: Binding, record: type[R], path: Path, first: int, columns: pl.DataFrame) -> Iterator[R]:
    names = [binding.name(field) for field in columns.columns]
    with binding.complaints(path):
        for binding.row, cells in enumerate(columns.iter_rows(), start=first):
            values = {name: cell for name, cell in zip(names, cells, strict=True) if cell is not None}
            yield record.model_validate(binding.completed(values))


def _frames(rows: Rows, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """The chosen cells of a text file; what is before a broken row comes before the complaint about it."""
    places = [list(rows.columns or ()).index(column) for column in columns]
    problems: list[BrokenError] = []
    cells = _until_broken((cells for _, cells in rows.numbered), problems)
    while batch := list(islice(cells, BATCH)):
        by_column = list(zip(*batch, strict=True))
        yield pl.DataFrame(
            {column: by_column[place] for column, place in zip(columns, places, strict=True)}, schema=dict.fromkeys(columns, pl.String)
        )
    if problems:
        raise problems[0]


def _until_broken(cells: Iterable[Any], problems: list[BrokenError]) -> Iterator[Any]:
    try:
        yield from cells
    except BrokenError as error:
        problems.append(error)
