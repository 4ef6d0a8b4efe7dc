"""How a window differs from normal time: raw evidence per service, one number per kind.

The numbers of different kinds cannot be compared with each other; `calibration` says how surprising each is.
Counts are compared per unit in which the service takes part, with the variance between units: lines of one request come together,
so a test that took each line for a draw of its own would find a change everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import nnls

from models.root_cause.calls import call_graph
from models.root_cause.types import KINDS, Kind
from models.root_cause.window import MICROSECONDS, Array, Window

PRIOR_UNITS = 4.0
"""Weight, in units, of the variance that a Poisson count would have; keeps rare messages from a variance of zero."""

GAP_FLOOR = 0.001 * MICROSECONDS
"""Gaps below a millisecond differ by scheduling alone; added before the logarithm."""

ACCUSES_Z = 3.0
"""Standard errors by which complaints exceed the usual before they count as a call that went wrong."""


@dataclass(frozen=True)
class Tally:
    """What is counted in a window; all by symbol, service, or pair of consecutive symbols in a trace.

    Parameters
    ----------
    units_of_service
        Units in which each service speaks.
    units_of_symbol, lines_of_symbol, squares_of_symbol
        Units that hold the symbol; its lines; the sum over units of the square of its lines.
    severe_units
        Units in which a service reports an error.
    blocks, block_lines, block_squares
        Units that are no traces, and by service their lines and squares.
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
    units_of_service: Array
    units_of_symbol: Array
    lines_of_symbol: Array
    squares_of_symbol: Array
    severe_units: Array
    blocks: int
    block_lines: Array
    block_squares: Array
    calls: Array
    traced_lines: Array
    pairs: Array
    pair_count: Array
    pair_log: Array
    pair_square: Array


