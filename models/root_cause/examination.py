"""From the lines of an incident to what is known about it: the window in numbers, where trouble begins, who is explained by whom."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, TypedDict

import numpy as np

from models.root_cause.calibration import rung
from models.root_cause.calls import call_graph, regular
from models.root_cause.change import Change, Normal
from models.root_cause.clusters import NOISE, grouped, novelty
from models.root_cause.findings import Findings
from models.root_cause.hourly import traffic
from models.root_cause.knowledge import Knowledge
from models.root_cause.phrases import key_phrases
from models.root_cause.scan import Cut, scan
from models.root_cause.skew import skews
from models.root_cause.tally import Tally, tally
from models.root_cause.types import ClockSkew, RootCauseConfig, RootCauseQuery, Traffic
from models.root_cause.verdict import Judgement, changed, explain, onsets
from models.root_cause.window import MICROSECONDS, Array, Columns, Symbols, Window

SEARCHED_BEFORE_SECONDS = 120
"""When a start is given, lines up to this long before it are searched: users notice late."""

NEVER = 1e6
"""Nats that no evidence reaches: the threshold where there are no pseudo-windows to judge by."""

FLAGGED_NATS = 3.0
"""Nats beyond which single lines are marked as unusual, to date the onset."""


class _Told(NamedTuple):
    """Which lines are unusual in themselves, when each service began to behave so, and what is left of its evidence, for whose sake."""

    flagged: Array
    onset: Array
    left: Array
    blamed: Array


def examine(known: Knowledge, config: RootCauseConfig, query: RootCauseQuery, seen: Columns) -> Findings | None:
    """Compare the lines of a query with normal time; ``None`` if none of them is of the time searched."""
    searched = _searched(seen, query)
    if not searched.any():
        return None
    pairs = list(zip(seen.services, known.kinds(seen), strict=True))
    symbols = known.symbols.extended(pairs)
    numbers, service_of, n_services = symbols.numbers(pairs), symbols.service_of(), len(symbols.services)
    seen, clocks, unsure = _with_right_clocks(known, seen, service_of[numbers], n_services)
    window = Window.of(seen.at, numbers, seen.unit, seen.severe)
    vectors = known.embedding.of([text for _, text in symbols.pairs])
    normal = _normal(known, config, query, symbols, vectors, window)
    searched_from = min(int(np.searchsorted(np.maximum.accumulate(searched[window.line]), 1)), len(window.at) - 1)
    first_unit = int(window.unit[searched_from])
    cut = scan(normal, window, first_unit)
    told = _explained(query, symbols, window, normal, cut, unsure[window.line])
    judgement = _judgement(known, window.n_units - first_unit, n_services)
    whole = tally(window.between(int(np.searchsorted(window.unit, first_unit)), len(window.at)), service_of, n_services, 0.0)
    per_unit = whole.units_of_service / np.maximum(normal.tally.units_of_service, 1)
    kind, kind_names = _kinds(known, config, symbols, vectors)
    return Findings(
        symbols=symbols,
        window=window,
        asked=query.lines,
        line=window.line + 1,
        after=window.unit >= cut.first_unit,
        normal=normal.tally,
        reference=cut.reference,
        whole=whole,
        counted=cut.counted,
        usual_lines=normal.tally.lines_of_symbol * per_unit[service_of],
        lines=int(searched.sum()),
        change=cut.change,
        nats=cut.nats,
        left=told.left,
        blamed=told.blamed,
        flagged=told.flagged,
        onset=told.onset,
        clocks=clocks,
        unsure_seconds=unsure[window.line],
        calls=normal.calls | cut.change.accuses | _likely(known, query, n_services),
        probabilities=judgement.probabilities(told.left),
        threshold=judgement.threshold(told.left),
        mentions=normal.mentions,
        kind=kind,
        kind_names=kind_names,
        **_written(known, config, symbols, window, first_unit, whole),
    )


def _searched(seen: Columns, query: RootCauseQuery) -> Array:
    """Which lines may be of the incident; those before are compared with."""
    if query.incident_started_at is None:
        return np.ones(len(seen.at), dtype=bool)
    earliest = (query.incident_started_at.timestamp() - SEARCHED_BEFORE_SECONDS) * MICROSECONDS
    return np.asarray(seen.at >= earliest)


def _with_right_clocks(known: Knowledge, seen: Columns, speaker: Array, n_services: int) -> tuple[Columns, tuple[ClockSkew, ...], Array]:
    """The lines with their times put right, which clocks are wrong, and by line the doubt that is left, in seconds.

    Parameters
    ----------
    speaker
        By line, the service that wrote it.
    """
    names = sorted(set(seen.hosts))
    number = {name: place for place, name in enumerate(names)}
    host = np.array([number[name] for name in seen.hosts])
    calls = regular(np.pad(known.normal.calls, (0, n_services - len(known.normal.calls))))
    found = skews(seen.at, seen.unit, speaker, host, calls, known.leads.widened(n_services))
    ahead, unsure = found.ahead / MICROSECONDS, found.uncertainty / MICROSECONDS
    wrong = np.flatnonzero(found.ahead)
    told = tuple(ClockSkew(host=names[n], seconds=ahead[n], uncertainty_seconds=unsure[n]) for n in wrong)
    return replace(seen, at=seen.at - np.round(found.ahead[host]).astype(np.int64)), told, unsure[host]


def _normal(known: Knowledge, config: RootCauseConfig, query: RootCauseQuery, symbols: Symbols, vectors: Array, window: Window) -> Normal:
    """Normal time over the symbols of a window."""
    normal = known.normal.widened(symbols.service_of(), len(symbols.services))
    is_known = normal.units_of_symbol > 0
    unseen = novelty(symbols, vectors, is_known, config.same_kind_cosine)
    counts = normal.calls + call_graph(window, normal.service_of, normal.n_services)
    season = known.hours.factors(int(window.at.min()), normal.service_of, normal.n_services)
    return Normal(normal, is_known, unseen, symbols.mentions(), regular(_calls(query, counts, symbols)), season)


def _calls(query: RootCauseQuery, counts: Array, symbols: Symbols) -> Array:
    """Counts of calls, where those that the query states outweigh all others."""
    counts = counts.copy()
    number = {service: place for place, service in enumerate(symbols.services)}
    for caller, callee in query.calls:
        if caller in number and callee in number:
            counts[number[caller], number[callee]] = counts.sum() + 2
    return counts


def _likely(known: Knowledge, query: RootCauseQuery, n_services: int) -> Array:
    """Calls by coincidence, where the query states none: they tell who carries a failure on, but excuse nobody."""
    if query.calls:
        return np.zeros((n_services, n_services), dtype=bool)
    return np.pad(known.likely_calls, (0, n_services - len(known.likely_calls)))


def _explained(query: RootCauseQuery, symbols: Symbols, window: Window, normal: Normal, cut: Cut, unsure_seconds: Array) -> _Told:
    """Who changed when, and what is left of the evidence against it once callees and changes are reckoned with."""
    service_of, n_services = symbols.service_of(), len(symbols.services)
    flagged = (window.unit >= cut.first_unit) & _flagged(window, cut.change, normal.known)
    onset = onsets(window, flagged, service_of, n_services)
    doubt = np.zeros(n_services)
    np.maximum.at(doubt, service_of[window.symbol], unsure_seconds)
    left, blamed = explain(cut.nats, normal.calls | cut.change.accuses, onset / MICROSECONDS, doubt)
    place = {service: number for number, service in enumerate(symbols.services)}
    told = [(place[change.service], change.at.timestamp()) for change in query.changes if change.service in place]
    left = left + changed(told, left, onset / MICROSECONDS, window.at.max() / MICROSECONDS)
    return _Told(flagged, onset, left, blamed)


def _flagged(window: Window, change: Change, known: Array) -> Array:
    """Lines that are unusual in themselves: never seen, far too frequent, or far too late after the one before."""
    flagged = ~known[window.symbol] | ((change.rate_nats > FLAGGED_NATS) & change.more)[window.symbol]
    same = (window.unit[1:] == window.unit[:-1]) & window.traced[window.unit[1:]]
    if len(change.pairs):
        keys = window.symbol[:-1] * len(known) + window.symbol[1:]
        place = np.minimum(np.searchsorted(change.pairs, keys), len(change.pairs) - 1)
        flagged[1:] |= same & (change.pairs[place] == keys) & (change.gap_nats[place] > FLAGGED_NATS)
    return np.asarray(flagged, dtype=bool)


def _judgement(known: Knowledge, n_units: int, n_services: int) -> Judgement:
    sizes = sorted(known.judgements)
    nearest = rung(sizes, n_units)
    return Judgement((NEVER,) * n_services, 1.0) if nearest is None else known.judgements[sizes[nearest]]


class _Written(TypedDict):
    """How much services write, as `Findings` has it."""

    expected_of_service: Array
    traffic: tuple[Traffic, ...]


def _written(known: Knowledge, config: RootCauseConfig, symbols: Symbols, window: Window, first_unit: int, whole: Tally) -> _Written:
    """Lines of each service against what the hour lets expect."""
    service_of, n_services = symbols.service_of(), len(symbols.services)
    start, end = int(window.at[window.unit >= first_unit].min()), int(window.at.max())
    expected = known.hours.lines_between(start, end, service_of, n_services)
    counts = np.bincount(service_of, whole.lines_of_symbol, n_services)
    spikes = traffic(symbols.services, counts, expected, config.spike_factor, seasonal=known.hours.is_seasonal)
    return {"expected_of_service": expected, "traffic": spikes}


def _kinds(known: Knowledge, config: RootCauseConfig, symbols: Symbols, vectors: Array) -> tuple[Array, dict[int, str]]:
    """Cluster of each symbol, and their names; what services write that normal time does not know is clustered among itself."""
    row = {text: number for number, text in enumerate(known.texts)}
    places = np.array([row.get(text, -1) for _, text in symbols.pairs])
    labels = np.where(places >= 0, known.clusters.labels[places], known.clusters.assign(vectors, config.same_kind_cosine))
    strange = np.flatnonzero((labels < 0) & (symbols.service_of() >= len(known.symbols.services)))
    names = known.kind_names
    groups = grouped(vectors[strange], config.same_kind_cosine)
    labels[strange] = np.where(groups < 0, NOISE, groups + len(names))
    members = [[symbols.pairs[symbol][1] for symbol in strange[groups == group]] for group in range(groups.max(initial=-1) + 1)]
    return labels, names | dict(enumerate(key_phrases(members), start=len(names)))
