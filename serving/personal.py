"""Takes personal data out of what is stored."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel

from models.masking import masked

T = TypeVar("T", bound=BaseModel)

_NO_TEXT = frozenset({int, float, bool, type(None), datetime})
_MANY = frozenset({list, tuple, set, frozenset})
_SHORT = 32
"""Characters."""


def without_personal_data(value: T, subject: str | None = None) -> T:
    """The same, with every text in it masked, except the field that says whom it is about, and ids.

    Ids are the fields named ``id`` or ``..._id``: masked, they would name nothing, and numbers of orders look like those of cards.
    What a model learns from is masked before it learns, so it means the same in every event.

    Parameters
    ----------
    subject
        The field that identifies the person; see `models.base.Record`.

    Raises
    ------
    ValidationError
        If what is left is no such value: a text that must have a form, of which a part was masked.
    """
    given = value.model_dump()
    kept = {name: item if name == subject else _masked(name, item) for name, item in given.items()}
    return value if kept == given else type(value).model_validate(kept)


def _masked(name: str, value: Any) -> Any:
    kind = type(value)
    if kind is str:
        return value if name == "id" or name.endswith("_id") else _masked_text(value)
    if kind is dict:
        return {key: item if type(item) in _NO_TEXT else _masked(str(key), item) for key, item in value.items()}
    if kind in _MANY:
        return kind(_masked(name.removesuffix("s"), item) for item in value)
    return value


def _masked_text(text: str) -> str:
    return _masked_word(text) if len(text) <= _SHORT else masked(text)


@lru_cache(4096)
def _masked_word(text: str) -> str:
    """Most short texts are names of plans, topics and services, which come again and again."""
    return masked(text)
