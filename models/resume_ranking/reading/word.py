"""DOCX to text: the body in order, with tables, text boxes, headers and footers; what is formatted away is kept apart."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from .document import Document, Mark, Unreadable, unreadable

MOST_MEMBERS = 2_000
MOST_BYTES = 60_000_000  # decompressed, of all parts together
MOST_PART_BYTES = 20_000_000  # of one part that is parsed
MOST_RATIO = 300  # of a part above a megabyte; office files stay below 60
TINY_HALF_POINTS = 5
EXCERPT = 200

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_RELATIONS = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_WHITE = re.compile(r"^f[a-f]f[a-f]f[a-f]$", re.IGNORECASE)


def read_docx(data: bytes) -> Document:
    """The text of a DOCX file.

    Raises
    ------
    Unreadable
        If it is none, is encrypted, or is a bomb.
    """
    parts = _unpacked(data)
    main = _main_part(parts)
    if main is None:
        raise Unreadable("the file is a ZIP archive, but not a DOCX document")
    styles = _styles(parts.get("word/styles.xml"))
    writer = _Writer(styles)
    names = sorted(parts)
    headers = [name for name in names if re.fullmatch(r"word/header\d*\.xml", name)]
    footers = [name for name in names if re.fullmatch(r"word/foot(?:er|notes)\d*\.xml", name)]
    seen: set[str] = set()
    for name in [*headers, main, *footers]:
        text = "\n".join(writer.lines(_parsed(parts[name], name)))
        if text not in seen:  # the first page's header often repeats the others'
            seen.add(text)
            writer.finished.append(text)
    text = "\n".join(part for part in writer.finished if part.strip())
    hidden = " ".join(writer.hidden)
    marks = tuple(
        Mark("hidden_text", f"The document holds text that cannot be seen: {way}.", excerpt[:EXCERPT]) for way, excerpt in writer.ways
    )
    if text.strip():
        return Document(text, pages=1, hidden=hidden, marks=marks)
    pictures = any(name.startswith("word/media/") for name in parts.names)
    reason = (
        "the DOCX holds no text that can be seen" if hidden else "the DOCX holds only pictures" if pictures else "the DOCX holds no text"
    )
    return unreadable(reason, pages=1, hidden=hidden, marks=marks)


class _Parts(dict[str, bytes]):
    """The XML parts of a package; `names` are those of all members."""

    names: tuple[str, ...] = ()


def _unpacked(data: bytes) -> _Parts:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _check(members)
            parts = _Parts()
            parts.names = tuple(member.filename for member in members)
            budget = MOST_BYTES
            for member in members:
                if member.filename.endswith((".xml", ".rels")):
                    with archive.open(member) as stream:
                        # The directory may lie about sizes, so what comes out is counted too.
                        content = stream.read(min(MOST_PART_BYTES, budget) + 1)
                    budget -= len(content)
                    if budget < 0 or len(content) > MOST_PART_BYTES:
                        raise Unreadable("the DOCX is a zip bomb: it unpacks to more than it says")
                    parts[member.filename] = content
            return parts
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise Unreadable("the DOCX is damaged: its archive cannot be unpacked") from error
    except Exception as error:
        if type(error).__module__ == "zlib":
            raise Unreadable("the DOCX is damaged: its archive cannot be unpacked") from error
        raise


def _check(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MOST_MEMBERS:
        raise Unreadable(f"the DOCX is a zip bomb: it holds {len(members):,} parts, at most {MOST_MEMBERS:,} are read")
    if any(member.flag_bits & 1 for member in members):
        raise Unreadable("the DOCX is encrypted: a password is needed")
    total = sum(member.file_size for member in members)
    if total > MOST_BYTES:
        raise Unreadable(f"the DOCX is a zip bomb: it unpacks to {total:,} bytes, at most {MOST_BYTES:,} are read")
    for member in members:
        if member.file_size > 1_000_000 and member.file_size > MOST_RATIO * max(member.compress_size, 1):
            raise Unreadable(f"the DOCX is a zip bomb: a part unpacks to more than {MOST_RATIO} times its size")


def _main_part(parts: _Parts) -> str | None:
    """The document's part, by the package's relations; it need not be called ``document.xml``."""
    if "_rels/.rels" in parts:
        for relation in _parsed(parts["_rels/.rels"], "_rels/.rels").iter(_RELATIONS):
            target = str(relation.get("Target", "")).lstrip("/")
            if str(relation.get("Type", "")).endswith("/officeDocument") and target in parts:
                return target if target.startswith("word/") else None
    return "word/document.xml" if "word/document.xml" in parts else None


def _parsed(content: bytes, name: str) -> Any:
    """The part's tree; no entity is expanded, no address fetched."""
    head = content[:4096]
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head or b"<\x00!\x00D\x00O\x00C" in head or b"\x00<\x00!\x00D\x00O" in head:
        raise Unreadable(f"the DOCX declares entities in {name}, as entity bombs do; Word never writes that")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, recover=True)
    try:
        tree = etree.fromstring(content.replace(_STRICT.encode(), _W[1:-1].encode()), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable(f"the DOCX is damaged: {name} is not XML") from error
    if tree is None or tree.getroottree().docinfo.internalDTD is not None:
        raise Unreadable(f"the DOCX is damaged: {name} is not the XML that Word writes")
    return tree


@dataclass
class _Look:
    """How a run looks, as far as it decides whether an eye sees it."""

    vanish: bool = False
    colour: str = ""
    shade: str = ""
    size: int = 22

    def with_(self, properties: Any) -> _Look:
        if properties is None:
            return self
        look = _Look(self.vanish, self.colour, self.shade, self.size)
        for child in properties:
            if not isinstance(child.tag, str):
                continue
            value = str(child.get(f"{_W}val", ""))
            tag = child.tag.removeprefix(_W)
            if tag in ("vanish", "webHidden", "specVanish"):
                look.vanish = value.lower() not in ("0", "false", "off")
            elif tag == "color":
                look.colour = "" if value == "auto" else value
            elif tag == "sz" and value.isdigit():
                look.size = int(value)
            elif tag in ("shd", "highlight"):
                look.shade = str(child.get(f"{_W}fill", value))
        return look

    def hidden(self) -> str:
        if self.vanish:
            return "hidden characters"
        if self.size <= TINY_HALF_POINTS:
            return f"letters below {TINY_HALF_POINTS / 2:g} points"
        light = self.shade.lower() in ("", "auto", "clear", "white", "none", "ffffff")
        return "white letters on white ground" if _WHITE.match(self.colour) and light else ""


@dataclass
class _Styles:
    bases: dict[str, str] = field(default_factory=dict)
    raw: dict[str, Any] = field(default_factory=dict)

    def apply(self, name: str | None, look: _Look, depth: int = 0) -> _Look:
        if name is None or name not in self.raw or depth > 10:
            return look
        return self.apply(self.bases.get(name), look, depth + 1).with_(self.raw[name])


def _styles(content: bytes | None) -> _Styles:
    styles = _Styles()
    if content is None:
        return styles
    for style in _parsed(content, "word/styles.xml").iter(f"{_W}style"):
        name = str(style.get(f"{_W}styleId", ""))
        styles.raw[name] = style.find(f"{_W}rPr")
        if (base := style.find(f"{_W}basedOn")) is not None:
            styles.bases[name] = str(base.get(f"{_W}val", ""))
    return styles


class _Writer:
    """Walks the tree of a part and gives its lines."""

    def __init__(self, styles: _Styles) -> None:
        self.styles = styles
        self.finished: list[str] = []
        self.hidden: list[str] = []
        self.ways: list[tuple[str, str]] = []
        self._ground = ""

    def lines(self, tree: Any) -> Iterator[str]:
        """Lines of all blocks below a node."""
        for child in tree:
            if not isinstance(child.tag, str) or child.tag == _FALLBACK or child.tag.endswith("}sectPr"):
                continue
            if child.tag == f"{_W}p":
                yield from self._paragraph(child)
            elif child.tag == f"{_W}tbl":
                yield from self._table(child)
            else:
                yield from self.lines(child)

    def _table(self, table: Any) -> Iterator[str]:
        """Rows across when their cells are short, or else cell after cell, as in a page laid out with a table."""
        for row in table.iter(f"{_W}tr"):
            if next(row.iterancestors(f"{_W}tbl")) is not table:
                continue
            cells = []
            for cell in row.iter(f"{_W}tc"):
                if next(cell.iterancestors(f"{_W}tr")) is not row:
                    continue
                outer, self._ground = self._ground, _ground(cell) or self._ground
                cells.append([line for line in self.lines(cell) if line.strip()])
                self._ground = outer
            if all(len(lines) <= 1 for lines in cells):
                yield "  ".join(line for lines in cells for line in lines)
            else:
                yield from _beside(cells)

    def _paragraph(self, paragraph: Any) -> Iterator[str]:
        properties = paragraph.find(f"{_W}pPr")
        style = properties.find(f"{_W}pStyle") if properties is not None else None
        look = self.styles.apply(str(style.get(f"{_W}val")) if style is not None else None, _Look(shade=self._ground))
        if properties is not None and (shade := properties.find(f"{_W}shd")) is not None:
            look.shade = str(shade.get(f"{_W}fill", ""))
        listed = properties is not None and properties.find(f"{_W}numPr") is not None
        pieces: list[str] = []
        boxes: list[Any] = []
        self._inline(paragraph, look, pieces, boxes)
        text = "".join(pieces)
        for line in text.split("\n"):
            if line.strip():
                yield ("• " if listed else "") + " ".join(line.split())
        for box in boxes:
            yield from self.lines(box)

    def _inline(self, node: Any, look: _Look, pieces: list[str], boxes: list[Any]) -> None:
        for child in node:
            tag = child.tag
            if not isinstance(tag, str) or tag in (_FALLBACK, f"{_W}pPr", f"{_W}rPr", f"{_W}del", f"{_W}moveFrom", f"{_W}instrText"):
                continue
            if tag == f"{_W}r":
                self._inline(child, self._run_look(child, look), pieces, boxes)
            elif tag == f"{_W}txbxContent":
                boxes.append(child)
            elif tag == f"{_W}t":
                self._write(child.text or "", look, pieces)
            elif tag in (f"{_W}tab", f"{_W}ptab"):
                pieces.append("\t")
            elif tag in (f"{_W}br", f"{_W}cr"):
                pieces.append("\n")
            elif tag in (f"{_W}noBreakHyphen",):
                pieces.append("-")
            else:
                self._inline(child, look, pieces, boxes)

    def _run_look(self, run: Any, look: _Look) -> _Look:
        properties = run.find(f"{_W}rPr")
        if properties is None:
            return look
        style = properties.find(f"{_W}rStyle")
        return self.styles.apply(str(style.get(f"{_W}val")) if style is not None else None, look).with_(properties)

    def _write(self, text: str, look: _Look, pieces: list[str]) -> None:
        way = look.hidden()
        if not way:
            pieces.append(text)
        elif text.strip():
            self.hidden.append(text.strip())
            if way not in {known for known, _ in self.ways}:
                self.ways.append((way, text.strip()))


def _ground(cell: Any) -> str:
    shade = cell.find(f"{_W}tcPr/{_W}shd")
    return str(shade.get(f"{_W}fill", "")) if shade is not None else ""


def _beside(cells: list[list[str]]) -> Iterator[str]:
    """A label's only line goes in front of what stands beside it."""
    filled = [lines for lines in cells if lines]
    if len(filled) == 2 and len(filled[0]) == 1 and len(filled[0][0].split()) <= 5:
        yield f"{filled[0][0]}  {filled[1][0]}"
        yield from filled[1][1:]
        return
    for lines in filled:
        yield from lines
