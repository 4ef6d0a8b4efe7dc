"""A log is the same searches whether it is read in columns or row by row, and what is wrong with it is the same sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.errors import InputError
from models.rows import Batch, batches, read_batches, read_rows
from models.search_synonyms import SearchSynonymsExample
from models.search_synonyms.columns import searches_in
from models.search_synonyms.searches import Searches

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLAIN: dict[str, list[Any]] = {
    "user_id": ["ada", "bob"],
    "timestamp": [NOON, NOON + timedelta(minutes=1)],
    "query": ["Couch", "sofa "],
    "n_clicks": [0, 1],
}

texts = st.text(max_size=6)
ids = st.one_of(st.none(), st.integers(-3, 3), st.sampled_from(["ada", " ada", "7", "7.0", "true"]), texts)
cells = st.one_of(
    st.sampled_from(
        ["", "0", "1", "007", "true", "False", "2.5", "1e3", "nan", "-1", "a|b", "a, b", '["a", "b"]', " ", "|", "[", "x\x1cy"]
    ),
    texts,
)
times = st.sampled_from(
    [
        "2026-03-01T12:00:00Z",
        "2026-03-01 12:00:00.25+01:00",
        "1772366400",
        "1772366400000",
        "2026-03-01T12:00:00",
        "2026-02-30T12:00:00Z",
        "noon",
    ]
)
PLAIN_CELLS = {
    "user_id": ["ada", " bob", "7"],
    "session_id": ["s1", "s2", ""],
    "query": ["Couch", "couch ", " ", ""],
    "n_results": ["0", "12", ""],
    "n_clicks": ["0", "3", "99999", ""],
    "scrolled": ["1", "True", "no", ""],
    "clicked_ids": ["a|b", "b", " ", ""],
    "dwell_s": ["0", "2.5", ""],
    "source": ["10.0.0.7", ""],
    "result_ids": ["a b c", "", "x"],
    "meaning": ["couch", ""],
}
COLUMNS = (
    "user_id",
    "session_id",
    "query",
    "n_results",
    "n_clicks",
    "scrolled",
    "clicked_ids",
    "dwell_s",
    "source",
    "result_ids",
    "meaning",
)


KINDS = (re.compile(r".*T.*Z|.*\+01:00"), re.compile(r"\d+"))
"""Ways to write a time that are read in columns."""


def read(path: Path, by_row: bool) -> Searches | str:
    try:
        if by_row:
            return Searches.of(read_rows(path, SearchSynonymsExample))
        return Searches.gathered(read_batches(path, SearchSynonymsExample))
    except InputError as error:
        return str(error)


def same(one: Searches | str, other: Searches | str) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    pairs = [(getattr(one, f.name), getattr(other, f.name)) for f in fields(Searches)]
    return all(
        a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f") if isinstance(a, np.ndarray) else a == b
        for a, b in pairs
    )


def row(at: st.SearchStrategy[str], cells: Mapping[str, st.SearchStrategy[str]]) -> st.SearchStrategy[tuple[str, dict[str, str]]]:
    return st.tuples(at, st.fixed_dictionaries(dict(cells)))


plain = [row(times.filter(pattern.fullmatch), {name: st.sampled_from(PLAIN_CELLS[name]) for name in COLUMNS}) for pattern in KINDS]
any_rows = st.one_of(*(st.lists(each, min_size=1, max_size=4) for each in (*plain, *plain, row(times, dict.fromkeys(COLUMNS, cells)))))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(any_rows, st.sets(st.sampled_from(COLUMNS[1:]), max_size=6))
def test_a_table_of_text_is_read_alike(tmp_path: Path, rows: list[tuple[str, dict[str, str]]], left_out: set[str]) -> None:
    path = tmp_path / "log.csv"
    names = [name for name in COLUMNS if name not in left_out]
    table = pl.DataFrame([[at, *(cells[name] for name in names)] for at, cells in rows], schema=["timestamp", *names], orient="row")
    table.write_csv(path, quote_style="always")
    assert same(read(path, by_row=True), read(path, by_row=False))


@pytest.mark.parametrize("small", [False, True], ids=["one batch", "batches of two"])
@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("user_id", [1, 2, None]),
        ("user_id", [1.0, 2.0, None]),
        ("user_id", [1.5, 2.0, None]),
        ("user_id", [True, False, None]),
        ("user_id", ["", "ada", None]),
        ("user_id", ["ada " * 80, "ada", None]),
        ("timestamp", [NOON, NOON.astimezone(timezone(timedelta(hours=5))), NOON]),
        ("timestamp", [1_772_366_400, 1_772_366_400_123, 0]),
        ("timestamp", [1_772_366_400.5, 0.0, 1.0]),
        ("timestamp", [NOON.replace(tzinfo=None)] * 3),
        ("timestamp", [NOON, None, NOON]),
        ("query", ["x" * 1001, "sofa", None]),
        ("query", [7, 8, None]),
        ("query", [" ", "SOFA\tbed", "ﬁn"]),
        ("n_clicks", [0, -1, None]),
        ("n_clicks", [0, 10**12, None]),
        ("n_clicks", [0.0, 2.0, None]),
        ("n_clicks", [0.5, 2.0, None]),
        ("n_clicks", [True, False, None]),
        ("scrolled", [True, False, None]),
        ("scrolled", [0, 1, 2]),
        ("dwell_s", [0.25, float("nan"), None]),
        ("dwell_s", [1, 2, None]),
        ("dwell_s", [-1.0, 2.0, None]),
        ("clicked_ids", [["a", "b"], [], None]),
        ("clicked_ids", [["a", None], [], None]),
        ("clicked_ids", [[" a"], [""], None]),
        ("clicked_ids", [[1, 2], [3], None]),
        ("meaning", [1, 2, None]),
        ("query_id", ["q1", "q1", None]),
        ("action_name", ["click", None, None]),
    ],
)
def test_a_table_of_values_is_read_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, column: str, values: list[Any], small: bool
) -> None:
    table = {
        "user_id": ["ada", "bob", "eve"],
        "timestamp": [NOON] * 3,
        "query": ["couch", "sofa", "bed"],
        "n_clicks": [0, 1, 2],
        "query_id": ["1", "2", "3"],
    }
    path = tmp_path / "log.parquet"
    pl.DataFrame({**table, column: values}).write_parquet(path)
    if small:
        monkeypatch.setattr(batches, "BATCH", 2)
    assert same(read(path, by_row=True), read(path, by_row=False))


def test_plain_columns_need_no_records(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    pl.DataFrame(PLAIN).write_parquet(path)
    (batch,) = read_batches(path, SearchSynonymsExample)
    assert isinstance(batch, Batch)
    found = searches_in(batch.columns)
    assert found is not None
    assert found["query"].to_list() == ["Couch", "sofa "]
    assert [row.user_id for row in batch] == ["ada", "bob"]


def test_what_comes_before_a_broken_row_is_complained_about_first(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("user_id,timestamp,query,n_clicks\nada,2026-03-01T12:00:00Z,sofa,-1\nbob,2026\n")
    assert read(path, by_row=True) == read(path, by_row=False)
    assert "row 1, column n_clicks" in str(read(path, by_row=False))


def test_lines_of_json_are_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps({name: str(values[place]) for name, values in PLAIN.items()}) + "\n" for place in range(2)))
    assert same(read(path, by_row=True), read(path, by_row=False))
    assert isinstance(read(path, by_row=False), Searches)
