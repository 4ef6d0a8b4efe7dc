"""From findings to words: the suspects with the lines that show it, the kinds of messages, and what would help."""

from __future__ import annotations

import numpy as np

from models.root_cause.evidence import changes_of, evidence_against
from models.root_cause.findings import Findings, moment
from models.root_cause.lags import lags
from models.root_cause.message_kinds import message_kinds
from models.root_cause.spread import carriers, path
from models.root_cause.timeline import timeline
from models.root_cause.types import KINDS, Lag, RootCausePrediction, RootCauseQuery, Suspect
from models.root_cause.verdict import LEAST_THRESHOLD
from models.root_cause.window import MICROSECONDS

LEAST_SURPRISE = 1.0
"""Nats below which a service is no suspect: less than three times as likely with a fault as without."""
LEAST_PROBABILITY = 0.5
"""A cause is claimed only if it is likelier than all else together."""
FEW_UNITS = 30
MOST_ORDERED = 6
"""Kinds of messages whose order in time is examined."""
MOST_LAGS = 10
MISSED_LINES = 5.0
"""A service from which fewer lines are expected is not missed."""


def nothing_to_say() -> RootCausePrediction:
    """The answer to a window without lines."""
    return RootCausePrediction(
        verdict="insufficient_evidence",
        root_cause=None,
        no_cause_probability=1.0,
        suspects=(),
        impact=(),
        message_kinds=(),
        what_would_help=("Log lines of the incident: there are none in the time searched.",),
        lines=0,
        timeline=None,
    )


def answer(findings: Findings, query: RootCauseQuery, max_suspects: int) -> RootCausePrediction:
    """Word an answer."""
    services = findings.symbols.services
    ranking = sorted(np.flatnonzero(findings.left >= LEAST_SURPRISE).tolist(), key=lambda s: (-findings.left[s], services[s]))
    top = ranking[:max_suspects]
    dated = findings.onset[top][~np.isnan(findings.onset[top])]
    suspects = tuple(_suspect(findings, query, service, dated.min() if len(dated) else None) for service in top)
    failing = findings.nats.sum(axis=0) > LEAST_THRESHOLD
    carried = carriers(ranking[0], findings.calls, failing) if ranking else ()
    sure = bool(ranking) and findings.left[ranking[0]] > findings.threshold and findings.probabilities[ranking[0]] > LEAST_PROBABILITY
    return RootCausePrediction(
        verdict="root_cause" if sure else "insufficient_evidence",
        root_cause=services[ranking[0]] if sure else None,
        no_cause_probability=float(findings.probabilities[-1]),
        suspects=suspects,
        began_at=moment(findings.window.at[findings.after].min()) if sure else None,
        carriers=tuple(services[s] for s in carried) if sure else (),
        impact=tuple(services[s] for s in np.flatnonzero(failing) if sure and s != ranking[0] and s not in carried),
        lags=_lags(findings),
        traffic=findings.traffic,
        clock_skews=findings.clocks,
        message_kinds=message_kinds(findings),
        what_would_help=() if sure else _what_would_help(findings, query),
        lines=findings.lines,
        timeline=timeline(findings),
    )


def _suspect(findings: Findings, query: RootCauseQuery, service: int, first_onset: float | None) -> Suspect:
    onset = findings.onset[service]
    dated = first_onset is not None and not np.isnan(onset)
    blamed = int(findings.blamed[service])
    nats = findings.nats.sum(axis=0)
    way = path(service, findings.calls, nats > LEAST_THRESHOLD, nats)
    return Suspect(
        service=findings.symbols.services[service],
        probability=float(findings.probabilities[service]),
        surprise=float(findings.left[service]),
        parts={kind: float(nats) for kind, nats in zip(KINDS, findings.nats[:, service], strict=True) if nats > 0},
        onset_at=moment(onset) if dated else None,
        lag_seconds=float(onset - first_onset) / MICROSECONDS if dated and first_onset is not None else None,
        blames=findings.symbols.services[blamed] if blamed >= 0 else None,
        path=tuple(findings.symbols.services[s] for s in way) if len(way) > 1 else (),
        evidence=evidence_against(findings, service) + changes_of(query, findings.symbols.services[service]),
    )


def _lags(findings: Findings) -> tuple[Lag, ...]:
    """Orders among the messages that changed most, of at most so many kinds."""
    change, symbols = findings.change, findings.symbols
    risen = np.flatnonzero(change.more & change.changed & (findings.counted.units_of_symbol > 0))
    chosen = risen[np.argsort(-change.rate_nats[risen], kind="stable")][:MOST_ORDERED]
    names = [f"{symbols.pairs[symbol][0]}: {symbols.pairs[symbol][1]}" for symbol in chosen]
    lines = [findings.after & (findings.window.symbol == symbol) for symbol in chosen]
    times, unsure = [findings.window.at[own] for own in lines], [float(findings.unsure_seconds[own].max()) for own in lines]
    services = [symbols.pairs[symbol][0] for symbol in chosen]
    return lags(names, services, times, unsure, np.random.default_rng(0))[:MOST_LAGS]


def _what_would_help(findings: Findings, query: RootCauseQuery) -> tuple[str, ...]:
    needs = []
    n_lines, n_units = findings.lines, findings.whole.n_units
    if n_units < FEW_UNITS:
        needs.append(f"More lines: {n_lines} lines in {n_units} requests or blocks of time can hardly show a change.")
    if findings.normal.n_units < FEW_UNITS:
        needs.append(f"More normal time to compare with: the model knows {findings.normal.n_units} requests or blocks of it.")
    if not findings.window.traced.any():
        needs.append("Trace ids on the lines: they show which step is slow, and who waited for whom.")
    if len(findings.symbols.services) == 1 or len(np.flatnonzero(findings.whole.units_of_service)) == 1:
        needs.append("Lines of the services around it: one service alone can be neither blamed nor cleared.")
    missing = (findings.whole.units_of_service == 0) & (findings.expected_of_service > MISSED_LINES)
    needs += [f"Lines of {findings.symbols.services[s]}: there are none, and nobody complains about it." for s in np.flatnonzero(missing)]
    needs += [f"A check of the clock of {skew.host}: it is {skew.seconds:+.2f} s off." for skew in findings.clocks]
    if query.incident_started_at is None:
        needs.append("When it started (incident_started_at): without it the beginning is searched for in all lines.")
    return tuple(needs)
