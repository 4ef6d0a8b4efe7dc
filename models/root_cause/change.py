"""How a window differs from its reference: nats per service and kind of evidence, comparable because all are log likelihood ratios.

Counts are compared per unit in which the service takes part: lines of one request come together, so a test that took each line for a
draw of its own would find a change everywhere. Where one of many messages of a service may have changed, the nats of the one that did
most are lowered by the logarithm of how many there are (the likelihood of "one of them, whichever").
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.root_cause.likelihood import discoveries, dispersion, rate_nats, share_nats, slower_nats
from models.root_cause.tally import Tally
from models.root_cause.types import KINDS
from models.root_cause.window import Array

PRIOR_PAIRS = 4.0
"""Weight, in observations, of the spread of all gaps in that of one pair: rare pairs have a spread of zero."""
SLOW_SHARE = 0.5
"""Share of its steps that a slow service slows."""
DOUBTED_NATS = 6.0
"""Nats at most that a callee is charged for a single slow step of its caller."""
ACCUSES_NATS = 3.0
"""Nats of complaints before they count as a call that went wrong."""
UNHEARD_SHARE = 0.02
"""Share of a message's successors that an unheard service must have had before its successors are not compared."""
FALSE_DISCOVERIES = 0.05
"""Share of messages called changed that are not."""


@dataclass(frozen=True)
class Normal:
    """What a window is compared with.

    Parameters
    ----------
    tally
        Counts of normal time, over the symbols of the window.
    known
        Which symbols it has.
    novelty
        By symbol, in [0, 1]: how little one that it lacks resembles what it has.
    mentions
        Which symbols name which service, as booleans of shape (symbol, service).
    calls
        Regular calls, as booleans of shape (caller, callee).
    season
        By service, how busy this hour of the week usually is, as a multiple of all hours.
    """

    tally: Tally
    known: Array
    novelty: Array
    mentions: Array
    calls: Array
    season: Array


@dataclass(frozen=True)
class Change:
    """A window against its reference.

    Parameters
    ----------
    nats
        Shape (kind, service); 0 is nothing.
    accuses
        Booleans, shape (accuser, accused): who unusually often names whom.
    rate_nats, more
        By symbol, evidence that its rate changed, and whether it rose.
    changed
        By symbol, whether its rate may be called changed, all tests together.
    complaint_nats
        By symbol, evidence that there are more of it: what it says about others is a complaint.
    expected_lines, severe_expected, block_expected, entries_expected
        What the reference lets expect, by symbol or service.
    uncalled_nats, calls_expected
        Evidence that one service calls another less often, and how often it should; shape (caller, callee).
    pairs, flow_nats, lost, gap_nats, gap_ratio
        Keys of the window's and the reference's pairs; evidence that the second symbol follows the first more or less often, whether
        less, evidence that it takes longer, and how many times as long.
    """

    nats: Array
    accuses: Array
    rate_nats: Array
    more: Array
    changed: Array
    complaint_nats: Array
    expected_lines: Array
    severe_expected: Array
    block_expected: Array
    entries_expected: Array
    uncalled_nats: Array
    calls_expected: Array
    pairs: Array = field(repr=False)
    flow_nats: Array = field(repr=False)
    lost: Array = field(repr=False)
    gap_nats: Array = field(repr=False)
    gap_ratio: Array = field(repr=False)


