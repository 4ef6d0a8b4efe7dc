"""A dialogue that fills in what a task requires: asks, takes corrections, lets the customer digress and return, cancel and confirm.

Nothing is remembered here. The state travels with each message, so any worker can answer; it is checked against change by accident, not
against an attacker, who could as well send other messages. It holds what the task needs and no more: texts are masked, of cards and
account numbers it has the last four digits; e-mail addresses and phone numbers stay as values only where they fill a slot.

References
----------
Bobrow et al. (1977). GUS, a frame-driven dialog system. Artificial Intelligence 8.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from models.errors import InputError
from models.intent.conversation import MAX_TASKS, VERSION, DialogueReply, DialogueRequest, DialogueState, Filled, Task
from models.intent.records import IntentExample, IntentPrediction, Route, Slot
from models.intent.slots.resolvers import entities
from models.masking import masked
from models.masking.codes import SHORTEST_CARD, digits_of

_CANCEL = re.compile(
    r"(?:(?:please|no|ok|actually)[,. ]+)*(?:cancel(?: (?:it|that|this))?|never ?mind|forget (?:it|that|about it)|stop|abort|quit|leave it)"
    r"(?: please)?[.! ]*",
    re.IGNORECASE,
)
_YES = re.compile(
    r"(?:yes|yeah|yep|yup|sure|ok(?:ay)?|right|correct|exactly|confirm(?:ed)?|do it|go ahead|please do|that'?s (?:right|it|correct))"
    r"(?:[,. ]+(?:please|thanks|thank you|go ahead|do it|that'?s right|correct))*[.! ]*",
    re.IGNORECASE,
)
_NO = re.compile(r"(?:no|nope|nah|wrong|not (?:quite|right)|that'?s (?:wrong|not right))[.! ]*", re.IGNORECASE)
_CORRECTION = re.compile(
    r"(?:(?:no|nope|sorry|wait|oops|actually|wrong|correction)\b[,.;:! ]*)*"
    r"(?:(?:i (?:meant|mean|said)|make (?:it|that)|change (?:it|that) to|it should be|it'?s|rather|but)\b[,: ]*)?",
    re.IGNORECASE,
)
_LEAD = re.compile(r"(?:(?:it'?s|it is|its|that'?s|to|from|for|at|on|my|the|an?|um+|well|number)[ ,:]+)+", re.IGNORECASE)
_BARE_NUMBER = re.compile(r"\d[\d.,]*")
_LONGEST_VALUE = 12
"""Words of an answer that is taken as it is."""

REQUIRED_SHARE = 0.8
"""Of an intent's rows with spans that name a slot: then customers usually know it, and the task usually needs it."""


def required_slots(examples: Iterable[IntentExample]) -> dict[str, list[str]]:
    """The slots that most rows of an intent name, the most frequent first; by intent."""
    rows: Counter[str] = Counter()
    named: dict[str, Counter[str]] = {}
    for example in examples:
        if slots := {span.slot for span in example.slots}:
            rows[example.intent] += 1
            named.setdefault(example.intent, Counter()).update(sorted(slots))
    usual = {
        intent: [slot for slot, count in slots.most_common() if count >= REQUIRED_SHARE * rows[intent]] for intent, slots in named.items()
    }
    return {intent: slots for intent, slots in sorted(usual.items()) if slots}


class Reader(Protocol):
    """What a dialogue asks of the model."""

    def read(self, request: DialogueRequest) -> IntentPrediction:
        """The message by itself."""

    def slots(self, text: str, intent: str, at: datetime | None) -> Sequence[Slot]:
        """The slots of a message about an intent."""

    def route(self, intent: str, request: DialogueRequest) -> Route:
        """Who should act on an intent that is settled."""


@dataclass(frozen=True)
class Plan:
    """What tasks require.

    Parameters
    ----------
    intents
        All that are known.
    required
        Slots by intent, in the order they are asked for.
    prompts
        What to ask, by slot; where there is none, a plain question.
    confirm
        Whether a task with slots is read back before it is done.
    """

    intents: frozenset[str]
    required: Mapping[str, Sequence[str]]
    prompts: Mapping[str, str]
    confirm: bool = True

    def missing(self, task: Task) -> tuple[str, ...]:
        """Required slots that are not known."""
        return tuple(slot for slot in self.required.get(task.intent, ()) if slot not in task.slots)

    def check(self, tasks: Sequence[Task]) -> str:
        """A short hash of tasks and of what they are held to."""
        content = [
            VERSION,
            [task.model_dump(mode="json") for task in tasks],
            sorted(self.intents),
            {k: list(v) for k, v in self.required.items()},
        ]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def converse(plan: Plan, reader: Reader, request: DialogueRequest) -> DialogueReply:
    """The next turn.

    Raises
    ------
    InputError
        If the state is not one that this model gave.
    """
    tasks = _opened(plan, request.state)
    turn = _Turn(plan, reader, request)
    if not tasks:
        return turn.begin([])
    if _CANCEL.fullmatch(request.text.strip()):
        return turn.settled(tasks, "cancelled")
    return turn.go_on(tasks)


