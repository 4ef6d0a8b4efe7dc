"""What speaks against a service, as sentences with line numbers and counts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.root_cause.findings import Findings, moment
from models.root_cause.types import KINDS, Evidence, Kind, RootCauseQuery
from models.root_cause.window import Array

LEAST_PART = 2.0
"""Nats below which one kind of evidence is not worth a sentence."""
SHOWN_LINES = 5


def evidence_against(findings: Findings, service: int) -> tuple[Evidence, ...]:
    """One observation per kind that is surprising, the most surprising first."""
    nats = findings.nats[:, service]
    kinds = [KINDS[number] for number in np.argsort(-nats, kind="stable") if nats[number] >= LEAST_PART]
    return tuple(_TELL[kind](findings, service) for kind in kinds)


def changes_of(query: RootCauseQuery, service: str) -> tuple[Evidence, ...]:
    """What was changed about a service, as the query tells."""
    own = sorted((change for change in query.changes if change.service == service), key=lambda change: change.at)
    return tuple(
        Evidence(
            kind="change",
            words=f"{change.service} was changed at {change.at:%Y-%m-%d %H:%M:%S %Z}: {change.what}",
            template=None,
            lines=(),
            observed=1.0,
            expected=0.0,
            first_seen_at=change.at,
        )
        for change in own
    )


def _rates(findings: Findings, service: int) -> Evidence:
    change = findings.change
    known = np.flatnonzero((findings.normal.service_of == service) & (findings.normal.units_of_symbol > 0))
    symbol = int(known[np.argmax(change.rate_nats[known])])
    observed, expected = float(findings.counted.lines_of_symbol[symbol]), float(change.expected_lines[symbol])
    words = f"{'more' if change.more[symbol] else 'fewer'} than usual: {observed:.0f} lines, {expected:.1f} expected"
    return _told(findings, "rates", words, symbol, findings.after & (findings.window.symbol == symbol), observed, expected)


def _new(findings: Findings, service: int) -> Evidence:
    unseen = (findings.normal.units_of_symbol == 0) & (findings.normal.service_of == service)
    own = np.flatnonzero(unseen & (findings.whole.units_of_symbol > 0))
    symbol = int(own[np.argmax(findings.whole.units_of_symbol[own])])
    observed = float(findings.whole.lines_of_symbol[own].sum())
    words = f"never seen in normal time: {len(own)} kind{'s' if len(own) > 1 else ''} of message, {observed:.0f} lines"
    return _told(findings, "new", words, symbol, np.isin(findings.window.symbol, own), observed, 0.0)


def _errors(findings: Findings, service: int) -> Evidence:
    own = findings.after & findings.window.severe & (findings.normal.service_of[findings.window.symbol] == service)
    observed, expected = float(findings.counted.severe_units[service]), float(findings.change.severe_expected[service])
    units = int(findings.counted.units_of_service[service])
    words = f"errors in {observed:.0f} of {units} requests, {expected:.1f} expected"
    symbols, counts = np.unique(findings.window.symbol[own], return_counts=True)
    return _told(findings, "errors", words, int(symbols[np.argmax(counts)]), own, observed, expected)


def _flow(findings: Findings, service: int) -> Evidence:
    change = findings.change
    pair, first, second = _worst_pair(findings, service, change.flow_nats)
    follows, lone = _followed(findings, first, second)
    observed = float(follows.sum())
    share = findings.reference.counted_as(change.pairs)[0][pair] / max(float(findings.reference.traced_lines[first]), 1.0)
    expected = share * float(findings.counted.traced_lines[first])
    often = "less" if change.lost[pair] else "more"
    words = f"follows “{_name(findings, first)}” {often} often than usual: {observed:.0f} times, {expected:.1f} expected"
    shown = lone if change.lost[pair] else np.append(False, follows)
    return _told(findings, "flow", words, second, shown, observed, expected)


def _latency(findings: Findings, service: int) -> Evidence:
    pair, first, second = _worst_pair(findings, service, findings.change.gap_nats)
    follows, _ = _followed(findings, first, second)
    places = np.flatnonzero(follows) + 1
    gaps = np.zeros(len(findings.window.at))
    gaps[places] = (findings.window.at[places] - findings.window.at[places - 1]) / 1000
    observed = float(np.median(gaps[places])) if len(places) else 0.0
    ratio = float(findings.change.gap_ratio[pair])
    words = f"comes later after “{_name(findings, first)}” than usual: {observed:.0f} ms (median), {ratio:.1f} times as long"
    slow = gaps >= max(observed, 1e-9)
    return _told(findings, "latency", words, second, slow, observed, observed / max(ratio, 1e-9))


def _silence(findings: Findings, service: int) -> Evidence:
    """Fewer calls, fewer requests where nobody calls it, or fewer lines; it has no lines to show."""
    counted, change = findings.counted, findings.change
    caller = int(np.argmax(change.uncalled_nats[:, service]))
    if change.uncalled_nats[caller, service] > 0:
        units = float(counted.units_of_service[caller])
        observed, expected = float(counted.calls[caller, service]), float(change.calls_expected[caller, service])
        name = findings.symbols.services[caller]
        words = f"seldom heard of after {name}: in {observed:.0f} of {units:.0f} requests, {expected:.1f} expected"
    elif change.entries_expected[service] > counted.entries[service]:
        observed, expected = float(counted.entries[service]), float(change.entries_expected[service])
        words = f"receives fewer requests than usual: {observed:.0f}, {expected:.1f} expected in as long a time"
    else:
        observed, expected = float(counted.block_lines[service]), float(change.block_expected[service])
        words = f"quieter than usual: {observed:.0f} lines, {expected:.1f} expected"
    return _told(findings, "silence", words, None, np.zeros(len(findings.window.at), dtype=bool), observed, expected)


def _accused(findings: Findings, service: int) -> Evidence:
    """What others say about the service."""
    change = findings.change
    symbol = int(np.argmax(change.complaint_nats * findings.mentions[:, service]))
    observed, expected = float(findings.counted.lines_of_symbol[symbol]), float(change.expected_lines[symbol])
    words = f"complains about it: {observed:.0f} lines, {expected:.1f} expected"
    return _told(findings, "accused", words, symbol, findings.after & (findings.window.symbol == symbol), observed, expected)


def _traffic(findings: Findings, service: int) -> Evidence:
    observed, expected = float(findings.counted.entries[service]), float(findings.change.entries_expected[service])
    opening = np.append(True, findings.window.unit[1:] != findings.window.unit[:-1]) & findings.window.traced[findings.window.unit]
    shown = findings.after & opening & (findings.normal.service_of[findings.window.symbol] == service)
    words = f"receives more requests than usual: {observed:.0f}, {expected:.1f} expected in as long a time"
    return _told(findings, "traffic", words, None, shown, observed, expected)


_TELL: dict[Kind, Callable[[Findings, int], Evidence]] = {
    "rates": _rates,
    "new": _new,
    "errors": _errors,
    "flow": _flow,
    "latency": _latency,
    "silence": _silence,
    "accused": _accused,
    "traffic": _traffic,
}


def _told(findings: Findings, kind: Kind, words: str, symbol: int | None, shown: Array, observed: float, expected: float) -> Evidence:
    places = np.flatnonzero(shown)
    places = places[np.lexsort((findings.line[places], findings.window.at[places]))]
    service, template = findings.symbols.pairs[symbol] if symbol is not None else (None, None)
    return Evidence(
        kind=kind,
        words=f"{service}: “{template}” {words}" if symbol is not None else words,
        template=template,
        lines=tuple(int(number) for number in findings.line[places[:SHOWN_LINES]]),
        observed=observed,
        expected=expected,
        first_seen_at=moment(findings.window.at[places[0]]) if len(places) else None,
        parameters=findings.parameters(template, places[:SHOWN_LINES]) if template is not None else (),
    )


def _worst_pair(findings: Findings, service: int, score: Array) -> tuple[int, int, int]:
    """The pair of consecutive messages that speaks loudest against the service: its place among the pairs, first, second."""
    keys, n_symbols = findings.change.pairs, len(findings.symbols)
    first, second = keys // n_symbols, keys % n_symbols
    of = findings.normal.service_of
    pair = int(np.argmax(np.where((of[first] == service) | (of[second] == service), score, -np.inf)))
    return pair, int(first[pair]), int(second[pair])


def _followed(findings: Findings, first: int, second: int) -> tuple[Array, Array]:
    """Where the first is followed by the second within a trace, by place of the first; lines of the first that are not."""
    window = findings.window
    same = (window.unit[1:] == window.unit[:-1]) & window.traced[window.unit[1:]] & findings.after[:-1]
    follows = np.append(same & (window.symbol[:-1] == first) & (window.symbol[1:] == second), False)
    return follows[:-1], findings.after & (window.symbol == first) & window.traced[window.unit] & ~follows


def _name(findings: Findings, symbol: int) -> str:
    service, template = findings.symbols.pairs[symbol]
    return f"{service}: {template}"
