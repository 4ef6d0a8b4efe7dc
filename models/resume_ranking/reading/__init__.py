"""Files to text: PDF, DOCX, HTML and plain text, each read where it can harm nobody else.

The package imports nothing of the project, and its own parts by their relative names: its processes load it alone, without the
libraries of the models. `read` and `read_all` are what others need; `sniff.text_of` does the work of one file in this process.
"""

from __future__ import annotations

from .document import Document, Mark, unreadable
from .pool import Limits, Readers, read, read_all

__all__ = ["Document", "Limits", "Mark", "Readers", "read", "read_all", "unreadable"]
