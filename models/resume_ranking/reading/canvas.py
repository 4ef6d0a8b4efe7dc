"""What a PDF page paints: pieces of text with their places, and whether an eye could see them.

An interpreter of the operators that matter for text (ISO 32000-1, tables 51 to 108): graphics state, colour, paths that are filled
(backgrounds), clipping, transparency, text, and forms.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pypdf.generic import ContentStream, DictionaryObject

from .document import Unreadable
from .fonts import FontShelf, Glyphs

Matrix = tuple[float, float, float, float, float, float]
Box = tuple[float, float, float, float]
Colour = tuple[float, float, float]

IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
BLACK: Colour = (0.0, 0.0, 0.0)
WHITE: Colour = (1.0, 1.0, 1.0)
EVERYWHERE: Box = (-math.inf, -math.inf, math.inf, math.inf)

TINY_POINTS = 3.0  # the smallest print on contracts is 4 to 5
SAME_COLOUR = 0.12  # a contrast of about 1.3 to 1 near white; nobody reads that
FAINT = 0.1  # opacity
DEEPEST_FORM = 12
MOST_PIECES = 200_000
MOST_PAINTS = 1_000


@dataclass(frozen=True)
class Piece:
    """Text painted at one go.

    Parameters
    ----------
    text
        Its characters.
    x0, x1
        Ends along its own direction, in points.
    y
        Its baseline, across that direction, upwards.
    size
        Height of its letters, points.
    turn
        Direction in degrees: 0, 90, 180 or 270.
    hidden
        Why an eye does not see it; empty when it does.
    """

    text: str
    x0: float
    x1: float
    y: float
    size: float
    turn: int = 0
    hidden: str = ""


@dataclass
class _State:
    ctm: Matrix = IDENTITY
    fill: Colour | None = BLACK
    opacity: float = 1.0
    plain: bool = True
    clip: Box = EVERYWHERE
    glyphs: Glyphs = field(default_factory=lambda: Glyphs(None))
    size: float = 10.0
    character_space: float = 0.0
    word_space: float = 0.0
    scale: float = 1.0
    leading: float = 0.0
    rise: float = 0.0
    mode: int = 0


@dataclass(frozen=True)
class _Paint:
    """A filled area; colour ``None`` stands for a picture or a pattern; ``solid``: nothing below shines through."""

    box: Box
    colour: Colour | None
    order: int
    solid: bool


def _times(a: Matrix, b: Matrix) -> Matrix:
    return (
        a[0] * b[0] + a[1] * b[2],
        a[0] * b[1] + a[1] * b[3],
        a[2] * b[0] + a[3] * b[2],
        a[2] * b[1] + a[3] * b[3],
        a[4] * b[0] + a[5] * b[2] + b[4],
        a[4] * b[1] + a[5] * b[3] + b[5],
    )


def _at(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    return matrix[0] * x + matrix[2] * y + matrix[4], matrix[1] * x + matrix[3] * y + matrix[5]


def _around(points: Sequence[tuple[float, float]]) -> Box:
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    return min(xs), min(ys), max(xs), max(ys)


def _common(a: Box, b: Box) -> Box:
    return max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])


def _numbers(operands: Sequence[Any], count: int) -> list[float]:
    numbers = [float(value) for value in operands[:count]]
    return numbers + [0.0] * (count - len(numbers))


class Canvas:
    """One page, painted.

    Parameters
    ----------
    shelf
        Fonts of the file, shared by its pages.
    visible
        The page's box after rotation: what lies outside is not printed.
    base
        Turns the page's own coordinates into those that a reader sees.
    off
        Ids of layers (optional content) that are switched off.
    """

    def __init__(self, shelf: FontShelf, visible: Box, base: Matrix, off: frozenset[int] = frozenset()) -> None:
        self.pieces: list[Piece] = []
        self._drawn: list[tuple[int, Box, Colour | None]] = []  # beside `pieces`: order, place and colour of each
        self._paints: list[_Paint] = []
        self._shelf, self._visible, self._off = shelf, visible, off
        self._state = _State(ctm=base)
        self._order = 0
        self._tm = self._line = IDENTITY
        self._path: list[tuple[float, float]] = []
        self._clips = False
        self._layers: list[bool] = []
        self._resources: list[DictionaryObject] = []
        self._fonts: dict[str, Glyphs] = {}

    @property
    def has_picture(self) -> bool:
        """Whether a picture or pattern was painted."""
        return any(paint.colour is None for paint in self._paints)

    def seen(self) -> list[Piece]:
        """The pieces, with what lies under later paint or has its ground's colour marked as hidden."""
        return [
            piece if piece.hidden else replace(piece, hidden=self._lost(*drawn))
            for piece, drawn in zip(self.pieces, self._drawn, strict=True)
        ]

    def _lost(self, order: int, box: Box, fill: Colour | None) -> str:
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        over = [paint for paint in self._paints if paint.box[0] <= x <= paint.box[2] and paint.box[1] <= y <= paint.box[3]]
        if any(paint.solid and paint.order > order and _covers(paint.box, box) for paint in over):
            return "covered"
        ground = next((paint.colour for paint in reversed(over) if paint.order < order), WHITE)
        if fill is None or ground is None or max(abs(a - b) for a, b in zip(fill, ground, strict=True)) > SAME_COLOUR:
            return ""
        return "the colour of its ground"

    def paint(self, content: ContentStream, resources: DictionaryObject, depth: int = 0) -> None:
        """Run a content stream; a broken operator is passed over, as viewers do."""
        outer = self._fonts
        self._resources.append(resources)
        self._fonts = self._shelf.fonts(resources)
        saved: list[_State] = []
        for operands, operator in content.operations:
            self._order += 1
            try:
                self._step(operator, operands, saved, depth)
            except (TypeError, ValueError, IndexError, KeyError, AttributeError, ZeroDivisionError, OverflowError):
                continue
        if saved:
            self._state = saved[0]
        self._resources.pop()
        self._fonts = outer

    def _step(self, operator: bytes, operands: Any, saved: list[_State], depth: int) -> None:
        if operator == b"q":
            if len(saved) < 500:
                saved.append(replace(self._state))
        elif operator == b"Q":
            if saved:
                self._state = saved.pop()
        elif operator == b"Do":
            self._do(operands[0], depth)
        elif operator in _OPERATORS:
            _OPERATORS[operator](self, operands)

    # Forms and pictures

    def _resource(self, kind: str) -> Any:
        """The page's resources of a kind, by name."""
        return self._resources[-1].get(kind, DictionaryObject()).get_object()

    def _do(self, name: str, depth: int) -> None:
        form = self._resource("/XObject")[name].get_object()
        if form.get("/Subtype") == "/Image":
            corners = [_at(self._state.ctm, x, y) for x, y in ((0, 0), (1, 0), (0, 1), (1, 1))]
            self._fill(_around(corners), None, solid="/SMask" not in form and "/Mask" not in form)
        elif form.get("/Subtype") == "/Form" and depth < DEEPEST_FORM and not self._is_off(form.get("/OC")):
            self.form(form, depth + 1)

    def form(self, form: Any, depth: int = 1, place: Matrix = IDENTITY) -> None:
        """Paint a form, as ``Do`` does."""
        kept, text = replace(self._state), (self._tm, self._line)
        matrix = tuple(float(value) for value in form.get("/Matrix", IDENTITY))
        self._state.ctm = _times(_times(matrix, place), self._state.ctm)  # type: ignore[arg-type]
        if (box := form.get("/BBox")) is not None:
            x0, y0, x1, y1 = _numbers(box, 4)
            corners = [_at(self._state.ctm, x, y) for x in (x0, x1) for y in (y0, y1)]
            self._state.clip = _common(self._state.clip, _around(corners))
        resources = form.get("/Resources", self._resources[-1] if self._resources else DictionaryObject()).get_object()
        self.paint(ContentStream(form, None), resources, depth)
        self._state, (self._tm, self._line) = kept, text

    # Graphics state

    def _concatenate(self, operands: Any) -> None:
        self._state.ctm = _times(tuple(_numbers(operands, 6)), self._state.ctm)  # type: ignore[arg-type]

    def _graphics_state(self, operands: Any) -> None:
        settings = self._resource("/ExtGState")[operands[0]].get_object()
        if "/ca" in settings:
            self._state.opacity = float(settings["/ca"])
        if "/BM" in settings:
            self._state.plain = settings["/BM"] in ("/Normal", "/Compatible")
        if "/Font" in settings:
            font, size = settings["/Font"]
            self._state.glyphs, self._state.size = Glyphs.of(font.get_object()), float(size)

    def _grey(self, operands: Any) -> None:
        self._state.fill = (float(operands[0]),) * 3

    def _rgb(self, operands: Any) -> None:
        red, green, blue = _numbers(operands, 3)
        self._state.fill = (red, green, blue)

    def _cmyk(self, operands: Any) -> None:
        cyan, magenta, yellow, key = _numbers(operands, 4)
        self._state.fill = ((1 - cyan) * (1 - key), (1 - magenta) * (1 - key), (1 - yellow) * (1 - key))

    def _colour(self, operands: Any) -> None:
        if not operands or not all(isinstance(value, (int, float)) for value in operands):
            self._state.fill = None  # a pattern
        elif len(operands) == 1:
            # A separation's tint: 0 is no ink at all; in a grey space 1 is white. Known only by the space's name.
            tint = float(operands[0])
            self._state.fill = (tint,) * 3 if self._space in ("/DeviceGray", "/CalGray", "/ICCBased") else (1 - tint,) * 3
        elif len(operands) == 3:
            self._rgb(operands)
        else:
            self._cmyk(operands)

    _space = "/DeviceGray"

    def _colour_space(self, operands: Any) -> None:
        space: Any = operands[0]
        space = self._resource("/ColorSpace").get(space, space).get_object()
        self._space = str(space if isinstance(space, str) else space[0])
        self._state.fill = None if self._space == "/Pattern" else BLACK

    # Paths

    def _rectangle(self, operands: Any) -> None:
        x, y, width, height = _numbers(operands, 4)
        self._path += [_at(self._state.ctm, x + dx, y + dy) for dx in (0, width) for dy in (0, height)]

    def _point(self, operands: Any) -> None:
        for i in range(0, len(operands) - 1, 2):
            self._path.append(_at(self._state.ctm, float(operands[i]), float(operands[i + 1])))

    def _clip_next(self, operands: Any) -> None:
        self._clips = True

    def _end_path(self, operands: Any) -> None:
        if self._clips and self._path:
            self._state.clip = _common(self._state.clip, _around(self._path))
        self._clips, self._path = False, []

    def _fill_path(self, operands: Any) -> None:
        if self._path and self._state.opacity > 0.9:
            self._fill(_around(self._path), self._state.fill, solid=self._state.fill is not None)
        self._end_path(operands)

    def _shade(self, operands: Any) -> None:
        self._fill(self._visible, None, solid=False)

    def _fill(self, box: Box, colour: Colour | None, *, solid: bool) -> None:
        x0, y0, x1, y1 = _common(box, self._state.clip)
        if x1 - x0 > TINY_POINTS and y1 - y0 > TINY_POINTS and len(self._paints) < MOST_PAINTS:
            self._paints.append(_Paint((x0, y0, x1, y1), colour, self._order, solid and self._state.plain))

    # Layers

    def _begin_layer(self, operands: Any) -> None:
        hidden = False
        if len(operands) > 1 and operands[0] == "/OC" and isinstance(operands[1], str):
            hidden = self._is_off(self._resource("/Properties").raw_get(operands[1]))
        self._layers.append(hidden)

    def _end_layer(self, operands: Any) -> None:
        if self._layers:
            self._layers.pop()

    def _is_off(self, layer: Any) -> bool:
        return getattr(layer, "idnum", None) in self._off

    # Text

    def _begin_text(self, operands: Any) -> None:
        self._tm = self._line = IDENTITY

    def _font(self, operands: Any) -> None:
        self._state.glyphs = self._fonts.get(operands[0], Glyphs(None))
        self._state.size = float(operands[1])

    def _mode(self, operands: Any) -> None:
        self._state.mode = int(operands[0])

    def _move(self, operands: Any) -> None:
        x, y = _numbers(operands, 2)
        self._line = self._tm = _times((1.0, 0.0, 0.0, 1.0, x, y), self._line)

    def _move_and_lead(self, operands: Any) -> None:
        self._state.leading = -_numbers(operands, 2)[1]
        self._move(operands)

    def _matrix(self, operands: Any) -> None:
        self._line = self._tm = tuple(_numbers(operands, 6))  # type: ignore[assignment]

    def _next_line(self, operands: Any) -> None:
        self._move((0.0, -self._state.leading))

    def _show_next(self, operands: Any) -> None:
        self._next_line(())
        self._show(operands)

    def _show_spaced(self, operands: Any) -> None:
        self._state.word_space, self._state.character_space = _numbers(operands, 2)
        self._show_next(operands[2:])

    def _show(self, operands: Any) -> None:
        self._write(operands[0])

    def _show_array(self, operands: Any) -> None:
        for part in operands[0]:
            if isinstance(part, (int, float)):
                self._advance(-float(part) / 1000 * self._state.size * self._state.scale)
            else:
                self._write(part)

    def _advance(self, by: float) -> None:
        self._tm = _times((1.0, 0.0, 0.0, 1.0, by, 0.0), self._tm)

    def _write(self, operand: Any) -> None:
        state = self._state
        raw = operand if isinstance(operand, bytes) else operand.original_bytes
        text, width, codes, spaces = state.glyphs.decode(bytes(raw))
        advance = (width * state.size + codes * state.character_space + spaces * state.word_space) * state.scale
        start = _times((1.0, 0.0, 0.0, 1.0, 0.0, state.rise), _times(self._tm, state.ctm))
        self._advance(advance)
        if text.strip():
            self._place(text, start, _times((1.0, 0.0, 0.0, 1.0, 0.0, state.rise), _times(self._tm, state.ctm)))

    def _place(self, text: str, start: Matrix, end: Matrix) -> None:
        if len(self.pieces) >= MOST_PIECES:
            raise Unreadable(f"a page of the PDF paints more than {MOST_PIECES:,} pieces of text")
        state = self._state
        turn = round(math.degrees(math.atan2(start[1], start[0])) / 90) % 4 * 90
        size = abs(state.size) * state.glyphs.height * math.hypot(start[2], start[3])
        points = [(start[4], start[5]), (end[4], end[5])]
        (x0, y), (x1, _) = ((_turned(point, turn)) for point in points)
        corners = [*points, (start[4] + start[2] * state.size * 0.7, start[5] + start[3] * state.size * 0.7)]
        box = _around(corners)
        self.pieces.append(Piece(text, min(x0, x1), max(x0, x1), y, size, turn, self._why_hidden(box, size)))
        self._drawn.append((self._order, box, state.fill if state.mode not in (1, 5) else None))

    def _why_hidden(self, box: Box, size: float) -> str:
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        if self._state.mode in (3, 7):
            return "invisible ink"
        if any(self._layers):
            return "a layer that is switched off"
        if self._state.opacity < FAINT:
            return "transparent ink"
        if size < TINY_POINTS:
            return f"letters below {TINY_POINTS:g} points"
        if not (self._visible[0] <= x <= self._visible[2] and self._visible[1] <= y <= self._visible[3]):
            return "outside the page"
        clip = self._state.clip
        return "" if clip[0] - 2 <= x <= clip[2] + 2 and clip[1] - 2 <= y <= clip[3] + 2 else "cut away"


