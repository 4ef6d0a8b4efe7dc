"""Chats go where a mistake is expected to cost least, and to a group that can answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InputError
from models.intent.groups import Hours, Routing, read_routing
from models.intent.routing import HUMAN, Router, route_by_intent

GROUPS = """
groups:
  billing:
    intents: [Refund, Invoice]
    capacity: 2
    hours: {zone: Europe/Berlin, mon-fri: "08:00-18:00", sat: ["09:00-12:00", "13:00-15:00"], closed: [2026-12-25]}
  shipping: {intents: [ShippingStatus]}
  general: {}
overflow: general
"""
INTENTS = ("Invoice", "Refund", "ShippingStatus", "TechSupport")
MONDAY_NOON = datetime(2026, 3, 2, 11, tzinfo=UTC)


@pytest.fixture
def router(tmp_path: Path) -> Router:
    return Router(_read(tmp_path, GROUPS), INTENTS)


def _read(folder: Path, text: str) -> Routing:
    (folder / "groups.yaml").write_text(text)
    return read_routing(folder / "groups.yaml")


def _p(**probabilities: float) -> np.ndarray:
    return np.array([probabilities.get(intent, 0.0) for intent in INTENTS])


def test_the_group_with_the_intent_answers(router: Router) -> None:
    route = router.route(_p(Refund=0.9, ShippingStatus=0.1), 0.0, MONDAY_NOON)
    assert route.skill_group == "billing"
    assert route.expected_cost == pytest.approx(0.1)
    assert route.reason == "Refund 0.90; billing answers it"


def test_two_intents_of_one_group_outweigh_the_likeliest_of_another(router: Router) -> None:
    route = router.route(_p(Refund=0.3, Invoice=0.3, ShippingStatus=0.4), 0.0)
    assert route.skill_group == "billing"
    assert route.expected_cost == pytest.approx(0.4)


def test_a_dear_mistake_turns_the_choice(tmp_path: Path) -> None:
    dear = Router(_read(tmp_path, GROUPS + "costs: {Refund: {shipping: 5}}\n"), INTENTS)
    route = dear.route(_p(Refund=0.3, ShippingStatus=0.7), 0.0)
    assert route.skill_group == "general"  # shipping would cost 0.3 * 5, overflow 0.5
    assert not route.overflow


@pytest.mark.parametrize(
    ("at", "busy", "reason"),
    [
        (datetime(2026, 3, 2, 6, 30, tzinfo=UTC), {}, "Refund 0.90; billing is closed until 08:00, so general"),
        (datetime(2026, 3, 6, 17, 0, tzinfo=UTC), {}, "Refund 0.90; billing is closed until Sat 09:00, so general"),
        (datetime(2026, 12, 25, 11, 0, tzinfo=UTC), {}, "Refund 0.90; billing is closed until Sat 09:00, so general"),
        (MONDAY_NOON, {"billing": 2}, "Refund 0.90; billing is full with 2 of 2 chats, so general"),
    ],
)
def test_a_group_that_cannot_answer_is_left_out(router: Router, at: datetime, busy: dict[str, int], reason: str) -> None:
    route = router.route(_p(Refund=0.9, ShippingStatus=0.1), 0.0, at, busy)
    assert (route.skill_group, route.overflow, route.reason) == ("general", True, reason)


def test_without_an_instant_hours_are_ignored(router: Router) -> None:
    assert router.route(_p(Refund=1.0), 0.0).skill_group == "billing"


def test_out_of_scope_and_intents_without_a_group_overflow(router: Router) -> None:
    assert router.route(_p(Refund=1.0), 0.9).skill_group == "general"
    unrouted = router.route(_p(TechSupport=1.0), 0.0)
    assert (unrouted.skill_group, unrouted.expected_cost) == ("general", 0.0)
    assert router.unrouted_intents == ["TechSupport"]


def test_names_that_no_intent_has_are_told(tmp_path: Path) -> None:
    assert Router(_read(tmp_path, GROUPS.replace("Invoice", "Invioce")), INTENTS).unknown_intents == ["Invioce"]


def test_without_groups_the_intent_is_the_group() -> None:
    assert route_by_intent("Refund", 0.8, 0.1).skill_group == "Refund"
    assert route_by_intent("Refund", 0.8, 0.9).skill_group == HUMAN


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4).filter(lambda values: sum(values) > 0.1), st.floats(0, 1))
def test_no_group_is_expected_to_cost_less_than_the_one_chosen(values: list[float], out_of_scope: float) -> None:
    routing = Routing.model_validate({"groups": {"a": {"intents": ["Refund"]}, "b": {"intents": ["Invoice"]}, "c": {}}, "overflow": "c"})
    probabilities = np.array(values) / sum(values)
    route = Router(routing, INTENTS).route(probabilities, out_of_scope)
    by_intent = dict(zip(INTENTS, probabilities * (1 - out_of_scope), strict=True))
    costs = {"a": 1 - by_intent["Refund"], "b": 1 - by_intent["Invoice"], "c": 0.5 * (by_intent["Refund"] + by_intent["Invoice"])}
    assert route.expected_cost == pytest.approx(min(costs.values()))
    assert costs[route.skill_group] == pytest.approx(min(costs.values()))


def test_night_hours_go_on_into_the_next_day() -> None:
    hours = Hours.model_validate({"zone": "UTC", "fri": "22:00-06:00"})
    friday = datetime(2026, 3, 6, tzinfo=UTC)
    assert [hours.is_open(friday + timedelta(hours=hour)) for hour in (21, 22, 29, 30)] == [False, True, True, False]


def test_hours_follow_the_clock_when_it_is_set() -> None:
    hours = Hours.model_validate({"zone": "Europe/Berlin", "daily": "00:00-24:00"})
    assert all(hours.is_open(datetime(2026, 3, 28, 22, tzinfo=UTC) + timedelta(minutes=30 * step)) for step in range(12))
    shop = Hours.model_validate({"zone": "Europe/Berlin", "sun": "08:00-09:00"})
    assert shop.is_open(datetime(2026, 3, 29, 6, 30, tzinfo=UTC))  # the first day of summer time
    assert not shop.is_open(datetime(2026, 3, 29, 7, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("shipping: {intents", "shipping: {intent"), r"groups.yaml, line 7, groups.shipping.intent: expected no such field"),
        (("08:00-18:00", "8-18"), r"line 6, groups.billing.hours.mon.0: expected hours such as 08:00-18:00, in quotes, got '8-18'"),
        (("Europe/Berlin", "Berlin"), r"line 6, groups.billing.hours.zone: expected a time zone such as Europe/Berlin, got 'Berlin'"),
        (("capacity: 2", "capacity: few"), r"line 5, groups.billing.capacity: expected a whole number, got 'few'"),
        (("overflow: general", "overflow: nobody"), r"expected overflow to be one of the groups billing, shipping, general, got 'nobody'"),
        (("overflow: general", "overflow: general\ncosts: {Refund: {bank: 1}}"), r"expected costs of Refund for the groups .* got 'bank'"),
        (("  general: {}", "  shipping: {}"), r"line 8: expected each key once, got shipping again: remove one"),
        (("overflow: general", "overflow: [general"), r"expected YAML in .*groups.yaml, got something else"),
        ((GROUPS, ""), r"line 1, the whole file"),
    ],
)
def test_each_error_names_the_line_and_the_key(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _read(tmp_path, GROUPS.replace(*change))


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a readable YAML file"):
        read_routing(tmp_path / "none.yaml")
