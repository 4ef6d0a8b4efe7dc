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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from models.instants import to_microseconds
from models.notification.belief import Belief
from models.notification.clock import HOUR, end_of_quiet, is_quiet
from models.notification.config import NotificationConfig
from models.notification.explanation import explained, reason_of
from models.notification.options import Options, best_of, options_of
from models.notification.records import NotificationQuery
from models.notification.vocabulary import Action, ReasonCode

DRAWS = 128
QUANTILES: NDArray[np.float64] = ndtri((np.arange(DRAWS) + 0.5) / DRAWS)
"""Equally likely values of a standard normal."""


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


def decide(query: NotificationQuery, belief: Belief, config: NotificationConfig) -> Decision:
    """Decide about one notification."""
    at = to_microseconds(query.at)
    if (settled := _settled(query, belief, config, at)) is not None:
        return settled
    options = options_of(query, belief, config, at)
    blocked = _blocked(query, belief, config, at)
    permitted = _permitted(options, blocked)
    preferred = best_of(options.utilities(belief.log_odds), list(options.costs))
    if blocked is not None and preferred in ("push", "later"):  # what only a cap or the night holds back is never lost
        permitted = [action for action in permitted if action != "drop"]
    greedy = best_of(options.utilities(belief.log_odds), permitted)
    propensities: dict[Action, float] = {greedy: 1.0}
    action = greedy
    if config.exploration == "thompson" and query.explore and len(permitted) > 1:
        counts = _counts(options, belief, permitted, config.exploration_scale)
        propensities = _propensities(counts, permitted, config.exploration_floor)
        action = _drawn(query, counts, permitted, config)
    reason = reason_of(action, greedy, preferred, blocked, config)
    utilities = {each: options.utility(each, belief.log_odds) for each in permitted}
    send_at = at if action == "push" else at + options.wait * HOUR if action == "later" else None
    if action == "later" and blocked == "quiet_hours":
        send_at = _after_quiet(query, config, at)
    explanation = explained(reason, action, propensities[action], belief, config, utilities)
    return Decision(action, send_at, reason, explanation, propensities, utilities)


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


def _after_quiet(query: NotificationQuery, config: NotificationConfig, at: int) -> int:
    return end_of_quiet(at, query.time_zone or config.time_zone, config.quiet_hours or (0.0, 0.0))


def _permitted(options: Options, blocked: ReasonCode | None) -> list[Action]:
    gone: set[Action] = set() if blocked is None else {"push"} if blocked == "quiet_hours" else {"push", "later"}
    return [action for action in options.costs if action not in gone]


def _counts(options: Options, belief: Belief, permitted: Sequence[Action], scale: float) -> list[int]:
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
