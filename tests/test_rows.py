"""Files become records, or one sentence that says where they cannot; records become files."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AliasChoices, AwareDatetime, ConfigDict, Field

from models.base import Contract, Prediction, Record
from models.errors import InputError
from models.rows import read_queries, read_rows, source, write_rows


class Purchase(Record):
    """A flat row with every kind of value."""

    model_config = ConfigDict(populate_by_name=True)

    user: str = Field(min_length=1, validation_alias=AliasChoices("user", "user_id"))
    at: AwareDatetime
    price: float = 9.5
    gift: bool = False
    note: str | None = None


class Customer(Record):
    """A row that takes any other column too."""

    rest: ClassVar[str | None] = "features"

    label: bool
    features: dict[str, Any]


NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
HEADER = "user,at,price,gift,note"
ROW = "ann,2026-01-31T12:00:00Z,3.25,true,hello"
ANN = Purchase(user="ann", at=NOON, price=3.25, gift=True, note="hello")


def table(path: Path, *lines: str, end: str = "\n") -> Path:
    path.write_bytes("".join(line + end for line in lines).encode())
    return path


def read(path: Path, **mapping: str) -> list[Purchase]:
    return list(read_rows(path, Purchase, mapping))


def complaint(path: Path, record: type[Record] = Purchase, **mapping: str) -> str:
    with pytest.raises(InputError) as caught:
        list(read_rows(path, record, mapping))
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_table_reads_the_same_however_it_was_exported(tmp_path: Path, delimiter: str, end: str, mark: bytes, packed: bool) -> None:
    content = mark + f"{HEADER}{end}{ROW}{end}".replace(",", delimiter).encode()
    path = tmp_path / "rows.dat"
    path.write_bytes(gzip.compress(content) if packed else content)
    assert read(path) == [ANN]


def test_json_lines_and_parquet_say_the_same_as_a_table(tmp_path: Path) -> None:
    values = {"user": "ann", "at": "2026-01-31T12:00:00Z", "price": 3.25, "gift": True, "note": "hello"}
    lines = table(tmp_path / "rows.jsonl", json.dumps(values), "", json.dumps({**values, "price": None}))
    pl.DataFrame({**values, "at": NOON}).write_parquet(tmp_path / "rows.parquet")
    packed = tmp_path / "rows.parquet.gz"
    packed.write_bytes(gzip.compress((tmp_path / "rows.parquet").read_bytes()))
    assert read(lines) == [ANN, ANN.model_copy(update={"price": 9.5})]
    assert read(tmp_path / "rows.parquet") == read(packed) == [ANN]


def test_empty_cells_are_absent_so_defaults_apply(tmp_path: Path) -> None:
    path = table(tmp_path / "rows.csv", HEADER, "ann,2026-01-31T12:00:00Z,,,")
    assert read(path) == [Purchase(user="ann", at=NOON)]


def test_quoted_cells_may_hold_delimiters_quotes_and_newlines(tmp_path: Path) -> None:
    path = table(tmp_path / "rows.csv", HEADER, 'ann,2026-01-31T12:00:00Z,1,0,"a, ""b""', '; c"')
    assert [row.note for row in read(path)] == ['a, "b"\n; c']


def test_a_table_of_one_column_may_hold_commas(tmp_path: Path) -> None:
    class Utterance(Record):
        text: str

    path = table(tmp_path / "rows.txt", "text", "hello, where is my card", "it is late; help | me")
    assert [row.text for row in read_rows(path, Utterance)] == ["hello, where is my card", "it is late; help | me"]


def test_mapping_names_the_users_own_columns_by_field_or_alias(tmp_path: Path) -> None:
    path = table(tmp_path / "rows.csv", "Wer,Wann,user", "ann,2026-01-31T12:00:00Z,somebody else")
    assert read(path, user="Wer", at="Wann") == read(path, user_id="Wer", at="Wann") == [Purchase(user="ann", at=NOON)]


def test_an_alias_is_a_column_name_too(tmp_path: Path) -> None:
    assert read(table(tmp_path / "rows.csv", "user_id,at", "ann,2026-01-31T12:00:00Z")) == [Purchase(user="ann", at=NOON)]


def test_positions_read_a_table_without_a_header(tmp_path: Path) -> None:
    path = table(tmp_path / "rows.dat", "1\t2026-01-31T12:00:00Z\tann", "2\t2026-01-31T12:00:00Z\tbob")
    assert [row.user for row in read(path, user="3", at="2")] == ["ann", "bob"]


def test_other_columns_go_to_the_rest_or_nowhere(tmp_path: Path) -> None:
    path = table(tmp_path / "rows.csv", "label,age,city", "true,42,", "false,,Bonn")
    lines = table(tmp_path / "rows.jsonl", '{"label": true, "age": 42, "features": {"city": null}}')
    rows = list(read_rows(path, Customer))
    assert [row.features for row in rows] == [{"age": "42", "city": None}, {"age": None, "city": "Bonn"}]
    assert [row.features for row in read_rows(lines, Customer)] == [{"age": 42, "city": None}]
    assert len(read(table(tmp_path / "more.csv", HEADER + ",more", ROW + ",1"))) == 1


def test_progress_adds_up_to_the_size_of_the_file(tmp_path: Path) -> None:
    for path in (table(tmp_path / "rows.csv", HEADER, *[ROW] * 30_000), tmp_path / "rows.parquet"):
        if not path.exists():
            pl.DataFrame({"user": ["ann"] * 30_000, "at": [NOON] * 30_000}).write_parquet(path)
        seen: list[int] = []
        assert sum(1 for _ in read_rows(path, Purchase, progress=seen.append)) == 30_000
        assert sum(seen) == path.stat().st_size


def test_reading_streams(tmp_path: Path) -> None:
    path = table(tmp_path / "rows.csv", HEADER, ROW, "broken")
    rows = read_rows(path, Purchase)
    assert next(rows) == ANN
    with pytest.raises(InputError):
        next(rows)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([HEADER, ROW, "bob,soon,1,0,"], "rows.csv, row 2, column at: expected "),
        (
            [HEADER, "bob,2026-01-31 12:00:00,1,0,"],
            "column at: expected a time with its zone, such as 2026-01-31T09:30:00Z, got '2026-01-31 12:",
        ),
        (
            [HEADER, "bob,2026-01-31T12:00:00Z,1,maybe,"],
            "row 1, column gift: expected true or false, got 'maybe'",
        ),
        ([HEADER, ",2026-01-31T12:00:00Z,1,0,"], "row 1, column user: expected a value, got none"),
        ([HEADER, ROW, "ann,2026-01-31T12:00:00Z"], "row 2: expected 5 cells as in the header, got 2"),
        ([HEADER, ROW, ROW + ",6"], "row 2: expected 5 cells as in the header, got 6"),
        (
            [HEADER, ROW, 'bob,2026-01-31T12:00:00Z,1,0,"never closed', ROW],
            "row 2: expected the quote to be closed, got the end of the file",
        ),
        ([HEADER, ROW, 'bob,2026-01-31T12:00:00Z,1,0,"a" b'], "row 2: expected quotes to enclose a whole cell"),
        ([HEADER, ROW, "b\0b,2026-01-31T12:00:00Z,1,0,"], "row 2: expected text, got NUL bytes"),
        (["user,price"], "expected the column 'at', got user, price: name yours with --map at=COLUMN"),
        (["a,b"], "expected the columns 'user' and 'at', got a, b: name yours with --map user=COLUMN"),
        (["user,at,at"], "header: expected columns with different names, got at more than once"),
        (["", "", ""], "expected a header and rows, got only empty lines"),
    ],
)
def test_a_broken_table_is_named_by_row_and_column(tmp_path: Path, lines: list[str], expected: str) -> None:
    assert expected in complaint(table(tmp_path / "rows.csv", *lines))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (['{"user": "ann"}'], "rows.jsonl: expected the column 'at', got user: name yours with --map at=COLUMN"),
        (['{"user": "ann", "at": "2026-01-31T12:00:00Z"}', "", "{'a'}"], "row 3: expected a JSON object, got broken JSON"),
        (['{"user": "ann", "at": "2026-01-31T12:00:00Z"}', '{"user": "bob"}'], "row 2, column at: expected a value, got none"),
        (['{"user": 7, "at": "2026-01-31T12:00:00Z"}'], "row 1, column user: expected text, got 7"),
        (['{"user": "ann"}'.replace("user", "a"), "7"], "rows.jsonl: expected the columns 'user' and 'at', got a"),
        (["7"], "row 1: expected one JSON object per line, got 7"),
        (['[{"user": "ann"}]'], "expected one JSON object per line, got a JSON array: convert it with jq -c '.[]'"),
        (["[", "{}", "]"], "expected one JSON object per line, got a JSON array: convert it with jq -c '.[]'"),
        (["[" * 100_000], "row 1: expected one JSON object per line, got a JSON array"),
        (['{"a":' * 100_000], "row 1: expected a JSON object, got one that is nested too deep"),
    ],
)
def test_broken_json_lines_are_named_by_line(tmp_path: Path, lines: list[str], expected: str) -> None:
    assert expected in complaint(table(tmp_path / "rows.jsonl", *lines))


def test_a_nested_value_is_named_by_its_column(tmp_path: Path) -> None:
    class Scored(Record):
        rest: ClassVar[str | None] = "features"
        features: dict[str, float]

    assert complaint(table(tmp_path / "rows.csv", "age,city", "42,Bonn"), Scored).startswith(
        "rows.csv, row 1, column city: expected a number, got 'Bonn'"
    )


def test_a_column_that_is_not_there_is_refused_with_the_list(tmp_path: Path) -> None:
    assert "expected the column 'Preis', got user, at" in complaint(table(tmp_path / "a.csv", HEADER, ROW), price="Preis")
    lines = table(tmp_path / "a.jsonl", *['{"user": "ann", "at": "2026-01-31T12:00:00Z"}'] * 2)
    assert "expected the mapped column 'Preis', no row has it" in complaint(lines, price="Preis")


def test_a_field_that_is_not_there_is_refused_with_the_list(tmp_path: Path) -> None:
    path = table(tmp_path / "rows.csv", HEADER, ROW)
    assert complaint(path, prize="price") == "expected one of the fields user, at, price, gift, note to map a column to, got 'prize'"


def test_what_is_no_file_of_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "empty.csv.gz").write_bytes(gzip.compress(b""))
    (tmp_path / "utf16.csv").write_bytes(f"{HEADER}\n{ROW}\n".encode("utf-16"))
    (tmp_path / "latin.csv").write_bytes(f"{HEADER}\n{ROW}\nb\xe4r,,,,".encode("latin-1"))
    (tmp_path / "not.parquet").write_text("user,at")
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and then nothing")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(f"{HEADER}\n{ROW}\n".encode() * 9_999)[:-500])
    assert "expected a file, got the folder" in complaint(tmp_path)
    assert "none.csv, found none" in complaint(tmp_path / "none.csv")
    assert complaint(tmp_path / "empty.csv") == "empty.csv: expected rows, got an empty file"
    assert complaint(tmp_path / "empty.csv.gz") == "empty.csv.gz: expected rows, got an empty file"
    assert "header: expected text, got NUL bytes: is this a binary file, or UTF-16? Save it as UTF-8" in complaint(tmp_path / "utf16.csv")
    assert "latin.csv, row 2: expected UTF-8, got the byte 0xe4" in complaint(tmp_path / "latin.csv")
    assert "expected Parquet, as the name says" in complaint(tmp_path / "not.parquet")
    assert "expected a whole Parquet file" in complaint(tmp_path / "cut.parquet")
    assert "expected a whole gzip file, got a broken one" in complaint(tmp_path / "cut.csv.gz")


def test_a_gzip_bomb_is_refused_long_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "BOMB_BYTES", 2**20)
    row = f"{ROW}{'o' * 10_000}\n".encode()
    with gzip.open(tmp_path / "bomb.csv.gz", "wb") as file:
        file.write(HEADER.encode() + b"\n")
        for _ in range(3_000):
            file.write(row)
    seen = 0

    def count() -> Iterator[Purchase]:
        nonlocal seen
        for row in read_rows(tmp_path / "bomb.csv.gz", Purchase):
            seen += 1
            yield row

    with pytest.raises(InputError, match=r"bomb\.csv\.gz, row \d+: expected a gzip file that unpacks to less than 1 MiB or 200 times its"):
        list(count())
    assert 0 < seen < 3_000


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(HEADER.encode() + b"\n" + b"x" * (source.MAX_LINE + 1))
    assert "row 1: expected lines of at most 16 MiB" in complaint(path)


class Line(Record):
    """One line of a log."""

    message: str


class Window(Record):
    """A query that is made of a file's lines."""

    lines: tuple[Line, ...]

    @classmethod
    def from_lines(cls, lines: Iterator[Line]) -> Window:
        return cls(lines=tuple(lines))


