"""Fetching, against a real HTTP server on this machine that serves, cuts off, lies and forgets how to resume."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from models.errors import FetchError, InputError
from training.fetch import fetch, public_set
from training.public_sets import PUBLIC_SETS, PublicFile, PublicSet

CONTENT = bytes(range(256)) * 4_000


@dataclass
class Publisher:
    """What the server does, and what it was asked for."""

    address: str = ""
    content: bytes = CONTENT
    resumes: bool = True
    cut_after: int | None = None
    missing: bool = False
    starts: list[int] = field(default_factory=list)

    def set_of(self, sha256: str = "") -> PublicSet:
        file = PublicFile("table.csv", self.address, sha256 or hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
        return PublicSet("toy", "churn", "a table", "CC0 1.0", (file,))


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    publisher = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            start = int(re.findall(r"bytes=(\d+)-", self.headers["Range"])[0]) if publisher.resumes else 0
            publisher.starts.append(start)
            self.send_response(404 if publisher.missing else 206 if publisher.resumes else 200)
            body = publisher.content[start:]
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: publisher.cut_after])

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        publisher.address = f"http://127.0.0.1:{server.server_port}/table.csv"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield publisher
        server.shutdown()
        thread.join()


def test_a_set_arrives_whole_and_progress_adds_up_to_its_size(publisher: Publisher, tmp_path: Path) -> None:
    seen: list[int] = []
    [path] = fetch(publisher.set_of(), tmp_path / "toy", progress=seen.append)
    assert path.read_bytes() == CONTENT
    assert sum(seen) == len(CONTENT)
    assert [each.name for each in path.parent.iterdir()] == ["table.csv"]


def test_what_is_there_already_is_checked_and_not_fetched_again(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes(CONTENT)
    fetch(publisher.set_of(), tmp_path, progress=lambda _: None)
    assert publisher.starts == []


def test_a_file_of_the_users_own_is_left_alone(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("mine")
    with pytest.raises(InputError, match=r"table\.csv to be the published file, got another one"):
        fetch(publisher.set_of(), tmp_path, progress=lambda _: None)
    assert (tmp_path / "table.csv").read_text() == "mine"


def test_a_connection_that_is_cut_is_resumed_where_it_broke(publisher: Publisher, tmp_path: Path) -> None:
    publisher.cut_after = 400_000
    [path] = fetch(publisher.set_of(), tmp_path, progress=lambda _: None)
    assert path.read_bytes() == CONTENT
    assert publisher.starts == [0, 400_000, 800_000]


def test_a_later_call_goes_on_from_what_an_earlier_one_left(publisher: Publisher, tmp_path: Path) -> None:
    publisher.cut_after = 100_000
    with pytest.raises(FetchError, match=r"expected 1,024,000 bytes .* got 400,000 .* fetch again"):
        fetch(publisher.set_of(), tmp_path, progress=lambda _: None)
    publisher.cut_after = None
    [path] = fetch(publisher.set_of(), tmp_path, progress=lambda _: None)
    assert path.read_bytes() == CONTENT
    assert publisher.starts[-1] == 400_000


def test_a_server_that_cannot_resume_is_asked_for_everything_again(publisher: Publisher, tmp_path: Path) -> None:
    publisher.resumes = False
    (tmp_path / "table.csv.part").write_bytes(b"something else that came before")
    seen: list[int] = []
    [path] = fetch(publisher.set_of(), tmp_path, progress=seen.append)
    assert path.read_bytes() == CONTENT
    assert sum(seen) == len(CONTENT)


def test_another_hash_is_refused_and_nothing_kept(publisher: Publisher, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"expected sha256 0000.* got [0-9a-f]{64}"):
        fetch(publisher.set_of("0" * 64), tmp_path, progress=lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_never_ends_is_cut_at_its_expected_size(publisher: Publisher, tmp_path: Path) -> None:
    publisher.content = CONTENT * 20
    seen: list[int] = []
    with pytest.raises(FetchError, match="expected sha256"):
        fetch(publisher.set_of(), tmp_path, progress=seen.append)
    assert sum(seen) < 2 * len(CONTENT)


def test_a_page_that_is_gone_is_not_asked_for_again(publisher: Publisher, tmp_path: Path) -> None:
    publisher.missing = True
    with pytest.raises(FetchError, match="404"):
        fetch(publisher.set_of(), tmp_path, progress=lambda _: None)
    assert len(publisher.starts) == 1


def test_nobody_answers(tmp_path: Path, publisher: Publisher) -> None:
    publisher.address = "http://127.0.0.1:9/table.csv"
    with pytest.raises(FetchError, match="refused"):
        fetch(publisher.set_of(), tmp_path, progress=lambda _: None)


def test_an_unknown_set_is_refused_with_the_list() -> None:
    with pytest.raises(InputError, match=r"expected one of loghub, .* got 'mnist'"):
        public_set("mnist")


@pytest.mark.parametrize("each", PUBLIC_SETS, ids=lambda each: each.name)
def test_the_table_can_be_trusted(each: PublicSet) -> None:
    assert public_set(each.name) is each
    assert each.licence
    names = [file.name for file in each.files]
    assert len(set(names)) == len(names)
    for file in each.files:
        assert re.fullmatch(r"https?://[^/]+/\S+", file.address)
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
        assert Path(file.name).name == file.name
        assert file.size > 0