def _opened(plan: Plan, state: DialogueState | None) -> list[Task]:
    if state is None:
        return []
    if state.version != VERSION:
        raise InputError(f"expected a dialogue state of version {VERSION}, got {state.version}: begin again without a state")
    if len(state.tasks) > MAX_TASKS or state.check != plan.check(state.tasks):
        raise InputError("expected the state of this model's last reply, unchanged, got another: begin again without a state")
    return list(state.tasks)


class _Turn:
    """One message, and what it does to the open tasks."""

    def __init__(self, plan: Plan, reader: Reader, request: DialogueRequest) -> None:
        self.plan, self.reader, self.request = plan, reader, request
        self.text = request.text.strip()

    def begin(self, waiting: list[Task]) -> DialogueReply:
        """A new task, on top of those that wait."""
        prediction = self.reader.read(self.request)
        if prediction.answer == "intent" and prediction.intent is not None:
            return self._open(waiting, prediction)
        if prediction.answer == "ask" and prediction.question:
            return self._reply(waiting, prediction.question, None, "open")
        reply = self._reply(waiting, "I cannot help with that, so a colleague will.", None, "human")
        return reply.model_copy(update={"route": prediction.route})

    def go_on(self, tasks: list[Task]) -> DialogueReply:
        """An answer, a correction, a digression, the task refused, or nothing that is understood."""
        *waiting, task = tasks
        if task.confirming and _YES.fullmatch(self.text):
            return self.settled(tasks, "done")
        if task.confirming and _NO.fullmatch(self.text):
            return self._reply([*waiting, task], "What should I change?", task, "open")
        said = {
            slot.slot: Filled(text=slot.text[:1000], value=slot.value)
            for slot in self.reader.slots(self.text, task.intent, self.request.at)
        }
        prediction, filled = self.reader.read(self.request), self._fitting(task, said)
        if task.intent in prediction.refused and not filled:
            return self._open(waiting, prediction) if prediction.answer == "intent" else self.settled(tasks, "cancelled")
        correction = _CORRECTION.match(self.text)
        corrected = self.text[correction.end() :].strip(" .!") if correction else self.text
        plain = correction is None or not correction[0].strip()
        if plain and len(tasks) < MAX_TASKS and self._digresses(prediction, task, said):
            return self._open(tasks, prediction)
        filled = filled or self._taken_as_it_is(task, corrected)
        if not filled:
            return self._reply(tasks, f"Sorry, I did not understand. {self._next(task)[0]}", task, "open")
        kept = {slot: value for slot, value in task.slots.items() if slot not in filled}
        return self._advance(waiting, task.model_copy(update={"slots": kept | filled}))

    def settled(self, tasks: list[Task], outcome: str) -> DialogueReply:
        """The task that was talked about is over; the one that waits goes on."""
        *waiting, task = tasks
        said = f"{task.intent} is cancelled." if outcome == "cancelled" else f"{task.intent}: done."
        if waiting:
            question, waiting[-1] = self._next(waiting[-1])
            said += f" Back to {waiting[-1].intent}. {question}"
        reply = self._reply(waiting, said, task, outcome)
        ask = waiting[-1].asked if waiting else None
        return reply.model_copy(update={"ask": ask, "route": self.reader.route(task.intent, self.request) if outcome == "done" else None})

    def _open(self, waiting: list[Task], prediction: IntentPrediction) -> DialogueReply:
        intent = prediction.intent or ""
        slots = {slot.slot: Filled(text=slot.text[:1000], value=slot.value) for slot in prediction.slots[:50]}
        reply = self._advance(waiting, Task(intent=intent, slots=slots))
        return reply.model_copy(update={"route": prediction.route})

    def _advance(self, waiting: list[Task], task: Task) -> DialogueReply:
        question, task = self._next(task)
        if not question:
            return self.settled([*waiting, task], "done")
        return self._reply([*waiting, task], question, task, "open")

    def _next(self, task: Task) -> tuple[str, Task]:
        """What to ask next; nothing if all is known."""
        if missing := self.plan.missing(task):
            question = self.plan.prompts.get(missing[0], f"What is the {_words(missing[0])}?")
            return question, task.model_copy(update={"asked": missing[0], "confirming": False})
        if not self.plan.confirm or not self.plan.required.get(task.intent):
            return "", task.model_copy(update={"asked": None})
        known = ", ".join(f"{_words(slot)} {_worded(task.slots[slot])}" for slot in self.plan.required[task.intent])
        return f"{task.intent}: {known}. Is that right?", task.model_copy(update={"asked": None, "confirming": True})

    def _digresses(self, prediction: IntentPrediction, task: Task, said: Mapping[str, Filled]) -> bool:
        """Whether the message is surely about something else: another intent, and no answer to what was asked."""
        other = prediction.answer == "intent" and prediction.intent != task.intent
        return other and task.asked not in said and len(self.text.split()) > 2

    def _fitting(self, task: Task, said: Mapping[str, Filled]) -> dict[str, Filled]:
        """Slots of this task that the message fills; one typed value fills what was asked, whatever its own name is."""
        known = {*self.plan.required.get(task.intent, ()), *task.slots}
        fitting = {slot: value for slot, value in said.items() if slot in known}
        if not fitting and task.asked and len(said) == 1:
            return {task.asked: next(iter(said.values()))}
        return fitting

    def _taken_as_it_is(self, task: Task, text: str) -> dict[str, Filled]:
        """The message itself, as the value that was asked for or that is corrected."""
        value = text[lead.end() :] if (lead := _LEAD.match(text)) else text
        value = value.strip(" .!")
        if not value or value.endswith("?") or len(value.split()) > _LONGEST_VALUE:
            return {}
        if _BARE_NUMBER.fullmatch(value):
            return self._number(task, value)
        slot = task.asked or next(reversed(task.slots), None)
        return {slot: self._typed(slot, value) or _plain(value)} if slot else {}

    def _typed(self, slot: str, value: str) -> Filled | None:
        """What a value means beside the name of its slot: `A-1042` alone is nothing, `order number A-1042` is one."""
        found = [one for one in entities(f"{_words(slot)} {value}", self.request.at) if one.slot == slot]
        return Filled(text=masked(value), value=found[0].value) if len(found) == 1 else None

    def _number(self, task: Task, value: str) -> dict[str, Filled]:
        """A number replaces the latest number; an amount keeps its currency."""
        if task.asked and (typed := self._typed(task.asked, value)):
            return {task.asked: typed}
        numbers = [slot for slot, filled in task.slots.items() if any(map(str.isdigit, filled.text))]
        slot = task.asked or (numbers[-1] if numbers else None)
        if slot is None:
            return {}
        before = task.slots.get(slot)
        amount = before.value if before and isinstance(before.value, dict) and "currency" in before.value else None
        return {slot: Filled(text=value, value=amount | {"amount": value.replace(",", "")} if amount else None)}

    def _reply(self, tasks: list[Task], say: str, about: Task | None, outcome: str) -> DialogueReply:
        state = DialogueState(tasks=tuple(tasks), check=self.plan.check(tasks))
        return DialogueReply(
            state=state,
            say=say,
            ask=about.asked if about and outcome == "open" else None,
            intent=about.intent if about else None,
            filled=about.slots if about else {},
            missing=self.plan.missing(about) if about else (),
            outcome=outcome,
            done=outcome == "done",
        )


def _words(slot: str) -> str:
    """The name of a slot as one says it: `order number` of `order_number` and of `orderNumber`."""
    return re.sub(r"_+|(?<=[a-z])(?=[A-Z])", " ", slot).lower()


def _plain(value: str) -> Filled:
    """A value of which only the text is known. Digits as long as a card's are hidden, as it may be a card that was mistyped."""
    digits = digits_of(value)
    if len(digits) >= SHORTEST_CARD:
        return Filled(text="[number]", value={"last4": digits[-4:]})
    return Filled(text=masked(value[:1000]))


def _worded(filled: Filled) -> str:
    if isinstance(filled.value, dict) and "last4" in filled.value:
        return f"ending in {filled.value['last4']}"
    if isinstance(filled.value, dict) and "currency" in filled.value:
        return f"{filled.value['amount']} {filled.value['currency']}"
    return filled.text