def tally(window: Window, service_of: Array, n_services: int) -> Tally:
    """Count a window.

    Parameters
    ----------
    service_of
        The service of each symbol.
    """
    n_symbols = len(service_of)
    by_symbol, symbol_lines = np.unique(window.unit * n_symbols + window.symbol, return_counts=True)
    symbol = by_symbol % n_symbols
    by_service, service_lines = np.unique(window.unit * n_services + service_of[window.symbol], return_counts=True)
    in_block = ~window.traced[by_service // n_services]
    speaker = by_service % n_services
    severe = np.unique(window.unit[window.severe] * n_services + service_of[window.symbol[window.severe]]) % n_services
    pairs, gaps = _pairs(window, n_symbols)
    keys, place = np.unique(pairs, return_inverse=True)
    return Tally(
        service_of=service_of,
        n_services=n_services,
        n_units=window.n_units,
        units_of_service=np.bincount(speaker, minlength=n_services),
        units_of_symbol=np.bincount(symbol, minlength=n_symbols),
        lines_of_symbol=np.bincount(symbol, symbol_lines, n_symbols),
        squares_of_symbol=np.bincount(symbol, symbol_lines.astype(float) ** 2, n_symbols),
        severe_units=np.bincount(severe, minlength=n_services),
        blocks=int((~window.traced).sum()),
        block_lines=np.bincount(speaker[in_block], service_lines[in_block], n_services),
        block_squares=np.bincount(speaker[in_block], service_lines[in_block].astype(float) ** 2, n_services),
        calls=call_graph(window, service_of, n_services),
        traced_lines=np.bincount(window.symbol[window.traced[window.unit]], minlength=n_symbols),
        pairs=keys,
        pair_count=np.bincount(place, minlength=len(keys)),
        pair_log=np.bincount(place, gaps, len(keys)),
        pair_square=np.bincount(place, gaps**2, len(keys)),
    )


def _pairs(window: Window, n_symbols: int) -> tuple[Array, Array]:
    """Consecutive lines within a trace: their key, and the logarithm of the gap between them."""
    same = (window.unit[1:] == window.unit[:-1]) & window.traced[window.unit[1:]]
    gaps = np.log((window.at[1:] - window.at[:-1])[same] + GAP_FLOOR)
    return (window.symbol[:-1] * n_symbols + window.symbol[1:])[same], gaps


@dataclass(frozen=True)
class Change:
    """A window against normal time.

    Parameters
    ----------
    raw
        By kind, one number per service; larger is more unusual, 0 is nothing.
    accuses
        Booleans, shape (accuser, accused): who unusually often names whom.
    called_z
        How unusual it is that one service calls another, shape (caller, callee); negative for less often.
    rate_z
        By symbol, how unusual its rate is; positive for more.
    expected_lines
        By symbol, the lines that normal time lets expect.
    pairs, flow_z, gap_z
        Keys of the window's and the reference's pairs; how unusual it is that the second symbol follows the first, and how long it takes.
    """

    raw: dict[Kind, Array]
    accuses: Array
    called_z: Array
    rate_z: Array
    expected_lines: Array
    severe_expected: Array
    block_expected: Array
    pairs: Array = field(repr=False)
    flow_z: Array = field(repr=False)
    gap_z: Array = field(repr=False)
    gap_ratio: Array = field(repr=False)


def compare(normal: Tally, window: Tally, novelty: Array, mentions: Array) -> Change:
    """Compare a window with normal time, both counted over the same symbols and services.

    Parameters
    ----------
    novelty
        By symbol, in [0, 1]: how little a symbol that normal time lacks resembles what normal time has.
    mentions
        Which symbols name which other service, as booleans of shape (symbol, service).
    """
    of = window.service_of
    n_window, n_normal = window.units_of_service[of].astype(float), normal.units_of_service[of].astype(float)
    rate_z = _mean_z(
        (n_window, window.lines_of_symbol, window.squares_of_symbol), (n_normal, normal.lines_of_symbol, normal.squares_of_symbol)
    )
    new = (normal.units_of_symbol == 0) & (window.units_of_symbol > 0)
    rate_z = np.where(new, 0.0, rate_z)
    complaints = mentions * np.where(new, np.sqrt(window.units_of_symbol), np.maximum(rate_z, 0))[:, None]
    accuses = np.zeros((window.n_services, window.n_services), dtype=bool)
    np.logical_or.at(accuses, of, complaints > ACCUSES_Z)
    keys, flow_z, gap_z, gap_ratio = _pair_changes(normal, window)
    first, second = of[keys // len(of)], of[keys % len(of)]
    silence = -_mean_z((window.blocks, window.block_lines, window.block_squares), (normal.blocks, normal.block_lines, normal.block_squares))
    called_z = _share_z(window.calls, window.units_of_service[:, None], normal.calls, normal.units_of_service[:, None])
    raw: dict[Kind, Array] = {
        "rates": _largest(np.abs(rate_z), of, window.n_services),
        "new": np.sqrt(np.bincount(of, new * novelty * window.units_of_symbol, window.n_services)),
        "errors": np.maximum(_share_z(window.severe_units, window.units_of_service, normal.severe_units, normal.units_of_service), 0),
        "flow": _spread(np.maximum(-flow_z, 0), first, second, window.n_services),
        "latency": _spread(np.maximum(gap_z, 0), first, second, window.n_services),
        "silence": np.maximum(np.maximum(silence, -called_z.min(axis=0, initial=0.0)), 0),
        "accused": complaints.max(axis=0, initial=0.0),
    }
    return Change(
        raw=raw,
        accuses=accuses,
        called_z=called_z,
        rate_z=rate_z,
        expected_lines=normal.lines_of_symbol * n_window / np.maximum(n_normal, 1),
        severe_expected=normal.severe_units * window.units_of_service / np.maximum(normal.units_of_service, 1),
        block_expected=normal.block_lines * window.blocks / max(normal.blocks, 1),
        pairs=keys,
        flow_z=flow_z,
        gap_z=gap_z,
        gap_ratio=gap_ratio,
    )


Moments = tuple[Array | float, Array, Array]
"""Number of units, sum, sum of squares."""


def _mean_z(window: Moments, normal: Moments) -> Array:
    """Difference of two means per unit in standard errors; 0 where either side has no units."""
    n, total, squares = (np.asarray(part, dtype=float) for part in window)
    m, normal_total, normal_squares = (np.asarray(part, dtype=float) for part in normal)
    safe_n, safe_m = np.maximum(n, 1), np.maximum(m, 1)
    pooled = (total + normal_total) / (safe_n + safe_m)
    within = squares - total**2 / safe_n + normal_squares - normal_total**2 / safe_m
    variance = (within + PRIOR_UNITS * np.maximum(pooled, 1 / (safe_n + safe_m))) / (safe_n + safe_m - 2 + PRIOR_UNITS)
    z = (total / safe_n - normal_total / safe_m) / np.sqrt(variance * (1 / safe_n + 1 / safe_m))
    return np.where((n > 0) & (m > 0), z, 0.0)


def _share_z(hits: Array, n: Array, normal_hits: Array, m: Array) -> Array:
    """Difference of two shares in standard errors; a hit and a miss added to the pooled share keep its variance from zero."""
    safe_n, safe_m = np.maximum(n, 1), np.maximum(m, 1)
    pooled = (hits + normal_hits + 1.0) / (n + m + 2.0)
    z = (hits / safe_n - normal_hits / safe_m) / np.sqrt(pooled * (1 - pooled) * (1 / safe_n + 1 / safe_m))
    return np.where((n > 0) & (m > 0), z, 0.0)


def _pair_changes(normal: Tally, window: Tally) -> tuple[Array, Array, Array, Array]:
    """Over the pairs of both sides: z of "second follows first", z of the gap, ratio of the gaps."""
    keys = np.union1d(normal.pairs, window.pairs)
    n_symbols = len(window.service_of)
    n, log, square = _aligned(window, keys)
    m, normal_log, normal_square = _aligned(normal, keys)
    first = keys // n_symbols
    flow_z = _share_z(n, window.traced_lines[first], m, normal.traced_lines[first])
    safe_n, safe_m = np.maximum(n, 1), np.maximum(m, 1)
    within = np.maximum(square - log**2 / safe_n, 0) + np.maximum(normal_square - normal_log**2 / safe_m, 0)
    degrees = np.maximum(safe_n + safe_m - 2, 0)
    pooled = within.sum() / max(degrees.sum(), 1)
    variance = (within + PRIOR_UNITS * pooled) / (degrees + PRIOR_UNITS)
    difference = np.where((n > 0) & (m > 0), log / safe_n - normal_log / safe_m, 0.0)
    gap_z = difference / np.sqrt(np.maximum(variance, 1e-6) * (1 / safe_n + 1 / safe_m))
    return keys, flow_z, gap_z, np.exp(difference)


def _aligned(side: Tally, keys: Array) -> tuple[Array, Array, Array]:
    place = np.searchsorted(keys, side.pairs)
    parts = []
    for values in (side.pair_count, side.pair_log, side.pair_square):
        part = np.zeros(len(keys))
        part[place] = values
        parts.append(part)
    return parts[0], parts[1], parts[2]


def _largest(values: Array, group: Array, n_groups: int) -> Array:
    largest = np.zeros(n_groups)
    np.maximum.at(largest, group, values)
    return largest


def _spread(excess: Array, first: Array, second: Array, n_services: int) -> Array:
    """Charge the excess of pairs to services, as few as explain it: non-negative least squares over pairs of services.

    A slow answer is seen in the pair (caller, callee) and in (callee, caller); only the callee explains both.
    """
    keys, place = np.unique(first * n_services + second, return_inverse=True)
    if not len(keys):
        return np.zeros(n_services)
    seen = np.sqrt(np.bincount(place, excess**2))
    design = np.zeros((len(keys), n_services))
    design[np.arange(len(keys)), keys // n_services] = 1
    design[np.arange(len(keys)), keys % n_services] = 1
    return np.asarray(nnls(design, seen)[0])


__all__ = ["KINDS", "Change", "Tally", "compare", "tally"]
