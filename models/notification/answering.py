"""From what is known to an answer: what is believed of a notification, and what is decided on that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.instants import to_datetime, to_microseconds
from models.notification.belief import Belief, sigmoid
from models.notification.champion import Champion
from models.notification.columns import columns_of, group_of
from models.notification.config import NotificationConfig
from models.notification.decision import decide
from models.notification.evidence import stretch_of
from models.notification.history import Pressure
from models.notification.knowledge import Knowledge
from models.notification.records import NotificationExample, NotificationPrediction, NotificationQuery
from models.notification.sway import Tiring, hourly
from models.notification.vocabulary import Action

_CHUNK = 10_000
_ONE_IN_TWENTY = 1.645


@dataclass(frozen=True)
class Answering:
    """Answers queries.

    Parameters
    ----------
    config
        Settings of the decision.
    champion
        The nightly model.
    known
        What was learned of types, segments and users beside it.
    rhythm
        What each hour of the day adds to the log-odds.
    tiring, tiring_beyond
        What a push takes from those after it, by the nightly model; and what of the log-odds was seen beyond that.
    """

    config: NotificationConfig
    champion: Champion
    known: Knowledge
    rhythm: Sequence[float]
    tiring: Tiring
    tiring_beyond: float

    def predict(self, queries: Sequence[NotificationQuery]) -> list[NotificationPrediction]:
        """What to do with each notification, and why."""
        answers: list[NotificationPrediction] = []
        for start in range(0, len(queries), _CHUNK):
            some = queries[start : start + _CHUNK]
            instants = [to_microseconds(query.at) for query in some]
            pressures = [self._pressure(*each) for each in zip(some, instants, strict=True)]
            rows = [columns_of(*each, self.config) for each in zip(some, instants, pressures, strict=True)]
            expected = self.champion.log_odds(rows).tolist()
            answers += [self._answer(*each) for each in zip(some, instants, pressures, expected, strict=True)]
        return answers

    def worth(self, row: NotificationExample, answer: NotificationPrediction) -> dict[Action, float]:
        """What each action is expected to bring."""
        clicks, config = row.value * answer.probability, self.config
        push = clicks - answer.disable_probability * config.disable_cost
        in_app, digest = self.known.rates.share("in_app", config.in_app_share), self.known.rates.share("digest", config.digest_share)
        return {"push": push, "later": push, "in_app": clicks * in_app, "digest": clicks * digest, "drop": 0.0}

    def pushes_last_day(self, query: NotificationQuery) -> int:
        """How many pushes the user got in the 24 hours before."""
        return self._pressure(query, to_microseconds(query.at)).day

    def _pressure(self, query: NotificationQuery, at: int) -> Pressure:
        """What lies on a user when a notification of theirs is to be decided."""
        return self.known.history.before(query.user_id, at, _unreported(query))

    def _answer(self, query: NotificationQuery, at: int, pressure: Pressure, expected: float) -> NotificationPrediction:
        belief = self._belief(query, at, pressure, expected)
        decision = decide(query, belief, self.config)
        z, wide = belief.mean, _ONE_IN_TWENTY * belief.deviation
        return NotificationPrediction(
            user_id=query.user_id,
            type=query.type,
            probability=belief.probability,
            low=sigmoid(z - wide),
            high=sigmoid(z + wide),
            disable_probability=belief.disable,
            decision=decision.action,
            send_at=None if decision.send_at is None else to_datetime(decision.send_at),
            reason=decision.reason,
            explanation=decision.explanation,
            propensity=decision.propensity,
            propensities=decision.propensities,
            utilities=decision.utilities,
            known=self.known.knows(query.user_id),
        )

    def _belief(self, query: NotificationQuery, at: int, pressure: Pressure, expected: float) -> Belief:
        mean, variance = self.known.tastes.of(group_of(query, at, pressure, self.config), expected)
        config, rates = self.config, self.known.rates
        interest = sigmoid(mean / stretch_of(variance))
        disable = rates.disable_probability(query.type, pressure.day, interest)
        off_since = self.known.turned_off.get((query.user_id, query.type, query.channel))
        follow = self.tiring.follow(pressure.week / 7)
        pushes, worth, _ = self.known.worth.get(query.user_id)
        return Belief(
            mean=mean,
            deviation=variance**0.5,
            disable=disable,
            disable_later=follow * max(0.0, rates.disable_probability(query.type, pressure.day + 1, interest) - disable),
            pushes_last_day=pressure.day,
            fatigue=self._slope() * follow * self.tiring.worth_of(pushes, worth),
            in_app_share=rates.share("in_app", config.in_app_share),
            digest_share=rates.share("digest", config.digest_share),
            turned_off=off_since is not None and off_since <= at,
            gain_at=self._gains(query, at, follow) if config.mode == "value" else {},
        )

    def _slope(self) -> float:
        """What a push takes from the log-odds of those of the next day."""
        return max(0.0, self.tiring.slope + self.tiring_beyond)

    def _gains(self, query: NotificationQuery, at: int, follow: float) -> dict[int, float]:
        """What the log-odds gain by waiting, by hours: other hours of the day suit better or worse, and pushes of the last day fade."""
        latest = int(self.config.delay_hours)
        by_hour = hourly(self.rhythm, at, query.time_zone or self.config.time_zone, latest)
        held = self.known.history.fading(query.user_id, at, len(by_hour) - 1, _unreported(query))
        slope = self._slope()
        relief = [held[0] - left - follow * wait / 24 for wait, left in enumerate(held)]
        return {wait: by_hour[wait] + slope * relief[wait] for wait in range(1, len(by_hour))}


def _unreported(query: NotificationQuery) -> list[int]:
    return [to_microseconds(instant) for instant in query.unreported]
