"""Who the person is, taken out of a resume before anything is scored.

Blind by construction: what is scored is `Blinded.text`, and that is the same string whatever name, pronoun, address, birthday and the
like stood in the original, so that no score can depend on them. Details are taken out with the blanks and separators around them, so
that neither their length nor their number is left. Of the lines on top, only what tells of work is kept.
It sees what stands in words. That a school, a street or a club says where somebody comes from, it does not know.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from models.resume_ranking.details import Detail, details
from models.resume_ranking.names import CONTACT, HEAD_LINES, find_names, mentions_of, segments, tells_of_work
from models.resume_ranking.sections import Section, sections
from models.resume_ranking.spans import Span

_EMPTY = re.compile(r"[\s|,;:.•·¦/()\[\]*\u2013\u2014\u2022\ue000-\uf8ff✉☎✆&-]*")
_LANGUAGES = re.compile(r"^\W*(?:languages?|linguistic|sprachen|langues|idiomas)\b", re.IGNORECASE)
_WITHHELD = {"interests": "personal", "references": "personal", "personal": "personal"}
LONG_WITHHELD = 1_500  # characters; a longer section probably runs on into something else
OPENING_WORDS = 12  # a line of so many words is a sentence and no header


@dataclass(frozen=True)
class Masked:
    """A personal detail that was taken out.

    Parameters
    ----------
    kind
        ``name``, ``contact``, ``address``, ``birth``, ``graduation``, ``gender``, ``family``, ``origin``, ``belief``, ``personal``.
    span
        Where it stands in the original text.
    """

    kind: str
    span: Span


@dataclass(frozen=True)
class Blinded:
    """A resume's text without the person.

    Parameters
    ----------
    text
        What may be scored: the same string, whatever the details that were taken out.
    masked
        What was taken out, in order.
    starts, origins
        Ascending offsets of ``text``, and the offset in the original text that each stands for; between them both grow together.
    """

    text: str
    masked: tuple[Masked, ...]
    starts: tuple[int, ...]
    origins: tuple[int, ...]

    def original(self, span: Span) -> Span:
        """The span of the original text that a span of the blinded text stands for."""
        start = self._origin(span.start)
        return Span(start, max(start, self._origin(span.end - 1) + 1) if span.end > span.start else start)

    def _origin(self, offset: int) -> int:
        at = bisect_right(self.starts, offset) - 1
        if at < 0:
            return offset
        origin = self.origins[at] + offset - self.starts[at]
        return min(origin, self.origins[at + 1]) if at + 1 < len(self.origins) else origin


def blind(text: str) -> Blinded:
    """Take the person out of a resume's text."""
    parts = sections(text)
    found = list(details(text, parts))
    names = find_names(text, parts)
    found += [Detail("name", name.span) for name in names]
    found += [Detail("name", span) for span in mentions_of(names, text)]
    found += _withheld(text, parts, _disjoint(found))
    return _written(text, _disjoint(found))


def _withheld(text: str, parts: Sequence[Section], found: Sequence[Detail]) -> Iterator[Detail]:
    """What stands on top, or among personal details, and does not tell of work."""
    for line in _head(text, parts):
        yield from _not_work(text, line, found)
    for part in parts:
        if part.kind in _WITHHELD:
            whole = part.kind != "personal" and part.span.end - part.span.start <= LONG_WITHHELD
            for line in _lines(text, part.span):
                if whole and not _LANGUAGES.match(line.of(text)):
                    yield Detail("personal", line)
                elif not _LANGUAGES.match(line.of(text)):
                    yield from _not_work(text, line, found)


def _head(text: str, parts: Sequence[Section]) -> Iterator[Span]:
    """The lines above the first heading, the first sentence and the first list."""
    header = next((part.span for part in parts if part.kind == "header" and part.span.start == 0), None)
    if header is None:
        return
    for count, line in enumerate(_lines(text, header)):
        words = line.of(text)
        long = len(words.split()) > OPENING_WORDS and not CONTACT.search(words)
        if count >= HEAD_LINES or long or words.lstrip()[:1] in tuple("•*-"):
            return
        yield line


