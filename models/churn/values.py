"""What a value of a table means, whether it came from a CSV file as text or from JSON with a type."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from models.scalar import Scalar

_NULL_WORDS = frozenset({"na", "n/a", "nan", "null", "none", "?", "-", "unknown"})


def number(value: Scalar) -> float:
    """The number that a value means; NaN if it means none. ``True`` and ``"true"`` are 1."""
    try:
        parsed = float(value)  # type: ignore[arg-type]  # None is one of the exceptions below
    except (ValueError, TypeError, OverflowError):
        return {"true": 1.0, "false": 0.0}.get(str(value).strip().lower(), math.nan)
    return parsed if math.isfinite(parsed) else math.nan


def days(value: Scalar) -> float:
    """Days since 1970 of an ISO 8601 date or time, which is UTC unless it says otherwise; NaN if it is none."""
    try:
        instant = datetime.fromisoformat(str(value).strip())
    except ValueError:
        return math.nan
    return ((instant if instant.tzinfo else instant.replace(tzinfo=UTC)) - _EPOCH).total_seconds() / 86_400


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_blank(value: Scalar) -> bool:
    """Whether a value is missing: ``None``, NaN, or nothing but spaces."""
    return value is None or value != value or (isinstance(value, str) and not value.strip())


def is_null(value: Scalar) -> bool:
    """Whether a value is blank or one of the words that exports write for it, such as ``N/A``."""
    return is_blank(value) or str(value).strip().lower() in _NULL_WORDS


def token(value: Scalar) -> str:
    """The category that a value means: ``"1"``, ``1`` and ``1.0`` are one, so are ``True`` and ``"true"``; blank is ``""``."""
    if is_blank(value):
        return ""
    text = str(value).strip()
    if text.lower() in {"true", "false"}:
        return text.lower()
    parsed = number(value)
    return text if math.isnan(parsed) else repr(parsed)
