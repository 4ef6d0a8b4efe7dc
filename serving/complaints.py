"""What is wrong with a request body, in one sentence that names the query and the field."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from models.wording import expected_any, with_value

_SHOWN = 3


def complaint(error: ValidationError, body: bytes, like: str) -> str:
    """The first few fields that are wrong: where, what was expected, what came.

    Parameters
    ----------
    like
        What a body looks like, for one that is no JSON at all.
    """
    errors = error.errors(include_url=False)
    if errors[0]["type"] == "json_invalid":
        return f"expected the body to be JSON like {like}, got something else: {errors[0]['ctx']['error']}"
    return complaint_about(error, json.loads(body))


def too_many(error: ValidationError) -> str | None:
    """That a body holds more items than a request may have, if that is what is wrong."""
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] != "too_long" or len(first["loc"]) != 1:
        return None
    most, sent = first["ctx"]["max_length"], first["ctx"]["actual_length"]
    return f"expected at most {most:,} {first['loc'][0]}, got {sent:,}: send them in several requests"


def complaint_about(error: ValidationError, sent: Any, whole: str = "the body") -> str:
    """The same, for what has been read as JSON already and is called `whole`."""
    by_place: dict[str, list[ErrorDetails]] = {}
    for item in error.errors(include_url=False):
        by_place.setdefault(_place(item["loc"], sent) or whole, []).append(item)
    sentences = [f"{place}: {_said(items)}" for place, items in by_place.items()]
    more = f"; and {len(sentences) - _SHOWN} more" if len(sentences) > _SHOWN else ""
    return "; ".join(sentences[:_SHOWN]) + more


def _place(location: Sequence[str | int], sent: Any) -> str:
    """``queries[0].features.age``: the part of pydantic's location that is a path in what was sent, without names of union members."""
    place = ""
    for step in location:
        if isinstance(step, int):
            if not isinstance(sent, list):
                break
            place, sent = f"{place}[{step}]", sent[step] if step < len(sent) else None
        else:
            if not isinstance(sent, dict):
                break
            place, sent = f"{place}.{step}" if place else step, sent.get(step)
    return place


def _said(items: list[ErrorDetails]) -> str:
    with_input = [item for item in items if item["type"] != "missing"]
    return with_value(expected_any(items), (with_input or items)[-1], _as_json)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
