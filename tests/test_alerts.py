"""Alerts that last, do not flap, know the hour, and are suppressed only as people taught it; and incidents that are remembered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.feedback import Observed
from models.root_cause import (
    Alert,
    ConfirmedCause,
    LogLine,
    Resemblance,
    RootCause,
    RootCauseEvent,
    RootCauseExample,
    RootCausePrediction,
    RootCauseQuery,
    Suspect,
)
from models.root_cause.experience import Experience
from models.root_cause.hourly import hourly_rates
from models.root_cause.memory import Memory, signs_of, similarity, with_memory
from models.root_cause.muting import Mutes
from models.root_cause.window import MICROSECONDS
from tests.test_root_cause import NOON, ask, incident, model  # noqa: F401 - fixture

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
MONTH = timedelta(days=30)
TEMPLATE = "copied table <*>"


def lines(start: datetime, per_minute: list[int], message: str = "copied table {n}", service: str = "backup") -> list[dict[str, Any]]:
    """So many lines in each minute, evenly spread."""
    return [
        {"timestamp": start + timedelta(minutes=minute, seconds=60 * n / count), "service": service, "message": message.format(n=n)}
        for minute, count in enumerate(per_minute)
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def night(encoder_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> RootCause:
    """Normal time: four days of a tick a minute and, as long as it is day, of a table copied now and then."""
    home = tmp_path_factory.mktemp("home")
    (home / "encoders").symlink_to(encoder_cache)
    normal = [
        row
        for hour in range(96)
        for row in (
            *lines(MONDAY + timedelta(hours=hour), [1] * 60, "tick {n}", "clock"),
            *lines(MONDAY + timedelta(hours=hour), [0, 1, 0, 1] if 8 <= hour % 24 < 20 else [0]),
        )
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORETELL_HOME", str(home))
        return RootCause().fit(RootCauseExample(**row) for row in normal)


def alerts(model: RootCause, rows: list[dict[str, Any]], firing: tuple[str, ...] = ()) -> list[Alert]:  # noqa: F811
    return list(ask(model, RootCauseQuery(lines=tuple(LogLine(**row) for row in rows), firing=firing)).alerts)


def mute(at: datetime, service: str = "backup", template: str = TEMPLATE, action: str = "mute") -> RootCauseEvent:
    return RootCauseEvent.model_validate({"action": action, "at": at, "service": service, "template": template, "by": "mara"})


@pytest.mark.parametrize(
    ("per_minute", "state"),
    [
        ([1, 1, 1, 1], None),
        ([0, 6, 0, 0], None),
        ([0, 0, 0, 8], None),
        ([0, 0, 0, 40], "firing"),
        ([40, 0, 0, 0], "resolved"),
        ([40, 4, 4, 4], "resolved"),
        ([40, 40, 40, 40], "firing"),
    ],
)
def test_an_alert_lasts_before_it_fires_and_is_quiet_before_it_ends(night: RootCause, per_minute: list[int], state: str | None) -> None:
    found = alerts(night, [*lines(NOON, per_minute), *lines(NOON, [1] * 4, "tick {n}", "clock")])
    assert [alert.state for alert in found] == ([state] if state else [])


def test_one_alert_however_many_lines_say_so(night: RootCause) -> None:
    (alert,) = alerts(night, lines(NOON, [0, 30, 30, 30]))
    assert (alert.service, alert.template, alert.kind, alert.lines) == ("backup", TEMPLATE, "burst", 90)
    assert (alert.since, alert.until) == (NOON + timedelta(minutes=1), NOON + timedelta(minutes=4))


def test_an_alert_goes_on_in_the_next_window_and_ends_there(night: RootCause) -> None:
    (first,) = alerts(night, lines(NOON, [30, 30]))
    later = NOON + timedelta(minutes=2)
    (ongoing,) = alerts(night, lines(later, [20]), firing=(first.key,))
    assert (ongoing.key, ongoing.state) == (first.key, "firing")
    (over,) = alerts(night, lines(later, [0, 1, 1, 1]), firing=(first.key,))
    assert (over.key, over.state) == (first.key, "resolved")


def test_a_message_that_normal_time_lacks_is_new_and_an_unknown_service_says_nothing(night: RootCause) -> None:
    (alert,) = alerts(night, lines(NOON, [30, 30], "disk {n} is full"))
    assert (alert.kind, alert.expected) == ("new", 0)
    assert alerts(night, lines(NOON, [30, 30], "disk {n} is full", "stranger")) == []


def test_expectations_know_the_hour_of_the_week() -> None:
    """Three weeks in which one symbol is written ten times a minute on Mondays from 2 to 3, and once an hour otherwise."""
    minute = 60 * MICROSECONDS
    start = int(MONDAY.timestamp()) * MICROSECONDS
    busy = [start + week * 7 * 1440 * minute + (120 + m) * minute + s for week in range(3) for m in range(60) for s in range(10)]
    calm = [start + hour * 60 * minute for hour in range(21 * 24)]
    at = np.array(sorted(busy + calm))
    learned = hourly_rates(at, np.zeros(len(at), dtype=np.int64), 1, 60.0, 1.0)
    steps = np.array([(start + (7 * 1440 + m) * minute) // minute for m in (150, 600)])
    (on_monday, later), _ = (values[0] for values in learned.expected(np.array([0]), steps))
    assert learned.is_seasonal
    assert on_monday > 8
    assert later < 3


def test_a_sample_of_normal_time_expects_as_much_as_all_of_it() -> None:
    at = np.arange(0, 10_000) * MICROSECONDS
    symbol = np.zeros(len(at), dtype=np.int64)
    whole, tenth = hourly_rates(at, symbol, 1, 100.0, 1.0), hourly_rates(at[::10], symbol[::10], 1, 100.0, 0.1)
    np.testing.assert_allclose(whole.mean, 100)
    np.testing.assert_allclose(tenth.mean, 100)


@pytest.mark.parametrize(
    ("muted_on", "state"),
    [((1, 2), "firing"), ((1, 2, 3), "muted"), ((1, 1.01, 1.02), "firing"), ((1, 2, 3.5), "firing"), ((-40, -39, 3), "firing")],
    ids=["too few days", "three nights", "one night thrice", "another time of day", "long ago"],
)
def test_a_suppression_is_taught_by_the_same_time_on_several_days(night: RootCause, muted_on: tuple[float, ...], state: str) -> None:
    events = [mute(MONDAY + timedelta(days=day, hours=2)) for day in muted_on]
    taught = Experience(Mutes().after(events))
    two = MONDAY + timedelta(days=4, hours=2, minutes=10)
    (alert,) = alerts(night, lines(two, [50, 50, 50]))
    assert taught.mutes.judge(alert, 3, MONTH).state == state


def test_a_suppression_says_why_and_when_it_ends_and_can_be_undone(night: RootCause) -> None:
    events = [mute(MONDAY + timedelta(days=day, hours=2)) for day in range(3)]
    (alert,) = alerts(night, lines(MONDAY + timedelta(days=3, hours=2), [50, 50]))
    muted = Mutes().after(events).judge(alert, 3, MONTH)
    assert muted.expires_at == MONDAY + timedelta(hours=2) + MONTH
    assert "muted by mara at this time of day (2026-03-02 02:00, 2026-03-03 02:00, 2026-03-04 02:00)" in muted.why
    undone = Mutes().after([*events, mute(MONDAY + timedelta(days=2, hours=3), action="unmute")])
    assert undone.judge(alert, 3, MONTH).state == "firing"


@pytest.mark.parametrize(
    ("template", "state"),
    [("copied table users", "muted"), ("copied table <*>", "muted"), ("copied table users twice", "firing"), ("<*> <*> <*>", "firing")],
)
def test_a_mute_outlives_a_training_that_words_the_template_otherwise(night: RootCause, template: str, state: str) -> None:
    events = [mute(MONDAY + timedelta(days=day, hours=2), template=template) for day in range(3)]
    (alert,) = alerts(night, lines(MONDAY + timedelta(days=3, hours=2), [50, 50]))
    assert Mutes().after(events).judge(alert, 3, MONTH).state == state
    as_muted = alert.model_copy(update={"template": "copied table <*> rows"})
    assert Mutes().after(events).judge(as_muted, 3, MONTH).state == "firing"


def test_a_new_kind_of_message_is_never_muted(night: RootCause) -> None:
    start = MONDAY + timedelta(days=3, hours=2)
    (alert,) = alerts(night, lines(start, [50, 50], "disk {n} is full"))
    events = [mute(MONDAY + timedelta(days=day, hours=2), template=alert.template) for day in range(3)]
    judged = Mutes().after(events).judge(alert, 3, MONTH)
    assert (judged.state, "never muted, because it is new" in judged.why) == ("firing", True)


times = st.integers(0, 5).map(lambda day: MONDAY + timedelta(days=day))
told = st.lists(st.builds(mute, times, template=st.sampled_from("ab"), action=st.sampled_from(["mute", "unmute"])), max_size=8)


@given(told, st.randoms())
def test_mutes_are_the_same_in_whatever_order_and_portions_they_come(events: list[RootCauseEvent], random: Any) -> None:
    shuffled = [*events, *events[:2]]
    random.shuffle(shuffled)
    half = len(shuffled) // 2
    assert Mutes().after(events) == Mutes().after(shuffled[:half]).after(shuffled[half:])


def remembered(model: RootCause, kind: str, service: str, title: str, seed: int = 1, hour: int = 0) -> RootCauseEvent:  # noqa: F811
    seen = ask(model, incident(kind, service, seed)).model_copy(update={"prediction_id": f"{kind}-{service}-{seed}"})
    cause = ConfirmedCause(service=service, title=title, incident="17")
    event = model.lesson(Observed(RootCauseQuery(lines=()), seen, cause, NOON, NOON + timedelta(hours=hour)))
    assert event is not None
    return event


def test_an_incident_is_found_again_by_what_it_looks_like(model: RootCause) -> None:  # noqa: F811
    kinds = [("exception", "payment"), ("memory", "database"), ("crash", "auth"), ("config", "cart")]
    taught = model.experience_.after([remembered(model, *case, f"{case[0]} again") for case in kinds], model.known_.embedding.of)
    for kind, service in kinds:
        plain = ask(model, incident(kind, service, seed=2))
        answer = taught.applied(plain, model.config, model.known_.embedding.of)
        assert answer.resembles[0].title == f"{kind} again"
        assert f"like incident 17 ({kind} again), which {service} had caused" in answer.resembles[0].words
        assert answer.suspects[0].service == service
        assert answer.suspects[0].evidence[-1].kind == "memory"


def test_a_calm_window_looks_like_no_incident(model: RootCause) -> None:  # noqa: F811
    taught = model.experience_.after([remembered(model, "exception", "payment", "card provider down")], model.known_.embedding.of)
    answer = ask(model, incident("none", ""))
    assert taught.applied(answer, model.config, model.known_.embedding.of).verdict == "insufficient_evidence"


def suspects(**probabilities: float) -> RootCausePrediction:
    """A sure answer with these suspects, the rest of the probability being that of no cause."""
    nothing: dict[str, Any] = {"surprise": 9, "parts": {}, "onset_at": None, "lag_seconds": None, "blames": None, "evidence": ()}
    named = tuple(Suspect(service=service, probability=p, **nothing) for service, p in probabilities.items())
    none = 1 - sum(probabilities.values())
    plain: dict[str, Any] = {"impact": (), "message_kinds": (), "what_would_help": (), "lines": 9, "timeline": None}
    return RootCausePrediction(verdict="root_cause", root_cause=named[0].service, no_cause_probability=none, suspects=named, **plain)


def like(service: str, similarity: float) -> Resemblance:
    return Resemblance(incident="17", title=None, service=service, similarity=similarity, words="this looks like 17")


def test_the_past_raises_who_caused_it_then_by_a_vote_per_incident() -> None:
    plain = suspects(payment=0.6, checkout=0.3)
    answer = with_memory(plain, [like("checkout", 1.0), like("checkout", 0.8)])
    assert [(one.service, round(one.probability, 2)) for one in answer.suspects] == [("checkout", 0.72), ("payment", 0.24)]
    assert (answer.root_cause, round(answer.no_cause_probability, 2)) == ("checkout", 0.04)
    assert answer.suspects[0].evidence[-1].kind == "memory"
    assert with_memory(plain, []) is plain


def test_the_past_accuses_nobody_without_evidence_and_may_leave_too_little() -> None:
    assert [one.service for one in with_memory(suspects(payment=0.9), [like("stranger", 1.0)]).suspects] == ["payment"]
    doubt = with_memory(suspects(payment=0.9, checkout=0.05), [like("checkout", 1.0)])
    assert (doubt.verdict, doubt.root_cause) == ("root_cause", "checkout")
    contradicted = with_memory(suspects(payment=0.9, checkout=0.02, cart=0.02), [like("checkout", 0.95), like("cart", 0.95)])
    assert (contradicted.verdict, contradicted.root_cause) == ("insufficient_evidence", None)
    assert contradicted.what_would_help == ("Whether payment is to blame this time: this looks like 17.",)


def test_of_two_causes_of_one_incident_the_later_holds(model: RootCause) -> None:  # noqa: F811
    first, later = (remembered(model, "exception", "payment", title, hour=hour) for hour, title in ((0, "wrong"), (1, "right")))
    for events in permutations([first, later, first]):
        (kept,) = Memory().after(events, model.known_.embedding.of).incidents.values()
        assert kept[1].title == "right"


def test_likeness_is_whole_of_itself_and_none_of_another_service(model: RootCause) -> None:  # noqa: F811
    one, other = (signs_of(ask(model, incident("exception", service))) for service in ("payment", "inventory"))
    texts = sorted({sign.template for sign in (*one, *other) if sign.template})
    vectors = dict(zip(texts, model.known_.embedding.of(texts), strict=True))
    assert similarity(one, one, vectors) == pytest.approx(1)
    assert similarity(one, other, vectors) == pytest.approx(similarity(other, one, vectors))
    assert similarity(one, other, vectors) < 0.75


def test_what_was_told_is_there_after_saving_and_names_nobody_after_forgetting(model: RootCause, tmp_path: Path) -> None:  # noqa: F811
    model.save(tmp_path / "before")
    taught = RootCause.load(tmp_path / "before").update([mute(MONDAY), remembered(model, "exception", "payment", "card provider down")])
    taught.save(tmp_path / "model")
    again = RootCause.load(tmp_path / "model")
    assert again.fingerprint() == taught.fingerprint() != model.fingerprint()
    assert again.predict([incident("exception", "payment")]) == taught.predict([incident("exception", "payment")])
    again.forget("mara").save(tmp_path / "forgotten")
    assert "mara" not in (tmp_path / "forgotten" / "experience.json").read_text()
    assert len(again.experience_.mutes.mutes) == 1


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"action": "mute", "at": NOON}, "expected the service and the template of the alert"),
        ({"action": "confirm", "at": NOON}, "expected the incident whose cause is confirmed"),
        ({"action": "mute", "at": NOON.replace(tzinfo=None), "service": "a", "template": "b"}, "timezone"),
    ],
)
def test_what_says_too_little_is_refused(event: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RootCauseEvent.model_validate(event)
