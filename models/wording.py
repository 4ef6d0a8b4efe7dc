"""What pydantic found wrong with a value, in the words of Foretell's messages: what was expected, and what came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pydantic_core import ErrorDetails

_SHOWN = 80
"""Characters of a wrong value that a message repeats."""

_INSTANT = "a time with its zone, such as 2026-01-31T09:30:00Z"
_WANTED = {
    "missing": "a value",
    "extra_forbidden": "no such field",
    "string_type": "text",
    "string_too_short": "text of at least {min_length} characters",
    "string_too_long": "text of at most {max_length} characters",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "greater_than": "more than {gt:,.10g}",
    "greater_than_equal": "at least {ge:,.10g}",
    "less_than": "less than {lt:,.10g}",
    "less_than_equal": "at most {le:,.10g}",
    "list_type": "a list",
    "tuple_type": "a list",
    "too_short": "at least {min_length:,} of them",
    "too_long": "at most {max_length:,} of them",
    "dict_type": "an object",
    "model_type": "an object",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "timezone_aware": _INSTANT,
    "datetime_type": _INSTANT,
    "datetime_parsing": _INSTANT,
    "datetime_from_date_parsing": _INSTANT,
}
"""By pydantic's type of error, with places for its context. Types that are not here are in pydantic's own words."""


def expected(problem: ErrorDetails) -> str:
    """``expected at least 1``: what a value should have been."""
    if (wanted := _WANTED.get(problem["type"])) is not None:
        return f"expected {wanted.format_map(problem.get('ctx', {}))}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    if message.startswith("Input should be "):
        return f"expected {message.removeprefix('Input should be ')}"
    return message[:1].lower() + message[1:]


def expected_any(problems: Sequence[ErrorDetails]) -> str:
    """``expected text or a number``: where a value may be of several kinds, and is of none."""
    first, *others = dict.fromkeys(map(expected, problems))
    return " or ".join([first, *(other.removeprefix("expected ") for other in others)])


def complaint(problem: ErrorDetails) -> str:
    """``expected at least 1, got 0``."""
    return with_value(expected(problem), problem)


def with_value(message: str, problem: ErrorDetails, shown: Callable[[Any], str] = repr) -> str:
    """A message, and the beginning of what came, unless the message says that already; of too many or too few things, how many came."""
    if problem["type"] == "missing":
        return f"{message}, got none"
    if ", got " in message:
        return message
    if (count := problem.get("ctx", {}).get("actual_length")) is not None:
        return f"{message}, got {count:,}"
    value = shown(problem["input"])
    return f"{message}, got {value if len(value) <= _SHOWN else value[:_SHOWN] + '...'}"