def _not_work(text: str, line: Span, found: Sequence[Detail]) -> Iterator[Detail]:
    for span in segments(text, line.start, line.end):
        rest = list(span.of(text))
        for detail in found:
            for at in range(max(detail.span.start, span.start), min(detail.span.end, span.end)):
                rest[at - span.start] = " "
        if not tells_of_work("".join(rest)):
            yield Detail("personal", span)


def _lines(text: str, span: Span) -> Iterator[Span]:
    start = span.start
    for line in span.of(text).split("\n"):
        yield Span(start, start + len(line))
        start += len(line) + 1


def _disjoint(found: Sequence[Detail]) -> list[Detail]:
    """In order; what overlaps is one detail, of the kind that begins first, and is taken out altogether if any of them is."""
    joined: list[Detail] = []
    for detail in sorted(found, key=lambda detail: (detail.span.start, -detail.span.end)):
        if joined and detail.span.start < joined[-1].span.end:
            last = joined[-1]
            if detail.span.end > last.span.end or not last.instead:
                end = max(last.span.end, detail.span.end)
                joined[-1] = Detail(last.kind, Span(last.span.start, end), last.instead if last.span.end >= detail.span.end else "")
        elif detail.span.end > detail.span.start:
            joined.append(detail)
    return joined


class _Page:
    """The blinded text while it is written, with the origin of every stretch."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.starts: list[int] = []
        self.origins: list[int] = []
        self.length = 0

    def add(self, piece: str, origin: int) -> None:
        if piece:
            self.starts.append(self.length)
            self.origins.append(origin)
            self.pieces.append(piece)
            self.length += len(piece)


def _written(text: str, found: Sequence[Detail]) -> Blinded:
    page, at = _Page(), 0
    for line in _lines(text, Span(0, len(text))):
        inside = []
        while at < len(found) and found[at].span.start < line.end:
            inside.append(found[at])
            if found[at].span.end > line.end:
                break  # goes on in the next line
            at += 1
        pieces = _line(text, line, inside)
        if not pieces:
            continue
        if page.length:
            page.add("\n", max(line.start - 1, 0))
        for piece, origin in pieces:
            page.add(piece, origin)
    masked = tuple(Masked(detail.kind, detail.span) for detail in found)
    return Blinded("".join(page.pieces), masked, tuple(page.starts), tuple(page.origins))


def _line(text: str, line: Span, inside: Sequence[Detail]) -> list[tuple[str, int]]:
    """A line without its details; empty if only blanks and separators are left."""
    if not inside:
        return [(line.of(text), line.start)] if line.of(text).strip() else []
    pieces: list[tuple[str, int]] = []
    at = line.start
    for detail in inside:
        pieces.append((text[at : max(at, detail.span.start)], at))
        if detail.instead:
            pieces.append((detail.instead, detail.span.start))
        else:
            pieces.append(("\0", detail.span.start))
        at = max(at, min(detail.span.end, line.end))
    pieces.append((text[at : line.end], at))
    return _tidied(pieces)


_GAP = re.compile(r"[\s,;|•·¦/(\[\u2013\u2014-]*(?:\0[\s,;|•·¦/()\[\]\u2013\u2014-]*)+")


def _tidied(pieces: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Takes away the separators and blanks around what was taken out, and leaves one blank in its place."""
    raw = "".join(piece for piece, _ in pieces)
    if _EMPTY.fullmatch(raw.replace("\0", "")):
        return []
    origins = [origin + offset for piece, origin in pieces for offset in range(len(piece))]
    tidy: list[tuple[str, int]] = []
    at = 0
    for gap in _GAP.finditer(raw):
        tidy += _stretches(raw, origins, at, gap.start())
        if gap.start() > 0 and gap.end() < len(raw) and raw[gap.end()] not in ".,;:!?)":
            tidy.append((" ", origins[gap.start()]))
        at = gap.end()
    return tidy + _stretches(raw, origins, at, len(raw))


def _stretches(raw: str, origins: Sequence[int], start: int, end: int) -> list[tuple[str, int]]:
    """Cut where the original does not go on from one character to the next."""
    cuts = [start, *(at for at in range(start + 1, end) if origins[at] != origins[at - 1] + 1), end]
    return [(raw[left:right], origins[left]) for left, right in pairwise(cuts) if right > left]
