"""Codes of a PDF font to characters and widths.

The one place that uses pypdf's fonts, which its text extraction has but does not export.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pypdf.generic import DictionaryObject
from pypdf.generic._font import Font

from .document import Unreadable

LONGEST_LIGATURE = 4
UNKNOWN_WIDTH = 0.5  # em; about the mean of the fourteen standard fonts
UNKNOWN_HEIGHT = 10.0  # of a Type 3 font that states no box: it is then never taken for tiny


@dataclass(frozen=True)
class Glyphs:
    """A font, ready to decode the operands of text operators.

    Parameters
    ----------
    font
        pypdf's; ``None`` when the page names a font that does not exist.
    em
        Width of one unit of its widths, in text space.
    height
        Height of its letters at size 1; about 1 except for Type 3 fonts.
    """

    font: Font | None
    em: float = 0.001
    height: float = 1.0

    @classmethod
    def of(cls, resource: Any) -> Glyphs:
        """The font of a page's resources."""
        try:
            font = Font.from_font_resource(resource)
        except (AttributeError, TypeError, KeyError, ValueError, IndexError):
            return cls(None)
        if resource.get("/Subtype") != "/Type3":
            return cls(font)
        matrix = [abs(float(number)) for number in resource.get("/FontMatrix", [0.001, 0, 0, 0.001, 0, 0])]
        box = [float(number) for number in resource.get("/FontBBox", [0, 0, 0, 0])]
        return cls(font, matrix[0], (box[3] - box[1]) * matrix[3] or UNKNOWN_HEIGHT)

    def decode(self, raw: bytes) -> tuple[str, float, int, int]:
        """Characters, width in text space at size 1, number of codes, and number of single-byte spaces among them."""
        if self.font is None:
            text = raw.decode("latin-1")
            return text, UNKNOWN_WIDTH * len(raw), len(raw), raw.count(b" ")
        encoding = self.font.encoding
        if isinstance(encoding, str):
            codes, named = raw.decode(encoding, "replace"), None
        else:
            codes, named = raw.decode("latin-1"), encoding
        characters = self.font.character_map
        # A map from code to glyph name first, then to what the glyphs mean.
        glyphs = codes if named is None else [named.get(ord(code), code) for code in codes]
        text = "".join(self._meaning(str(characters.get(glyph, glyph))) for glyph in glyphs)
        widths, default = self.font.character_widths, self.font.character_widths.get("default", 500)
        width = sum(widths.get(code, default) for code in codes) * self.em
        return text, width, len(codes), raw.count(b" ") if named is not None else 0

    @staticmethod
    def _meaning(characters: str) -> str:
        # An icon's glyph has a name that means no character; the longest ligature has three.
        return characters if len(characters) <= LONGEST_LIGATURE else ""


class FontShelf:
    """The fonts of a file, each made once."""

    def __init__(self) -> None:
        self._fonts: dict[int, tuple[Any, Glyphs]] = {}

    def fonts(self, resources: DictionaryObject) -> dict[str, Glyphs]:
        """The fonts that resources name."""
        named = resources.get("/Font")
        named = named.get_object() if named is not None else None
        if not isinstance(named, DictionaryObject):
            return {}
        return {name: self._glyphs(named.get(name)) for name in named}

    def _glyphs(self, resource: Any) -> Glyphs:
        resource = resource.get_object() if resource is not None else None
        if not isinstance(resource, DictionaryObject):
            return Glyphs(None)
        if id(resource) not in self._fonts:
            if len(self._fonts) > 500:
                raise Unreadable("the PDF uses more than 500 fonts")
            self._fonts[id(resource)] = (resource, Glyphs.of(resource))  # holding the resource keeps its id its own
        return self._fonts[id(resource)][1]
