"""What goes over HTTP beside queries and predictions: the envelopes, which versions answer, what went wrong."""

from __future__ import annotations

import os
from datetime import datetime
from functools import cache
from typing import Any, Generic, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, create_model

import models
from models.base import Prediction, Question

MAX_QUERIES = 1_000
"""Queries in one request."""

P = TypeVar("P", bound=Prediction)
R = TypeVar("R", bound=BaseModel)


class ModelRef(BaseModel):
    """The model that answered."""

    model_config = ConfigDict(frozen=True)

    slug: str
    version: str


class Answer(BaseModel, Generic[P]):
    """One prediction per query, in the order of the queries."""

    model_config = ConfigDict(frozen=True)

    model: ModelRef
    predictions: list[SerializeAsAny[P]]


class QuestionAnswer(BaseModel, Generic[R]):
    """What a model says to a further question."""

    model_config = ConfigDict(frozen=True)

    model: ModelRef
    answer: SerializeAsAny[R]


class OnlineStatus(BaseModel):
    """How far a model that learns between trainings has followed the store, in the process that answers."""

    watermark: int = Field(description="Number of the last stored event that was read; workers with the same have learned the same.")
    events_applied: int = Field(description="Stored events that were learned since the training.")
    events_refused: int = Field(description="Stored events that this version cannot take: their type allows them, its settings do not.")
    state_sha256: str | None = Field(
        default=None,
        description="Hash of all that the model knows, the same in every worker that has read the same events; null while events arrive, "
        "and for states so large that a hash would hold them up.",
    )
    problem: str | None = Field(default=None, description="Why newer events may be missing.")


class ModelStatus(BaseModel):
    """Which version of a model answers, and how it is."""

    slug: str
    ready: bool = Field(description="Whether a version is loaded.")
    version: str | None = None
    source: Literal["registry", "disk"] | None = Field(
        default=None, description="`disk`: the registry did not give a champion, and the last good version answers; see `problem`."
    )
    trained_at: str | None = None
    loaded_at: datetime | None = None
    tags: dict[str, str] = Field(default_factory=dict, description="What was said when the version was registered.")
    metrics: dict[str, float] = Field(default_factory=dict, description="Figures on the hold-out.")
    problem: str | None = Field(default=None, description="Why no version, an older one or one from disk answers.")
    online: OnlineStatus | None = Field(default=None, description="For models that learn between trainings.")


class Models(BaseModel):
    """Every model that this server was asked to serve."""

    process: int = Field(default_factory=os.getpid, description="The worker that answers; each follows registry and store by itself.")
    models: list[ModelStatus]


class Problem(BaseModel):
    """The body of every answer that is an error."""

    error: str = Field(description="What was expected, what came, what to do.")


@cache
def body_type(slug: str) -> type[BaseModel]:
    """The type of the body that a model's route takes."""
    contract = models.get(slug).contract
    name = f"{contract.query.__name__.removesuffix('Query')}Queries"
    queries = (list[contract.query], Field(max_length=MAX_QUERIES))  # type: ignore[name-defined]
    return create_model(name, __config__=ConfigDict(extra="forbid", frozen=True), queries=queries)


def answer_type(slug: str) -> type[BaseModel]:
    """The type of what a model's route gives."""
    return cast(type[BaseModel], Answer.__class_getitem__(models.get(slug).contract.prediction))


def question_answer_type(reply: type[BaseModel]) -> type[BaseModel]:
    """The type of what a further question's route gives."""
    return cast(type[BaseModel], QuestionAnswer.__class_getitem__(reply))


def question_example(question: Question) -> Any:
    """A request that works, to show."""
    return cast(Any, question.request.model_config)["json_schema_extra"]["examples"][0]
