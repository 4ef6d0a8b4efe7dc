"""Log lines as arrays: a window of time, cut into units.

A unit is what repeats in normal operation and can be compared: the lines of one trace, or, where lines carry no trace, all lines
within a block of a few seconds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from models.root_cause.locations import location
from models.root_cause.masks import mask
from models.root_cause.types import LogLine

Array = np.ndarray

MICROSECONDS = 1_000_000

_SEVERE_LEVELS = frozenset({"ERROR", "ERR", "SEVERE", "CRITICAL", "CRIT", "FATAL", "PANIC", "ALERT", "EMERG", "EMERGENCY", "E", "F"})
_SEVERE_WORDS = re.compile(
    r"(?i)\b(?:error|exception|fail(?:ed|ure)?|fatal|panic|refused|timed out|timeout|unavailable|crash(?:ed)?|5xx)\b"
    r"|\w(?:exception|error)\b"
)


@dataclass(frozen=True)
class Columns:
    """Lines by column, in the order given.

    Parameters
    ----------
    at
        Microseconds since 1970.
    services, messages, locations
        The service and the masked message of each line, and where in the code it was written ("" where that is not known).
    hosts
        Whose clock stamped the line: its instance, or its service where lines have none.
    severe
        Whether the line reports an error: by its level, or by its words where it has no level.
    unit
        A number per unit: not negative for traces, negative for blocks of time.
    """

    at: Array
    services: list[str]
    messages: list[str]
    locations: list[str]
    hosts: list[str]
    severe: Array
    unit: Array

    def where(self, keep: Array) -> Columns:
        """The lines for which `keep` is true."""
        if keep.all():
            return self
        places = np.flatnonzero(keep).tolist()
        services, messages = [self.services[i] for i in places], [self.messages[i] for i in places]
        locations, hosts = [self.locations[i] for i in places], [self.hosts[i] for i in places]
        return Columns(self.at[keep], services, messages, locations, hosts, self.severe[keep], self.unit[keep])


def columns(lines: Sequence[LogLine], block_seconds: float) -> Columns:
    """Read lines into columns."""
    at = np.array([round(line.timestamp.timestamp() * MICROSECONDS) for line in lines], dtype=np.int64)
    messages = mask([encodable(line.message) for line in lines])
    severe = np.array([_is_severe(line.level, message) for line, message in zip(lines, messages, strict=True)], dtype=bool)
    blocks = at // max(1, round(block_seconds * MICROSECONDS))
    unit = [_trace_number(line.trace_id) if line.trace_id else -1 - abs(int(block)) for line, block in zip(lines, blocks, strict=True)]
    services, locations = [encodable(line.service) for line in lines], [encodable(location(line.logger)) for line in lines]
    hosts = [encodable(line.instance or line.service) for line in lines]
    return Columns(at, services, messages, locations, hosts, severe, np.array(unit, dtype=np.int64))


def encodable(text: str) -> str:
    """The text with a question mark for each half of a broken surrogate pair: JSON may carry those, UTF-8 cannot."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _is_severe(level: str | None, message: str) -> bool:
    return level.upper() in _SEVERE_LEVELS if level else _says_error(message)


@lru_cache(maxsize=1 << 16)
def _says_error(message: str) -> bool:
    return bool(_SEVERE_WORDS.search(message))


@lru_cache(maxsize=1 << 16)
def _trace_number(trace_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(trace_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()) >> 1


class Symbols:
    """Numbers for what a line can be: a symbol is a template as written by one service.

    Parameters
    ----------
    pairs
        (service, template) by symbol.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self.pairs = list(pairs)
        self.services = list(dict.fromkeys(service for service, _ in self.pairs))
        self._number = {pair: number for number, pair in enumerate(self.pairs)}

    def __len__(self) -> int:
        return len(self.pairs)

    def extended(self, pairs: Iterable[tuple[str, str]]) -> Symbols:
        """These symbols, then those of the pairs that are not among them, in alphabetical order."""
        return Symbols([*self.pairs, *sorted(set(pairs) - self._number.keys())])

    def numbers(self, pairs: Iterable[tuple[str, str]]) -> Array:
        """The symbol of each pair, which must be known."""
        return np.array([self._number[pair] for pair in pairs], dtype=np.int64)

    def mentions(self) -> Array:
        """Which symbols name which other service in their text, as booleans of shape (symbol, service)."""
        names = [re.compile(rf"(?<![\w-]){re.escape(service)}(?![\w-])", re.IGNORECASE) for service in self.services]
        found = np.array([[bool(name.search(text)) for name in names] for _, text in self.pairs], dtype=bool)
        found = found.reshape(len(self.pairs), len(names))
        found[np.arange(len(self.pairs)), self.service_of()] = False
        return found

    def service_of(self) -> Array:
        """The number of the service of each symbol."""
        place = {service: number for number, service in enumerate(self.services)}
        return np.array([place[service] for service, _ in self.pairs], dtype=np.int64)


@dataclass(frozen=True)
class Window:
    """Lines as numbers, sorted by unit, then time; ties by symbol, so that the order in which lines arrive does not matter.

    Parameters
    ----------
    at, symbol, unit, severe
        One value per line; units are numbered from 0 in the order of their first line.
    traced
        Per unit, whether it is a trace.
    line
        Per line, its place in the columns it came from.
    """

    at: Array
    symbol: Array
    unit: Array
    severe: Array
    line: Array
    traced: Array

    @property
    def n_units(self) -> int:
        """How many units there are."""
        return len(self.traced)

    @classmethod
    def of(cls, at: Array, symbol: Array, unit: Array, severe: Array) -> Window:
        """Sort lines into units."""
        keys, first = np.unique(unit, return_inverse=True)
        start = np.full(len(keys), np.iinfo(np.int64).max)
        np.minimum.at(start, first, at)
        rank = np.empty(len(keys), dtype=np.int64)
        by_start = np.lexsort((keys, start))
        rank[by_start] = np.arange(len(keys))
        number = rank[first]
        order = np.lexsort((severe, symbol, at, number))
        return cls(at[order], symbol[order], number[order], severe[order], order, keys[by_start] >= 0)

    def between(self, start: int, end: int) -> Window:
        """The lines from one place to another, which must not cut a unit; units are numbered from 0 again."""
        part = slice(start, end)
        first = int(self.unit[start]) if start < end else 0
        traced = self.traced[first : int(self.unit[end - 1]) + 1] if start < end else self.traced[:0]
        return Window(self.at[part], self.symbol[part], self.unit[part] - first, self.severe[part], self.line[part], traced)

    def take(self, units: Array) -> Window:
        """The chosen units as a window of their own; a unit chosen twice is there twice."""
        bounds = np.searchsorted(self.unit, np.arange(self.n_units + 1))
        lengths = (bounds[1:] - bounds[:-1])[units]
        number = np.repeat(np.arange(len(units)), lengths)
        offset = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        places = np.repeat(bounds[:-1][units], lengths) + offset
        return Window(self.at[places], self.symbol[places], number, self.severe[places], self.line[places], self.traced[units])
