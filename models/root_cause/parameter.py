"""Parameters as they are told: what a template's values were in some lines."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from models.base import Record

ParameterKind = Literal[
    "number", "duration", "size", "percent", "status", "time", "ip", "url", "path", "uuid", "hex", "quoted", "id", "word"
]


class Parameter(Record):
    """One parameter of a template, over some lines of it."""

    name: str | None = Field(description="The key of key=value, else the word before it; null at the beginning of a message.")
    kind: ParameterKind = Field(description="What most of its values are. `status` is one of HTTP; `id` a mixture of letters and digits.")
    values: tuple[str, ...] = Field(description="As logged, the most frequent first; at most five.")
    distinct: int = Field(ge=1, description="How many different values there are.")
    lowest: float | None = Field(default=None, description="Of numbers; of durations in seconds, of sizes in bytes.")
    highest: float | None = Field(default=None, description="The same, the other end.")
