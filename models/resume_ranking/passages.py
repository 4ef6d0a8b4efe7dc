"""A resume's text in passages: bullets, lines and sentences, short enough that each says one thing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from models.resume_ranking.spans import Span

MAX_WORDS = 40
"""Words of a passage; a longer one is cut, as its vector would be about too much."""

# A line goes on where the next one begins in lower case: that is how PDF and DOCX break a sentence.
_BREAK = re.compile(
    r"\n(?!\s*[a-z])|\n(?=\s*\n)|[\u2022\u25cf\u25aa\u25e6\u2023\uf0b7]|\u00e2\x80\u00a2|\t+|\s\*\s|(?<=[a-z0-9)])[.;!?]\s+(?=[A-Z0-9(])|\s\|\s"
)
_WORD = re.compile(r"\S+")
_EDGE = " \t\r\n-*.,:;|>\u2013\u2014\u00b7"


def passages(text: str) -> tuple[Span, ...]:
    """Places of the passages, in order; one that says the same as an earlier one is left out, as repetition proves nothing."""
    seen: set[str] = set()
    found = []
    for span in _pieces(text):
        said = " ".join(span.of(text).casefold().split())
        if said not in seen and any(map(str.isalnum, said)):
            seen.add(said)
            found.append(span)
    return tuple(found)


def _pieces(text: str) -> Iterator[Span]:
    start = 0
    for gap in _BREAK.finditer(text):
        yield from _cut(text, start, gap.start())
        start = gap.end()
    yield from _cut(text, start, len(text))


def _cut(text: str, start: int, end: int) -> Iterator[Span]:
    """A piece without what surrounds its words, cut after every `MAX_WORDS` words."""
    words = list(_WORD.finditer(text, start, end))
    for first in range(0, len(words), MAX_WORDS):
        begin, stop = words[first].start(), words[min(first + MAX_WORDS, len(words)) - 1].end()
        inner = text[begin:stop]
        lead, tail = len(inner) - len(inner.lstrip(_EDGE)), len(inner) - len(inner.rstrip(_EDGE))
        if lead < len(inner):
            yield Span(begin + lead, stop - tail)
