"""PDF to text, page by page."""

from __future__ import annotations

import io
import logging
from itertools import pairwise
from typing import Any

from pypdf import PageObject, PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import ContentStream, DictionaryObject

from .canvas import IDENTITY, Canvas, Matrix, Piece
from .document import Document, Mark, Unreadable, unreadable
from .fonts import FontShelf
from .layout import page_text

MOST_PAGES = 200
EXCERPT = 200

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it reports broken files, which are our answers

_BROKEN = (PyPdfError, ValueError, TypeError, LookupError, AttributeError, AssertionError, RuntimeError, ArithmeticError, OSError)


def read_pdf(data: bytes) -> Document:
    """The text of a PDF.

    Raises
    ------
    Unreadable
        If there is none to be had.
    """
    reader, marks = _opened(data)
    pages = _pages(reader)
    shelf, off = FontShelf(), _layers_off(reader)
    texts, hidden, failed, pictures = [], [], [], False
    for number, page in enumerate(pages, 1):
        try:
            canvas = _painted(page, shelf, off)
        except _BROKEN:
            failed.append(number)
            continue
        pieces = canvas.seen()
        pictures = pictures or canvas.has_picture
        texts.append(page_text(piece for piece in pieces if not piece.hidden))
        hidden += [(number, piece) for piece in pieces if piece.hidden]
    marks += _marks(hidden, failed)
    text = "\n".join(text for text in texts if text)
    unseen = " ".join(piece.text.strip() for _, piece in hidden)
    if text.strip():
        return Document(text, pages=len(pages), hidden=unseen, marks=tuple(marks))
    return unreadable(_why_empty(bool(unseen), pictures, failed), pages=len(pages), hidden=unseen, marks=tuple(marks))


def _opened(data: bytes) -> tuple[PdfReader, list[Mark]]:
    marks = []
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("the PDF is encrypted: a password is needed")
        _ = reader.root_object
    except Unreadable:
        raise
    except _BROKEN as error:
        if b"/Encrypt" in data:
            raise Unreadable("the PDF is encrypted in a way that cannot be opened") from error
        raise Unreadable("the PDF is damaged beyond recovery") from error
    if b"startxref" not in data[-2048:]:
        marks.append(Mark("recovered", "The end of the PDF is missing; what is left of it was read."))
    return reader, marks


def _pages(reader: PdfReader) -> list[PageObject]:
    try:
        count = len(reader.pages)
        if count > MOST_PAGES:
            raise Unreadable(f"the PDF has {count:,} pages; at most {MOST_PAGES} are read")
        pages = list(reader.pages)
    except _BROKEN as error:
        raise Unreadable("the PDF is damaged: its pages cannot be found") from error
    if not pages:
        raise Unreadable("the PDF has no pages")
    return pages


def _layers_off(reader: PdfReader) -> frozenset[int]:
    try:
        settings = reader.root_object["/OCProperties"]["/D"]  # type: ignore[index]
        off = settings.get("/OFF", [])
        if settings.get("/BaseState") == "/OFF":
            shown = {layer.idnum for layer in settings.get("/ON", [])}
            off = [layer for layer in reader.root_object["/OCProperties"]["/OCGs"] if layer.idnum not in shown]  # type: ignore[index]
        return frozenset(layer.idnum for layer in off)
    except _BROKEN:
        return frozenset()


def _painted(page: PageObject, shelf: FontShelf, off: frozenset[int]) -> Canvas:
    box = page.cropbox
    base, visible = _as_seen(page.rotation, float(box.left), float(box.bottom), float(box.right), float(box.top))
    canvas = Canvas(shelf, visible, base, off)
    resources: Any = page.get("/Resources", DictionaryObject())
    contents = page.get_contents()
    if contents is not None:
        canvas.paint(ContentStream(contents, page.pdf) if not isinstance(contents, ContentStream) else contents, resources.get_object())
    for note in page.get("/Annots") or []:
        _paint_field(canvas, note.get_object())
    return canvas


def _paint_field(canvas: Canvas, note: Any) -> None:
    """A filled form field or a typed note, which is painted after the page."""
    try:
        if note.get("/Subtype") not in ("/Widget", "/FreeText") or int(note.get("/F", 0)) & 0b100010:
            return
        look = note["/AP"]["/N"].get_object()
        x, y, *_ = (float(value) for value in note["/Rect"])
        box = [float(value) for value in look.get("/BBox", [0, 0, 0, 0])]
        canvas.form(look, place=(1.0, 0.0, 0.0, 1.0, x - box[0], y - box[1]))
    except _BROKEN:
        return


def _as_seen(rotation: int, x0: float, y0: float, x1: float, y1: float) -> tuple[Matrix, tuple[float, float, float, float]]:
    """The matrix that turns a page as a viewer does, and the page's box after it."""
    turn = rotation % 360
    if turn == 90:
        return (0.0, -1.0, 1.0, 0.0, -y0, x1), (0.0, 0.0, y1 - y0, x1 - x0)
    if turn == 180:
        return (-1.0, 0.0, 0.0, -1.0, x1, y1), (0.0, 0.0, x1 - x0, y1 - y0)
    if turn == 270:
        return (0.0, 1.0, -1.0, 0.0, y1, -x0), (0.0, 0.0, y1 - y0, x1 - x0)
    return IDENTITY, (x0, y0, x1, y1)


def _marks(hidden: list[tuple[int, Piece]], failed: list[int]) -> list[Mark]:
    marks = []
    ways: dict[tuple[int, str], list[str]] = {}
    for number, piece in hidden:
        ways.setdefault((number, piece.hidden), []).append(piece.text)
    for (number, way), texts in ways.items():
        text = " ".join("".join(a + ("" if len(b.strip()) == 1 else " ") for a, b in pairwise([*texts, "  "])).split())
        marks.append(Mark("hidden_text", f"Page {number} holds text that cannot be seen: {way}.", text[:EXCERPT]))
    if failed:
        marks.append(Mark("partial", f"{len(failed)} damaged pages were not read, the first is page {failed[0]}."))
    return marks


def _why_empty(unseen: bool, pictures: bool, failed: list[int]) -> str:
    if failed:
        return "the PDF is damaged: none of its pages with text can be read"
    if unseen:
        return "the PDF holds no text that can be seen" + (", only pictures with a hidden layer of text" if pictures else "")
    return "the PDF is scanned: it holds pictures and no text" if pictures else "the PDF holds no text"