def _turned(point: tuple[float, float], turn: int) -> tuple[float, float]:
    """The point in the coordinates of text that runs in a direction."""
    x, y = point
    return {0: (x, y), 90: (y, -x), 180: (-x, -y), 270: (-y, x)}[turn]


def _covers(paint: Box, text: Box) -> bool:
    return paint[0] <= text[0] + 1 and paint[1] <= text[1] + 1 and paint[2] >= text[2] - 1 and paint[3] >= text[3] - 1


def _sets(name: str, factor: float = 1.0) -> Callable[[Canvas, Any], None]:
    def operator(canvas: Canvas, operands: Any) -> None:
        setattr(canvas._state, name, float(operands[0]) * factor)

    return operator


_OPERATORS: dict[bytes, Callable[[Canvas, Any], None]] = {
    b"cm": Canvas._concatenate,
    b"gs": Canvas._graphics_state,
    b"g": Canvas._grey,
    b"rg": Canvas._rgb,
    b"k": Canvas._cmyk,
    b"sc": Canvas._colour,
    b"scn": Canvas._colour,
    b"cs": Canvas._colour_space,
    b"re": Canvas._rectangle,
    **dict.fromkeys((b"m", b"l", b"c", b"v", b"y"), Canvas._point),
    **dict.fromkeys((b"W", b"W*"), Canvas._clip_next),
    **dict.fromkeys((b"n", b"S", b"s"), Canvas._end_path),
    **dict.fromkeys((b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*"), Canvas._fill_path),
    b"sh": Canvas._shade,
    **dict.fromkeys((b"BDC", b"BMC"), Canvas._begin_layer),
    b"EMC": Canvas._end_layer,
    b"BT": Canvas._begin_text,
    b"Tf": Canvas._font,
    b"Tc": _sets("character_space"),
    b"Tw": _sets("word_space"),
    b"Tz": _sets("scale", 0.01),
    b"TL": _sets("leading"),
    b"Ts": _sets("rise"),
    b"Tr": Canvas._mode,
    b"Td": Canvas._move,
    b"TD": Canvas._move_and_lead,
    b"Tm": Canvas._matrix,
    b"T*": Canvas._next_line,
    b"Tj": Canvas._show,
    b"TJ": Canvas._show_array,
    b"'": Canvas._show_next,
    b'"': Canvas._show_spaced,
}
