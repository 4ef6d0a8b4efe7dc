"""Files of rows, read and written as records: CSV, TSV, JSON lines and Parquet, plain or gzipped.

Reading and writing stream, so a file may be larger than memory. What a file is, is decided by its content (gzip, Parquet, a ``{``)
before its name; a table's delimiter is sniffed among comma, tab, semicolon and bar. An empty cell, or a JSON null, is an absent value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from models.base import Contract, Record
from models.rows.batches import Batch, batches_of
from models.rows.binding import Binding
from models.rows.formats import open_rows
from models.rows.write import write_rows

__all__ = ["Batch", "read_batches", "read_queries", "read_rows", "write_rows"]

R = TypeVar("R", bound=Record)


def read_rows(
    path: Path,
    record: type[R],
    mapping: Mapping[str, str] | None = None,
    *,
    options: Mapping[str, str] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Iterator[R]:
    """Read a file row by row, each checked against the record's type.

    Misleads when two columns could name one field: the mapped one wins, then the field's own name, then its aliases in their order.

    Parameters
    ----------
    path
        A table (CSV, TSV, ``.dat``), JSON lines or Parquet, plain or gzipped; and what the record's own reader can read.
    record
        Type of a row. Its field `Record.rest` takes the columns that no other field names; without one they are ignored.
    mapping
        Column by field (or a field's alias): ``{"label": "Churn"}``. If every column is a position, counted from 1, the table has
        no header. ``None``: columns are named as the fields are.
    options
        How to read what the file does not say: ``zone``, of times without one; ``pattern`` and ``year`` for logs; or a field's value.
    progress
        Is called, time and again, with the number of further bytes of the file that were read. ``None``: nobody asks.

    Returns
    -------
    Iterator
        Records in the file's order. The file's shape is checked when the first one is asked for.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column that the record requires, or a row is broken; names the file, the row (of a table
        the data row, of JSON lines the line), the column, what was expected and what came.
    """
    binding = Binding(record, mapping or {}, options or {})
    validate = record.model_validate
    with binding.complaints(path), open_rows(path, mapping or {}, progress or _nobody, record.reader, options or {}) as rows:
        for values in binding.bind(rows):
            yield validate(values)


def read_batches(
    path: Path,
    record: type[R],
    mapping: Mapping[str, str] | None = None,
    *,
    options: Mapping[str, str] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Iterator[Iterable[R]]:
    """Read a file many rows at a time; all of them, one after the other, are those of `read_rows`.

    Of tables (CSV, TSV, Parquet) they are `Batch`es, whose cells can also be had as columns before anything was made of them.
    """
    binding = Binding(record, mapping or {}, options or {})
    with binding.complaints(path), open_rows(path, mapping or {}, progress or _nobody, record.reader, options or {}) as rows:
        if rows.columns is not None and record.rest is None:
            yield from batches_of(rows, binding, record, path)
            return
    yield read_rows(path, record, mapping, options=options, progress=progress)


def read_queries(
    path: Path,
    contract: Contract[Any, Any, Any, Any],
    mapping: Mapping[str, str] | None = None,
    *,
    options: Mapping[str, str] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Iterator[Any]:
    """Read what a model is asked from a file: a query per row, or one query of all rows if the query type has ``from_lines``.

    A folder is one query, if the query type has ``from_folder``. Labels may be missing from the file; see `read_rows` for the rest.
    """
    from_folder = getattr(contract.query, "from_folder", None)
    if from_folder is not None and path.is_dir():
        yield from_folder(path)
        return
    from_lines = getattr(contract.query, "from_lines", None)
    if from_lines is None:
        yield from read_rows(path, contract.query, mapping, options=options, progress=progress)
    else:
        yield from_lines(read_rows(path, contract.example, mapping, options=options, progress=progress))


def _nobody(_: int) -> None:
    """Progress that nobody watches."""
