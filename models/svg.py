"""SVG documents, written without a drawing library: what a server may send without having one."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

_FONT = "-apple-system, 'Segoe UI', 'Inter', 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif"
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 (section 2.2) allows in no form, not even escaped."""

Point = tuple[float, float]


class Svg:
    """A picture that grows by what is drawn on it; lengths in pixels from the upper left corner.

    Parameters
    ----------
    title
        What is seen, in a sentence, for those who cannot see it.
    """

    def __init__(self, width: float, height: float, title: str) -> None:
        self._width, self._height, self._title = width, height, title
        self._parts: list[str] = []

    def text(self, x: float, y: float, words: str, *, size: float, fill: str, weight: int = 400, anchor: str = "start") -> None:
        """One line of text; `y` is its base line."""
        bold = f' font-weight="{weight}"' if weight != 400 else ""
        side = f' text-anchor="{anchor}"' if anchor != "start" else ""
        self._parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{fill}"{bold}{side}>{_escaped(words)}</text>')

    def label(self, x: float, y: float, words: str, *, size: float, fill: str) -> None:
        """Text that ends at `x`, on a white ground that sets it off from what is below."""
        width = 0.62 * size * len(words) + 6
        self.rectangle(x - width + 3, y - size, width, size + 5, fill="#ffffff", radius=3, opacity=0.85)
        self.text(x, y, words, size=size, fill=fill, anchor="end")

    def rectangle(self, x: float, y: float, width: float, height: float, *, fill: str, radius: float = 0, opacity: float = 1) -> None:
        """A filled rectangle, with rounded corners if `radius` is not 0."""
        rounded = f' rx="{radius:g}"' if radius else ""
        seen_through = f' fill-opacity="{opacity:g}"' if opacity != 1 else ""
        place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        self._parts.append(f'<rect {place}{rounded} fill="{fill}"{seen_through}/>')

    def circle(self, x: float, y: float, radius: float, *, fill: str, opacity: float = 1) -> None:
        """A disc with a thin white edge, so that it can be told from its neighbours."""
        seen_through = f' fill-opacity="{opacity:g}"' if opacity != 1 else ""
        self._parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{fill}" stroke="#ffffff"{seen_through}/>')

    def line(self, x1: float, y1: float, x2: float, y2: float, *, stroke: str, width: float = 1) -> None:
        """A straight line."""
        self._parts.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{stroke}" stroke-width="{width:g}"/>')

    def curve(self, start: Point, near_start: Point, near_end: Point, end: Point, *, stroke: str) -> None:
        """A Bézier curve that ends in an arrow."""
        (x1, y1), (x2, y2), (x3, y3), (x4, y4) = start, near_start, near_end, end
        path = f"M{x1:.1f} {y1:.1f}C{x2:.1f} {y2:.1f} {x3:.1f} {y3:.1f} {x4:.1f} {y4:.1f}"
        self._parts.append(f'<path d="{path}" fill="none" stroke="{stroke}" stroke-width="1.6"/>')
        self._parts.append(f'<path d="M{x4 + 2:.1f} {y4:.1f}l-8 -4v8z" fill="{stroke}"/>')

    def document(self) -> str:
        """The whole as text."""
        size = f'width="{self._width:g}" height="{self._height:g}" viewBox="0 0 {self._width:g} {self._height:g}"'
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family={quoteattr(_FONT)} role="img">',
                f"<title>{_escaped(self._title)}</title>",
                f'<rect width="{self._width:g}" height="{self._height:g}" fill="#ffffff"/>',
                *self._parts,
                "</svg>\n",
            ]
        )


def clipped(text: str, length: int) -> str:
    """A text of at most so many characters; what was cut off shows."""
    return text if len(text) <= length else text[: length - 1] + "…"


def _escaped(text: str) -> str:
    return escape(_FORBIDDEN.sub("\ufffd", text))
