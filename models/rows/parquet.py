"""Parquet, in batches of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import polars as pl

from models.rows.source import BrokenError, OnDisk

_BATCH = 10_000


class Parquet(NamedTuple):
    """What a Parquet file holds.

    Parameters
    ----------
    columns
        Their names.
    numbered
        Rows with their numbers.
    frames
        The chosen columns, batch by batch, of so many rows each.
    """

    columns: list[str]
    numbered: Iterator[tuple[int, Sequence[Any]]]
    frames: Callable[[Sequence[str], int], Iterator[pl.DataFrame]]


def parquet(file: OnDisk, progress: Callable[[int], None]) -> Parquet:
    """Open a Parquet file; it is read by one of the two iterators.

    Raises
    ------
    BrokenError
        If the file is damaged; perhaps only when its last rows are read.
    """
    try:
        whole = pl.scan_parquet(file.path)
        columns = whole.collect_schema().names()
        total = max(whole.select(pl.len()).collect().item(), 1)
    except pl.exceptions.PolarsError as error:
        raise _broken(error) from error

    def frames(chosen: Sequence[str], size: int) -> Iterator[pl.DataFrame]:
        return _frames(whole.select(chosen), size, total, file.unread_bytes, progress)

    rows = chain.from_iterable(frame.iter_rows() for frame in frames(columns, _BATCH))
    return Parquet(columns, enumerate(rows, start=1), frames)


def _frames(frame: pl.LazyFrame, size: int, total: int, unread_bytes: int, progress: Callable[[int], None]) -> Iterator[pl.DataFrame]:
    done, told = 0, 0
    try:
        for batch in frame.collect_batches(chunk_size=size):
            yield batch
            done += batch.height
            progress(unread_bytes * done // total - told)
            told = unread_bytes * done // total
    except pl.exceptions.PolarsError as error:
        raise _broken(error) from error


def _broken(error: Exception) -> BrokenError:
    reason = str(error).partition("\n")[0]
    return BrokenError(f"expected a whole Parquet file, got a broken one ({reason}): write or copy it again")
