"""What is counted in a window of lines; counts add up, so that normal time and the quiet part of an incident make one reference."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from models.root_cause.calls import call_graph
from models.root_cause.window import MICROSECONDS, Array, Window

GAP_FLOOR = 0.001 * MICROSECONDS
"""Gaps below a millisecond differ by scheduling alone; added before the logarithm."""


@dataclass(frozen=True)
class Tally:
    """Counts; all by symbol, service, or pair of consecutive symbols in a trace.

    Parameters
    ----------
    seconds
        How long the window is.
    units_of_service
        Units in which each service speaks.
    units_of_symbol, lines_of_symbol, squares_of_symbol
        Units that hold the symbol; its lines; the sum over units of the square of its lines.
    severe_units
        Units in which a service reports an error.
    blocks, block_lines, block_squares
        Units that are no traces, and by service their lines and squares.
    entries
        By service, the traces that begin with it.
    calls
        Traces in which one service calls another, shape (caller, callee).
    traced_lines
        Lines of the symbol that belong to a trace; some of them end it, and so have no pair.
    pairs, pair_count, pair_log, pair_square
        Sorted keys ``first * n_symbols + second``; how often the pair occurs; sums of the logarithm of its gap and of its square.
    """

    service_of: Array
    n_services: int
    n_units: int
    seconds: float
    units_of_service: Array
    units_of_symbol: Array
    lines_of_symbol: Array
    squares_of_symbol: Array
    severe_units: Array
    blocks: int
    block_lines: Array
    block_squares: Array
    entries: Array
    calls: Array
    traced_lines: Array
    pairs: Array
    pair_count: Array
    pair_log: Array
    pair_square: Array

    def __add__(self, other: Tally) -> Tally:
        """Both windows together, over the same symbols and services."""
        parts = {name: getattr(self, name) + getattr(other, name) for name in _SUMS}
        keys, place = np.unique(np.concatenate([self.pairs, other.pairs]), return_inverse=True)
        for name in ("pair_count", "pair_log", "pair_square"):
            parts[name] = np.bincount(place, np.concatenate([getattr(self, name), getattr(other, name)]), len(keys))
        return Tally(service_of=self.service_of, n_services=self.n_services, pairs=keys, **parts)

    def widened(self, service_of: Array, n_services: int) -> Tally:
        """The same over more symbols and services, of which it saw none."""
        n_symbols, n_known = len(service_of), len(self.service_of)
        parts = dict(vars(self))
        for name in _BY_SYMBOL:
            parts[name] = np.pad(parts[name], (0, n_symbols - n_known))
        for name in _BY_SERVICE:
            parts[name] = np.pad(parts[name], (0, n_services - self.n_services))
        first, second = self.pairs // max(n_known, 1), self.pairs % max(n_known, 1)
        return Tally(**parts | {"service_of": service_of, "n_services": n_services, "pairs": first * n_symbols + second})

    def counted_as(self, keys: Array) -> tuple[Array, Array, Array]:
        """Count, sum and sum of squares by the keys of pairs, which must hold all of its own."""
        place = np.searchsorted(keys, self.pairs)
        parts = np.zeros((3, len(keys)))
        for row, values in enumerate((self.pair_count, self.pair_log, self.pair_square)):
            parts[row, place] = values
        return parts[0], parts[1], parts[2]


_FIXED = {"service_of", "n_services", "pairs", "pair_count", "pair_log", "pair_square"}
_SUMS = [field.name for field in fields(Tally) if field.name not in _FIXED]
_BY_SYMBOL = ("units_of_symbol", "lines_of_symbol", "squares_of_symbol", "traced_lines")
_BY_SERVICE = ("units_of_service", "severe_units", "block_lines", "block_squares", "entries", "calls")


def tally(window: Window, service_of: Array, n_services: int, seconds: float) -> Tally:
    """Count a window.

    Parameters
    ----------
    service_of
        The service of each symbol.
    seconds
        How long it is; the lines cannot tell where they were drawn at random.
    """
    n_symbols = len(service_of)
    by_symbol, symbol_lines = np.unique(window.unit * n_symbols + window.symbol, return_counts=True)
    symbol = by_symbol % max(n_symbols, 1)
    by_service, service_lines = np.unique(window.unit * n_services + service_of[window.symbol], return_counts=True)
    in_block = ~window.traced[by_service // max(n_services, 1)]
    speaker = by_service % max(n_services, 1)
    severe = np.unique(window.unit[window.severe] * n_services + service_of[window.symbol[window.severe]]) % max(n_services, 1)
    opening = np.flatnonzero(np.append(True, window.unit[1:] != window.unit[:-1]) & window.traced[window.unit])
    pairs, gaps = _pairs(window, n_symbols)
    keys, place = np.unique(pairs, return_inverse=True)
    return Tally(
        service_of=service_of,
        n_services=n_services,
        n_units=window.n_units,
        seconds=seconds,
        units_of_service=np.bincount(speaker, minlength=n_services),
        units_of_symbol=np.bincount(symbol, minlength=n_symbols),
        lines_of_symbol=np.bincount(symbol, symbol_lines, n_symbols),
        squares_of_symbol=np.bincount(symbol, symbol_lines.astype(float) ** 2, n_symbols),
        severe_units=np.bincount(severe, minlength=n_services),
        blocks=int((~window.traced).sum()),
        block_lines=np.bincount(speaker[in_block], service_lines[in_block], n_services),
        block_squares=np.bincount(speaker[in_block], service_lines[in_block].astype(float) ** 2, n_services),
        entries=np.bincount(service_of[window.symbol[opening]], minlength=n_services),
        calls=call_graph(window, service_of, n_services),
        traced_lines=np.bincount(window.symbol[window.traced[window.unit]], minlength=n_symbols),
        pairs=keys,
        pair_count=np.bincount(place, minlength=len(keys)).astype(float),
        pair_log=np.bincount(place, gaps, len(keys)),
        pair_square=np.bincount(place, gaps**2, len(keys)),
    )


def _pairs(window: Window, n_symbols: int) -> tuple[Array, Array]:
    """Consecutive lines within a trace: their key, and the logarithm of the gap between them."""
    same = (window.unit[1:] == window.unit[:-1]) & window.traced[window.unit[1:]]
    gaps = np.log((window.at[1:] - window.at[:-1])[same] + GAP_FLOOR)
    return (window.symbol[:-1] * n_symbols + window.symbol[1:])[same], gaps