class Answer(Prediction):
    """A prediction with nested values."""

    name: str
    score: float
    reasons: tuple[dict[str, str], ...] = ()


def test_queries_are_rows_or_one_window_of_them(tmp_path: Path) -> None:
    path = table(tmp_path / "log.csv", "message", "one", "two")
    windows: Contract[Any, Any, Any, Any] = Contract("w", Any, Window, Line, Answer)
    rows: Contract[Any, Any, Any, Any] = Contract("r", Any, Line, Line, Answer)
    assert list(read_queries(path, windows)) == [Window(lines=(Line(message="one"), Line(message="two")))]
    assert list(read_queries(path, rows)) == [Line(message="one"), Line(message="two")]


ANSWERS = [Answer(name='a,"b"\nc', score=0.25, reasons=({"why": "ä"},)), Answer(name="", score=1e-9)]


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz"])
def test_written_json_lines_hold_every_value(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    assert write_rows(path, Answer, ANSWERS) == 2
    content = gzip.decompress(path.read_bytes()) if ending.endswith("gz") else path.read_bytes()
    assert [Answer.model_validate_json(line) for line in content.splitlines()] == ANSWERS


@pytest.mark.parametrize(("ending", "delimiter"), [("csv", ","), ("tsv", "\t"), ("csv.gz", ",")])
def test_written_tables_flatten_nested_values_to_json(tmp_path: Path, ending: str, delimiter: str) -> None:
    path = tmp_path / f"out.{ending}"
    write_rows(path, Answer, ANSWERS)
    content = gzip.decompress(path.read_bytes()) if ending.endswith("gz") else path.read_bytes()
    rows = list(csv.DictReader(content.decode().splitlines(keepends=True), delimiter=delimiter))
    assert [(row["name"], float(row["score"]), json.loads(row["reasons"])) for row in rows] == [
        ('a,"b"\nc', 0.25, [{"why": "ä"}]),
        ("", 1e-9, []),
    ]


def test_written_parquet_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    write_rows(path, Answer, ANSWERS)
    frame = pl.read_parquet(path)
    assert frame["score"].to_list() == [0.25, 1e-9]
    assert [json.loads(text) for text in frame["reasons"]] == [[{"why": "ä"}], []]


@pytest.mark.parametrize("ending", ["csv", "jsonl.gz", "parquet"])
def test_nothing_is_half_written(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    path.write_text("what was there before")

    def failing() -> Iterator[Answer]:
        yield ANSWERS[0]
        raise InputError("row 2 is broken")

    with pytest.raises(InputError, match="row 2"):
        write_rows(path, Answer, failing())
    assert path.read_text() == "what was there before"
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_no_rows_are_a_file_with_only_a_header(tmp_path: Path) -> None:
    write_rows(tmp_path / "out.csv", Answer, [])
    write_rows(tmp_path / "out.parquet", Answer, [])
    assert (tmp_path / "out.csv").read_text() == "prediction_id,name,score,reasons\n"
    assert pl.read_parquet(tmp_path / "out.parquet").shape == (0, 4)


def test_outputs_of_another_kind_or_place_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected an output ending in \.csv"):
        write_rows(tmp_path / "out.xlsx", Answer, [])
    with pytest.raises(InputError, match="existing folder"):
        write_rows(tmp_path / "nowhere" / "out.csv", Answer, [])


text = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1)


@given(rows=st.lists(st.tuples(text, st.floats(allow_nan=False, allow_infinity=False)), min_size=1, max_size=20))
def test_what_is_written_is_read_again(rows: list[tuple[str, float]], tmp_path_factory: pytest.TempPathFactory) -> None:
    class Named(Record):
        name: str
        score: float

    folder = tmp_path_factory.mktemp("rows")
    records = [Named(name=name, score=score) for name, score in rows]
    for ending in ("csv", "tsv", "jsonl"):
        write_rows(folder / f"out.{ending}", Named, records)
        assert list(read_rows(folder / f"out.{ending}", Named)) == records
