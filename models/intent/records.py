"""What the intent model is told, asked and answers."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from models.base import Config, Prediction, Record
from models.intent.groups import Routing, routing_or_file

OUT_OF_SCOPE = "out_of_scope"
"""The intent of training rows that no intent fits: negatives, never an answer."""

LIKELY = 0.5
"""Probability of being out of scope below which no message is rejected, however few of the training rows reach it."""

MAX_CHARACTERS = 100_000
"""Of a text that is accepted; `models.intent.text.READ_CHARACTERS` of it are read."""

_TEXT = "I was charged twice for order 1042, give me the money back"


def _label(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _spans(value: object) -> object:
    """A cell of a flat file holds the spans as JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.strip() else ()
    except json.JSONDecodeError as error:
        raise ValueError(f"expected slots as a JSON list of {{slot, start, end}}, got {value!r}") from error


Label = Annotated[str, BeforeValidator(_label), StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Text = Annotated[str, BeforeValidator(_label), StringConstraints(max_length=MAX_CHARACTERS)]


class IntentConfig(Config):
    """Settings of the intent model."""

    coverage: float = Field(default=0.95, gt=0.5, lt=1, description="How often the candidates should hold the customer's intent.")
    max_candidates: int = Field(default=3, ge=2, le=10, description="Intents that a customer is asked to choose from, at most.")
    accuracy_loss: float = Field(
        default=0.002, ge=0, le=0.2, description="Accuracy that may be lost, against the encoder alone, where the fast tier answers."
    )
    false_rejection_rate: float = Field(
        default=0.05, gt=0, lt=0.5, description="Share of texts with a known intent that may go to a human as out of scope."
    )
    folds: int = Field(default=5, ge=2, le=20, description="Folds of the cross-validation that weighs, calibrates and sets thresholds.")
    nearest: int = Field(default=3, ge=0, le=20, description="Training examples that an answer shows.")
    max_rows: int = Field(default=25_000, ge=20, description="Distinct rows that are learned from; above it frequent intents give up rows.")
    finetune_minutes: float = Field(
        default=0, ge=0, le=1_440, description="Time for fine-tuning the encoder, which needs torch while training. 0: it stays as it is."
    )
    routing: Annotated[Routing | None, BeforeValidator(routing_or_file)] = Field(
        default=None,
        description="Skill groups, costs, capacity and hours; or the YAML file that holds them. None: each intent is its group.",
    )
    required_slots: dict[str, tuple[str, ...]] | None = Field(
        default=None, description="Slots that a dialogue asks for, by intent. None: those that 0.8 of an intent's rows with spans name."
    )
    prompts: dict[str, str] = Field(default={}, description="What a dialogue asks, by slot. A slot without one is asked for plainly.")
    confirm: bool = Field(default=True, description="Whether a dialogue reads a task's slots back before it is done.")


class SlotSpan(BaseModel):
    """Where a slot's value stands in a training text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slot: str = Field(min_length=1, max_length=100, description="What the value is of, such as `amount`.")
    start: int = Field(ge=0, description="The first character, counted from 0.")
    end: int = Field(ge=1, description="One after the last character.")


class IntentQuery(Record):
    """What a customer wrote."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": _TEXT, "conversation_id": "c-77", "at": "2026-03-02T09:30:00Z"}]})

    text: Text = Field(description="The message. An empty one is answered: nobody knows what it asks.")
    conversation_id: str | None = Field(default=None, max_length=200, description="Names the conversation; never used to predict.")
    language: str | None = Field(default=None, max_length=35, description="Such as `en`, if known; never used to predict.")
    at: AwareDatetime | None = Field(
        default=None, description="When it was written, for skill groups with hours. Absent: hours are ignored."
    )
    busy: dict[str, Annotated[int, Field(ge=0)]] | None = Field(
        default=None, description="Chats that each skill group has now, for groups with a capacity. Absent: none."
    )


