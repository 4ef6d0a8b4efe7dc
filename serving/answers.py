"""What goes over HTTP beside queries and predictions: the envelopes, which versions answer, what went wrong."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, create_model

import models
from models.base import Prediction

P = TypeVar("P", bound=Prediction)


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


class Models(BaseModel):
    """Every model that this server was asked to serve."""

    models: list[ModelStatus]


class Problem(BaseModel):
    """The body of every answer that is an error."""

    error: str = Field(description="What was expected, what came, what to do.")


def body_type(slug: str) -> type[BaseModel]:
    """The type of the body that a model's route takes."""
    contract = models.get(slug).contract
    name = f"{contract.query.__name__.removesuffix('Query')}Queries"
    return create_model(name, __config__=ConfigDict(extra="forbid", frozen=True), queries=(list[contract.query], ...))  # type: ignore[name-defined]
