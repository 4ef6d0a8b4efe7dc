"""Every file ends in its text or in a named reason, soon, and what cannot be seen is kept apart."""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Callable

import pytest

from models.resume_ranking.reading import Document, Limits, Readers, read, read_all
from models.resume_ranking.reading.sniff import text_of
from tests import papers

SEEN = "Keeps bees and sells honey."


@pytest.mark.parametrize("rows_first", [True, False])
def test_columns_are_read_one_after_the_other(rows_first: bool) -> None:
    text = text_of(papers.two_columns(rows_first)).text
    order = [
        "heading over the whole",
        "Python and SQL",
        "Terraform",
        "German",
        "Experience",
        "Built the data platform",
        "of downtime",
        "glaciers",
    ]
    assert [text.index(words) for words in order] == sorted(text.index(words) for words in order)
    assert "Python and moved forty services to Kubernetes" in text  # a wrapped line goes on


def test_dates_in_the_margin_stay_with_what_they_date() -> None:
    text = text_of(papers.dated_rows()).text
    assert text.splitlines()[0].split() == ["June", "2020", "to", "Present", "Engineer,", "Bright", "Ltd"]
    assert "2015 to 2020  Fitter, Dark Ltd" in text


def test_tables_are_read_across() -> None:
    assert [line.split() for line in text_of(papers.table()).text.splitlines()] == [
        ["Tool", "Years", "Level"],
        ["Python", "5", "expert"],
        ["Excel", "10", "good"],
        ["Welding", "2", "basic"],
    ]


@pytest.mark.parametrize("way", ["white", "transparent", "tiny", "invisible", "outside", "covered"])
def test_text_that_cannot_be_seen_is_reported_and_kept_apart(way: str) -> None:
    document = text_of(papers.hidden(way))
    assert document.text == SEEN
    assert document.hidden == "kubernetes terraform"
    assert [(mark.kind, mark.excerpt) for mark in document.marks] == [("hidden_text", "kubernetes terraform")]


def test_white_letters_on_a_dark_ground_can_be_seen() -> None:
    assert text_of(papers.white_on_blue()).text == "Visible on its dark ground"


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotated_pages_are_read_as_they_are_seen(degrees: int) -> None:
    assert text_of(papers.rotated(degrees)).text.startswith("Turned by the page and turned back by the text")


def test_a_broken_table_of_contents_is_mended() -> None:
    assert text_of(papers.broken_xref()).text == "Found without the table of contents"


def test_an_empty_password_opens_a_pdf() -> None:
    assert text_of(papers.encrypted("")).text == "Known to the owner"


def test_docx_gives_headers_tables_and_boxes_once_and_hides_what_is_hidden() -> None:
    document = text_of(papers.rich_docx())
    assert document.text.splitlines() == [
        "In the header",
        "First paragraph",
        "2019  Baker",
        "2021  Miller",
        "Written in a box",
        "Last paragraph",
        "In the footer",
    ]
    assert document.hidden.split() == ["vanished", "white", "tiny"]


def test_html_shows_what_a_browser_shows() -> None:
    page = (
        b"<!DOCTYPE html><html><head><title>t</title><style>.gone{display:none}</style></head><body><h1>Cook</h1><script>x()</script>"
        b"<p>Soups &amp; sauces<p class=gone>python</p><p style='font-size:0'>java</p><p style='color:#fff'>scala</p>"
        b"<div style='background:#000'><span style='color:white'>in <b>light</b></span></div><ul><li>one<li>two</ul></body></html>"
    )
    document = text_of(page, "cv.txt")
    assert document.text.splitlines() == ["Cook", "Soups & sauces", "in light", "• one", "• two"]
    assert document.hidden.split() == ["python", "java", "scala"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_text_is_read_in_any_usual_encoding(encoding: str) -> None:
    text = "Köchin in São Paulo, naïve café: 10 years of soups and sauces"
    assert text_of(text.encode(encoding)).text == text


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "empty"),
    "blank": (lambda: b" \n\t ", "empty"),
    "scanned": (papers.scanned, "scanned"),
    "password": (lambda: papers.encrypted("secret"), "encrypted"),
    "too many pages": (lambda: papers.pages(201, 11), "201 pages"),
    "truncated PDF": (lambda: papers.table()[:300], "damaged"),
    "zip bomb": (papers.zip_bomb, "zip bomb"),
    "lying zip bomb": (papers.lying_zip_bomb, "DOCX"),
    "entity bomb": (papers.entity_bomb, "entities"),
    "other archive": (lambda: papers.archive({"a.txt": b"a"}), "not a DOCX"),
    "truncated DOCX": (lambda: papers.rich_docx()[:5_000], "damaged"),
    "picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(100), "picture"),
    "random bytes": (lambda: random.Random(0).randbytes(5_000), "neither"),  # noqa: S311
    "old Word": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "before 2007"),
    "RTF": (lambda: b"{\\rtf1 hello}", "RTF"),
    "empty HTML": (lambda: b"<html><body></body></html>", "HTML holds no text"),
    "too large": (lambda: b"a" * 10_000_001, "at most"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_an_answer_with_its_reason(name: str) -> None:
    make, reason = REFUSED[name]
    document = text_of(make())
    assert (document.readable, document.text) == (False, "")
    assert reason in str(document.reason)


def test_content_decides_and_not_the_name() -> None:
    assert text_of(papers.table(), "resume.docx").readable
    assert text_of(papers.rich_docx(), "resume.pdf").readable
    assert "called a PDF and is none" in str(text_of(b"just words", "resume.pdf").reason)


@pytest.mark.parametrize("seed", range(30))
def test_damaged_bytes_never_raise(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    data = bytearray(chance.choice([papers.table, papers.rich_docx, papers.two_columns])())
    for _ in range(chance.randrange(1, 40)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    document = text_of(bytes(data))
    assert document.readable == bool(document.text)
    assert (document.reason is None) == document.readable


def test_two_hundred_pages_end_in_time_and_memory() -> None:
    started, used = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    readers = Readers(1)
    document = readers.read(papers.pages(200))
    readers.close()
    assert document.pages == 200
    assert "Page 199 line 30" in document.text
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - used < 5 or time.monotonic() - started < 5


def test_one_bad_file_costs_only_itself() -> None:
    documents = read_all([(b"one", ""), (papers.zip_bomb(), ""), (papers.table(), ""), (b"two", "")])
    assert [document.readable for document in documents] == [True, False, True, True]


def test_a_file_that_takes_too_long_or_too_much_is_given_up() -> None:
    greedy = papers.pages(150)
    for limits, reason in ((Limits(wall_seconds=0.2), "0.2 seconds"), (Limits(memory_bytes=60_000_000), "memory")):
        readers = Readers(1, limits)
        assert reason in str(readers.read(greedy).reason)
        readers.close()


def test_documents_survive_json() -> None:
    document = read(papers.hidden("white"))
    assert document.text == SEEN
    assert Document.from_json(document.as_json()) == document
