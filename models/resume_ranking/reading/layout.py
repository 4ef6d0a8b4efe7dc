"""Pieces of text on a page to text in reading order.

Lines are cut at wide gaps. A page is then read in bands: where a white gutter runs between lines, what stands on its two sides is
either columns, read one after the other, or rows (dates or labels beside what they belong to), read across; elsewhere lines are read
downwards. Recursive cutting at gutters is Nagy & Seth's X-Y cut (1984); rows against columns is decided by baselines and by length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from .canvas import Piece

SAME_BASELINE = 0.35  # of the letters' size; sub- and superscripts stay on their line
WORD_GAP = 0.16  # em; kerning stays below 0.1, spaces above 0.2
CELL_GAP = 0.55  # em; a gap that may be a gutter, if others below it agree
WIDE_GAP = 1.2  # em; no justified line spaces its words that far
NARROWEST_GUTTER = 0.5  # em
ALIGNED = 0.6  # share of baselines that must meet for rows
LABEL_WORDS = 4.5
LONGEST_LEADING = 3.0  # of the size; a column does not go on beyond
DEEPEST_INDENT = 2.5  # em, of the first line of a paragraph or of all the others
PAGE_NUMBER = re.compile(r"(?:page\s*)?\d{1,3}(?:\s*(?:/|of|von|de|sur)\s*\d{1,3})?", re.IGNORECASE)
PARAGRAPH_LEADING = 1.75  # of the size; more is a new paragraph

BULLET = re.compile(r"^\s*(?:[•●○◦▪■□◆➢➤►▶✓✔∙·\u2013\u2014*\-\uf0b7\uf0a7]|\(?\d{1,2}[.)])\s+")
DATES = re.compile(r"(?:\b(?:19|20)\d\d\b|\b\d{1,2}/\d{2,4}\b|\bpresent\b|\bcurrent\b)", re.IGNORECASE)
UNFINISHED = re.compile(r"(?:[-\u2013\u2014&,/:]|\b(?:and|to|of|for|the|until))$", re.IGNORECASE)
_HEADINGS = (
    "about achievements awards certifications certificates contact education employment experience interests hobbies languages objective "
    "profile projects publications references skills summary training volunteering work history qualifications expertise"
)
_KEPT_HYPHEN = (
    "all back client cloud code cost cross customer data decision detail end event fast fault first four front full goal hands high "
    "in issue large life long low market mid mission multi non object off on open part people performance problem product real result "
    "risk role self service short single small state team test third three time top two user web well world"
)
HEADINGS, KEPT_HYPHEN = frozenset(_HEADINGS.split()), frozenset(_KEPT_HYPHEN.split())


@dataclass
class Cell:
    """Words of a line that stand close together."""

    text: str
    x0: float
    x1: float
    y: float
    size: float

    @property
    def words(self) -> list[str]:
        """Its words."""
        return self.text.split()


def page_text(pieces: Iterable[Piece]) -> str:
    """The text of a page: what runs in its main direction first, then what is turned."""
    turned: dict[int, list[Piece]] = {}
    for piece in pieces:
        turned.setdefault(piece.turn, []).append(piece)
    blocks = sorted(turned.values(), key=lambda group: -sum(len(piece.text) for piece in group))
    lines = [line for block in blocks for line in _read(_cells(block))]
    return "\n".join(line for at, line in enumerate(lines) if not (at in (0, len(lines) - 1) and PAGE_NUMBER.fullmatch(line)))


# Pieces to cells


def _cells(pieces: Sequence[Piece]) -> list[Cell]:
    cells: list[Cell] = []
    for line in _lines(pieces):
        cells += _cut(line)
    return [cell for cell in cells if cell.text]


def _lines(pieces: Sequence[Piece]) -> list[list[Piece]]:
    lines: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: (-piece.y, piece.x0)):
        # The biggest letters of a line set its tolerance, so that a superscript joins whichever comes first.
        if lines and abs(lines[-1][0].y - piece.y) <= SAME_BASELINE * max(lines[-1][0].size, piece.size):
            lines[-1].append(piece)
        else:
            lines.append([piece])
    return lines


def _cut(line: list[Piece]) -> list[Cell]:
    line.sort(key=lambda piece: piece.x0)
    gap = _word_gap(line)
    cells: list[Cell] = []
    for piece in line:
        text = piece.text.replace("\u00a0", " ").replace("\u00ad", "")
        distance = piece.x0 - cells[-1].x1 if cells else 0.0
        if not cells or distance > CELL_GAP * max(piece.size, cells[-1].size):
            cells.append(Cell(text, piece.x0, piece.x1, piece.y, piece.size))
            continue
        cell = cells[-1]
        if distance < -0.8 * (piece.x1 - piece.x0) and piece.text in cell.text:
            continue  # bold by printing twice
        cell.text += (" " if distance > gap * piece.size and not cell.text.endswith(" ") else "") + text
        cell.x1 = max(cell.x1, piece.x1)
        if len(text.strip()) > 1:
            cell.y, cell.size = (piece.y, piece.size) if piece.size > cell.size else (cell.y, cell.size)
    for cell in cells:
        cell.text = " ".join(_without_ligatures(cell.text).split())
    return cells


def _word_gap(line: Sequence[Piece]) -> float:
    """Gap between words in em; wider in a line whose letters are spaced out one by one, such as ``S K I L L S``."""
    single = [len(piece.text.strip()) == 1 for piece in line]
    if len(line) < 5 or sum(single) < 0.8 * len(line):
        return WORD_GAP
    gaps = [(right.x0 - left.x1) / max(right.size, 0.1) for left, right in pairwise(line)]
    return max(WORD_GAP, 1.6 * median(gaps))


_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}


def _without_ligatures(text: str) -> str:
    text = "".join(_LIGATURES.get(character, character) for character in text)
    return "".join(character for character in text if character.isprintable() or character == " " or "\ue000" <= character <= "\uf8ff")


# Cells to reading order


def _read(cells: list[Cell], edge: float | None = None) -> list[str]:
    """Lines of a region; ``edge`` is where its lines wrap, when that is further right than its own longest line."""
    if not cells:
        return []
    own = _edge(cells)
    edge = own if edge is None else max(own, edge)
    lines: list[str] = []
    for gutter, band in _bands(cells):
        if gutter is None:
            lines += _paragraphs(band, edge)
            continue
        left = [cell for cell in band if cell.x0 < gutter]
        right = [cell for cell in band if cell.x0 >= gutter]
        lines += _rows(left, right, edge) if _belong_across(left, right) else [*_read(left), *_read(right, edge)]
    return lines


def _edge(cells: list[Cell]) -> float:
    """Where lines wrap: the furthest place where several end, as in justified text; or else where the longest ends."""
    ends = sorted((cell.x1 for cell in cells), reverse=True)
    shared = (end for end in ends if sum(abs(other - end) <= 1.5 for other in ends) >= 3)
    return next(shared, ends[0])


def _bands(cells: list[Cell]) -> list[tuple[float | None, list[Cell]]]:
    """The page from top to bottom, cut where a gutter begins or ends; each band with the middle of its gutter."""
    rows = _by_baseline(cells)
    bands: list[tuple[float | None, list[Cell]]] = []
    start = 0
    while start < len(rows):
        gutter, end = _longest_gutter(rows, start)
        if gutter is None:
            end = start + 1
            if bands and bands[-1][0] is None:
                bands[-1][1].extend(rows[start])
                start = end
                continue
        bands.append((gutter, [cell for row in rows[start:end] for cell in row]))
        start = end
    return bands


def _by_baseline(cells: list[Cell]) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for cell in sorted(cells, key=lambda cell: (-cell.y, cell.x0)):
        if rows and abs(rows[-1][0].y - cell.y) <= SAME_BASELINE * min(rows[-1][0].size, cell.size):
            rows[-1].append(cell)
        else:
            rows.append([cell])
    return rows


def _longest_gutter(rows: list[list[Cell]], start: int) -> tuple[float | None, int]:
    """The gutter that begins at a row and runs down furthest, and the row where it ends; none if it never has two sides."""
    best: tuple[float | None, int] = (None, start + 1)
    for free in _gaps(rows[start], rows):
        gutter, end = _follow(free, rows, start)
        if gutter is not None and end > best[1] - (best[0] is None):
            best = (gutter, end)
    return best


def _follow(free: tuple[float, float], rows: list[list[Cell]], start: int) -> tuple[float | None, int]:
    """How far down a white stretch of a row goes on, and its middle; none when it is a margin or a gap between words."""
    low, high = free
    last = start
    left: set[int] = set()
    right: set[int] = set()
    for at in range(start, len(rows)):
        narrowed = low, high
        for cell in rows[at]:
            narrowed = _narrowed(*narrowed, cell)
        if narrowed[1] - narrowed[0] < NARROWEST_GUTTER * rows[at][0].size:
            break
        low, high = narrowed
        left |= {at} if any(cell.x1 <= low for cell in rows[at]) else set()
        right |= {at} if any(cell.x0 >= high for cell in rows[at]) else set()
        if at in left & right or (last == at and _goes_on(rows[max(at - 1, start)], rows[at])):
            last = at + 1
    left, right = {at for at in left if at < last}, {at for at in right if at < last}
    beside = bool(left and right) and max(min(left), min(right)) <= min(max(left), max(right))
    sure = min(len(left), len(right)) > 1 or high - low >= WIDE_GAP * rows[start][0].size
    return ((low + high) / 2 if beside and sure else None), last


def _narrowed(low: float, high: float, cell: Cell) -> tuple[float, float]:
    """What a cell leaves of a white stretch: the wider side of it."""
    if cell.x1 <= low or cell.x0 >= high:
        return low, high
    return (low, cell.x0) if cell.x0 - low > high - cell.x1 else (cell.x1, high)


def _goes_on(above: list[Cell], row: list[Cell]) -> bool:
    return above[0].y - row[0].y <= LONGEST_LEADING * max(above[0].size, row[0].size)


def _gaps(row: list[Cell], rows: list[list[Cell]]) -> list[tuple[float, float]]:
    """White stretches of a row, the margins among them."""
    x0 = min(cell.x0 for other in rows for cell in other)
    x1 = max(cell.x1 for other in rows for cell in other)
    ordered = sorted(row, key=lambda cell: cell.x0)
    edges = [x0, *(edge for cell in ordered for edge in (cell.x0, cell.x1)), x1]
    return [(left, right) for left, right in zip(edges[::2], edges[1::2], strict=True) if right - left >= NARROWEST_GUTTER * row[0].size]


def _belong_across(left: list[Cell], right: list[Cell]) -> bool:
    """Whether two sides are rows, read across, and not columns, read one after the other."""
    few, many = sorted((left, right), key=lambda side: len({round(cell.y) for cell in side}))
    if not few:
        return True
    baselines = [(cell.y, cell.size) for cell in many]
    met = sum(any(abs(cell.y - y) <= SAME_BASELINE * size for y, size in baselines) for cell in few) / len(few)
    if met < ALIGNED:
        return False
    if _headings(left) and _headings(right):
        return False
    words = sum(len(cell.words) for cell in few) / len(few)
    dated = sum(bool(DATES.search(cell.text)) for cell in few) / len(few)
    return words <= LABEL_WORDS or dated >= 0.5


def _headings(cells: Iterable[Cell]) -> int:
    return sum(len(cell.words) <= 3 and bool(HEADINGS.intersection(cell.text.lower().rstrip(":").split())) for cell in cells)


def _rows(left: list[Cell], right: list[Cell], edge: float) -> list[str]:
    """Labels and what they stand beside, across: a label of several lines is put together first."""
    labels = _labels(left)
    tops = [label[0].y for label in labels]
    groups: list[list[Cell]] = [[] for _ in range(len(labels) + 1)]
    for cell in right:
        above = sum(top >= cell.y - SAME_BASELINE * cell.size for top in tops)
        groups[above].append(cell)
    lines = _read(groups[0], edge) if groups[0] else []
    for label, group in zip(labels, groups[1:], strict=True):
        text = " ".join(cell.text for cell in label)
        body = _read(group, edge) if group else []
        lines += [f"{text}  {body[0]}" if body else text, *body[1:]]
    return lines


def _labels(cells: list[Cell]) -> list[list[Cell]]:
    labels: list[list[Cell]] = []
    for row in _by_baseline(cells):
        close = bool(labels) and labels[-1][-1].y - row[0].y <= PARAGRAPH_LEADING * row[0].size
        if close and (UNFINISHED.search(labels[-1][-1].text) or row[0].text[:1].islower()):
            labels[-1] += row
        else:
            labels.append(list(row))
    return labels


# Lines to paragraphs


def _paragraphs(cells: list[Cell], edge: float) -> list[str]:
    """Lines of one column, those that only wrapped put together again."""
    rows = _by_baseline(cells)
    lines: list[str] = []
    above: list[Cell] | None = None
    for row in rows:
        text = _across(row)
        if lines and above is not None and _wraps(above, row, edge):
            lines[-1] = _joined(lines[-1], text)
        else:
            lines.append(text)
        above = row
    return lines


def _across(row: list[Cell]) -> str:
    row.sort(key=lambda cell: cell.x0)
    text = row[0].text
    for left, right in pairwise(row):
        text += ("  " if right.x0 - left.x1 > WIDE_GAP * left.size else " ") + right.text
    return text


def _is_parted(row: list[Cell]) -> bool:
    return any(right.x0 - left.x1 > WIDE_GAP * left.size for left, right in pairwise(row))


def _wraps(above: list[Cell], row: list[Cell], edge: float) -> bool:
    """Whether a line goes on in the next: the next one's first word would not have fitted."""
    first, last = row[0], above[-1]
    if _is_parted(row) or _is_parted(above) or BULLET.match(first.text) or first.text.startswith("•"):
        return False
    if abs(first.size - last.size) > 0.1 * last.size or above[0].y - first.y > PARAGRAPH_LEADING * first.size:
        return False
    if abs(first.x0 - above[0].x0) > DEEPEST_INDENT * first.size:
        return False  # centred, or set to the right
    word = first.words[0]
    width = (first.x1 - first.x0) / max(len(first.text), 1) * (len(word) + 1)
    if last.x1 + width <= edge - first.size:
        return False
    # A short line that stands alone in the middle or ends its sentence before a new one begins is not wrapped text.
    return not (last.text.isupper() != first.text.isupper() and len(last.words) <= 4)


def _joined(above: str, below: str) -> str:
    if above.endswith("-") and len(above) > 1 and above[-2].isalpha() and below[:1].islower():
        stem = re.split(r"[^\w]+", above[:-1])[-1].lower()
        hyphenated = stem in KEPT_HYPHEN or "-" in above.split()[-1][:-1]
        return above + below if hyphenated else above[:-1] + below
    return f"{above}{'' if above.endswith('-') else ' '}{below}"
