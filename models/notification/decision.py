r"""What to do with a notification: by a threshold, or by what is worth most; explored by draws whose probabilities are exact.

In the mode ``value`` a click with probability p(z) is worth v, the log-odds z being known as N(m, s^2), and

.. math::
   U_{push} = p(z) v - p_{off} c_{off} - f, \quad U_{later} = p(z + \delta) v (1 - c_d h) - p_{off} c_{off} - f,

   U_{app} = a \, p(z) v - u, \quad U_{digest} = g \, p(z) v - u, \quad U_{drop} = 0

for the probability that the push, or those after it, make the user turn it off, the fatigue f (what it takes from their clicks), the
gain of a better hour that is h hours away, and the least value u.

Thompson sampling draws z from `QUANTILES` of its distribution, each as likely as the others, and takes the best action there; a share of
the draws is even over what is permitted, and draws may be pulled towards the mean (posterior reshaping, Chapelle and Li). So the
propensity of an action is a count, not an estimate. The draw is a hash of the seed and the question: the same question has the same
answer, in a batch or alone, in every worker.

References
----------
Thompson (1933), On the likelihood that one unknown probability exceeds another, Biometrika 25.
Chapelle and Li (2011), An empirical evaluation of Thompson sampling, NeurIPS.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from models.instants import to_microseconds
from models.notification.clock import HOUR, end_of_quiet, is_quiet
from models.notification.evidence import stretch_of
from models.notification.records import Action, NotificationConfig, NotificationQuery, ReasonCode

DRAWS = 128
QUANTILES: NDArray[np.float64] = ndtri((np.arange(DRAWS) + 0.5) / DRAWS)
"""Equally likely values of a standard normal."""


@dataclass(frozen=True)
class Belief:
    """What is known of a notification before anything is decided.

    Parameters
    ----------
    mean, deviation
        Of the log-odds of a click if it is pushed now.
    disable
        Probability that a push makes the user turn the type off.
    disable_later
        How much likelier this makes it that later pushes do, in sum.
    pushes_last_day
        Of this user.
    fatigue
        Value of the later clicks that a push costs.
    in_app_share, digest_share
        Clicks there per click of a push.
    turned_off
        Whether the user turned this type off.
    gain_at
        What the log-odds gain by waiting, by the number of hours; 0 hours are not among them.
    """

    mean: float
    deviation: float
    disable: float
    disable_later: float
    pushes_last_day: int
    fatigue: float
    in_app_share: float
    digest_share: float
    turned_off: bool
    gain_at: Mapping[int, float]

    @cached_property
    def log_odds(self) -> float:
        """Of the probability of a click if it is pushed now, doubt included."""
        return self.mean / stretch_of(self.deviation**2)

    @property
    def probability(self) -> float:
        """Of a click if it is pushed now."""
        return sigmoid(self.log_odds)


@dataclass(frozen=True)
class Decision:
    """What is done, why, and with which probability."""

    action: Action
    send_at: int | None
    reason: ReasonCode
    explanation: str
    propensities: Mapping[Action, float]
    utilities: Mapping[Action, float]

    @property
    def propensity(self) -> float:
        """The probability with which this was decided."""
        return self.propensities[self.action]


def sigmoid(log_odds: float) -> float:
    """The probability of log-odds."""
    return 1.0 / (1.0 + math.exp(-max(min(log_odds, 500.0), -500.0)))


def decide(query: NotificationQuery, belief: Belief, config: NotificationConfig) -> Decision:
    """Decide about one notification."""
    at = to_microseconds(query.at)
    if (settled := _settled(query, belief, config, at)) is not None:
        return settled
    options = _options(query, belief, config, at)
    blocked = _blocked(query, belief, config, at)
    permitted = _permitted(options, blocked, config)
    preferred = _best(options.utilities(belief.log_odds), list(options.costs))
    if blocked is not None and preferred in ("push", "later"):  # what only a cap or the night holds back is never lost
        permitted = [action for action in permitted if action != "drop"]
    greedy = _best(options.utilities(belief.log_odds), permitted)
    propensities: dict[Action, float] = {greedy: 1.0}
    action = greedy
    if config.exploration == "thompson" and query.explore and len(permitted) > 1:
        counts = _counts(options, belief, permitted, config.exploration_scale)
        propensities = _propensities(counts, permitted, config.exploration_floor)
        action = _drawn(query, counts, permitted, config)
    reason = _reason(action, greedy, preferred, blocked, config)
    utilities = {each: options.utility(each, belief.log_odds) for each in permitted}
    send_at = at if action == "push" else at + options.wait * HOUR if action == "later" else None
    if action == "later" and blocked == "quiet_hours":
        send_at = _after_quiet(query, config, at)
    explanation = _explained(reason, action, propensities[action], belief, config, utilities)
    return Decision(action, send_at, reason, explanation, propensities, utilities)


@dataclass(frozen=True)
class _Options:
    """What each action is worth as a function of the log-odds: share x value x p(z + gain) - cost.

    In the mode ``threshold`` push is worth p - threshold against a digest's 0.
    """

    costs: Mapping[Action, float]
    factors: Mapping[Action, float]
    gain: float
    wait: int

    def utility(self, action: Action, log_odds: float) -> float:
        moved = log_odds + self.gain if action == "later" else log_odds
        return self.factors[action] * sigmoid(moved) - self.costs[action]

    def utilities(self, log_odds: float) -> dict[Action, float]:
        return {action: self.utility(action, log_odds) for action in self.costs}

    def matrix(self, log_odds: NDArray[np.float64], actions: Sequence[Action]) -> NDArray[np.float64]:
        """Utilities of shape (number_of_actions, number_of_draws)."""
        p = 1.0 / (1.0 + np.exp(-log_odds))
        moved = 1.0 / (1.0 + np.exp(-(log_odds + self.gain))) if "later" in actions else p
        return np.array([self.factors[each] * (moved if each == "later" else p) - self.costs[each] for each in actions])


def _settled(query: NotificationQuery, belief: Belief, config: NotificationConfig, at: int) -> Decision | None:
    """What needs no probability."""

    def certain(action: Action, reason: ReasonCode, explanation: str) -> Decision:
        return Decision(action, at if action == "push" else None, reason, explanation, {action: 1.0}, {})

    if query.critical or query.type in config.critical_types:
        return certain("push", "critical", "Critical notifications always pass.")
    if query.expires_at is not None and query.expires_at <= query.at:
        return certain("drop", "expired", f"It was of use until {query.expires_at.isoformat()}.")
    if query.preference == "off" or (query.preference is None and belief.turned_off):
        return certain("drop", "turned_off", f"The user turned {query.type} off.")
    if query.preference == "digest":
        return certain("digest", "asked_for_digest", f"The user wants {query.type} in the digest.")
    if query.preference == "in_app":
        return certain("in_app", "asked_for_in_app", f"The user wants {query.type} in the app only.")
    return None


def _blocked(query: NotificationQuery, belief: Belief, config: NotificationConfig, at: int) -> ReasonCode | None:
    """Why nothing may be pushed now."""
    if config.daily_cap is not None and belief.pushes_last_day >= config.daily_cap:
        return "daily_cap"
    if config.quiet_hours is not None and is_quiet(at, query.time_zone or config.time_zone, config.quiet_hours):
        return "quiet_hours"
    return None


def _options(query: NotificationQuery, belief: Belief, config: NotificationConfig, at: int) -> _Options:
    if config.mode == "threshold":
        return _Options({"push": config.threshold, "digest": 0.0}, {"push": 1.0, "digest": 0.0}, 0.0, 0)
    value = query.value
    burden = (belief.disable + belief.disable_later) * config.disable_cost + config.fatigue_cost * belief.fatigue
    costs: dict[Action, float] = {
        "push": burden,
        "in_app": config.least_value,
        "digest": config.least_value,
        "drop": 0.0,
    }
    factors: dict[Action, float] = {
        "push": value,
        "in_app": belief.in_app_share * value,
        "digest": belief.digest_share * value,
        "drop": 0.0,
    }
    wait, gain = _better_hour(query, belief, config, at)
    if wait:
        costs["later"], factors["later"] = burden, value * max(0.0, 1.0 - config.delay_cost * wait)
    return _Options(costs, factors, gain, wait)


def _better_hour(query: NotificationQuery, belief: Belief, config: NotificationConfig, at: int) -> tuple[int, float]:
    """How many hours to wait for the most valuable hour in reach, and what the log-odds gain; 0 if none is in reach."""
    best, wait, gain = -math.inf, 0, 0.0
    zone = query.time_zone or config.time_zone
    latest = math.inf if query.expires_at is None else to_microseconds(query.expires_at)
    for hours, further in belief.gain_at.items():
        instant = at + hours * HOUR
        if hours > config.delay_hours or instant >= latest or (config.quiet_hours and is_quiet(instant, zone, config.quiet_hours)):
            continue
        worth = sigmoid(belief.log_odds + further) * (1.0 - config.delay_cost * hours)
        if worth > best:
            best, wait, gain = worth, hours, further
    return wait, gain


def _after_quiet(query: NotificationQuery, config: NotificationConfig, at: int) -> int:
    return end_of_quiet(at, query.time_zone or config.time_zone, config.quiet_hours or (0.0, 0.0))


def _permitted(options: _Options, blocked: ReasonCode | None, config: NotificationConfig) -> list[Action]:
    gone: set[Action] = set() if blocked is None else {"push"} if blocked == "quiet_hours" else {"push", "later"}
    return [action for action in options.costs if action not in gone]


def _best(utilities: Mapping[Action, float], actions: Sequence[Action]) -> Action:
    """The most valuable; of equals the first, which is the one that was offered first."""
    return max(actions, key=lambda action: utilities[action])


def _counts(options: _Options, belief: Belief, permitted: Sequence[Action], scale: float) -> list[int]:
    """Index of the best permitted action for each of the `DRAWS`.

    With a scale below 1 draws lie nearer to the mean, which moves from the middle of the distribution to the mean of its probabilities:
    without a draw the decision is that of the mean.
    """
    centre = scale * belief.mean + (1.0 - scale) * belief.log_odds
    utilities = options.matrix(centre + scale * belief.deviation * QUANTILES, permitted)
    return [int(best) for best in utilities.argmax(axis=0)]


def _propensities(best: Sequence[int], permitted: Sequence[Action], floor: float) -> dict[Action, float]:
    return {
        action: floor / len(permitted) + (1 - floor) * best.count(place) / DRAWS
        for place, action in enumerate(permitted)
        if floor or place in best
    }


def _drawn(query: NotificationQuery, best: Sequence[int], permitted: Sequence[Action], config: NotificationConfig) -> Action:
    """Draw an action with its propensity."""
    seen = f"{config.seed}\0{query.user_id}\0{query.type}\0{query.channel}\0{query.at.isoformat()}\0{sorted(query.context.items())}"
    digest = hashlib.blake2b(seen.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    evenly, place = int.from_bytes(digest[:8]) / 2**64, int.from_bytes(digest[8:]) / 2**64
    if evenly < config.exploration_floor:
        return permitted[int(place * len(permitted))]
    return permitted[best[int(place * DRAWS)]]


def _reason(action: Action, greedy: Action, preferred: Action, blocked: ReasonCode | None, config: NotificationConfig) -> ReasonCode:
    if action != greedy:
        return "exploration"
    if blocked is not None and preferred in ("push", "later") and action != preferred:
        return blocked
    if config.mode == "threshold":
        return "above_threshold" if preferred == "push" else "below_threshold"
    return "nothing_is_worth_it" if action == "drop" else "best_value"


def _explained(
    reason: ReasonCode,
    action: Action,
    propensity: float,
    belief: Belief,
    config: NotificationConfig,
    utilities: Mapping[Action, float],
) -> str:
    p = belief.probability
    if reason == "above_threshold":
        return f"{p:.3f} is at least the threshold of {config.threshold:.3f}."
    if reason == "below_threshold":
        return f"{p:.3f} is below the threshold of {config.threshold:.3f}."
    if reason == "daily_cap":
        return f"The user got {belief.pushes_last_day} pushes in 24 hours, {config.daily_cap} is the cap."
    if reason == "quiet_hours":
        begin, end = config.quiet_hours or (0, 0)
        return f"It is between {begin:g} and {end:g} o'clock for the user."
    if reason == "exploration":
        return f"Drawn, to learn: {action} had the probability {propensity:.3f}."
    if reason == "nothing_is_worth_it":
        return f"Nothing is worth its cost for a probability of {p:.3f}."
    others = ", ".join(f"{name} {worth:.3f}" for name, worth in utilities.items() if name != action)
    return f"{action} is worth {utilities[action]:.3f}, more than {others}." if others else f"{action} is all that is permitted."
