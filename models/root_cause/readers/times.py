"""Times as programs log them, made ISO 8601. What says no zone stays without one, for whoever knows it to add."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from models.rows.source import BrokenError

_MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)}  # noqa: SIM905
_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,:](?P<fraction>\d{1,9}))?"
_ZONE = r"(?: ?(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d))?"
_NAMED = r"(?P<month>[A-Z][a-z]{2})"
_FORMS = [
    re.compile(form)
    for form in (
        rf"(?P<year>\d{{4}})[-/.](?P<month>\d\d)[-/.](?P<day>\d\d)[T -]{_CLOCK}{_ZONE}",
        rf"(?P<year>\d{{4}})(?P<month>\d\d)(?P<day>\d\d)[-T ]{_CLOCK}{_ZONE}",
        r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)-(?P<hour>\d\d)\.(?P<minute>\d\d)\.(?P<second>\d\d)\.(?P<fraction>\d+)",
        rf"(?P<day>\d\d)/{_NAMED}/(?P<year>\d{{4}}):{_CLOCK}{_ZONE}",
        rf"(?:[A-Z][a-z]{{2}},? )?(?P<day>\d\d?) {_NAMED} (?P<year>\d{{4}}) {_CLOCK}{_ZONE}",
        rf"[A-Z][a-z]{{2}} {_NAMED} +(?P<day>\d\d?) {_CLOCK}{_ZONE} (?P<year>\d{{4}})",
        rf"(?P<short>\d\d)/(?P<month>\d\d)/(?P<day>\d\d) {_CLOCK}",
        r"(?P<short>\d\d)(?P<month>\d\d)(?P<day>\d\d) (?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)",
        rf"{_NAMED} +(?P<day>\d\d?) {_CLOCK}",
        rf"(?P<month>\d\d)[-.]?(?P<day>\d\d) {_CLOCK}",
    )
]
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)?")
_EPOCH = re.compile(r"(?P<whole>\d{10,19})(?:\.(?P<fraction>\d+))?")


def iso(text: str, year: int | None) -> str:
    """A time in ISO 8601; what is in no known form is left as it is, for its field to complain about.

    Parameters
    ----------
    year
        Of times that do not say theirs, as in syslog.

    Raises
    ------
    BrokenError
        If a time says no year, and none is given.
    """
    if _ISO.fullmatch(text) is not None:
        return text
    if (epoch := _EPOCH.fullmatch(text)) is not None:
        return _from_epoch(epoch["whole"], epoch["fraction"] or "")
    found = next((match for form in _FORMS if (match := form.fullmatch(text)) is not None), None)
    if found is None:
        return text
    parts = found.groupdict()
    whose = parts.get("year") or (f"20{parts['short']}" if parts.get("short") else None) or (str(year) if year is not None else None)
    if whose is None:
        raise BrokenError(f"expected times with a year, got {text!r}: name it with --read year=2026")
    month = parts["month"] if parts["month"].isdigit() else f"{_MONTHS.get(parts['month'].lower(), 0):02}"
    fraction = f".{parts['fraction'][:6]}" if parts.get("fraction") else ""
    zone = (parts.get("zone") or "").replace("UTC", "Z").replace("GMT", "Z")
    return f"{whose}-{month}-{int(parts['day']):02}T{parts['hour']}:{parts['minute']}:{parts['second']}{fraction}{zone}"


def _from_epoch(whole: str, fraction: str) -> str:
    """Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their length."""
    power = (len(whole) - 10 + 2) // 3 * 3
    digits = whole.ljust(10 + power, "0") + fraction
    seconds, rest = int(whole) // 10**power, digits[len(str(int(whole) // 10**power)) :]
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{(rest or '0')[:6]}Z"
    except (OverflowError, ValueError, OSError):
        return whole
