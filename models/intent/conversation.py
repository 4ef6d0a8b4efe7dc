"""What travels between a chat and the intent model while a task is being filled in."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from models.intent.records import Route, Text

VERSION = 1
MAX_TASKS = 4


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Filled(_Part):
    """What is known of a slot."""

    text: str = Field(max_length=1000, description="As written; masked if it is personal data.")
    value: Any = Field(default=None, description="What it means. Of a card or an account's number, the last four digits only.")


class Task(_Part):
    """Something that the customer wants done, as far as it is known."""

    intent: str = Field(max_length=200, description="What.")
    slots: dict[str, Filled] = Field(default={}, max_length=50, description="What is known, by slot; the latest last.")
    asked: str | None = Field(default=None, max_length=100, description="The slot that the customer was asked for.")
    confirming: bool = Field(default=False, description="Whether the customer was asked if all is right.")


class DialogueState(_Part):
    """All that is remembered of a dialogue; give it back unchanged with the next message."""

    version: int = Field(default=VERSION, description="Of the state's form.")
    tasks: tuple[Task, ...] = Field(default=(), description="Open tasks; the last is talked about, the others wait.")
    check: str = Field(default="", max_length=64, description="Tells a state that was changed, or that another model wrote.")


class DialogueRequest(BaseModel):
    """The customer's next message."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"text": "transfer money to my savings", "at": "2026-03-02T09:30:00Z"}]},
    )

    text: Text = Field(description="The message.")
    state: DialogueState | None = Field(default=None, description="From the last reply; absent: the dialogue begins.")
    at: AwareDatetime | None = Field(
        default=None, description="When it was written, with the writer's zone. Absent: `tomorrow` means nothing."
    )
    busy: dict[str, int] = Field(default={}, description="Chats that each skill group has now, for groups with a capacity.")


class DialogueReply(BaseModel):
    """What to say, and how far the task is."""

    state: DialogueState = Field(description="Give it back with the next message.")
    say: str = Field(description="What to tell or ask the customer.")
    ask: str | None = Field(default=None, description="The slot that is asked for.")
    intent: str | None = Field(default=None, description="The task that is talked about, or that was just settled.")
    filled: dict[str, Filled] = Field(default={}, description="What is known of it.")
    missing: tuple[str, ...] = Field(default=(), description="Required slots that are not known yet.")
    outcome: Literal["open", "done", "cancelled", "human"] = Field(
        description="`done`: act on `intent` with `filled`; `open`: go on; `human`: hand over, nothing here fits."
    )
    done: bool = Field(description="Whether the task can be acted on.")
    route: Route | None = Field(default=None, description="The skill group that should act.")
