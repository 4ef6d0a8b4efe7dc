"""Files of every kind that a resume may come as, and some that only pretend to: made here, byte by byte where need be."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

from docx import Document as Word
from docx.oxml import parse_xml
from docx.shared import Pt, RGBColor
from reportlab.lib.colors import Color, white
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

LEFT = ["Skills", "Python and SQL", "Docker", "Kubernetes", "Terraform", "Languages", "English", "German"]
RIGHT = [
    "Experience",
    "Built the data platform of a bank in Python and",
    "moved forty services to Kubernetes without an hour",
    "of downtime, with three colleagues.",
    "Education",
    "Studied physics and wrote a thesis about glaciers",
    "that move faster than anybody had thought before.",
]


def pdf(draw: Callable[[Canvas], Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(595, 842), **options)
    draw(canvas)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def lines(canvas: Canvas, words: Sequence[str], x: float = 60, y: float = 780, leading: float = 14) -> None:
    for number, line in enumerate(words):
        canvas.drawString(x, y - number * leading, line)


def two_columns(rows_first: bool = True) -> bytes:
    """Two columns under a heading of full width; the file paints them line by line, across."""

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Times-Roman", 16)
        canvas.drawString(60, 800, "A heading over the whole width of the page, as in a paper")
        canvas.setFont("Times-Roman", 10)
        for number in range(max(len(LEFT), len(RIGHT))):
            for words, x in ((LEFT, 60), (RIGHT, 260)) if rows_first else ((RIGHT, 260), (LEFT, 60)):
                if number < len(words):
                    canvas.drawString(x, 770 - 12 * number, words[number])

    return pdf(draw)


def dated_rows() -> bytes:
    """Dates in the margin, each beside its employment; one of them on two lines."""

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 10)
        for y, words in ((700, "June 2020 to"), (688, "Present"), (640, "2015 to 2020")):
            canvas.drawString(60, y, words)
        for y, words in (
            (700, "Engineer, Bright Ltd"),
            (688, "Ran the ovens of a glass works and kept"),
            (676, "their logs."),
            (640, "Fitter, Dark Ltd"),
        ):
            canvas.drawString(150, y, words)

    return pdf(draw)


def table() -> bytes:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 10)
        for row, cells in enumerate(
            (("Tool", "Years", "Level"), ("Python", "5", "expert"), ("Excel", "10", "good"), ("Welding", "2", "basic"))
        ):
            for column, cell in enumerate(cells):
                canvas.drawString(60 + 120 * column, 700 - 16 * row, cell)

    return pdf(draw)


def hidden(way: str) -> bytes:
    """A plain sentence, and the word "kubernetes" where nobody sees it."""

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 11)
        canvas.drawString(60, 700, "Keeps bees and sells honey.")
        secret = "kubernetes terraform"  # noqa: S105
        if way == "white":
            canvas.setFillColor(white)
        elif way == "transparent":
            canvas.setFillColor(Color(0, 0, 0, alpha=0.0))
        elif way == "tiny":
            canvas.setFont("Helvetica", 1)
        elif way == "invisible":
            text = canvas.beginText(60, 650)
            text.setTextRenderMode(3)
            text.textOut(secret)
            canvas.drawText(text)
            return
        canvas.drawString(2_000 if way == "outside" else 60, 650, secret)
        if way == "covered":
            canvas.setFillColor(Color(0.9, 0.9, 0.9))
            canvas.rect(40, 640, 300, 30, fill=1, stroke=0)

    return pdf(draw)


def white_on_blue() -> bytes:
    def draw(canvas: Canvas) -> None:
        canvas.setFillColor(Color(0.1, 0.2, 0.5))
        canvas.rect(0, 760, 595, 82, fill=1, stroke=0)
        canvas.setFillColor(white)
        canvas.setFont("Helvetica", 14)
        canvas.drawString(60, 790, "Visible on its dark ground")

    return pdf(draw)


def scanned() -> bytes:
    from PIL import Image

    picture = ImageReader(Image.new("L", (200, 280), 200))
    return pdf(lambda canvas: canvas.drawImage(picture, 0, 0, 595, 842))


def rotated(degrees: int) -> bytes:
    def draw(canvas: Canvas) -> None:
        canvas.setPageRotation(degrees)
        canvas.setFont("Helvetica", 11)
        canvas.translate(*{90: (842, 0), 180: (595, 842), 270: (0, 595)}[degrees])
        canvas.rotate(degrees)
        lines(canvas, ["Turned by the page and turned back by the text", "so that a reader sees nothing odd."], y=300)

    return pdf(draw)


def pages(count: int, words: int = 350) -> bytes:
    def draw(canvas: Canvas) -> None:
        for number in range(count):
            canvas.setFont("Helvetica", 10)
            lines(canvas, [f"Page {number} line {line} " + "word " * 8 for line in range(words // 11)])
            if number < count - 1:
                canvas.showPage()

    return pdf(draw)


def encrypted(password: str) -> bytes:
    return pdf(
        lambda canvas: lines(canvas, ["Known to the owner"]), encrypt=StandardEncryption(password, ownerPassword="owner", canPrint=1)
    )


def broken_xref() -> bytes:
    data = pdf(lambda canvas: lines(canvas, ["Found without the table of contents"]))
    return data.replace(b"startxref\n", b"startxref\n9").replace(b"xref\n0", b"xrfe\n0")


def docx(build: Callable[[Any], Any]) -> bytes:
    document = Word()
    build(document)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


_BOX = """<w:p xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"
 xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"
 xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"
 xmlns:v="urn:schemas-microsoft-com:vml"><w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing>
 <wps:wsp><wps:txbx><w:txbxContent>
 <w:p><w:r><w:t>Written in a box</w:t></w:r></w:p></w:txbxContent></wps:txbx></wps:wsp></w:drawing></mc:Choice>
 <mc:Fallback><w:pict><v:textbox>
 <w:txbxContent><w:p><w:r><w:t>Written in a box</w:t></w:r></w:p></w:txbxContent></v:textbox>
 </w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>"""


def rich_docx() -> bytes:
    def build(document: Any) -> None:
        document.sections[0].header.paragraphs[0].text = "In the header"
        document.sections[0].footer.paragraphs[0].text = "In the footer"
        document.add_paragraph("First paragraph")
        grid = document.add_table(rows=2, cols=2)
        for row, cells in zip(grid.rows, (("2019", "Baker"), ("2021", "Miller")), strict=True):
            for cell, words in zip(row.cells, cells, strict=True):
                cell.text = words
        document.element.body.insert(-1, parse_xml(_BOX))
        paragraph = document.add_paragraph("Last paragraph")
        for words, change in (("vanished", "hidden"), ("white", "white"), ("tiny", "tiny")):
            run = paragraph.add_run(f" {words}")
            if change == "hidden":
                run.font.hidden = True
            elif change == "white":
                run.font.color.rgb = RGBColor(255, 255, 255)
            else:
                run.font.size = Pt(1)

    return docx(build)


def archive(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


def zip_bomb() -> bytes:
    return archive({"word/document.xml": b"<a>" + b" " * 200_000_000 + b"</a>"})


def lying_zip_bomb() -> bytes:
    """Says that it is small: the sizes in its directory are changed after the fact."""
    data = archive({"word/document.xml": b"<a>" + b" " * 40_000_000 + b"</a>"})
    return data.replace((40_000_007).to_bytes(4, "little"), (1_000).to_bytes(4, "little"))


def entity_bomb() -> bytes:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
    xml = f'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY l0 "lol">{levels}]><w>&l8;</w>'
    return archive({"word/document.xml": xml.encode()})
