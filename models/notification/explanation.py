"""Why a decision was made, as a code and as a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from models.notification.belief import Belief
from models.notification.config import NotificationConfig
from models.notification.vocabulary import Action, ReasonCode


def reason_of(action: Action, greedy: Action, preferred: Action, blocked: ReasonCode | None, config: NotificationConfig) -> ReasonCode:
    """What decided."""
    if action != greedy:
        return "exploration"
    if blocked is not None and preferred in ("push", "later") and action != preferred:
        return blocked
    if config.mode == "threshold":
        return "above_threshold" if preferred == "push" else "below_threshold"
    return "nothing_is_worth_it" if action == "drop" else "best_value"


def explained(
    reason: ReasonCode,
    action: Action,
    propensity: float,
    belief: Belief,
    config: NotificationConfig,
    utilities: Mapping[Action, float],
) -> str:
    """A reason as a sentence."""
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
