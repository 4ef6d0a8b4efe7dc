r"""Push now, later, in the app, in the digest, or not at all: decided by the probability of a click, which is learned online.

P(click | user, type, context) has two parts, added in log-odds. A nightly model of columns (`models.notification.champion`): type, hour of
the user's week, pushes of the last hour, day and week, time since the last click, and whatever columns the log has. And what types,
segments, users and users' types are beyond it (`models.notification.evidence`): counts of clicks against expectation, shrunk by
empirical Bayes, so that a newcomer is their segment, and a regular is themselves. The counts go on learning by `Notification.update`, at
once, and within a timestamp in any order; the columns learn with the next training. A push without a click is no negative before the
attribution window has passed; swipes, dwell time and clicks in digests tell tastes, too.

`models.notification.decision` makes a decision of it, with its reason and its exact propensity.

When not to trust it: a probability holds for what was pushed and to whom; where a log was never explored, what nobody tried is a guess
with a wide interval. Clicks are not happiness: give `value` what a click is worth to the business, and `disable_cost` what losing the
channel costs. Two people on one account are one user here. Shares of in-app messages and digests are assumptions until such
messages have told. An event from the far future makes everything else seem old; whoever reports times should have a clock.

References
----------
Thompson (1933), On the likelihood that one unknown probability exceeds another, Biometrika 25.
Efron and Morris (1975), Data analysis using Stein's estimator and its generalizations, JASA 70(350).
Chapelle (2014), Modeling delayed feedback in display advertising, KDD.
McMahan et al. (2013), Ad click prediction: a view from the trenches, KDD.
Gupta, Liu, Zhu et al. (2016), Email volume optimization at LinkedIn, KDD: value against the cost of a channel that is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from models.base import Contract, OnlineModel, Part, Question
from models.errors import InputError
from models.instants import to_datetime, to_microseconds
from models.notification.belief import Belief, sigmoid
from models.notification.champion import Champion
from models.notification.clock import DAY, HOUR
from models.notification.columns import columns_of, group_of
from models.notification.config import NotificationConfig
from models.notification.decision import decide
from models.notification.digest import KEPT as CLOSED_KEPT
from models.notification.digest import Digests, compose, latest_slot, rewritten, written
from models.notification.digest_records import Digest, DigestQuestion
from models.notification.evidence import MOST_HALVINGS, stretch_of
from models.notification.history import Pressure
from models.notification.impressions import REMEMBERED, Impression, Impressions, grade
from models.notification.knowledge import Knowledge
from models.notification.policy import DECIDING, PolicyQuestion, PolicyReport, questions, report
from models.notification.records import NotificationExample, NotificationPrediction, NotificationQuery
from models.notification.sway import Tiring, daily_rhythm, hourly
from models.notification.tastes import Group, Tastes
from models.notification.vocabulary import Action
from models.scalar import Scalar
from models.settings import changed

Array = NDArray[np.float64]

_CHUNK = 10_000
_ONE_IN_TWENTY = 1.645
_PUSHES = ("push", "later")
_MOST_VALUE = 1e6
"""Sums of integers end somewhere."""

_Met = tuple[NotificationExample, Impression]
_Fresh = tuple[Impression, Mapping[str, Scalar]]


class Notification(OnlineModel[NotificationConfig, NotificationQuery, NotificationExample, NotificationPrediction]):
    """Decides about notifications, and learns from every outcome.

    Attributes
    ----------
    champion_ : Champion
        The nightly model of columns.
    reference_ : int
        The newest outcome of the training, in microseconds since 1970, at which a trial counts 1.
    """

    champion_: Champion
    reference_: int

    contract: ClassVar = Contract(
        slug="notification",
        config=NotificationConfig,
        query=NotificationQuery,
        example=NotificationExample,
        prediction=NotificationPrediction,
        event=NotificationExample,
        outcome=bool,
        questions=(Question("digest", DigestQuestion, Digest), Question("evaluate_policy", PolicyQuestion, PolicyReport)),
    )

    def fit(self, examples: Iterable[NotificationExample]) -> Self:
        """Learn from notifications and what became of them; forget what was learned before.

        Rows are read in the order of sending. What was sent so shortly before the newest row that a click may yet come is waited for.

        Raises
        ------
        InputError
            If there is no push of which it is known whether it was clicked.
        """
        told = list(examples)
        rows = sorted(filter(_was_sent, told), key=lambda row: row.sent_at)
        if not any(_is_push(row) and row.clicked is not None for row in rows):
            raise InputError("expected at least one push of which it is known whether it was clicked, got none: give rows with `clicked`")
        self.reference_ = max(_newest(row) for row in rows)
        self._hour = self.reference_ // HOUR
        self._known, self._impressions, self._digests = Knowledge(Tastes.nothing()), Impressions(), Digests()
        self._wait(told)
        met, fresh = self._meet(rows)
        lesson = self._lesson(met)
        lesson.outcomes.extend((each, 0.0) for each in self._impressions.due(self._unclicked_until()))
        columns = {id(impression): row for impression, row in fresh}
        pushed = [(impression, clicked) for impression, clicked in lesson.outcomes if impression.decision in _PUSHES]
        newest = pushed[-self.config.max_rows :]
        self.champion_ = Champion.learn(
            [columns[id(impression)] for impression, _ in newest],
            np.array([clicked > 0 for _, clicked in newest]),
            [impression.group.user for impression, _ in newest],
            self.config.seed,
        )
        self._expect(fresh)
        self._known.tastes = Tastes.learn(*self._columns(pushed))
        self._rhythm = daily_rhythm(
            self.champion_, [columns[id(impression)] for impression, _ in newest], np.array([clicked > 0 for _, clicked in newest])
        )
        values = np.array([impression.value for impression, _ in newest])
        self._tiring = Tiring.learn(self.champion_, [columns[id(impression)] for impression, _ in newest], values)
        self._tiring_beyond = self._known.tastes.of_load()
        self._trained = self._known
        self._price(sent := [impression for impression, _ in newest], self._weights(sent))
        self._count_shown(lesson.outcomes)
        rates, config = self._known.rates, self.config
        self._shares = {"in_app": rates.share("in_app", config.in_app_share), "digest": rates.share("digest", config.digest_share)}
        self._count_tastes(lesson)
        self._impressions.drop(self._unclicked_until() - REMEMBERED)
        self._trained = self._known.copied()
        return self

    def update(self, events: Iterable[NotificationExample]) -> Self:
        """Learn from what was sent and what became of it.

        A click counts at once; that none came counts when an event is a new hour's and the attribution window has passed.
        """
        self._require_fitted()
        batch: list[NotificationExample] = []
        for event in events:
            hour = _newest(event) // HOUR
            if hour > self._hour:
                self._absorb(batch)
                batch = []
                if hour // 24 > self._hour // 24:
                    self._tiring_beyond = self._known.tastes.of_load()
                self._hour = hour
                self._count(_Lesson([(each, 0.0) for each in self._impressions.due(self._unclicked_until())], []))
                self._impressions.drop(self._unclicked_until() - REMEMBERED)
                self._digests.drop(self._hour * HOUR - CLOSED_KEPT)
            batch.append(event)
        self._absorb(batch)
        return self

    def refusal(self, event: NotificationExample) -> str | None:
        """Whether an event is about a digest that there is not."""
        named = [part.digest for part in (event.item, event.closing) if part is not None]
        return next((self._no_digest(name) for name in named if name not in self.config.digests), None)

    def _no_digest(self, name: str) -> str:
        return f"expected one of the digests {', '.join(self.config.digests)}, got {name!r}: give it a rhythm in digests"

    def forget(self, subject: str) -> Self:
        """Drop a user; what types and segments learned of them remains, as sums without names."""
        self._require_fitted()
        for known in (self._known, self._trained):
            known.forget(subject.strip())
        self._impressions.forget(subject.strip())
        self._digests.forget(subject.strip())
        return self

    def predict(self, queries: Sequence[NotificationQuery]) -> list[NotificationPrediction]:
        """What to do with each notification, and why."""
        self._require_fitted()
        answers: list[NotificationPrediction] = []
        for start in range(0, len(queries), _CHUNK):
            some = queries[start : start + _CHUNK]
            instants = [to_microseconds(query.at) for query in some]
            pressures = [self._pressure(*each) for each in zip(some, instants, strict=True)]
            rows = [columns_of(*each, self.config) for each in zip(some, instants, pressures, strict=True)]
            expected = self.champion_.log_odds(rows).tolist()
            answers += [self._answer(*each) for each in zip(some, instants, pressures, expected, strict=True)]
        return answers

    def digest(self, request: DigestQuestion) -> Digest:
        """Compose the digest of a user that was due last, or give it again as it was closed.

        It is ranked by what was known at the last training, so that it is the same whoever asks, and however often.

        Raises
        ------
        InputError
            If there is no such digest.
        """
        self._require_fitted()
        if request.digest not in self.config.digests:
            raise InputError(self._no_digest(request.digest))
        user, zone = request.user_id, request.time_zone or self.config.time_zone
        slot = latest_slot(to_microseconds(request.at), self.config.digests[request.digest], zone)
        if closed := self._digests.closed(user, request.digest, slot):
            return rewritten(user, request.digest, slot, closed)
        due = self._digests.due(user, request.digest, slot)
        unwanted = {held.item_id for held in due if self._known.turned_off.get((user, held.type, held.channel), slot + 1) <= slot}
        entries, fates = compose(due, slot, unwanted, self._tastes_of(user, {held.type for held in due}, slot), self.config.digest_entries)
        return written(user, request.digest, slot, entries, fates, closed=False)

    def _tastes_of(self, user: str, kinds: Iterable[str], at: int) -> dict[str, float]:
        """Probability of a click by type, as known at the last training."""
        asked = [NotificationQuery(user_id=user, type=kind, at=to_datetime(at)) for kind in sorted(kinds)]
        return {answer.type: answer.probability for answer in self._as_trained(self.config).predict(asked)}

    def _as_trained(self, config: NotificationConfig) -> Notification:
        """The model before it learned anything since its training."""
        other = copy(self)
        other.config, other._known, other._tiring_beyond = config, self._trained, self._trained.tastes.of_load()
        return other

    def evaluate_policy(self, request: PolicyQuestion) -> PolicyReport:
        """Say what other settings of the decision would have been worth on a log, and what would have changed; or why the log cannot tell.

        The model decides as it was trained: what it learned since may be the very outcomes of the log. Rows that it was trained on are
        left out.

        Raises
        ------
        InputError
            If there is no such setting, or not with this value.
        """
        self._require_fitted()
        config = changed(self.config, request.settings, DECIDING)
        judged = self._as_trained(config)
        asked = zip(request.log, questions(request.log), strict=True)
        later = [(row, query) for row, query in asked if to_microseconds(row.sent_at) > self.reference_]
        rows = [row for row, _ in later]
        predictions = judged.predict([query for _, query in later])
        expected = [judged._worth(row, answer) for row, answer in zip(rows, predictions, strict=True)]
        return report(rows, predictions, expected, request.settings, config.disable_cost, len(request.log) - len(rows))

    def _worth(self, row: NotificationExample, answer: NotificationPrediction) -> dict[Action, float]:
        """What each action is expected to bring."""
        clicks, config = row.value * answer.probability, self.config
        push = clicks - answer.disable_probability * config.disable_cost
        in_app, digest = self._known.rates.share("in_app", config.in_app_share), self._known.rates.share("digest", config.digest_share)
        return {"push": push, "later": push, "in_app": clicks * in_app, "digest": clicks * digest, "drop": 0.0}

    def pressures(self, queries: Sequence[NotificationQuery]) -> list[int]:
        """How many pushes each user got in the 24 hours before."""
        self._require_fitted()
        return [self._pressure(query, to_microseconds(query.at)).day for query in queries]

    def _pressure(self, query: NotificationQuery, at: int) -> Pressure:
        return self._known.history.before(query.user_id, at, _unreported(query))

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
            known=self._known.knows(query.user_id),
        )

    def _belief(self, query: NotificationQuery, at: int, pressure: Pressure, expected: float) -> Belief:
        mean, variance = self._known.tastes.of(group_of(query, at, pressure, self.config), expected)
        config, rates = self.config, self._known.rates
        interest = sigmoid(mean / stretch_of(variance))
        disable = rates.disable_probability(query.type, pressure.day, interest)
        off_since = self._known.turned_off.get((query.user_id, query.type, query.channel))
        follow = self._tiring.follow(pressure.week / 7)
        pushes, worth, _ = self._known.worth.get(query.user_id)
        return Belief(
            mean=mean,
            deviation=variance**0.5,
            disable=disable,
            disable_later=follow * max(0.0, rates.disable_probability(query.type, pressure.day + 1, interest) - disable),
            pushes_last_day=pressure.day,
            fatigue=self._slope() * follow * self._tiring.worth_of(pushes, worth),
            in_app_share=rates.share("in_app", config.in_app_share),
            digest_share=rates.share("digest", config.digest_share),
            turned_off=off_since is not None and off_since <= at,
            gain_at=self._gains(query, at, follow) if config.mode == "value" else {},
        )

    def _slope(self) -> float:
        """What a push takes from the log-odds of those of the next day."""
        return max(0.0, self._tiring.slope + self._tiring_beyond)

    def _gains(self, query: NotificationQuery, at: int, follow: float) -> dict[int, float]:
        """What the log-odds gain by waiting, by hours: other hours of the day suit better or worse, and pushes of the last day fade."""
        latest = int(self.config.delay_hours)
        by_hour = hourly(self._rhythm, at, query.time_zone or self.config.time_zone, latest)
        held = self._known.history.fading(query.user_id, at, len(by_hour) - 1, _unreported(query))
        slope = self._slope()
        relief = [held[0] - left - follow * wait / 24 for wait, left in enumerate(held)]
        return {wait: by_hour[wait] + slope * relief[wait] for wait in range(1, len(by_hour))}

    def _absorb(self, events: Sequence[NotificationExample]) -> None:
        """Learn from events of an hour."""
        if events:
            self._wait(events)
            met, fresh = self._meet(list(filter(_was_sent, events)))
            self._expect(fresh)
            if pushed := [impression for impression, _ in fresh if impression.decision in _PUSHES]:
                weights = self._weights(pushed)
                self._look_at_interest(pushed, weights)
                self._price(pushed, weights)
            self._count(self._lesson(met))

    def _wait(self, events: Sequence[NotificationExample]) -> None:
        """Let items wait for their digests, and take away those of digests that were closed."""
        for event in events:
            if event.closing is not None:
                self._digests.close(event.user_id, event.closing)
            else:
                self._digests.put(event)

    def _meet(self, events: Sequence[NotificationExample]) -> tuple[list[_Met], list[_Fresh]]:
        """Find or hold what each event is about; of what is new, the columns as they were when it was sent."""
        met: list[_Met] = []
        fresh: list[_Fresh] = []
        for event in events:
            at = to_microseconds(event.sent_at)
            key = event.user_id, event.type, event.channel, at
            impression = self._impressions.get(key)
            if impression is None:
                pressure = self._known.history.before(event.user_id, at)
                impression = Impression(group_of(event, at, pressure, self.config), at, event.decision, event.value)
                fresh.append((impression, columns_of(event, at, pressure, self.config)))
                self._impressions.hold(key, impression)
                if event.decision in _PUSHES:
                    self._known.history.sent(event.user_id, at)
            if event.clicked:
                self._known.history.clicked(event.user_id, _newest(event))
            met.append((event, impression))
        pushed = [each for each, _ in fresh if each.decision in _PUSHES]
        if pushed:
            loads = [each.group.load for each in pushed]
            self._known.rates.pushed([each.group.type for each in pushed], loads, self._weights(pushed))
        return met, fresh

    def _expect(self, fresh: Sequence[_Fresh]) -> None:
        for impression, log_odds in zip(
            (each for each, _ in fresh), self.champion_.log_odds([row for _, row in fresh]).tolist(), strict=True
        ):
            impression.log_odds = log_odds

    def _price(self, pushed: Sequence[Impression], weights: Array) -> None:
        """What the log-odds of each user's pushes are worth: so much is lost if another push tires them."""
        users, wanted = [each.group.user for each in pushed], np.array([self._wanted(each) for each in pushed])
        values = np.minimum([each.value for each in pushed], _MOST_VALUE)
        self._known.worth.add(users, np.column_stack([weights, weights * wanted * (1 - wanted) * values, np.zeros(len(users))]))

    def _look_at_interest(self, pushed: Sequence[Impression], weights: Array) -> None:
        """How likely each push was to be clicked, in the eyes of the last training: none of them had a say in that."""
        burdens = [(each.group.type, each.group.load) for each in pushed]
        disable = {each: self._trained.rates.disable_probability(*each) for each in set(burdens)}
        for each in pushed:
            each.interest = self._wanted(each)
        interests, expected = [each.interest or 0.0 for each in pushed], weights * [disable[each] for each in burdens]
        self._known.rates.wanted(interests, np.zeros(len(pushed)), expected)

    def _wanted(self, impression: Impression) -> float:
        """The probability that a push of it would have been clicked, as known at the last training."""
        if impression.interest is not None:
            return impression.interest
        mean, variance = self._trained.tastes.of(impression.group, impression.log_odds)
        return sigmoid(mean / stretch_of(variance))

    def _lesson(self, met: Sequence[_Met]) -> _Lesson:
        """What is now known of notifications, and was not before."""
        lesson = _Lesson([], [])
        for event, impression in met:
            if event.disabled and not impression.disabled:
                impression.disabled = True
                key = event.user_id, event.type, event.channel
                self._known.turned_off[key] = min(_newest(event), self._known.turned_off.get(key, _newest(event)))
                self._known.rates.disabled(event.type, impression.group.load, self._weight(impression.sent_at))
                if impression.interest is not None:
                    self._known.rates.wanted([impression.interest], np.array([self._weight(impression.sent_at)]), np.zeros(1))
            if not impression.resolved and (event.clicked is not None or event.dismissed or event.disabled):
                impression.resolved = True
                lesson.outcomes.append((impression, float(bool(event.clicked))))
            if not impression.graded and not event.clicked and (graded := grade(event)) is not None:
                impression.graded = True
                lesson.grades.append((impression, graded))
        return lesson

    def _count(self, lesson: _Lesson) -> None:
        """Add outcomes to what they tell about."""
        pushed = [(impression, clicked) for impression, clicked in lesson.outcomes if impression.decision in _PUSHES]
        if pushed:
            groups, log_odds, clicks, weights = self._columns(pushed)
            wanted = np.array([self._wanted(impression) for impression, _ in pushed])
            self._known.tastes.add(groups, log_odds, wanted, clicks, weights)
        self._count_shown(lesson.outcomes)
        self._count_tastes(lesson)

    def _count_shown(self, outcomes: Sequence[tuple[Impression, float]]) -> None:
        """Clicks in the app and in digests, beside those that pushes would have got."""
        for each, clicked in outcomes:
            if each.decision not in _PUSHES:
                self._known.rates.shown(each.decision, clicked, self._wanted(each), self._weight(each.sent_at))

    def _count_tastes(self, lesson: _Lesson) -> None:
        """What users do with other things than pushes tells their tastes, too."""
        shown = [(impression, clicked) for impression, clicked in lesson.outcomes if impression.decision in self._shares]
        if shown:
            groups, log_odds, clicks, weights = self._columns(shown)
            shares = np.array([self._shares[impression.decision] for impression, _ in shown])
            self._known.tastes.add_users(groups, self._known.tastes.expected(groups, log_odds) * shares, clicks, weights)
        if lesson.grades:
            groups, log_odds, grades, weights = self._columns(lesson.grades)
            self._known.tastes.add_grades(groups, log_odds, grades, weights * self.config.implicit_weight)

    def _columns(self, outcomes: Sequence[tuple[Impression, float]]) -> tuple[list[Group], Array, Array, Array]:
        """Groups, log-odds, outcomes and weights."""
        return (
            [impression.group for impression, _ in outcomes],
            np.array([impression.log_odds for impression, _ in outcomes]),
            np.array([outcome for _, outcome in outcomes]),
            self._weights([impression for impression, _ in outcomes]),
        )

    def _weights(self, impressions: Sequence[Impression]) -> Array:
        return np.array([self._weight(each.sent_at) for each in impressions])

    def _weight(self, sent_at: int) -> float:
        halvings = (sent_at - self.reference_) / DAY / self.config.half_life_days
        return float(2.0 ** min(halvings, MOST_HALVINGS))

    def _unclicked_until(self) -> int:
        """What was sent until then and is not clicked now never will be."""
        return self._hour * HOUR - int(self.config.attribution_hours * HOUR)

    def _state(self) -> dict[str, Part]:
        (known, counts), (trained, trained_counts) = self._known.dump(), self._trained.dump()
        return {
            **self.champion_.state(),
            "model.json": {
                "reference": self.reference_,
                "hour": self._hour,
                "rhythm": self._rhythm,
                "tiring": self._tiring,
                "tiring_beyond": self._tiring_beyond,
                "shares": self._shares,
            },
            "impressions.json": self._impressions.dump(),
            "digests.json": self._digests.dump(),
            "known.json": known,
            "known.npz": counts,
            "trained.json": trained,
            "trained.npz": trained_counts,
        }

    def _restore(self, parts: Mapping[str, Part]) -> None:
        self.champion_ = Champion.restore(parts)
        model = parts["model.json"]
        self.reference_, self._hour, self._rhythm = model["reference"], model["hour"], model["rhythm"]
        self._tiring, self._shares = Tiring(*model["tiring"]), model["shares"]
        self._tiring_beyond = model["tiring_beyond"]
        self._impressions = Impressions.restore(parts["impressions.json"])
        self._digests = Digests.restore(parts["digests.json"])
        self._known = Knowledge.restore(parts["known.json"], parts["known.npz"])
        self._trained = Knowledge.restore(parts["trained.json"], parts["trained.npz"])


class _Lesson(NamedTuple):
    """Outcomes, from 0 to 1, and grades of implicit signals."""

    outcomes: list[tuple[Impression, float]]
    grades: list[tuple[Impression, float]]


def _was_sent(row: NotificationExample) -> bool:
    """Whether an event is about what a user was shown, and not about what waits for a digest."""
    return row.item is None and row.closing is None


def _is_push(row: NotificationExample) -> bool:
    return row.decision in _PUSHES


def _newest(row: NotificationExample) -> int:
    """The last instant that an event is about."""
    at = to_microseconds(row.sent_at)
    return at if row.happened_at is None else max(at, to_microseconds(row.happened_at))


def _unreported(query: NotificationQuery) -> list[int]:
    return [to_microseconds(instant) for instant in query.unreported]
