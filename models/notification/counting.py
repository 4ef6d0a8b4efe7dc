"""Outcomes counted for what they tell: types, segments and users, shares of the app and of digests, and what pushes are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.notification.belief import sigmoid
from models.notification.evidence import stretch_of
from models.notification.impressions import Impression
from models.notification.knowledge import Knowledge
from models.notification.ledger import PUSHES, Ledger, Lesson, Outcome, pushed_of

Array = NDArray[np.float64]

_MOST_VALUE = 1e6
"""Sums of integers end somewhere."""


@dataclass(frozen=True)
class Counting:
    """Counts outcomes, each against what was expected of it at the last training.

    Parameters
    ----------
    ledger
        Whose outcomes, and whose knowledge grows.
    trained
        What was known at the last training.
    shares
        Clicks per click of a push, as of the last training, by action.
    """

    ledger: Ledger
    trained: Knowledge
    shares: Mapping[str, float]

    def count_pushes(self, pushed: Sequence[Impression]) -> None:
        """Count what was just pushed, whatever becomes of it."""
        if pushed:
            weights = self.ledger.weights(pushed)
            self._look_at_interest(pushed, weights)
            self.price(pushed, weights)

    def price(self, pushed: Sequence[Impression], weights: Array) -> None:
        """What the log-odds of each user's pushes are worth: so much is lost if another push tires them."""
        users, wanted = [each.group.user for each in pushed], np.array([self._wanted(each) for each in pushed])
        values = np.minimum([each.value for each in pushed], _MOST_VALUE)
        self.ledger.known.worth.add(users, np.column_stack([weights, weights * wanted * (1 - wanted) * values, np.zeros(len(users))]))

    def _look_at_interest(self, pushed: Sequence[Impression], weights: Array) -> None:
        """How likely each push was to be clicked, in the eyes of the last training: none of them had a say in that."""
        burdens = [(each.group.type, each.group.load) for each in pushed]
        disable = {each: self.trained.rates.disable_probability(*each) for each in set(burdens)}
        for each in pushed:
            each.interest = self._wanted(each)
        interests, expected = [each.interest or 0.0 for each in pushed], weights * [disable[each] for each in burdens]
        self.ledger.known.rates.wanted(interests, np.zeros(len(pushed)), expected)

    def _wanted(self, impression: Impression) -> float:
        """The probability that a push of it would have been clicked, as known at the last training."""
        if impression.interest is not None:
            return impression.interest
        mean, variance = self.trained.tastes.of(impression.group, impression.log_odds)
        return sigmoid(mean / stretch_of(variance))

    def count(self, lesson: Lesson) -> None:
        """Add outcomes to what they tell about."""
        if pushed := pushed_of(lesson.outcomes):
            groups, log_odds, clicks, weights = self.ledger.columns(pushed)
            wanted = np.array([self._wanted(impression) for impression, _ in pushed])
            self.ledger.known.tastes.add(groups, log_odds, wanted, clicks, weights)
        self.count_shown(lesson.outcomes)
        self.count_tastes(lesson)

    def count_shown(self, outcomes: Sequence[Outcome]) -> None:
        """Clicks in the app and in digests, beside those that pushes would have got."""
        for each, clicked in outcomes:
            if each.decision not in PUSHES:
                self.ledger.known.rates.shown(each.decision, clicked, self._wanted(each), self.ledger.weight(each.sent_at))

    def count_tastes(self, lesson: Lesson) -> None:
        """What users do with other things than pushes tells their tastes, too."""
        shown = [(impression, clicked) for impression, clicked in lesson.outcomes if impression.decision in self.shares]
        if shown:
            groups, log_odds, clicks, weights = self.ledger.columns(shown)
            shares = np.array([self.shares[impression.decision] for impression, _ in shown])
            self.ledger.known.tastes.add_users(groups, self.ledger.known.tastes.expected(groups, log_odds) * shares, clicks, weights)
        if lesson.grades:
            groups, log_odds, grades, weights = self.ledger.columns(lesson.grades)
            self.ledger.known.tastes.add_grades(groups, log_odds, grades, weights * self.ledger.config.implicit_weight)