class IntentExample(IntentQuery):
    """A message of which it is known what the customer wanted."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"text": _TEXT, "intent": "Refund", "language": "en", "slots": [{"slot": "order_number", "start": 30, "end": 34}]},
                {"text": "what is the capital of Peru", "intent": OUT_OF_SCOPE},
            ]
        }
    )

    intent: Label = Field(description="What the customer wanted; `out_of_scope` for a message that no intent fits.")
    slots: Annotated[tuple[SlotSpan, ...], BeforeValidator(_spans)] = Field(
        default=(), description="Where the values of slots stand in the text; in a flat file as JSON. Never used to predict the intent."
    )

    @model_validator(mode="after")
    def _inside(self) -> Self:
        for span in self.slots:
            if not span.start < span.end <= len(self.text):
                raise ValueError(
                    f"expected slot {span.slot} within the text of {len(self.text)} characters, got {span.start} to {span.end}"
                )
        return self


class Candidate(BaseModel):
    """An intent that the message may have."""

    model_config = ConfigDict(frozen=True)

    intent: str = Field(description="The intent.")
    probability: float = Field(ge=0, le=1, description="Calibrated; given that the message is in scope.")


class Neighbour(BaseModel):
    """A training example that is like the message."""

    model_config = ConfigDict(frozen=True)

    text: str = Field(description="Its text, personal data masked.")
    intent: str = Field(description="Its intent.")
    similarity: float = Field(description="Cosine, at most 1: of TF-IDF in tier 1, of the encoder in tier 2.")


class Word(BaseModel):
    """A word of the message, and how far it speaks for the intent."""

    model_config = ConfigDict(frozen=True)

    word: str = Field(description="As written, in lower case.")
    contribution: float = Field(description="In log-odds of the linear model of words, against the average intent.")


class Slot(BaseModel):
    """A value that was found in the message."""

    model_config = ConfigDict(frozen=True)

    slot: str = Field(description="What the value is of, such as `amount` or `order_number`.")
    text: str = Field(description="As written; masked if it is personal data.")
    start: int = Field(description="Its first character in the message, counted from 0.")
    end: int = Field(description="One after its last character.")
    value: Any = Field(
        default=None, description="What it means, such as an ISO date or an amount with currency. None: only the text is known."
    )


class Route(BaseModel):
    """Who should answer."""

    model_config = ConfigDict(frozen=True)

    skill_group: str = Field(description="The group of agents.")
    expected_cost: float | None = Field(default=None, description="In the unit of the misroute costs; none if no costs were given.")
    overflow: bool = Field(default=False, description="Whether the better group is closed or full.")
    reason: str = Field(description="Why this group, in words.")


class IntentPrediction(Prediction):
    """What the customer wants, or how to find out."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "answer": "intent",
                    "intent": "Refund",
                    "probability": 0.94,
                    "candidates": [{"intent": "Refund", "probability": 0.94}],
                    "out_of_scope": 0.03,
                    "reason": "Refund at 0.94: 'charged', 'money back' speak for it.",
                    "words": [{"word": "charged", "contribution": 1.7}],
                    "tier": 1,
                }
            ]
        }
    )

    answer: Literal["intent", "ask", "human"] = Field(
        description="`intent`: act on it; `ask`: put the question to the customer; `human`: out of scope, or nobody can tell."
    )
    intent: str | None = Field(description="The most probable intent; none if the message holds nothing that could be read.")
    probability: float = Field(ge=0, le=1, description="Calibrated probability of `intent`, given that the message is in scope.")
    candidates: tuple[Candidate, ...] = Field(
        default=(), description="The conformal set, most probable first: it holds the customer's intent as often as `coverage` asks."
    )
    question: str | None = Field(default=None, description="What to ask the customer, such as `Refund or Cancel order?`.")
    out_of_scope: float = Field(ge=0, le=1, description="Probability that no known intent fits; calibrated, unless something is `refused`.")
    refused: tuple[str, ...] = Field(
        default=(),
        description="Intents that the message says it does not want: `do not cancel it`. `intent` is one only if nothing else is said.",
    )
    route: Route | None = Field(default=None, description="The skill group that should answer.")
    reason: str = Field(default="", description="Why, in words.")
    nearest: tuple[Neighbour, ...] = Field(default=(), description="Training examples that are most like the message.")
    words: tuple[Word, ...] = Field(default=(), description="The words that mattered most for `intent`, strongest first.")
    slots: tuple[Slot, ...] = Field(default=(), description="Values that were found in the message, in its order.")
    tier: Literal[1, 2] = Field(description="Who answered: 1, the words alone; 2, the encoder and the words.")

    @property
    def rejected(self) -> bool:
        """Whether it went to a human because it is about no known intent, rather than about too many, or about one that it refuses."""
        return self.answer == "human" and self.intent is not None and not self.refused and self.out_of_scope >= LIKELY
