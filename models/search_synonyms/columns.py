"""Searches straight from the columns of a table, where these hold nothing but plain values.

A record says what may be in a row, and what of it is wrong; checking ten million of them takes hours of a processor. So the values that
nearly every log consists of are checked here, a column at a time. Whatever is not certain to be taken by the record as it is taken here
(a time without a zone, an id of blanks, an action on another search) makes the whole batch uncertain, and the record judges its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from models.search_synonyms.records import MAX_QUERY

LONGEST_ID = 256

_ISO = r"^(?:19|20|21)\d\d-\d\d-\d\d[T ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)$"
_WHOLE = r"^(?:0|[1-9]\d{0,17})$"
_DECIMAL = r"^\d{1,15}(?:\.\d{1,15})?$"
_TRUTH = {"true": 1, "false": 0}
_YES_OR_NO = {"1": 1, "on": 1, "t": 1, "true": 1, "y": 1, "yes": 1, "0": 0, "off": 0, "f": 0, "false": 0, "n": 0, "no": 0}
_SECONDS_UNTIL = 20_000_000_000
"""A number of seconds since 1970 is smaller than this, of milliseconds greater; so pydantic reads them."""

_LATEST = 250_000_000_000_000
_EXACT = 2**53


class _UncertainError(Exception):
    """The record must judge."""


def searches_in(columns: pl.DataFrame) -> pl.DataFrame | None:
    """A batch as typed columns named as the fields of `SearchSynonymsExample`, null where a row says nothing; ``None`` if in doubt.

    Parameters
    ----------
    columns
        What a file holds, by field; fields may be absent.
    """
    try:
        found = pl.DataFrame({name: read(_column(columns, name)) for name, read in _READERS.items()})
        _require((found["user_id"].is_not_null() | found["session_id"].is_not_null()).all())
        _require((found["query"].is_not_null() | found["query_id"].is_not_null()).all())
        for name in ("action_name", "object_id", "event_attributes"):
            _require(_column(columns, name).null_count() == columns.height)
    except (_UncertainError, pl.exceptions.PolarsError):
        return None
    return found


def _column(columns: pl.DataFrame, name: str) -> pl.Series:
    return columns[name] if name in columns.columns else pl.Series(name, [None] * columns.height, dtype=pl.String)


def _require(certain: bool | None) -> None:
    if not certain:
        raise _UncertainError


def _text(column: pl.Series) -> pl.Series:
    """Text as it is; whole numbers as text."""
    if column.dtype.is_float():
        column = _whole_floats(column)
    elif isinstance(column.dtype, pl.Categorical | pl.Enum | pl.Null):
        return column.cast(pl.String)
    _require(column.dtype == pl.String or column.dtype.is_integer())
    return column.cast(pl.String)


def _id(column: pl.Series) -> pl.Series:
    text = _text(column).str.strip_chars()
    _require(text.str.len_chars().is_between(1, LONGEST_ID).all())
    return text


def _query(column: pl.Series) -> pl.Series:
    text = _text(column)
    _require((text.str.len_chars() <= MAX_QUERY).all())
    return text


def _meaning(column: pl.Series) -> pl.Series:
    _require(isinstance(column.dtype, pl.String | pl.Null))
    return column.cast(pl.String)


def _ids(column: pl.Series) -> pl.Series:
    """Lists of ids, or ids in one cell."""
    if column.dtype == pl.String:
        _require(not column.str.contains(r"^\s*\[|[\x1c-\x1f]").any())
        column = column.str.extract_all(r"[^|;,\s]+")
    if column.dtype == pl.Null:
        return column.cast(pl.List(pl.String))
    _require(isinstance(column.dtype, pl.List))
    each = column.filter(column.list.len() > 0).explode()
    _require(each.null_count() == 0 and (each.dtype == pl.String or each.dtype.is_integer()))
    _require(each.len() == 0 or _id(each).equals(each.cast(pl.String), check_dtypes=False))
    return column.cast(pl.List(pl.String))


def _count(column: pl.Series) -> pl.Series:
    if column.dtype == pl.String:
        truth = column.replace_strict(_TRUTH, default=None, return_dtype=pl.Int64)
        return _all_of(column, truth if truth.null_count() < column.len() else _parsed(column, _WHOLE, pl.Int64))
    if column.dtype.is_float():
        column = _whole_floats(column)
    _require(column.dtype.is_integer() or isinstance(column.dtype, pl.Boolean | pl.Null))
    count = column.cast(pl.Int64)
    _require((count >= 0).all())
    return count


def _yes_or_no(column: pl.Series) -> pl.Series:
    if column.dtype == pl.String:
        return _all_of(column, column.str.to_lowercase().replace_strict(_YES_OR_NO, default=None, return_dtype=pl.Int8))
    _require(column.dtype.is_integer() or isinstance(column.dtype, pl.Boolean | pl.Null))
    _require(column.cast(pl.Int64).is_between(0, 1).all())
    return column.cast(pl.Int8)


def _seconds(column: pl.Series) -> pl.Series:
    if column.dtype == pl.String:
        column = _all_of(column, _parsed(column, _DECIMAL, pl.Float64))
    _require(column.dtype.is_numeric() or column.dtype == pl.Null)
    seconds = column.cast(pl.Float64)
    _require((seconds.is_finite() & (seconds >= 0)).all())
    return seconds.cast(pl.Float32)


def _time(column: pl.Series) -> pl.Series:
    """Microseconds since 1970."""
    if column.dtype == pl.String:
        numbers = _parsed(column, _WHOLE, pl.Int64)
        if numbers.null_count():
            _require(column.str.contains(_ISO).all())
            written = column.str.replace(" ", "T", literal=True).str.replace("Z", "+00:00", literal=True)
            column = written.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", strict=False)
        else:
            column = numbers
    _require(column.null_count() == 0)
    if column.dtype.is_integer():
        numbers = column.cast(pl.Int64)
        _require(numbers.is_between(0, _LATEST).all())
        return numbers * pl.select(pl.when(numbers <= _SECONDS_UNTIL).then(1_000_000).otherwise(1_000)).to_series()
    _require(isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is not None)
    return column.dt.cast_time_unit("us").to_physical()


def _whole_floats(column: pl.Series) -> pl.Series:
    _require((column.is_finite() & (column.abs() < _EXACT) & (column == column.floor())).all())
    return column.cast(pl.Int64)


def _parsed(column: pl.Series, pattern: str, kind: type[pl.DataType]) -> pl.Series:
    """Null where the text is not written like that."""
    return pl.select(pl.when(column.str.contains(pattern)).then(column)).to_series().cast(kind, strict=False)


def _all_of(column: pl.Series, read: pl.Series) -> pl.Series:
    _require(read.null_count() == column.null_count())
    return read


_READERS: Mapping[str, Callable[[pl.Series], pl.Series]] = {
    "timestamp": _time,
    "user_id": _id,
    "session_id": _id,
    "query": _query,
    "n_results": _count,
    "n_clicks": _count,
    "scrolled": _yes_or_no,
    "clicked_ids": _ids,
    "dwell_s": _seconds,
    "source": _id,
    "query_id": _id,
    "result_ids": _ids,
    "meaning": _meaning,
}
