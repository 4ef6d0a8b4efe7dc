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
messages have told. A row of a file from the far future makes everything else seem old; such events are refused where they are reported.

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
from typing import ClassVar, Self

import numpy as np

from models.base import Contract, OnlineModel, Part, Question
from models.errors import InputError
from models.instants import to_datetime, to_microseconds
from models.notification.answering import Answering
from models.notification.champion import Champion
from models.notification.clock import HOUR
from models.notification.config import NotificationConfig
from models.notification.counting import Counting
from models.notification.digest import KEPT as CLOSED_KEPT
from models.notification.digest import Digests, compose, latest_slot, rewritten, written
from models.notification.digest_records import Digest, DigestQuestion
from models.notification.impressions import REMEMBERED, Impression, Impressions
from models.notification.knowledge import Knowledge
from models.notification.ledger import PUSHES, Fresh, Ledger, Lesson, Outcome, newest, pushed_of
from models.notification.policy import DECIDING, PolicyQuestion, PolicyReport, questions, report
from models.notification.records import NotificationExample, NotificationPrediction, NotificationQuery
from models.notification.sway import Tiring, daily_rhythm
from models.notification.tastes import Tastes
from models.scalar import Scalar
from models.settings import changed


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
        self.reference_ = max(newest(row) for row in rows)
        self._hour = self.reference_ // HOUR
        self._known, self._impressions, self._digests = Knowledge(Tastes.nothing()), Impressions(), Digests()
        self._digests.hear(told)
        ledger = self._ledger
        met, fresh = ledger.meet(rows)
        lesson = ledger.lesson(met)
        lesson.outcomes.extend((each, 0.0) for each in self._impressions.due(self._unclicked_until()))
        pushed = pushed_of(lesson.outcomes)
        newest_pushed = pushed[-self.config.max_rows :]
        self._learn_columns(newest_pushed, {id(impression): row for impression, row in fresh})
        self._expect(fresh)
        self._known.tastes = Tastes.learn(*ledger.columns(pushed))
        self._tiring_beyond = self._known.tastes.of_load()
        self._count_others(ledger, lesson, [impression for impression, _ in newest_pushed])
        self._impressions.drop(self._unclicked_until() - REMEMBERED)
        self._trained = self._known.copied()
        return self

    def _learn_columns(self, outcomes: Sequence[Outcome], columns: Mapping[int, Mapping[str, Scalar]]) -> None:
        """Train the nightly model, and ask it what hours and earlier pushes do."""
        rows, clicked = [columns[id(impression)] for impression, _ in outcomes], np.array([clicked > 0 for _, clicked in outcomes])
        self.champion_ = Champion.learn(rows, clicked, [impression.group.user for impression, _ in outcomes], self.config.seed)
        self._rhythm = daily_rhythm(self.champion_, rows, clicked)
        self._tiring = Tiring.learn(self.champion_, rows, np.array([impression.value for impression, _ in outcomes]))

    def _count_others(self, ledger: Ledger, lesson: Lesson, pushed: Sequence[Impression]) -> None:
        """Count what is learned beside clicks of pushes: what these are worth, and what came of the app, of digests and of signals."""
        counting = Counting(ledger, self._known, {})
        counting.price(pushed, ledger.weights(pushed))
        counting.count_shown(lesson.outcomes)
        rates, config = self._known.rates, self.config
        self._shares = {"in_app": rates.share("in_app", config.in_app_share), "digest": rates.share("digest", config.digest_share)}
        Counting(ledger, self._known, self._shares).count_tastes(lesson)

    def update(self, events: Iterable[NotificationExample]) -> Self:
        """Learn from what was sent and what became of it.

        A click counts at once; that none came counts when an event is a new hour's and the attribution window has passed.
        """
        self._require_fitted()
        batch: list[NotificationExample] = []
        for event in events:
            hour = newest(event) // HOUR
            if hour > self._hour:
                self._absorb(batch)
                batch = []
                if hour // 24 > self._hour // 24:
                    self._tiring_beyond = self._known.tastes.of_load()
                self._hour = hour
                self._counting.count(Lesson([(each, 0.0) for each in self._impressions.due(self._unclicked_until())], []))
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
        return self._answering().predict(queries)

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

    def _answering(self) -> Answering:
        return Answering(self.config, self.champion_, self._known, self._rhythm, self._tiring, self._tiring_beyond)

    def _as_trained(self, config: NotificationConfig) -> Answering:
        """Answers of the model before it learned anything since its training."""
        trained = self._trained
        return Answering(config, self.champion_, trained, self._rhythm, self._tiring, trained.tastes.of_load())

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
        expected = [judged.worth(row, answer) for row, answer in zip(rows, predictions, strict=True)]
        return report(rows, predictions, expected, request.settings, config.disable_cost, len(request.log) - len(rows))

    def pressures(self, queries: Sequence[NotificationQuery]) -> list[int]:
        """How many pushes each user got in the 24 hours before."""
        self._require_fitted()
        answering = self._answering()
        return [answering.pushes_last_day(query) for query in queries]

    @property
    def _ledger(self) -> Ledger:
        return Ledger(self.config, self.reference_, self._known, self._impressions)

    @property
    def _counting(self) -> Counting:
        return Counting(self._ledger, self._trained, self._shares)

    def _absorb(self, events: Sequence[NotificationExample]) -> None:
        """Learn from events of an hour."""
        if not events:
            return
        ledger, counting = self._ledger, self._counting
        self._digests.hear(events)
        met, fresh = ledger.meet(list(filter(_was_sent, events)))
        self._expect(fresh)
        counting.count_pushes([impression for impression, _ in fresh if impression.decision in PUSHES])
        counting.count(ledger.lesson(met))

    def _expect(self, fresh: Sequence[Fresh]) -> None:
        expected = self.champion_.log_odds([row for _, row in fresh]).tolist()
        for (impression, _), log_odds in zip(fresh, expected, strict=True):
            impression.log_odds = log_odds

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


def _was_sent(row: NotificationExample) -> bool:
    """Whether an event is about what a user was shown, and not about what waits for a digest."""
    return row.item is None and row.closing is None


def _is_push(row: NotificationExample) -> bool:
    return row.decision in PUSHES
