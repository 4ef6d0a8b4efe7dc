"""The bytes of an input file, opened with bounds: nothing here can be made to fill the memory or the disk."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from models.errors import InputError

MAX_LINE = 16 * 2**20
"""Bytes of one line or cell: far above a resume or a stack trace, far below what would hurt a laptop."""

BOMB_BYTES = 256 * 2**20
"""Unpacked bytes below which a gzip file is never suspected; they stream, so they cost time and no memory."""

BOMB_RATIO = 200
"""Unpacked by packed bytes above which a large file is refused: logs pack 10 to 60 times, gzip's limit, nothing but zeros, is 1,030."""

_BUFFER = 2**20


class BrokenError(ValueError):
    """The file is broken at some place; `read_rows` adds the name of the file."""

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message)
        self.place = place


class _Watched(io.FileIO):
    """A file that says how far it was read."""

    def __init__(self, path: Path, progress: Callable[[int], None]) -> None:
        super().__init__(path)
        self._progress = progress

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        count = super().readinto(buffer)
        self._progress(count or 0)
        return count


class _Unpacked(io.RawIOBase):
    """What a gzip file holds, until it is suspiciously much."""

    def __init__(self, packed: BinaryIO, packed_bytes: int) -> None:
        self._stream = gzip.GzipFile(fileobj=packed)
        self._packed_bytes = packed_bytes
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._stream.read(len(buffer))
        except (OSError, EOFError, zlib.error) as error:
            raise BrokenError(f"expected a whole gzip file, got a broken one ({error}): pack or copy it again") from error
        self._count += len(data)
        if self._count > max(BOMB_BYTES, BOMB_RATIO * self._packed_bytes):
            raise BrokenError(
                f"expected a gzip file that unpacks to less than {BOMB_BYTES >> 20} MiB or {BOMB_RATIO} times its {self._packed_bytes:,} "
                "bytes, got more: if it is sound, unpack it first"
            )
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def open_bytes(path: Path, progress: Callable[[int], None]) -> Iterator[io.BufferedReader[Any]]:
    """The file's content, unpacked if it is gzipped, whatever its name.

    Raises
    ------
    InputError
        If there is no such file, or it is empty or not a file.
    """
    if not path.exists():
        raise InputError(f"expected a file at {path}, found none")
    if path.is_dir():
        raise InputError(f"expected a file, got the folder {path}")
    try:
        raw = io.BufferedReader(_Watched(path, progress), _BUFFER)
    except OSError as error:
        raise InputError(f"expected a readable file at {path}, got: {error.strerror}") from error
    with raw:
        packed = raw.peek(2)[:2] == b"\x1f\x8b"
        unpacked = _Unpacked(raw, os.stat(path).st_size) if packed else None
        content: io.BufferedReader[Any] = io.BufferedReader(unpacked, _BUFFER) if unpacked is not None else raw
        if not content.peek(1):
            raise InputError(f"{path.name}: expected rows, got an empty file")
        yield content


@dataclass(frozen=True)
class OnDisk:
    """A file that can be read from its end, unpacked, and how many of its bytes were not counted as progress yet."""

    path: Path
    unread_bytes: int


@contextmanager
def on_disk(path: Path, content: io.BufferedReader[Any]) -> Iterator[OnDisk]:
    """The file itself, or an unpacked copy that lasts as long as the block."""
    if isinstance(content.raw, _Watched):
        yield OnDisk(path, path.stat().st_size - content.raw.tell())
        return
    with tempfile.NamedTemporaryFile() as copy:
        shutil.copyfileobj(content, copy)
        copy.flush()
        yield OnDisk(Path(copy.name), 0)


def text_lines(content: io.BufferedReader[Any]) -> Iterator[str]:
    """Physical lines of UTF-8 text with their ends, without a byte order mark.

    Raises
    ------
    BrokenError
        At a line that is too long, is not UTF-8, or holds NUL bytes.
    """
    if content.peek(3)[:3] == b"\xef\xbb\xbf":
        content.read(3)
    while line := content.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise BrokenError(f"expected lines of at most {MAX_LINE >> 20} MiB, got a longer one")
        if b"\0" in line:
            raise BrokenError("expected text, got NUL bytes: is this a binary file, or UTF-16? Save it as UTF-8")
        try:
            yield line.decode()
        except UnicodeDecodeError as error:
            raise BrokenError(f"expected UTF-8, got the byte 0x{line[error.start]:02x}: save the file as UTF-8") from error
