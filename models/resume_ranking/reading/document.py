"""What reading a file gives: its text as a person sees it, or the reason why there is none."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Mark:
    """Something in the file that a reader should be told about.

    Parameters
    ----------
    kind
        ``hidden_text``, ``recovered``, ``partial``; see `models.resume_ranking.abuse` for those found in the text itself.
    detail
        One sentence: what, and where.
    excerpt
        The first characters of it, if it is text.
    """

    kind: str
    detail: str
    excerpt: str = ""


@dataclass(frozen=True)
class Document:
    """A file that was read, or could not be.

    Parameters
    ----------
    text
        What a person sees, in reading order, lines parted by newlines. Empty when not readable.
    readable
        Whether there is any text to judge.
    reason
        Why there is none; ``None`` when readable.
    pages
        Pages of a PDF; 1 for anything else that was read, 0 when nothing was.
    hidden
        Text that the file holds but a person does not see. Never part of ``text``, so it can gain nothing.
    marks
        What a reader should be told.
    """

    text: str = ""
    readable: bool = True
    reason: str | None = None
    pages: int = 0
    hidden: str = ""
    marks: tuple[Mark, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """A JSON value that `from_json` takes back."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Document:
        """The document that `as_json` gave."""
        return cls(**{**value, "marks": tuple(Mark(**mark) for mark in value["marks"])})


class Unreadable(Exception):  # noqa: N818 - an answer, not an error
    """Carries the reason why a file has no text; never leaves `models.resume_ranking.reading`."""


def unreadable(reason: str, *, pages: int = 0, hidden: str = "", marks: tuple[Mark, ...] = ()) -> Document:
    """The answer for a file without text."""
    return Document(readable=False, reason=reason, pages=pages, hidden=hidden, marks=marks)
