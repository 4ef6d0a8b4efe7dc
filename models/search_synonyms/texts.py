"""A million strings in little memory, found by their beginnings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_AFTER = b"\xff"
"""No UTF-8 text holds this byte, so it comes after all that begins alike."""


class SortedTexts:
    """Different strings in the order of their code points, one after the other in one piece of memory.

    Parameters
    ----------
    data
        Their UTF-8, joined.
    ends
        Where each ends, in bytes.
    """

    def __init__(self, data: bytes, ends: NDArray[np.int64]) -> None:
        self.data, self.ends = data, ends

    @classmethod
    def of(cls, texts: Sequence[str]) -> SortedTexts:
        """Keep strings that are sorted already."""
        encoded = [text.encode() for text in texts]
        return cls(b"".join(encoded), np.cumsum([len(text) for text in encoded], dtype=np.int64))

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, place: int) -> str:
        return self._bytes(place).decode()

    def parts(self, name: str) -> dict[str, NDArray[Any]]:
        """Arrays to save; `restored` takes them back."""
        return {f"{name}_data": np.frombuffer(self.data, dtype=np.uint8), f"{name}_ends": self.ends}

    @classmethod
    def restored(cls, parts: Any, name: str) -> SortedTexts:
        """The strings of which these are the arrays."""
        return cls(parts[f"{name}_data"].tobytes(), parts[f"{name}_ends"])

    def beginning(self, prefix: str) -> tuple[int, int]:
        """The places of all that begins so: from the first, to before the second."""
        wanted = prefix.encode("utf-8", "replace")
        return self._first_from(wanted), self._first_from(wanted + _AFTER)

    def find(self, text: str) -> int | None:
        """The place of a string, if it is here."""
        wanted = text.encode("utf-8", "replace")
        place = self._first_from(wanted)
        return place if place < len(self) and self._bytes(place) == wanted else None

    def at(self, places: slice, depth: int) -> NDArray[np.int16]:
        """The byte at a depth of each string; -1 beyond its end."""
        ends = self.ends[places]
        starts = np.concatenate([[self.ends[places.start - 1] if places.start else 0], ends[:-1]]) + depth
        found = np.full(len(ends), -1, dtype=np.int16)
        inside = starts < ends
        found[inside] = np.frombuffer(self.data, dtype=np.uint8)[starts[inside]]
        return found

    def _bytes(self, place: int) -> bytes:
        return self.data[int(self.ends[place - 1]) if place else 0 : int(self.ends[place])]

    def _first_from(self, wanted: bytes) -> int:
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self._bytes(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low
