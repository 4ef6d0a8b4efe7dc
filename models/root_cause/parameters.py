r"""Parameters of log messages: the values that stand where a template has none of its own words.

A template keeps the fixed words of a message, in order, and drops how they were spaced and what stood between them. So a message is
aligned with its template: `gaps` finds what is before, between and after the fixed words, such that both put together again are the
message, character by character. What is found in a gap is typed by its form.

The alignment is found by going from word to word over the places each occurs at, so its time grows with the length of the message times
the number of words, whatever was logged; a regular expression of lazy gaps would need exponential time for some messages.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

from models.root_cause.masks import PARAMETER, headline
from models.root_cause.parameter import Parameter, ParameterKind

MOST_VALUES = 5
MOST_READ = 10_000
"""Characters of messages that are read to tell what the parameters of a template are: a hundred lines, as they usually are."""
MOST_CHARACTERS = 200
"""Of a value that is told."""


class Value(NamedTuple):
    """A value with the gap it stands in, its place among the values there, and what it is called."""

    gap: int
    place: int
    name: str | None
    kind: ParameterKind
    text: str


class _Slot(NamedTuple):
    """A fixed word, and what the template has before it in place of values: nothing, ``<*>``, or the class of a status."""

    word: str
    held: str


_STATUS_CLASS = re.compile("[1-5]xx")
_SPACE = re.compile(r"\s*")
_BRACKET = re.compile(r"[(\[][^()\[\]]*[)\]]\s*")
"""What may stand between two words that no value separates: it held nothing but values, and was dropped."""
_THE_END = re.compile(r"\Z")


@lru_cache(maxsize=1 << 12)
def _slots(template: str) -> tuple[_Slot, ...]:
    """The fixed words of a template; last, an empty one for its end. The class of an HTTP status stands for a value."""
    slots, held = [], ""
    for token in template.split(" ") if template else ():
        if token == PARAMETER or _STATUS_CLASS.fullmatch(token):
            held += token
        else:
            slots.append(_Slot(token, held))
            held = ""
    return (*slots, _Slot("", held))


@lru_cache(maxsize=1 << 14)
def _word(word: str, whole: bool) -> re.Pattern[str]:
    """Finds a word; if `whole`, only where no letter or digit goes on before or after it."""
    before = r"(?<!\w)" if whole and re.match(r"\w", word) else ""
    after = r"(?!\w)" if whole and re.search(r"\w\Z", word) else ""
    return re.compile(before + re.escape(word) + after)


def gaps(template: str, message: str) -> tuple[str, ...] | None:
    """What stands before, between and after the fixed words of a template in a message; ``None`` if they are not in it, in this order.

    Parameters
    ----------
    message
        One line; see `headline`.
    """
    slots = _slots(template)
    ways = (_aligned(slots, message, whole, strict) for whole, strict in ((True, True), (False, True), (False, False)))
    ends = next((way for way in ways if way is not None), None)
    if ends is None:
        return None
    return tuple(message[start : end - len(slot.word)] for start, end, slot in zip([0, *ends], ends, slots, strict=False))


def restored(template: str, parts: Sequence[str]) -> str:
    """The message that a template and the gaps of it make: what `gaps` took apart."""
    return "".join(part + slot.word for part, slot in zip(parts, _slots(template), strict=True))


def _aligned(slots: Sequence[_Slot], message: str, whole: bool, strict: bool) -> list[int] | None:
    """Where each word ends; of several ways one with short gaps.

    Parameters
    ----------
    whole
        Whether words must not be parts of longer ones.
    strict
        Whether a gap must hold a value where the template has one, and may hold none elsewhere.
    """
    reached: list[dict[int, int]] = [{0: 0}]
    for word, held in slots:
        ends = sorted(reached[-1])
        places = _word(word, whole) if word else _THE_END
        reached.append(_across(ends, message, places, strict) if held or not strict else _beside(ends, message, places))
    way = [len(message)]
    for here in reversed(reached):
        if way[-1] not in here:
            return None
        way.append(here[way[-1]])
    return way[-3::-1]


def _across(ends: Sequence[int], message: str, word: re.Pattern[str], strict: bool) -> dict[int, int]:
    """Ends of a word after a value, each with the nearest end before it that leaves room for one."""
    found = {}
    for place in word.finditer(message):
        room = len(message[: place.start()].rstrip()) - 1 if strict else place.start()
        if number := bisect_right(ends, room):
            found[place.end()] = ends[number - 1]
    return found


def _beside(ends: Iterable[int], message: str, word: re.Pattern[str]) -> dict[int, int]:
    """Ends of a word that follows without a value in between, each with the end before it."""
    return {place.end(): end for end in ends for stop in _stops(message, end) if (place := word.match(message, stop))}


def _stops(message: str, end: int) -> Iterator[int]:
    """Where the next word may begin if no value is in between."""
    yield (stop := _SPACE.match(message, end).end())  # type: ignore[union-attr]
    while bracket := _BRACKET.match(message, stop):
        yield (stop := bracket.end())


_END = r"(?!\w)"
_NUMBER = r"[-+]?\d+(?:[.,]\d+)*"
_FORMS: dict[ParameterKind, str] = {
    "url": r"[a-zA-Z][\w+.-]*://[^\s,\"'\])<>]+",
    "time": r"\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    + _END
    + r"|[A-Z][a-z]{2},? (?:[A-Z][a-z]{2} +)?\d+ \d\d:\d\d:\d\d(?: [A-Z]{3,4})?(?: \d{4})?"
    + _END
    + r"|\d\d:\d\d:\d\d(?:[.,]\d+)?"
    + _END,
    "uuid": r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}" + _END,
    "ip": r"/?\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?![\w.:])|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?![\w:])",
    "duration": _NUMBER + r" ?(?:ns|us|µs|ms|s|secs?|seconds?|min|minutes?|h|hours?)" + _END,
    "size": _NUMBER + r" ?(?:[kKMGT]i?B|B|bytes)" + _END,
    "percent": _NUMBER + r" ?%",
    "hex": r"0[xX][0-9a-fA-F]+" + _END + r"|(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}" + _END,
    "path": r"(?:[A-Za-z]:|~|\.{1,2})?(?:[/\\][\w.$@%+~#&:=-]+)+[/\\]?",
    "number": _NUMBER + r"(?![\w.:/\\-]*\w)",
    "quoted": r"\"[^\"]*\"|'[^']*'",
    "id": r"(?=[^\s,;()\[\]{}\"'<>=]*\d)[^\s,;()\[\]{}\"'<>=]+",
    "word": r"[^\s,;()\[\]{}\"'<>=]+",
}
_VALUE = re.compile("|".join(f"(?P<{kind}>{form})" for kind, form in _FORMS.items()))
_KEY_SIGNS, _QUOTES = ("=", ":"), ('"', "'", "`")
_FACTORS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "sec": 1.0,
    "min": 60.0,
    "minute": 60.0,
    "h": 3600.0,
    "hour": 3600.0,
    "second": 1.0,
    "b": 1.0,
    "byte": 1.0,
    "kb": 1e3,
    "mb": 1e6,
    "gb": 1e9,
    "tb": 1e12,
    "%": 1.0,
    "": 1.0,
    "kib": 2.0**10,
    "mib": 2.0**20,
    "gib": 2.0**30,
    "tib": 2.0**40,
}
_MEASURES = frozenset({"number", "duration", "size", "percent"})
_MEASURED = re.compile(r"([-+]?\d+(?:\.\d+)?) ?([A-Za-zµ%]*)")


def values(template: str, message: str) -> list[Value]:
    """The values of a message, typed; none if the template is not its own."""
    slots = _slots(template)
    parts = gaps(template, headline(message)) or ()
    return [value for number, part in enumerate(parts) if part.strip() for value in _in_gap(number, part, slots)]


def _in_gap(gap: int, part: str, slots: Sequence[_Slot]) -> Iterator[Value]:
    words, held = [slot.word for slot in slots], slots[gap].held
    name = _name(words[:gap])
    if gap and words[gap - 1] in _QUOTES and words[gap] == words[gap - 1]:
        yield Value(gap, 0, name, "quoted", part)
        return
    for place, found in enumerate(_VALUE.finditer(part)):
        kind: ParameterKind = found.lastgroup  # type: ignore[assignment]
        if kind == "number" and held and _STATUS_CLASS.fullmatch(held) and len(found[0]) == len(held):
            kind = "status"
        elif kind == "ip" and not _is_address(found[0]):
            kind = "id"
        yield Value(gap, place, name, kind, found[0])


def _name(words: Sequence[str]) -> str | None:
    """What the value after some words is called: the key of ``key=value`` or ``key: value``, else the word before."""
    named = [word for word in words if word not in _QUOTES][-2:]
    if len(named) == 2 and named[1] in _KEY_SIGNS:
        named.pop()
    return named[-1] if named and named[-1][0].isalpha() else None


def _is_address(text: str) -> bool:
    host = text.lstrip("/")
    try:
        ip_address(host.split(":")[0] if "." in host else host)
    except ValueError:
        return False
    return True


def parameters(template: str, messages: Iterable[str]) -> tuple[Parameter, ...]:
    """The parameters of a template over some messages of it, in the order in which they stand there."""
    found: dict[tuple[int, int], list[Value]] = defaultdict(list)
    read = 0
    for message in messages:
        if read > MOST_READ:
            break
        read += len(message)
        for value in values(template, message):
            found[value.gap, value.place].append(value)
    return tuple(_parameter(found[place]) for place in sorted(found))


def _parameter(found: Sequence[Value]) -> Parameter:
    counts = Counter(value.text[:MOST_CHARACTERS] for value in found)
    kinds = Counter(value.kind for value in found)
    kind = min(kinds, key=lambda kind: (-kinds[kind], kind))
    sizes = [size for value in found if value.kind == kind and (size := _size(value)) is not None]
    return Parameter(
        name=found[0].name,
        kind=kind,
        values=tuple(sorted(counts, key=lambda text: (-counts[text], text))[:MOST_VALUES]),
        distinct=len(counts),
        lowest=min(sizes, default=None),
        highest=max(sizes, default=None),
    )


def _size(value: Value) -> float | None:
    """A number as it is, a duration in seconds, a size in bytes."""
    measured = _MEASURED.fullmatch(value.text) if value.kind in _MEASURES else None
    if measured is None:
        return None
    factor = _FACTORS.get(measured[2]) or _FACTORS.get(measured[2].lower().rstrip("s") or "s")
    return None if factor is None else float(measured[1]) * factor
