r"""Clocks that go wrong, found by calls that end before they begin.

A callee works while its caller waits: in each trace its first line comes after the caller's first, its last before the caller's last.
However slow anybody is, both distances are positive. A clock that is ahead by :math:`\theta` adds it to the one and takes it from the
other, so half the difference of what both changed by is its error, whatever the work took (Mills, of whose four timestamps these are two
and two). Hosts are put right one by one, first the one of whose calls most are wrong.

References
----------
Mills (1991), Internet time synchronization: the Network Time Protocol, §3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.root_cause.calls import within_unit
from models.root_cause.window import Array

LEAST_TRACES = 5
NESTED_SLIP = 0.05
"""Share of the traces of a call that may be impossible in normal time; beyond, it is no plain call, and tells nothing about clocks."""
SURE = 3.0
"""A clock is put right if its error is this many times as large as what is unsure about it."""
MOVED = 0.5
"""What one end of a call loses by a wrong clock the other gains; if it gains less than this share, lines are missing at one end."""
WRONG_SHARE = 0.5
"""Share of the traces of a call that must be impossible before a clock is doubted."""


@dataclass(frozen=True)
class Leads:
    """How long callees speak after, and fall silent before, their callers in normal time: microseconds, shape (caller, callee)."""

    after_start: Array
    before_end: Array

    def widened(self, n_services: int) -> Leads:
        """The same over more services, of which nothing is known."""
        wider = ((0, n_services - len(self.after_start)),) * 2
        return Leads(*(np.pad(part, wider, constant_values=np.nan) for part in (self.after_start, self.before_end)))


@dataclass(frozen=True)
class Skews:
    """By host, how far its clock is ahead, and how far that may be wrong; microseconds."""

    ahead: Array
    uncertainty: Array


@dataclass(frozen=True)
class _Spans:
    """Of every host in every trace, when it spoke first and last."""

    unit: Array
    host: Array
    service: Array
    first: Array
    last: Array


def leads(at: Array, unit: Array, service: Array, calls: Array) -> Leads:
    """Measure normal time; lines outside of traces have a negative unit."""
    spans = _spans(at, unit, service, service)
    outer, inner = _calls(spans, calls)
    after, before = spans.first[inner] - spans.first[outer], spans.last[outer] - spans.last[inner]
    result = np.full((2, *calls.shape), np.nan)
    for caller, callee in zip(*np.nonzero(calls), strict=True):
        own = (spans.service[outer] == caller) & (spans.service[inner] == callee)
        if own.sum() >= LEAST_TRACES and np.mean(np.minimum(after[own], before[own]) < 0) <= NESTED_SLIP:
            result[:, caller, callee] = np.median(after[own]), np.median(before[own])
    return Leads(result[0], result[1])


def skews(at: Array, unit: Array, service: Array, host: Array, calls: Array, usual: Leads) -> Skews:
    """Estimate the clock of each host.

    Parameters
    ----------
    host
        A number per line, from 0.
    calls
        Regular calls of normal time, as booleans of shape (caller, callee).
    """
    n_hosts = int(host.max(initial=-1)) + 1
    ahead, uncertainty = np.zeros(n_hosts), np.zeros(n_hosts)
    for _ in range(n_hosts):
        spans = _spans(at - np.round(ahead[host]).astype(np.int64), unit, service, host)
        examined, wrong = _wrong_calls(spans, calls, usual)
        if not wrong:
            break
        blamed, all_calls = (np.bincount(np.array(list(pairs)).ravel(), minlength=n_hosts) for pairs in (wrong, examined))
        worst = int(np.lexsort((blamed, blamed / np.maximum(all_calls, 1)))[-1])
        own = [errors if callee == worst else -errors for (caller, callee), errors in wrong.items() if worst in (caller, callee)]
        signed = np.concatenate(own)
        error = float(np.median(signed))
        spread = 1.4826 * float(np.median(np.abs(signed - error)))
        if abs(error) < SURE * spread:
            break
        ahead[worst], uncertainty[worst] = ahead[worst] + error, spread
    return Skews(ahead, uncertainty)


def _wrong_calls(spans: _Spans, calls: Array, usual: Leads) -> tuple[set[tuple[int, int]], dict[tuple[int, int], Array]]:
    """Pairs of caller and callee hosts, and those whose calls are mostly impossible, with the clock error that each trace shows."""
    outer, inner = _calls(spans, calls)
    after, before = spans.first[inner] - spans.first[outer], spans.last[outer] - spans.last[inner]
    services = spans.service[outer], spans.service[inner]
    later, earlier = after - usual.after_start[services], before - usual.before_end[services]
    known = np.isfinite(later)
    examined, wrong = set(), {}
    pairs = np.stack([spans.host[outer], spans.host[inner]], axis=1)[known]
    impossible, later, earlier = (np.minimum(after, before) < 0)[known], later[known], earlier[known]
    for pair in np.unique(pairs, axis=0):
        own = (pairs == pair).all(axis=1)
        if own.sum() >= LEAST_TRACES:
            examined.add((int(pair[0]), int(pair[1])))
            shrunk, grown = sorted((float(np.median(later[own])), float(np.median(earlier[own]))))
            if impossible[own].mean() >= WRONG_SHARE and grown >= -MOVED * shrunk:
                wrong[int(pair[0]), int(pair[1])] = (later[own] - earlier[own]) / 2
    return examined, wrong


def _spans(at: Array, unit: Array, service: Array, host: Array) -> _Spans:
    traced = np.flatnonzero(unit >= 0)
    order = traced[np.lexsort((at[traced], host[traced], unit[traced]))]
    unit, host, service, at = unit[order], host[order], service[order], at[order]
    new = np.flatnonzero(np.append(True, (unit[1:] != unit[:-1]) | (host[1:] != host[:-1]))) if len(order) else order
    end = (np.append(new[1:], len(order)) - 1)[: len(new)]
    return _Spans(unit[new], host[new], service[new], at[new], at[end])


def _calls(spans: _Spans, calls: Array) -> tuple[Array, Array]:
    """Places of caller and callee of all calls within a trace."""
    outer, inner = within_unit(spans.unit)
    called = calls[spans.service[outer], spans.service[inner]] if len(outer) else np.zeros(0, dtype=bool)
    return outer[called], inner[called]
