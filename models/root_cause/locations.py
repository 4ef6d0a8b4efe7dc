"""Kinds of messages told apart by where in the code they were written, where lines say so: two lines of code may print the same words."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

_WITH_LINE = re.compile(r".*[#:(]\d+\)?")


def location(logger: str | None) -> str:
    """The place in the code if the logger's name ends in the number of a line, as in ``OrderService#65`` or ``app.py:31``; else nothing."""
    return logger if logger and _WITH_LINE.fullmatch(logger) else ""


class Locations:
    """What is usually written at each place in the code.

    Parameters
    ----------
    texts
        Name of the kind of message by place.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = dict(texts)

    @classmethod
    def learn(cls, locations: Iterable[str], templates: Iterable[str]) -> Locations:
        """Name each place by its most frequent template; among equals, the first in the alphabet."""
        written: dict[str, Counter[str]] = defaultdict(Counter)
        for place, template in zip(locations, templates, strict=True):
            if place:
                written[place][template] += 1
        return cls({place: f"{place} {min(counts, key=lambda t: (-counts[t], t))}" for place, counts in written.items()})

    def kinds(self, locations: Sequence[str], templates: Sequence[str]) -> list[str]:
        """The kind of message of each line: that of its place, or its template where it has none."""
        strangers = Locations.learn((place if place not in self.texts else "" for place in locations), templates)
        texts = strangers.texts | self.texts
        return [texts[place] if place else template for place, template in zip(locations, templates, strict=True)]
