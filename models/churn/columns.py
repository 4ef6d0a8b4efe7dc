"""How one column of a table is read: as a number, a date or a category, or not at all."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.churn.values import days, is_blank, is_null, number, token
from models.scalar import Scalar

Kind = Literal["number", "date", "category"]

NOWHERE = -1

_SHARE_READABLE = 0.95  # a typing error or two does not turn a column of numbers into categories
_MAX_INDICATORS = 30
_MIN_INDICATOR_SHARE = 0.002
_KNOTS = (0.2, 0.4, 0.6, 0.8)
_TAILS = (0.005, 0.995)
_LARGEST = 1e15  # beyond it sums of squares lose the rows that matter


@dataclass(frozen=True)
class Column:
    """How one column is read.

    A number or date takes one place in the matrix, and a second that says "missing" if training rows had gaps. A category takes one
    place per frequent level; rare and unseen levels leave all of them zero, so that rare levels teach what to expect of unseen ones.

    Parameters
    ----------
    typical
        Stands in for a missing number: the median.
    low, high
        Numbers are clipped to this range, so that a line fitted to training rows is not followed far beyond them.
    knots
        Where the line of a number may bend.
    has_blanks
        Whether values were missing in training, so that a missing one is nothing to warn about.
    levels
        Place by level, counted from the column's first; `NOWHERE` for a rare level.
    """

    name: str
    kind: Kind
    typical: float = 0.0
    low: float = 0.0
    high: float = 0.0
    knots: tuple[float, ...] = ()
    has_blanks: bool = False
    levels: Mapping[str, int] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """How many places of the matrix it takes."""
        return 1 + max(self.levels.values()) if self.kind == "category" else 1 + self.has_blanks

    def place(self, value: Scalar) -> tuple[int, float]:
        """Which of the column's places a value fills, and with what; `NOWHERE` if it leaves them as they are in an empty row."""
        if self.kind == "category":
            known = self.levels.get(value) if isinstance(value, str) else None
            return (self.levels.get(token(value), NOWHERE) if known is None else known), 1.0
        parsed = self._parse(value)
        if parsed != parsed:
            return (1 if self.has_blanks and is_null(value) else NOWHERE), 1.0
        return 0, min(max(parsed, self.low), self.high)

    def reads(self, value: Scalar) -> bool:
        """Whether a value that is there means something to this column."""
        if self.kind == "category":
            return token(value) in self.levels
        return not math.isnan(self._parse(value)) or (self.has_blanks and is_null(value))

    def _parse(self, value: Scalar) -> float:
        return number(value) if self.kind == "number" else days(value)


Counts = Sequence[tuple[Scalar, int]]


def read_column(name: str, values: Sequence[Scalar]) -> Column | None:
    """How to read a column; ``None`` if it can teach nothing: constant, or an identifier."""
    distinct = Counter(zip(map(type, values), values, strict=True))  # by type too, because True == 1
    filled = [(value, times) for (_, value), times in distinct.items() if not is_blank(value)]
    parsers: tuple[tuple[Kind, Callable[[Scalar], float]], ...] = (("number", number), ("date", days))
    for kind, parse in parsers:
        readable = _readable(parse, filled)
        if len(readable):
            return _numeric(name, kind, readable, has_blanks=len(readable) < len(values))
    return _category(name, filled, blanks=len(values) - sum(times for _, times in filled))


def _readable(parse: Callable[[Scalar], float], filled: Counts) -> NDArray[np.float64]:
    """What the values mean, sorted; nothing if too few of them mean anything."""
    worded = [(parse(value), times) for value, times in filled if not is_null(value)]
    parsed = np.repeat([value for value, _ in worded], [times for _, times in worded]) if worded else np.zeros(0)
    readable = np.sort(parsed[~np.isnan(parsed)])
    return readable if len(readable) >= _SHARE_READABLE * len(parsed) else np.zeros(0)


def _numeric(name: str, kind: Kind, values: NDArray[np.float64], *, has_blanks: bool) -> Column | None:
    constant = values[0] == values[-1] and not has_blanks
    if constant or _numbers_rows(values):
        return None
    values = np.clip(values, -_LARGEST, _LARGEST)
    low, high = np.quantile(values, _TAILS)
    if low == high:
        low, high = values[0], values[-1]
    knots = np.unique(np.quantile(values, _KNOTS))
    inside = knots[(knots > low) & (knots < high)]
    typical = float(np.median(values))
    return Column(name, kind, typical, float(low), float(high), tuple(inside.tolist()), has_blanks)


def _numbers_rows(values: NDArray[np.float64]) -> bool:
    """Whether sorted numbers are distinct whole numbers with hardly a gap, as row numbers and serial identifiers are."""
    if len(values) < 50 or np.any(values % 1) or not np.all(np.diff(values)):
        return False
    return bool(np.ptp(values) < 2 * len(values))


def _category(name: str, filled: Counts, *, blanks: int) -> Column | None:
    counts: Counter[str] = Counter()
    for value, times in filled:
        counts[token(value)] += times
    identifies = len(counts) > max(20, counts.total() / 2)
    if identifies or len(counts) + bool(blanks) < 2:
        return None
    if blanks:
        counts[""] = blanks
    least = max(2, _MIN_INDICATOR_SHARE * counts.total())
    ranked = sorted(counts, key=lambda level: (-counts[level], level))
    frequent = [level for level in ranked[:_MAX_INDICATORS] if counts[level] >= least] or ranked[:1]
    levels = dict.fromkeys(ranked, NOWHERE) | {level: place for place, level in enumerate(frequent)}
    return Column(name, "category", has_blanks=bool(blanks), levels=levels)
