"""What a file is, by its content, and its text: the work of one file, in whatever process."""

from __future__ import annotations

import re

from .document import Document, Unreadable, unreadable
from .plain import decoded

MOST_BYTES = 10_000_000
MOST_CHARACTERS = 500_000

_HTML = re.compile(
    r"^\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|div|p|h1|table|section|article)\b", re.I | re.S
)
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # Microsoft's container of files before 2007, and of encrypted ones since
_PICTURES = {b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"II*\0": "TIFF", b"MM\0*": "TIFF", b"RIFF": "WebP"}


def text_of(data: bytes, name: str = "") -> Document:
    """The text of a file, or the reason why there is none; the name's ending decides nothing that the content can."""
    try:
        document = _read(data, name)
    except Unreadable as reason:
        return unreadable(str(reason))
    except MemoryError:
        return unreadable("reading the file needs too much memory")
    except RecursionError:
        return unreadable("the file is nested too deeply")
    except Exception as error:
        # Parsers of damaged files raise what they like; this is the one place where that must stop.
        return unreadable(f"the file is damaged in a way that its parser does not know ({type(error).__name__})")
    if len(document.text) > MOST_CHARACTERS:
        return unreadable(f"the file holds {len(document.text):,} characters; at most {MOST_CHARACTERS:,} are read", pages=document.pages)
    return document


def _read(data: bytes, name: str) -> Document:
    if not data.strip(b"\0 \t\r\n"):
        raise Unreadable("the file is empty")
    if len(data) > MOST_BYTES:
        raise Unreadable(f"the file has {len(data):,} bytes; at most {MOST_BYTES:,} are read")
    if b"%PDF-" in data[:1024]:
        from .pdf import read_pdf

        return read_pdf(data)
    if data[:2] == b"PK":
        from .word import read_docx

        return read_docx(data)
    _refuse(data, name)
    text = decoded(data)
    if _HTML.search(text[:2000]):
        from .html import read_html

        return read_html(text)
    if not text.strip():
        raise Unreadable("the file holds no text")
    return Document(text, pages=1)


def _refuse(data: bytes, name: str) -> None:
    """Name what is known and cannot be read."""
    if data.startswith(_COMPOUND):
        if b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e" in data:
            raise Unreadable("the DOCX is encrypted: a password is needed")
        raise Unreadable("the file is a Word document of before 2007 (.doc); save it as DOCX or PDF")
    if data.startswith(b"{\\rtf"):
        raise Unreadable("the file is RTF; save it as DOCX or PDF")
    for start, kind in _PICTURES.items():
        if data.startswith(start):
            raise Unreadable(f"the file is a picture ({kind}); it holds no text")
    if name.lower().endswith(".pdf"):
        raise Unreadable("the file is called a PDF and is none")
    if name.lower().endswith(".docx"):
        raise Unreadable("the file is called a DOCX and is none")
