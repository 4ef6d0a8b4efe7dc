"""From surprise to suspects: who is explained by whom, when it began, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from models.root_cause.types import KINDS
from models.root_cause.window import Array, Window

EXPLAINED = 0.95
"""Share of a service's evidence that another takes over which certainly changed: callers of a faulty service fail too."""
CERTAIN = 20.0
"""Nats at which a change is certain: by chance, not one normal window in a million has as much."""
SATURATION = 40.0
"""Nats of one kind beyond which more of it counts less: sixty pseudo-windows say little about smaller probabilities."""
LEAST_THRESHOLD = 14.0
"""Nats below which nothing is claimed, however calm normal time was: it never shows all that can happen without a fault."""
TAIL = 0.2
SAME_MOMENT_SECONDS = 1.0
CHANGE_SECONDS = 3600.0
CHANGE_NATS = 3.0
"""What a change just before the onset adds: twenty times the odds, which alone does not suffice."""


@dataclass(frozen=True)
class Judgement:
    """What a total of evidence means.

    Parameters
    ----------
    thresholds
        Nats, by service of normal time, that it exceeds in normal windows only at the false-alarm rate: one that fails every hour
        without consequence must do worse than that to be a cause.
    temperature
        Nats per unit of log odds, so that probabilities hold on planted faults.
    """

    thresholds: tuple[float, ...]
    temperature: float

    def threshold(self, totals: Array) -> float:
        """Nats that the loudest service must exceed; services that normal time lacks need the least."""
        loudest = int(np.argmax(totals)) if len(totals) else 0
        return self.thresholds[loudest] if loudest < len(self.thresholds) else LEAST_THRESHOLD

    def probabilities(self, totals: Array) -> Array:
        """Of each service, then of no cause at all; they sum to 1."""
        logits = np.append(totals, self.threshold(totals)) / self.temperature
        weights = np.exp(logits - logits.max())
        return np.asarray(weights / weights.sum())


def learn_judgement(null: Array, planted: Iterable[tuple[Array, int]], false_alarm_rate: float) -> Judgement:
    """Learn the thresholds from normal pseudo-windows and the temperature from both.

    Parameters
    ----------
    null
        Totals of windows without a fault, shape (window, service).
    planted
        Totals and the service at fault, per window with one.
    """
    thresholds = tuple(max(_exceeded_at(false_alarm_rate, own), LEAST_THRESHOLD) for own in null.T)
    cases = [(totals, len(totals)) for totals in null] + list(planted)

    def loss(log_temperature: float) -> float:
        judgement = Judgement(thresholds, float(np.exp(log_temperature)))
        return -float(np.mean([np.log(judgement.probabilities(totals)[truth] + 1e-12) for totals, truth in cases]))

    best = minimize_scalar(loss, bounds=(np.log(0.5), np.log(50.0)), method="bounded")
    return Judgement(thresholds, float(np.exp(best.x)))


def _exceeded_at(rate: float, values: Array) -> float:
    """The value that is exceeded at a rate, by an exponential tail beyond the highest fifth."""
    start = np.quantile(values, 1 - TAIL)
    excess = np.maximum(values - start, 0).sum() / max(int((values > start).sum()), 1)
    return float(start + excess * np.log(TAIL / min(rate, TAIL)))


def explain(surprise: Array, calls: Array, onset: Array, unsure_seconds: Array | float = 0.0) -> tuple[Array, Array]:
    """Total evidence of each service, less what others explain.

    A service that falls silent is explained by a caller that is at fault itself and does not complain about it: it is not called any
    more. A caller is explained by a callee that changed for certain, and not clearly later: its failures are passed on.

    Parameters
    ----------
    surprise
        Nats, shape (kind, service).
    calls
        Booleans, shape (caller, callee).
    onset
        Seconds; NaN where unknown.
    unsure_seconds
        By service, how far its clock may be wrong: no order is seen in less.

    Returns
    -------
    tuple
        The totals that are left, and the callee that explains most of each (-1 for none).
    """
    nats = dict(zip(KINDS, saturated(surprise), strict=True))
    own = nats["rates"] + nats["new"] + nats["errors"] + nats["latency"] + nats["traffic"]
    uncalled = _certainty((calls * own[:, None]).max(axis=0, initial=0.0)) * (1 - _certainty(nats["accused"]))
    total = own + (nats["flow"] + nats["silence"]) * (1 - EXPLAINED * uncalled) + nats["accused"]
    doubt = np.broadcast_to(unsure_seconds, onset.shape)
    in_time = ~(onset[None, :] > onset[:, None] + SAME_MOMENT_SECONDS + doubt[None, :] + doubt[:, None])
    passed_on = np.where(calls & in_time, _certainty(total)[None, :], 0.0)
    np.fill_diagonal(passed_on, 0.0)
    largest = passed_on.max(axis=1, initial=0.0)
    blamed = np.where(largest > 0, passed_on.argmax(axis=1), -1) if len(total) else np.array([], dtype=int)
    return total * (1 - EXPLAINED * largest), blamed


def changed(changes: Iterable[tuple[int, float]], left: Array, onset: Array, end: float) -> Array:
    """Nats to add for what was deployed or reconfigured in the hour before a service began to behave unusually.

    A change without any evidence in the lines counts for nothing.

    Parameters
    ----------
    changes
        Service and second of each change.
    onset
        Seconds; where it is NaN, `end`, the last second of the window, stands for it.
    """
    nats = np.zeros(len(left))
    for service, at in changes:
        began = end if np.isnan(onset[service]) else onset[service]
        if left[service] > 0 and 0 <= began - at <= CHANGE_SECONDS:
            nats[service] = CHANGE_NATS
    return nats


def saturated(nats: Array) -> Array:
    """Evidence that grows ever slower: beyond certainty, louder is not guiltier."""
    return SATURATION * np.log1p(nats / SATURATION)


def _certainty(nats: Array) -> Array:
    return np.minimum(nats / CERTAIN, 1.0)


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
