"""The names of predictions: ``<slug>-<version>-<32 hexadecimal digits>``.

The digits are a UUID of version 7 (RFC 9562, section 5.7): they begin with the milliseconds since 1970. So a name says when the
prediction was made, which tells an outcome that is too early from one that is too late without looking anything up, and a database
writes names that it is given in order faster than names in any order.
"""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_FORM = re.compile(r"([a-z_]+)-([^-]+)-([0-9a-f]{12})7[0-9a-f]{3}[89ab][0-9a-f]{15}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PredictionId(NamedTuple):
    """What the name of a prediction says."""

    slug: str
    version: str
    predicted_at: datetime


def new_prediction_id(slug: str, version: str) -> str:
    """A name for a prediction that is made now."""
    milliseconds = time.time_ns() // 1_000_000
    number = int.from_bytes(os.urandom(10), "big") | milliseconds << 80
    number = number & ~(0xF000 << 64) | 0x7000 << 64
    number = number & ~(0xC000 << 48) | 0x8000 << 48
    return f"{slug}-{version}-{number:032x}"


def read_prediction_id(name: str) -> PredictionId | None:
    """What a name says; ``None`` if it is none that `new_prediction_id` gave."""
    found = _FORM.fullmatch(name)
    if found is None:
        return None
    slug, version, milliseconds = found.groups()
    try:
        return PredictionId(slug, version, _EPOCH + timedelta(milliseconds=int(milliseconds, 16)))
    except OverflowError:
        return None
