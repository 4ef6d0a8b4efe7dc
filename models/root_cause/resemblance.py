"""How an incident that looks like another one is told."""

from __future__ import annotations

from pydantic import Field

from models.base import Record


class Resemblance(Record):
    """A past incident that this one looks like."""

    incident: str = Field(description="Its name in your records, or the id of the prediction that it was asked about.")
    title: str | None = Field(description="What it was.")
    service: str = Field(description="Who was to blame.")
    similarity: float = Field(ge=0, le=1, description="1: the same services show the same evidence in the same words.")
    words: str = Field(description="The same as a sentence.")
