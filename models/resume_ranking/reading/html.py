"""HTML to text: blocks to lines, what a browser would not show kept apart."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from .document import Document, Mark, unreadable

EXCERPT = 200
DEEPEST = 500

_BLOCK_TAGS = (
    "address article aside blockquote body br caption center dd details dialog div dl dt fieldset figcaption figure footer form h1 h2 h3 "
    "h4 h5 h6 header hr html legend li main nav ol option p pre section summary table tbody tfoot thead title tr ul"
)
_SILENT_TAGS = "script style head template noscript svg math object iframe canvas audio video select datalist"
_VOID_TAGS = "area base br col embed hr img input link meta param source track wbr"
_BLOCKS, _SILENT, _VOID = (frozenset(tags.split()) for tags in (_BLOCK_TAGS, _SILENT_TAGS, _VOID_TAGS))
_NONE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0?\.?0*(?:[;\s]|$)"
    r"|font-size\s*:\s*0*(?:\.\d+|[0-2](?:\.\d+)?)(?:px|pt)?\s*(?:;|!|$)|text-indent\s*:\s*-\d{3,}|(?:left|top)\s*:\s*-\d{3,}"
    r"|clip\s*:\s*rect\(\s*0|clip-path\s*:\s*inset\(\s*(?:50|100)%",
    re.IGNORECASE,
)
_COLOUR = re.compile(r"(?<![-\w])color\s*:\s*([^;!]+)", re.IGNORECASE)
_GROUND = re.compile(r"(?<![-\w])background(?:-color|-image)?\s*:\s*([^;!]+)", re.IGNORECASE)
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")


def read_html(text: str) -> Document:
    """The text of an HTML page, as a browser without scripts shows it."""
    reader = _Reader(text)
    reader.feed(text)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.seen).split("\n"))
    shown = "\n".join(line for line in lines if line)
    hidden = " ".join("".join(reader.hidden).split())
    marks = (Mark("hidden_text", "The page holds text that a browser does not show.", hidden[:EXCERPT]),) if hidden else ()
    if shown:
        return Document(shown, pages=1, hidden=hidden, marks=marks)
    return unreadable(
        "the HTML holds no text that can be seen" if hidden else "the HTML holds no text", pages=1, hidden=hidden, marks=marks
    )


class _Reader(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self.hidden: list[str] = []
        # Of each open element: its tag, why it is hidden ("silent", "hidden" or ""), its colour and its ground.
        self._open: list[tuple[str, str, str, str]] = []
        self._rules = _rules(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._break(tag)
        if tag in _VOID or len(self._open) >= DEEPEST:
            return
        if tag in ("p", "li", "tr", "td", "dt", "dd") and self._open and self._open[-1][0] == tag:
            self._open.pop()  # these may be left open
        _, state, colour, ground = self._open[-1] if self._open else ("", "", "black", "white")
        values = {name: value or "" for name, value in attrs}
        style = ";".join([*(self._rules.get(key, "") for key in _keys(tag, values)), values.get("style", "")])
        colour = _first(_COLOUR, style) or values.get("color") or colour
        ground = _first(_GROUND, style) or values.get("bgcolor") or ground
        if tag in _SILENT:
            state = state or "silent"
        elif "hidden" in values or _NONE.search(style):
            state = state or "hidden"
        self._open.append((tag, state, colour, ground))
        if tag == "li":
            self._write("• ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in (name for name, *_ in self._open):
            while self._open and self._open.pop()[0] != tag:
                pass
        self._break(tag)

    def handle_data(self, data: str) -> None:
        inside_pre = any(name == "pre" for name, *_ in self._open)
        self._write(data if inside_pre else re.sub(r"\s+", " ", data))

    def _break(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.seen.append("\n")
            self.hidden.append(" ")
        elif tag in ("td", "th"):
            self.seen.append("  ")

    def _write(self, data: str) -> None:
        _, state, colour, ground = self._open[-1] if self._open else ("", "", "black", "white")
        if state == "silent":
            return
        if state == "hidden" or _same(colour, ground):
            self.hidden.append(data)
        else:
            self.seen.append(data)


def _rules(text: str) -> dict[str, str]:
    """Styles by simple selector (``p``, ``.name``, ``#name``) of the page's own style sheets."""
    rules: dict[str, str] = {}
    for sheet in re.findall(r"<style[^>]*>(.*?)</style", text, re.IGNORECASE | re.DOTALL):
        for selectors, style in _RULE.findall(re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)):
            for selector in selectors.split(","):
                rules[selector.strip().lower()] = f"{rules.get(selector.strip().lower(), '')};{style}"
    return rules


def _keys(tag: str, values: dict[str, str]) -> list[str]:
    names = [f".{name.lower()}" for name in values.get("class", "").split()]
    names += [f"#{values['id'].lower()}"] if values.get("id") else []
    return [tag, *names, *(f"{tag}{name}" for name in names)]


def _first(pattern: re.Pattern[str], style: str) -> str:
    found = pattern.findall(style)
    return str(found[-1]).strip().lower() if found else ""


_WHITES = ("white", "#fff", "#ffffff", "rgb(255,255,255)", "snow", "#fefefe", "#fdfdfd", "ivory", "whitesmoke")


def _same(colour: str, ground: str) -> bool:
    colour, ground = colour.replace(" ", "").lower(), ground.replace(" ", "").lower()
    if colour in ("transparent", "rgba(0,0,0,0)"):
        return True
    return colour == ground or (colour in _WHITES and ground in (*_WHITES, "transparent", "none"))