def compare(normal: Normal, reference: Tally, window: Tally, absent: Array) -> Change:
    """Compare a window with a reference, both counted over the same symbols and services.

    Parameters
    ----------
    reference
        Normal time, with more lines of quiet time if there are any.
    absent
        Services without a line in all of the window; if nobody complains about them, their log is missing, and nothing is made of it.
    """
    of, n_services = window.service_of, window.n_services
    rate_nats, more, p = _rates(reference, window)
    risen = np.where(more, rate_nats, 0.0)
    complaints = normal.mentions * risen[:, None]
    accused = complaints.max(axis=0, initial=0.0)
    unheard = absent & (accused < ACCUSES_NATS)
    accuses = np.zeros((n_services, n_services), dtype=bool)
    np.logical_or.at(accuses, of, complaints > ACCUSES_NATS)
    keys = np.union1d(reference.pairs, window.pairs)
    flow_nats, lost = _flow(reference, window, keys, unheard)
    gap_nats, gap_ratio, slow = _gaps(reference, window, keys)
    n_symbols = max(len(of), 1)
    first, second = of[keys // n_symbols], of[keys % n_symbols]
    speaking, usually = window.units_of_service, reference.units_of_service
    errors = _oftener(window.severe_units, speaking, reference.severe_units, usually)
    suffers = np.minimum(np.maximum(accused, (normal.calls * errors[:, None]).max(axis=0, initial=0.0)) / ACCUSES_NATS, 1.0)
    uncalled = _fewer(np.minimum(window.calls, speaking[:, None]), speaking[:, None], reference.calls, usually[:, None]) * suffers
    busier, deserted = _entering(reference, window, normal.season)
    by_kind = {
        "rates": _one_of(np.where(normal.known, rate_nats, 0.0), of, n_services),
        "new": _one_of(np.where(normal.known, 0.0, risen) * normal.novelty, of, n_services),
        "errors": errors,
        "flow": np.maximum(_one_of(flow_nats, first, n_services), _one_of(flow_nats, second, n_services)),
        "latency": np.maximum(_charged(slow, first, second, normal.calls), 0),
        "silence": np.maximum.reduce([_quieter(reference, window, normal.season), uncalled.max(axis=0, initial=0), deserted]),
        "accused": accused,
        "traffic": busier,
    }
    per_unit = window.units_of_service / np.maximum(reference.units_of_service, 1)
    return Change(
        nats=np.maximum(np.stack([by_kind[kind] for kind in KINDS]), 0),
        accuses=accuses,
        rate_nats=rate_nats,
        more=more,
        changed=discoveries(p, FALSE_DISCOVERIES),
        complaint_nats=risen,
        expected_lines=reference.lines_of_symbol * per_unit[of],
        severe_expected=reference.severe_units * per_unit,
        block_expected=reference.block_lines * window.blocks * normal.season / max(reference.blocks, 1),
        entries_expected=reference.entries * window.seconds * normal.season / max(reference.seconds, 1e-9),
        uncalled_nats=uncalled,
        calls_expected=reference.calls * per_unit[:, None],
        pairs=keys,
        flow_nats=flow_nats,
        lost=lost,
        gap_nats=gap_nats,
        gap_ratio=gap_ratio,
    )


def _rates(reference: Tally, window: Tally) -> tuple[Array, Array, Array]:
    """By symbol: nats, whether there is more of it, and the p-value; from the share of units that have it, or from the lines in each."""
    of = window.service_of
    n, m = window.units_of_service[of].astype(float), reference.units_of_service[of].astype(float)
    lines, usual_lines = window.lines_of_symbol, reference.lines_of_symbol
    spread = dispersion(n, lines, window.squares_of_symbol, m, usual_lines, reference.squares_of_symbol)
    share, p_share = share_nats(window.units_of_symbol, n, reference.units_of_symbol, m)
    rate, p_rate = rate_nats(lines, n, usual_lines, m, spread)
    more = lines * m > usual_lines * n
    return np.maximum(np.maximum(share, rate), 0), more, np.where(share >= rate, p_share, p_rate)


def _oftener(hits: Array, n: Array, normal_hits: Array, m: Array) -> Array:
    """Evidence that a share rose: twice as much as that it changed, whichever way."""
    evidence, _ = share_nats(hits, n, normal_hits, m)
    return np.where(hits * m > normal_hits * n, np.maximum(evidence + np.log(2), 0), 0.0)


def _fewer(hits: Array, n: Array, normal_hits: Array, m: Array) -> Array:
    return _oftener(n - hits, n, m - np.minimum(normal_hits, m), m)


def _quieter(reference: Tally, window: Tally, season: Array) -> Array:
    """Evidence that a service writes fewer lines outside of traces."""
    sides = (window.blocks, window.block_lines, window.block_squares, reference.blocks, reference.block_lines, reference.block_squares)
    usual = window.blocks * season
    evidence, _ = rate_nats(window.block_lines, usual, reference.block_lines, reference.blocks, dispersion(*sides))
    less = window.block_lines * reference.blocks < reference.block_lines * usual
    return np.where(less, np.maximum(evidence + np.log(2), 0), 0.0)


def _entering(reference: Tally, window: Tally, season: Array) -> tuple[Array, Array]:
    """Evidence that more requests enter at a service, and that fewer do."""
    usual = window.seconds * season
    evidence, _ = rate_nats(window.entries, usual, reference.entries, reference.seconds)
    evidence = np.maximum(evidence + np.log(2), 0)
    more = window.entries * reference.seconds > reference.entries * usual
    return np.where(more, evidence, 0.0), np.where(more, 0.0, evidence)


def _flow(reference: Tally, window: Tally, keys: Array, unheard: Array) -> tuple[Array, Array]:
    """By pair: evidence that the second follows the first more or less often than it did, and whether less.

    What usually precedes a line of an unheard service is followed by something else now, which says nothing.
    """
    n_symbols = max(len(window.service_of), 1)
    first, second = keys // n_symbols, keys % n_symbols
    n, m = window.counted_as(keys)[0], reference.counted_as(keys)[0]
    said, usually_said = window.traced_lines[first], reference.traced_lines[first]
    evidence, _ = share_nats(n, said, m, usually_said)
    leads = np.bincount(first, m * unheard[window.service_of[second]], n_symbols) > UNHEARD_SHARE * reference.traced_lines
    return np.where(leads[first], 0.0, np.maximum(evidence, 0)), n * usually_said < m * said


def _gaps(reference: Tally, window: Tally, keys: Array) -> tuple[Array, Array, Array]:
    """By pair: nats that it is slower, how many times, and what it adds to the evidence against a service that would slow it."""
    n, log, square = window.counted_as(keys)
    m, normal_log, normal_square = reference.counted_as(keys)
    safe_n, safe_m = np.maximum(n, 1), np.maximum(m, 1)
    within = np.maximum(square - log**2 / safe_n, 0) + np.maximum(normal_square - normal_log**2 / safe_m, 0)
    pooled = within.sum() / max((safe_n + safe_m).sum(), 1)
    variance = (within + PRIOR_PAIRS * pooled) / (n + m + PRIOR_PAIRS) * (1 / safe_n + 1 / safe_m)
    both = (n > 0) & (m > 0)
    difference = np.where(both, log / safe_n - normal_log / safe_m, 0.0)
    slower = slower_nats(difference, variance)
    adds = np.where(both, np.logaddexp(np.log(1 - SLOW_SHARE), np.log(SLOW_SHARE) + slower), 0.0)
    return np.where(both, np.maximum(slower, 0), 0.0), np.exp(difference), adds


def _one_of(values: Array, group: Array, n_groups: int) -> Array:
    """The largest value of each group, less the logarithm of how many there are."""
    largest = np.zeros(n_groups)
    np.maximum.at(largest, group, values)
    return np.maximum(largest - np.log(np.maximum(np.bincount(group, minlength=n_groups), 1)), 0)


def _charged(slow: Array, first: Array, second: Array, calls: Array) -> Array:
    """What the steps of each service say about it being slow.

    A step within a service is its own. Of the two steps of a call, to the callee and back, both are slow if the callee is, or the way to
    it; a single slow one rather is the work of the caller before it calls, or after it was answered.
    """
    n = len(calls)
    own = np.bincount(first, slow * (first == second), n)
    steps = np.bincount(first * n + second, slow * (first != second), n * n).reshape(n, n)
    there, back = steps, steps.T
    known = calls & ~calls.T
    both = (there > 0) == (back > 0)
    caller = np.where(known, np.where(both, there + back, np.maximum(there, back)), 0.0)
    doubt = np.minimum(np.maximum(there, back) / 4, DOUBTED_NATS)
    callee = np.where(known, np.where(both, there + back, np.minimum(there, back) + doubt), 0.0)
    unknown = np.where(known | known.T, 0.0, steps)
    return np.asarray(own + caller.sum(axis=1) + callee.sum(axis=0) + unknown.sum(axis=0) + unknown.sum(axis=1))
