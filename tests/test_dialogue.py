"""A dialogue asks for what is missing, takes corrections, digresses and returns, and remembers nothing personal that it does not need."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InputError
from models.intent.conversation import DialogueReply, DialogueRequest, DialogueState
from models.intent.dialogue import Plan, converse, required_slots
from models.intent.records import Candidate, IntentExample, IntentPrediction, Route, Slot, SlotSpan
from models.intent.slots import slots_of

AT = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)
WORDS = {"transfer": "Transfer", "balance": "Balance", "order": "OrderStatus"}
PLAN = Plan(
    intents=frozenset(WORDS.values()),
    required={"Transfer": ("money", "account"), "OrderStatus": ("order_number",)},
    prompts={"money": "How much?"},
)


class ByKeyword:
    """Knows an intent by its word; slots are the real typed ones."""

    def read(self, request: DialogueRequest) -> IntentPrediction:
        intent = next((intent for word, intent in WORDS.items() if word in request.text.lower()), None)
        answer = "intent" if intent else "ask" if "money" in request.text else "human"
        return IntentPrediction.model_validate(
            {
                "answer": answer,
                "intent": intent,
                "probability": 0.9,
                "candidates": [Candidate(intent=intent, probability=0.9)] if intent else [],
                "question": "Transfer or Balance?" if answer == "ask" else None,
                "out_of_scope": 0.1,
                "slots": self.slots(request.text, intent or "", request.at),
                "route": Route(skill_group=intent or "human", reason="by keyword"),
                "tier": 1,
            }
        )

    def slots(self, text: str, intent: str, at: datetime | None) -> Sequence[Slot]:
        return slots_of(text, intent, at, None)

    def route(self, intent: str, request: DialogueRequest) -> Route:
        return Route(skill_group=intent, reason="settled")


def say(*texts: str) -> DialogueReply:
    """The reply to the last of some messages; the state goes through JSON, as it does over HTTP."""
    state = None
    for text in texts:
        reply = converse(PLAN, ByKeyword(), DialogueRequest(text=text, state=state, at=AT))
        state = DialogueState.model_validate_json(reply.state.model_dump_json())
    return reply


def test_what_is_missing_is_asked_for_then_all_is_read_back() -> None:
    first = say("I want to transfer money")
    assert (first.say, first.ask, first.missing, first.done) == ("How much?", "money", ("money", "account"), False)
    second = say("I want to transfer money", "$50")
    assert (second.say, second.missing) == ("What is the account?", ("account",))
    third = say("I want to transfer money", "$50", "my checking account")
    assert third.say == "Transfer: money 50 USD, account checking account. Is that right?"
    assert (third.outcome, third.missing) == ("open", ())


def test_a_slot_is_asked_for_in_words() -> None:
    plan = Plan(PLAN.intents, {"OrderStatus": ("deliveryDate",)}, {})
    assert converse(plan, ByKeyword(), DialogueRequest(text="my order")).say == "What is the delivery date?"


def test_a_confirmed_task_is_done_and_routed() -> None:
    reply = say("transfer $50 to my savings account", "yes, please")
    assert (reply.done, reply.outcome, reply.intent) == (True, "done", "Transfer")
    assert reply.filled["money"].value == {"amount": "50", "currency": "USD"}
    assert reply.filled["account"].value == {"kind": "savings"}
    assert reply.route is not None
    assert reply.route.skill_group == "Transfer"
    assert reply.state.tasks == ()


def test_a_task_that_requires_nothing_is_done_at_once() -> None:
    reply = say("what is the balance of my checking account")
    assert (reply.done, reply.filled["account"].value) == (True, {"kind": "checking"})


@pytest.mark.parametrize("correction", ["no, I meant 50", "no I meant $50", "sorry, make it 50 dollars", "actually 50"])
def test_a_correction_replaces_the_amount_and_keeps_the_currency(correction: str) -> None:
    reply = say("transfer $500 to my savings account", correction)
    assert reply.filled["money"].value == {"amount": "50", "currency": "USD"}
    assert reply.filled["account"].value == {"kind": "savings"}
    assert reply.say.endswith("Is that right?")


def test_a_correction_names_another_slot_while_one_is_asked_for() -> None:
    reply = say("transfer $500", "no, I meant $50")
    assert (reply.filled["money"].value, reply.ask) == ({"amount": "50", "currency": "USD"}, "account")


def test_no_then_a_change() -> None:
    assert say("transfer $500 to my savings account", "no").say == "What should I change?"
    reply = say("transfer $500 to my savings account", "no", "the checking account")
    assert reply.filled["account"].value == {"kind": "checking"}


@pytest.mark.parametrize("words", ["cancel", "never mind", "please cancel that", "forget it.", "Stop!"])
def test_cancelling_ends_the_task(words: str) -> None:
    reply = say("transfer $500", words)
    assert (reply.outcome, reply.done, reply.state.tasks) == ("cancelled", False, ())


def test_a_digression_is_answered_and_the_first_task_goes_on() -> None:
    reply = say("transfer $500", "wait, where is my order?")
    aside = say("transfer $500", "by the way where is my order")
    assert (aside.intent, aside.ask, len(aside.state.tasks)) == ("OrderStatus", "order_number", 2)
    confirm = say("transfer $500", "by the way where is my order", "A-1042")
    assert confirm.say == "OrderStatus: order number A-1042. Is that right?"
    assert confirm.filled["order_number"].value == "A-1042"
    back = say("transfer $500", "by the way where is my order", "A-1042", "yes")
    assert (back.done, back.intent, back.ask) == (True, "OrderStatus", "account")
    assert back.say == "OrderStatus: done. Back to Transfer. What is the account?"
    end = say("transfer $500", "by the way where is my order", "A-1042", "yes", "savings account", "yes")
    assert (end.done, end.intent, end.state.tasks) == (True, "Transfer", ())
    assert reply.outcome == "open"


def test_what_is_not_understood_is_asked_again() -> None:
    reply = say("transfer $500", "what do you mean?")
    assert reply.say == "Sorry, I did not understand. What is the account?"


def test_doubt_and_out_of_scope_open_no_task() -> None:
    assert say("money").say == "Transfer or Balance?"
    assert (say("capital of Peru").outcome, say("capital of Peru").state.tasks) == ("human", ())


@pytest.mark.parametrize("number", ["4111 1111 1111 1111", "4111 1111 1111 1112"])
def test_no_card_is_in_any_state(number: str) -> None:
    for texts in (("transfer $5", number), (f"transfer $5 from {number}",), (f"where is my order {number}",)):
        reply = say(*texts)
        assert "1111 1111" not in reply.model_dump_json()
        assert "11111111" not in reply.model_dump_json()


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"check": "0" * 16},
        {"tasks": [{"intent": "Transfer", "slots": {"money": {"text": "$5000"}}, "asked": "account"}]},
        {"tasks": [{"intent": "RobBank"}]},
    ],
)
def test_a_changed_state_is_refused_in_one_sentence(change: dict[str, object]) -> None:
    state = DialogueState.model_validate(json.loads(say("transfer $500").state.model_dump_json()) | change)
    with pytest.raises(InputError, match=r"expected .* got .*: begin again without a state"):
        converse(PLAN, ByKeyword(), DialogueRequest(text="savings", state=state))


def test_a_state_of_a_model_with_other_slots_is_refused() -> None:
    other = Plan(PLAN.intents, {"Transfer": ("money",)}, {})
    with pytest.raises(InputError, match="this model's last reply"):
        converse(other, ByKeyword(), DialogueRequest(text="savings", state=say("transfer $500").state))


@given(
    st.lists(
        st.sampled_from(["transfer $5", "no", "yes", "cancel", "50", "my order", "", "no, I meant 7", "savings account", "?"]),
        min_size=1,
        max_size=8,
    )
)
def test_any_conversation_keeps_its_promises(texts: list[str]) -> None:
    reply = say(*texts)
    assert reply.done == (reply.outcome == "done")
    assert not (reply.done and reply.missing)
    assert len(reply.state.model_dump_json()) < 10_000


def test_slots_that_most_rows_name_are_required() -> None:
    def row(*slots: str) -> IntentExample:
        return IntentExample(text="abcdef", intent="Book", slots=tuple(SlotSpan(slot=slot, start=0, end=3) for slot in slots))

    assert required_slots([row("when", "where")] * 8 + [row("when")] * 4 + [row()] * 50) == {"Book": ["when"]}
