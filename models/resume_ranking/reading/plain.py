"""Bytes of text to text, whatever their encoding."""

from __future__ import annotations

import codecs

from .document import Unreadable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
MOST_CONTROLS = 0.02  # share of control characters; text has none but line ends and tabs


def decoded(data: bytes) -> str:
    """The text, by its byte order mark, or else as UTF-8, UTF-16 or Windows-1252, whichever it is.

    Raises
    ------
    Unreadable
        If it is no text.
    """
    text = _decoded(data).replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    controls = sum((ord(character) < 32 and character not in "\n\t") or character in "\x7f\ufffd" for character in text)
    if controls > MOST_CONTROLS * max(len(text), 1):
        raise Unreadable("the file is neither PDF, DOCX, HTML nor text")
    return "".join(character for character in text if ord(character) >= 32 or character in "\n\t")


def _decoded(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    if len(data) >= 4 and data[:2000].count(0) > 0.2 * len(data[:2000]):
        # Latin letters in UTF-16 have every other byte 0.
        odd = data[1:2000:2].count(0) >= data[0:2000:2].count(0)
        return data.decode("utf-16-le" if odd else "utf-16-be", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
