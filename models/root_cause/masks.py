"""Values of the moment in log messages, replaced by ``<*>`` where they show what they are: numbers, addresses, times, paths.

Severity words, exception names and the class of an HTTP status are never masked: they are what an incident is told by.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import polars as pl

PARAMETER = "<*>"

MOST_CHARACTERS = 4_096
"""Of a message; templates are told apart by less."""

_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_UNIT = "(?:[kKMGT]i?B|B|bytes|ns|us|ms|s|secs?|seconds|min|minutes|h|hours|%)"

_STATUS = (r"(?i)\b(status|http(?:/[\d.]+)?|code|response)((?:[ =:\"]| is | code)*)([1-5])\d\d\b", "${1}${2}${3}xx")
_PHRASES = "|".join(
    (
        r"[a-zA-Z][\w+.-]*://[^\s,\"'\]\)<>]+",
        r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?",
        rf"\b{_DAY},? {_MONTH} +\d+ \d\d:\d\d:\d\d(?: [A-Z]{{3,4}})?(?: \d{{4}})?",
        rf"\b\d+(?:[.,]\d+)* ?{_UNIT}(?:\b|$)",
    )
)
"""Values that hold spaces, or need their neighbours to be understood; in polars' (Rust) syntax, applied to whole columns."""

_DIGITS = r"[0-9A-Za-z_.$@/\\%+~*#&:-]*[0-9](?:[0-9A-Za-z_.$@/\\%+~*#&:-]*[0-9A-Za-z_$@/\\%+~*#&])?"
"""A run with a digit in it, without the punctuation it ends in: always a value, unless the run tells something by its words."""
_CLASSES = {f"{digit}xx": chr(0xE000 + digit) for digit in range(1, 6)}
"""Classes of HTTP statuses, put out of the way while digits are replaced; the characters are of Unicode's private use area."""
_CLASSES_BACK = {character: name for name, character in _CLASSES.items()}
_TELLING = r"Exception|Error|Fault|Failure|Timeout|[A-Za-z-]:[0-9]{2}"
_ODD = r"[\n\x1b]"
"""What only some messages have: several lines, or instructions to terminals."""

_RUN = re.compile(r"(?:<\*>|[\w.$@/\\%+~*#&:-])+")
TOLD_BY = re.compile(r"(?:Exception|Error|Fault|Failure|Timeout)\b|^[1-5]xx$")
"""What an incident is told by."""
_CLASS = re.compile("[1-5]xx")
_ENDPOINT = re.compile(r"([A-Za-z][A-Za-z-]+):\d{2,5}")
"""A service and its port: the name stays, it says who is meant."""
_HOLLOW = re.compile(r"\s*(?:\(\s*(?:<\*>[\s,]*)*\)|\[\s*\])")
_BELOW = re.compile(r"<<\*>")
_REPEATED = re.compile(r"<\*>(?:[\s,.:/-]*<\*>)+")
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_SPACE = re.compile(r"\s+")


@lru_cache(maxsize=1 << 17)
def _mask_run(run: str) -> str:
    """One run of characters without spaces or brackets; trailing punctuation is kept."""
    core = run.rstrip(":.,-")
    if TOLD_BY.search(core):
        return run if _CLASS.fullmatch(core) else re.sub(r"\d+", PARAMETER, run)
    if endpoint := _ENDPOINT.fullmatch(core):
        return f"{endpoint[1]}:{PARAMETER}{run[len(core) :]}"
    is_value = PARAMETER in core or any(c.isdigit() for c in core) or (core.startswith("/") and len(core) > 1)
    return PARAMETER + run[len(core) :] if is_value else run


def _mask_runs(message: str) -> str:
    message = _RUN.sub(lambda run: _mask_run(run.group()), message)
    message = _BELOW.sub(PARAMETER, _HOLLOW.sub("", message))
    return _SPACE.sub(" ", _REPEATED.sub(PARAMETER, message)).strip()


def mask(messages: Sequence[str]) -> list[str]:
    """Each message with its values replaced by ``<*>``.

    A bracket that holds nothing but values is dropped, because its presence often is a value too: ``1165 bytes (1.13 KB)``. Of a stack
    trace what was thrown stays, and the frames go. What stands after `MOST_CHARACTERS` tells no kinds of messages apart.
    """
    if not messages:
        return []
    lines = pl.DataFrame({"message": messages}, schema={"message": pl.String})
    distinct = lines.unique()
    varied = 2 * distinct.height > lines.height
    phrases = _phrases(lines if varied else distinct)
    known = phrases["phrase"].unique()
    texts = [_mask_runs(phrase) for phrase in known.str.replace_many(_CLASSES_BACK).to_list()]
    masked = pl.DataFrame({"phrase": known, "masked": texts}, schema={"phrase": pl.String, "masked": pl.String})
    found = phrases.join(masked, on="phrase", how="left", maintain_order="left")
    return (found if varied else lines.join(found, on="message", how="left", maintain_order="left"))["masked"].to_list()


def _phrases(lines: pl.DataFrame) -> pl.DataFrame:
    """Messages, and what is left of each when values that can be found in whole columns are replaced; in the order given.

    Runs with digits become ``<*>`` here already, so that few distinct phrases are left to look at one by one; where a run may tell
    something, as the name of an exception does, only its digits are made alike.
    """
    text = pl.col("message").str.head(MOST_CHARACTERS)
    is_odd = lines["message"].str.contains(_ODD)
    if is_odd.any():
        heads = {message: headline(message) for message in lines["message"].filter(is_odd).unique()}
        text = text.replace(list(heads), list(heads.values()))
    lines = lines.with_columns(text.str.replace_all(*_STATUS).str.replace_all(_PHRASES, PARAMETER).alias("phrase"))
    phrase = pl.col("phrase").str.replace_many(_CLASSES)
    telling = lines["phrase"].str.contains(_TELLING)
    alike = pl.when(telling).then(phrase.str.replace_all("[0-9]", "0")).otherwise(phrase.str.replace_all(_DIGITS, PARAMETER))
    return lines.with_columns(alike.alias("phrase"))


def headline(message: str) -> str:
    """What a message of several lines says: its first, and what was thrown; without colours."""
    first, *rest = _COLOURS.sub("", message)[:MOST_CHARACTERS].strip().split("\n")
    thrown = [line.strip() for line in rest if line.startswith(("Caused by:", "Suppressed:"))]
    if first.startswith("Traceback"):
        thrown += [line for line in rest if line[:1].strip() and not line.startswith(("Traceback", "During handling", "The above"))][-1:]
    return " ".join([first, *thrown])
