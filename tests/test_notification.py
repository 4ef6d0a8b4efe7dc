"""Notifications against answers known by hand and against the planted truth of their sample."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from typer.testing import CliRunner

import foretell
from data.notification import prepare
from models.errors import InputError
from models.notification import Notification, NotificationConfig, NotificationExample, NotificationPrediction, NotificationQuery
from models.notification.policy import PolicyQuestion
from models.rows import read_rows
from tests.registered import register
from training.notification import RECIPE
from training.policy import picture

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FOLDER = Path(__file__).parent.parent / "data" / "notification"
SURE = NotificationConfig(exploration="off")


def sent(user: str, kind: str = "Social", at: datetime = NOON, **told: Any) -> NotificationExample:
    return NotificationExample(user_id=user, type=kind, sent_at=at, **told)


def ask(model: Notification, user: str, kind: str = "Social", at: datetime = NOON, **known: Any) -> NotificationPrediction:
    (answer,) = model.predict([NotificationQuery(user_id=user, type=kind, at=at, **known)])
    return answer


def small(config: NotificationConfig = SURE) -> Notification:
    """A hundred users, of whom three in ten click Social, and one other in ten Promo."""
    clickers = {"Social": (0, 1, 2), "Promo": (3,)}
    at = NOON - timedelta(days=2)
    cases = [(f"u{n}", kind, n % 10 in who) for kind, who in clickers.items() for n in range(100)]
    return Notification(config).fit(sent(user, kind, at, clicked=clicked) for user, kind, clicked in cases)


def saved(model: Notification, folder: Path) -> dict[str, bytes]:
    model.save(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def sample() -> list[NotificationExample]:
    return list(read_rows(FOLDER / "sample.csv", NotificationExample))


@pytest.fixture(scope="module")
def fitted(sample: list[NotificationExample]) -> Notification:
    return Notification(SURE).fit(sample)


def test_a_newcomer_is_what_their_type_is() -> None:
    model = small()
    assert ask(model, "nobody").probability == pytest.approx(0.3, abs=0.03)
    assert ask(model, "nobody", "Promo").probability == pytest.approx(0.1, abs=0.03)
    assert not ask(model, "nobody").known


def test_below_the_threshold_it_goes_into_the_digest() -> None:
    model = small(NotificationConfig(exploration="off", threshold=0.2))
    push, digest = ask(model, "nobody"), ask(model, "nobody", "Promo")
    assert (push.decision, push.reason, push.send_at, push.propensity) == ("push", "above_threshold", NOON, 1.0)
    assert (digest.decision, digest.reason, digest.send_at, digest.propensity) == ("digest", "below_threshold", None, 1.0)


def test_who_clicks_social_and_swipes_promo_away_is_told_apart() -> None:
    model = small()
    for day in range(8):
        at = NOON + timedelta(days=day)
        model.update([sent("ada", "Social", at, clicked=True), sent("ada", "Promo", at + timedelta(minutes=5), dismissed=True)])
    later = NOON + timedelta(days=9)
    ada, nobody = (ask(model, user, "Social", later).probability for user in ("ada", "nobody"))
    assert ada > nobody + 0.1
    ada, nobody = (ask(model, user, "Promo", later).probability for user in ("ada", "nobody"))
    assert ada < nobody


def test_a_click_counts_at_once() -> None:
    model = small()
    before = ask(model, "ada", at=NOON + timedelta(hours=1)).probability
    model.update([sent("ada", at=NOON, clicked=True, happened_at=NOON + timedelta(minutes=1))])
    assert ask(model, "ada", at=NOON + timedelta(hours=1)).probability > before


def test_a_push_of_five_minutes_ago_is_no_negative() -> None:
    model, later = small(), NOON + timedelta(days=3)
    before = ask(model, "ada", at=later).probability
    model.update([sent("ada", at=NOON)])
    model.update([sent("bob", at=NOON + timedelta(minutes=5))])
    assert ask(model, "ada", at=later).probability == before
    model.update([sent("bob", at=NOON + timedelta(hours=7))])
    assert ask(model, "ada", at=later).probability < before


def test_reports_about_one_push_are_one_trial(tmp_path: Path) -> None:
    at_once = small().update([sent("ada", clicked=True, happened_at=NOON + timedelta(minutes=3))])
    told = sent("ada", clicked=True, happened_at=NOON + timedelta(minutes=3))
    in_parts = small().update([sent("ada")]).update([told]).update([told])
    one, two = (ask(model, "ada", at=NOON + timedelta(days=1)) for model in (at_once, in_parts))
    assert one.probability == two.probability


def test_swipes_and_scrolling_tell_taste_and_not_the_rate_of_clicks() -> None:
    model, later = small(), NOON + timedelta(days=1)
    feed = [
        *(sent("bored", at=NOON + timedelta(minutes=n), decision="in_app", scroll_speed=8.0) for n in range(10)),
        *(sent("keen", at=NOON + timedelta(minutes=n), decision="in_app", dwell_s=60.0) for n in range(10)),
    ]
    plain = ask(model, "nobody", at=later).probability
    model.update(feed)
    assert ask(model, "bored", at=later).probability < plain < ask(model, "keen", at=later).probability
    assert ask(model, "nobody", at=later).probability == plain


def test_what_a_user_turned_off_is_dropped_unless_they_ask_for_it_again() -> None:
    model = small().update([sent("ada", "Promo", disabled=True)])
    dropped = ask(model, "ada", "Promo")
    assert (dropped.decision, dropped.reason) == ("drop", "turned_off")
    assert ask(model, "ada", "Promo", preference="push").reason != "turned_off"
    assert ask(model, "ada", "Social").reason != "turned_off"


def test_critical_types_always_pass() -> None:
    config = NotificationConfig(threshold=1.0, critical_types=("Sign-in code",), daily_cap=0, quiet_hours=(0, 23.9))
    model = small(config)
    for kind, critical in (("Sign-in code", False), ("Social", True)):
        answer = ask(model, "ada", kind, critical=critical, preference="off")
        assert (answer.decision, answer.reason, answer.propensity) == ("push", "critical", 1.0)


def test_caps_divert_to_the_digest() -> None:
    config = NotificationConfig(exploration="off", daily_cap=3)
    model = small(config).update([sent("ada", at=NOON - timedelta(hours=n)) for n in range(1, 4)])
    answer = ask(model, "ada")
    assert (answer.decision, answer.reason) == ("digest", "daily_cap")
    assert ask(model, "ada", at=NOON + timedelta(hours=24)).decision == "push"
    valued = small(config.model_copy(update={"mode": "value", "digest_share": 0.0, "in_app_share": 0.0}))
    valued.update([sent("ada", at=NOON - timedelta(hours=n)) for n in range(1, 4)])
    assert ask(valued, "ada").decision in ("digest", "in_app")


def test_what_a_cap_or_the_night_holds_back_is_never_dropped() -> None:
    config = NotificationConfig(mode="value", daily_cap=0, quiet_hours=(22, 8), exploration_floor=0.5, in_app_share=0.0, digest_share=0.0)
    model = small(config)
    for at in (NOON, NOON + timedelta(hours=11)):
        answers = [ask(model, f"n{n}", at=at) for n in range(60)]
        assert {answer.decision for answer in answers} == {"digest", "in_app"}
        assert all("drop" not in answer.propensities for answer in answers)


def test_preferences_are_kept() -> None:
    model = small()
    assert ask(model, "ada", preference="digest").reason == "asked_for_digest"
    assert ask(model, "ada", preference="in_app").decision == "in_app"
    assert ask(model, "ada", preference="off").decision == "drop"
    assert ask(model, "ada", expires_at=NOON).reason == "expired"


@pytest.mark.parametrize(
    ("at", "quiet"),
    [
        ("2026-03-29T00:30:00Z", True),  # 01:30 in Berlin, an hour before the clocks go forward
        ("2026-03-29T05:30:00Z", True),  # 07:30 in summer time
        ("2026-03-29T06:30:00Z", False),  # 08:30 in summer time, 07:30 in winter time
        ("2026-03-28T06:30:00Z", True),  # 07:30 on the day before
        ("2026-10-25T06:30:00Z", True),  # 07:30 in winter time again
        ("2026-10-24T06:30:00Z", False),
    ],
)
def test_quiet_hours_are_those_of_the_users_clock(at: str, quiet: bool) -> None:
    model = small(NotificationConfig(exploration="off", quiet_hours=(22, 8)))
    answer = ask(model, "ada", at=datetime.fromisoformat(at), time_zone="Europe/Berlin")
    assert (answer.decision, answer.reason) == (("digest", "quiet_hours") if quiet else ("push", "above_threshold"))


def test_drawn_decisions_come_as_often_as_their_propensities_say() -> None:
    model = small(NotificationConfig(threshold=0.3, exploration_floor=0.1))
    queries = [NotificationQuery(user_id=f"n{n}", type="Social", at=NOON) for n in range(4000)]
    answers = model.predict(queries)
    (propensities,) = {tuple(sorted(answer.propensities.items())) for answer in answers}
    for action, propensity in propensities:
        share = np.mean([answer.decision == action for answer in answers])
        assert share == pytest.approx(propensity, abs=4 * np.sqrt(0.25 / 4000))
    assert sum(propensity for _, propensity in propensities) == pytest.approx(1.0)
    assert all(answer.propensity == answer.propensities[answer.decision] for answer in answers)


def test_who_opted_out_is_not_part_of_exploration() -> None:
    model = small(NotificationConfig(threshold=0.3, exploration_floor=0.5))
    answers = [ask(model, f"n{n}", explore=False) for n in range(50)]
    assert {(answer.decision, answer.propensity) for answer in answers} == {(answers[0].decision, 1.0)}


def test_nothing_to_learn_from_is_refused() -> None:
    for rows in ([], [sent("ada")], [sent("ada", decision="digest", clicked=True)]):
        with pytest.raises(InputError, match="expected at least one push of which it is known whether it was clicked"):
            Notification().fit(rows)


def test_an_unknown_zone_and_a_naive_time_are_refused() -> None:
    with pytest.raises(ValidationError, match="expected a time zone of the IANA database"):
        NotificationQuery(user_id="ada", type="Social", at=NOON, time_zone="Berlin")
    with pytest.raises(ValidationError, match="timezone"):
        NotificationQuery.model_validate({"user_id": "ada", "type": "Social", "at": "2026-03-02T12:00:00"})


EVENTS = st.lists(
    st.builds(
        lambda user, kind, minutes, **told: sent(user, kind, NOON + timedelta(minutes=minutes), **told),
        st.sampled_from(["ada", "bob", "cyd"]),
        st.sampled_from(["Social", "Promo"]),
        st.integers(0, 40).map(lambda n: n * 30),
        clicked=st.none() | st.booleans(),
        dismissed=st.booleans(),
        disabled=st.booleans(),
        decision=st.sampled_from(["push", "digest", "in_app"]),
    ),
    min_size=1,
    max_size=12,
)
ONE = small()


@settings(max_examples=30)
@given(events=EVENTS, data=st.data())
def test_batches_leave_no_trace(events: list[NotificationExample], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("models")
    ONE.save(folder / "start")
    cut = data.draw(st.integers(0, len(events)))
    at_once = Notification.load(folder / "start").update(events)
    in_parts = Notification.load(folder / "start").update(events[:cut]).update(events[cut:])
    assert saved(at_once, folder / "one") == saved(in_parts, folder / "two")


@settings(max_examples=30)
@given(events=EVENTS, data=st.data())
def test_order_within_an_instant_leaves_no_trace(
    events: list[NotificationExample], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    instant = [event.model_copy(update={"sent_at": NOON, "user_id": f"{event.user_id}{n}"}) for n, event in enumerate(events)]
    folder = tmp_path_factory.mktemp("models")
    ONE.save(folder / "start")
    one = Notification.load(folder / "start").update(instant)
    other = Notification.load(folder / "start").update(data.draw(st.permutations(instant)))
    assert saved(one, folder / "one") == saved(other, folder / "two")


def test_a_forgotten_user_is_in_no_file(tmp_path: Path) -> None:
    model = small().update([sent("zoe", clicked=True), sent("zoe", "Promo", disabled=True)])
    assert ask(model, "zoe").known
    model.forget("zoe")
    assert not ask(model, "zoe").known
    assert all(b"zoe" not in data for data in saved(model, tmp_path / "model").values())
    assert ask(model, "zoe", "Promo").reason != "turned_off"


def test_the_sample_is_reproducible(tmp_path: Path) -> None:
    prepare.main(tmp_path)
    assert (tmp_path / "sample.csv").read_bytes() == (FOLDER / "sample.csv").read_bytes()
    assert len((tmp_path / "sample.csv").read_bytes()) < 1_000_000


def test_probabilities_follow_the_planted_tastes(fitted: Notification) -> None:
    later = prepare.START + timedelta(days=prepare.DAYS + 2)
    pairs = []
    for user in prepare.users(seed=0):
        for kind in prepare.LOG_ODDS:
            context = {"segment": user.segment, "platform": user.platform}
            answer = ask(fitted, user.user_id, kind, later, time_zone=user.time_zone, context=context)
            pairs.append((user.log_odds(kind, later, 0), np.log(answer.probability / (1 - answer.probability))))
    planted, found = np.array(pairs).T
    assert np.corrcoef(planted, found)[0, 1] > 0.8


def test_the_model_beats_the_rate_of_the_type_on_later_pushes(sample: list[NotificationExample]) -> None:
    split = RECIPE.split(sample, 0)
    cases = RECIPE.cases(split, 0)
    queries = [case.query for case in cases]
    model = Notification().fit(split.train)
    predictions = model.predict(queries)
    ours, simple = RECIPE.evaluate(predictions, cases), RECIPE.evaluate(RECIPE.baseline(split.train)(queries), cases)
    assert ours["log_loss"] < simple["log_loss"] - 0.02
    assert ours["roc_auc"] > simple["roc_auc"] + 0.05
    assert set(RECIPE.figures(model, predictions, cases)) == {"reliability", "reliability_by_type", "value", "fatigue", "never_reached"}


def trying(log: list[NotificationExample], settings: dict[str, Any]) -> PolicyQuestion:
    return PolicyQuestion.model_validate({"log": log, "set": settings})


@pytest.fixture(scope="module")
def trained(sample: list[NotificationExample]) -> Notification:
    """Trained on the first four fifths, and told of the rest."""
    split = RECIPE.split(sample, 0)
    return Notification(SURE.model_copy(update={"disable_cost": 0.0})).fit(split.train).update(split.holdout)


def test_a_policy_is_judged_on_what_was_decided_after_the_training(trained: Notification, sample: list[NotificationExample]) -> None:
    report = trained.evaluate_policy(trying(sample, {"threshold": "0.05", "exploration": "off"}))
    split = RECIPE.split(sample, 0)
    assert report.trained_on == len(split.train)
    assert report.overlap.decisions == len(split.holdout)
    assert report.value is not None
    assert report.value.verdict == "better"  # more is pushed, and a push is clicked 2.5 times as often as a digest
    assert report.value.dr.holds(report.value.ips.value)
    assert {(each.logged, each.instead) for each in report.changed} == {("digest", "push"), ("push", "digest")}


def test_outcomes_that_were_learned_since_do_not_judge_themselves(trained: Notification, sample: list[NotificationExample]) -> None:
    fresh = Notification(trained.config).fit(RECIPE.split(sample, 0).train)
    question = trying(sample, {"threshold": 0.2})
    assert trained.evaluate_policy(question) == fresh.evaluate_policy(question)


def test_a_threshold_that_a_deterministic_log_never_tried_is_refused(trained: Notification, sample: list[NotificationExample]) -> None:
    log = [row.model_copy(update={"propensity": 1.0}) for row in sample if row.decision == "push"]
    report = trained.evaluate_policy(trying(log, {"threshold": 0.2}))
    assert report.value is None
    assert "the log never tried" in str(report.refused)
    assert report.changed[0].instead == "digest"
    old = trained.evaluate_policy(trying(sample[:10], {"threshold": 0.2}))
    assert "the model was trained on all 10 rows" in str(old.refused)


def test_only_settings_of_the_decision_can_be_tried(trained: Notification, sample: list[NotificationExample]) -> None:
    for settings_, message in (
        ({"half_life_days": 3}, "expected settings of the decision, among .*threshold.*, got half_life_days"),
        ({"threshold": "2"}, "setting threshold: expected at most 1, got '2'"),
    ):
        with pytest.raises(InputError, match=message):
            trained.evaluate_policy(trying(sample[-5:], settings_))


def test_the_report_can_be_drawn(trained: Notification, sample: list[NotificationExample], tmp_path: Path) -> None:
    for log in (sample, sample[-5:]):
        report = trained.evaluate_policy(trying(log, {"threshold": 0.2}))
        picture(report.model_dump(mode="json")).savefig(tmp_path / "report.png", dpi=40)
        assert (tmp_path / "report.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_prints_the_report_and_refuses_with_a_sentence(trained: Notification, home: Path, tmp_path: Path) -> None:
    register(trained)
    log = FOLDER / "sample.csv"
    done = CliRunner().invoke(foretell.app, ["evaluate-policy", "notification", "--log", str(log), "--set", "threshold=0.05", "--json"])
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    assert (printed["settings"], printed["refused"], printed["value"]["verdict"]) == ({"threshold": "0.05"}, None, "better")
    certain = tmp_path / "certain.csv"
    certain.write_text(log.read_text().replace(",push,0.75", ",push,1").replace(",digest,0.25", ",digest,1"))
    command = ["evaluate-policy", "notification", "--log", str(certain), "--set", "threshold=0.2", "--figure", str(tmp_path / "x.png")]
    refused = CliRunner().invoke(foretell.app, command)
    assert refused.exit_code == 1
    assert "the log never tried" in refused.stderr
    assert (tmp_path / "x.png").exists()
    wrong = CliRunner().invoke(foretell.app, ["evaluate-policy", "intent", "--log", str(log)])
    expected = "foretell: expected a model whose decisions a log can judge (churn, notification), got intent\n"
    assert (wrong.exit_code, wrong.stderr) == (2, expected)
