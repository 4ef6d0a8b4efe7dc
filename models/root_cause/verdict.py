"""From surprise to suspects: who is explained by whom, when it began, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from models.root_cause.window import Array, Window

EXPLAINED = 0.5
"""Share of a caller's evidence that an equally conspicuous callee takes over: callers of a faulty service fail too."""
SAME_MOMENT_SECONDS = 1.0
CALL_SHARE = 0.2
"""A service is a caller if it speaks right before this share of another's first words in a trace."""


@dataclass(frozen=True)
class Judgement:
    """What a total of surprise means.

    Parameters
    ----------
    threshold
        Nats that normal windows exceed only at the false-alarm rate.
    temperature
        Nats per unit of log odds, so that probabilities hold on planted faults.
    """

    threshold: float
    temperature: float

    def probabilities(self, totals: Array) -> Array:
        """Of each service, then of no cause at all; they sum to 1."""
        logits = np.append(totals, self.threshold) / self.temperature
        weights = np.exp(logits - logits.max())
        return np.asarray(weights / weights.sum())


def learn_judgement(null: Array, planted: Iterable[tuple[Array, int]], false_alarm_rate: float) -> Judgement:
    """Learn the threshold from normal pseudo-windows and the temperature from both.

    Parameters
    ----------
    null
        Totals of windows without a fault, shape (window, service).
    planted
        Totals and the service at fault, per window with one.
    """
    if not null.size:
        return Judgement(threshold=1e6, temperature=1.0)
    loudest = null.max(axis=1)
    start = np.quantile(loudest, 0.8)
    excess = np.maximum(loudest - start, 0).sum() / max(int((loudest > start).sum()), 1)
    threshold = float(start + excess * np.log(0.2 / min(false_alarm_rate, 0.2)))
    cases = [(totals, len(totals)) for totals in null] + list(planted)

    def loss(log_temperature: float) -> float:
        judgement = Judgement(threshold, float(np.exp(log_temperature)))
        return -float(np.mean([np.log(judgement.probabilities(totals)[truth] + 1e-12) for totals, truth in cases]))

    best = minimize_scalar(loss, bounds=(np.log(0.5), np.log(50.0)), method="bounded")
    return Judgement(threshold, float(np.exp(best.x)))


def call_graph(window: Window, service_of: Array, n_services: int) -> Array:
    """Who calls whom, by counts of shape (caller, callee): who spoke right before another's first words in a trace."""
    service = service_of[window.symbol]
    _, first = np.unique(window.unit * n_services + service, return_index=True)
    first = first[first > 0]
    first = first[(window.unit[first] == window.unit[first - 1]) & window.traced[window.unit[first]]]
    counts = np.zeros((n_services, n_services))
    np.add.at(counts, (service[first - 1], service[first]), 1)
    return counts


def callers(counts: Array) -> Array:
    """Calls that are regular, as a matrix of booleans (caller, callee)."""
    return np.asarray((counts > 1) & (counts >= CALL_SHARE * counts.sum(axis=0, keepdims=True)))


def explain(totals: Array, calls: Array, onset: Array) -> tuple[Array, Array]:
    """Take from each caller what a callee explains.

    Parameters
    ----------
    onset
        Seconds; NaN where unknown. A callee that changed clearly later explains nothing.

    Returns
    -------
    tuple
        The totals that are left, and the callee that explains most of each (-1 for none).
    """
    left, blamed = totals.copy(), np.full(len(totals), -1)
    for caller in np.flatnonzero(calls.any(axis=1) & (totals > 0)):
        callees = np.flatnonzero(calls[caller])
        callees = callees[(callees != caller) & ~(onset[callees] > onset[caller] + SAME_MOMENT_SECONDS)]
        if len(callees) and (shared := np.minimum(totals[callees], totals[caller])).max() > 0:
            blamed[caller] = callees[np.argmax(shared)]
            left[caller] -= EXPLAINED * shared.max()
    return left, blamed


def onsets(window: Window, flagged: Array, service_of: Array, n_services: int) -> Array:
    """When each service began to write what it normally does not, in microseconds; NaN if it never did.

    The change point of the rate of its flagged lines: the maximum of the Poisson likelihood over two constant rates.
    """
    result = np.full(n_services, np.nan)
    if not flagged.any():
        return result
    start, end = window.at.min(), window.at.max()
    service = service_of[window.symbol]
    for number in np.unique(service[flagged]):
        result[number] = _change_point(np.sort(window.at[flagged & (service == number)]), start, end)
    return result


def _change_point(times: Array, start: int, end: int) -> float:
    n, total = len(times), max(end - start, 1)
    before = np.arange(n)
    elapsed = np.clip((times - start) / total, 1e-9, 1 - 1e-9)
    gain = before * np.log(np.maximum(before, 1e-9) / elapsed) + (n - before) * np.log((n - before) / (1 - elapsed))
    rises = (n - before) / (1 - elapsed) >= before / elapsed
    return float(times[np.argmax(np.where(rises, gain, -np.inf))])
