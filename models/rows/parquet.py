"""Parquet, in batches of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import polars as pl

from models.rows.source import BrokenError, OnDisk

_BATCH = 10_000


def parquet_rows(file: OnDisk, progress: Callable[[int], None]) -> tuple[list[str], Iterator[tuple[int, Sequence[Any]]]]:
    """The columns of a Parquet file, and its rows with their numbers.

    Raises
    ------
    BrokenError
        If the file is damaged; perhaps only when its last rows are read.
    """
    try:
        frame = pl.scan_parquet(file.path)
        columns = frame.collect_schema().names()
        total = frame.select(pl.len()).collect().item()
    except pl.exceptions.PolarsError as error:
        raise _broken(error) from error
    return columns, enumerate(_rows(frame, max(total, 1), file.unread_bytes, progress), start=1)


def _rows(frame: pl.LazyFrame, total: int, unread_bytes: int, progress: Callable[[int], None]) -> Iterator[Sequence[Any]]:
    done, told = 0, 0
    try:
        for batch in frame.collect_batches(chunk_size=_BATCH):
            yield from batch.iter_rows()
            done += batch.height
            progress(unread_bytes * done // total - told)
            told = unread_bytes * done // total
    except pl.exceptions.PolarsError as error:
        raise _broken(error) from error


def _broken(error: Exception) -> BrokenError:
    reason = str(error).partition("\n")[0]
    return BrokenError(f"expected a whole Parquet file, got a broken one ({reason}): write or copy it again")
