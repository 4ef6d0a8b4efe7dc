"""From log messages to templates: what the program's author wrote, with the values of the moment taken out.

Masking replaces values that show what they are (numbers, addresses, times, paths). Mining then looks at the few distinct masked
messages: a word that varies where all the other words stay the same is a parameter too, a user's name for instance.
Severity words, exception names and the class of an HTTP status are never masked: they are what an incident is told by.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache

import polars as pl

PARAMETER = "<*>"

MOST_CHARACTERS = 4_096
"""Of a message; templates are told apart by less."""

Tokens = tuple[str, ...]

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
_TOLD_BY = re.compile(r"(?:Exception|Error|Fault|Failure|Timeout)\b|^[1-5]xx$")
_ENDPOINT = re.compile(r"([A-Za-z][A-Za-z-]+):\d{2,5}")
"""A service and its port: the name stays, it says who is meant."""
_HOLLOW = re.compile(r"\s*(?:\(\s*(?:<\*>[\s,]*)*\)|\[\s*\])")
_BELOW = re.compile(r"<<\*>")
_REPEATED = re.compile(r"<\*>(?:[\s,.:/-]*<\*>)+")
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_SPACE = re.compile(r"\s+")
_TOKEN = re.compile(r"<\*>|[\w.$@/\\%+~*#&-]+|[^\w\s]")
_SPACED_PARAMETERS = re.compile(r"<\*>(?: [,.:/-]? ?<\*>)+")
_SPACED_HOLLOW = re.compile(r" \( (?:<\*> ?)*\)")
_IDENTIFIER = re.compile(r"[._/@$\\]|[a-z][A-Z]|[A-Z]{2,}.*[a-z]|[a-z]-")

_STATE_WORD = re.compile(
    "(?i:true|false|null|none|up|down|on|off|yes|no|in|out|ok|new|old|not|read|write|get|put|post|delete|start(?:ed)?|stop(?:ped)?|open(?:ed)?"
    "|closed?|enabled|disabled|success(?:ful)?|succeeded|fail(?:ed|ure)?|errors?|warn(?:ing)?|info|debug|trace|fatal|critical|panic|timeout"
    "|refused|reset|denied|rejected|(?:un)?available|(?:un)?healthy|ready)"
)
"""Words whose variation is the message, never a parameter."""


@lru_cache(maxsize=1 << 17)
def _mask_run(run: str) -> str:
    """One run of characters without spaces or brackets; trailing punctuation is kept."""
    core = run.rstrip(":.,-")
    if _TOLD_BY.search(core):
        return run if core.endswith("xx") else re.sub(r"\d+", PARAMETER, run)
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


class Templates:
    """Templates mined from masked messages, and the template of any further message.

    Mining depends neither on the order of the messages nor on how often each occurs, so what was mined from two halves of a log
    and from the whole agrees wherever the halves saw the same variety.

    Parameters
    ----------
    patterns
        Token patterns; a ``<*>`` in one matches any single token.

    References
    ----------
    He et al. (2017), Drain: an online log parsing approach with fixed depth tree.
    Yu et al. (2023), Brain: log parsing with bidirectional parallel tree.
    """

    def __init__(self, patterns: Iterable[Tokens]) -> None:
        self.patterns = sorted(patterns)
        self._by_length: dict[int, list[Tokens]] = defaultdict(list)
        for pattern in sorted(self.patterns, key=lambda p: (p.count(PARAMETER), p)):
            self._by_length[len(pattern)].append(pattern)
        self._exact = set(self.patterns)

    @classmethod
    def mine(cls, masked: Iterable[str]) -> Templates:
        """Find the templates of masked messages."""
        lines = {_tokens(line) for line in masked}
        found = cls(_generalise(lines))
        return cls({pattern for line in lines if (pattern := found.match(line)) is not None})

    def match(self, line: Tokens) -> Tokens | None:
        """The most specific pattern that a tokenised message fits; ``None`` if there is none."""
        if line in self._exact:
            return line
        return next((p for p in self._by_length.get(len(line), ()) if _fits(p, line)), None)

    def assign(self, masked: Sequence[str]) -> list[str]:
        """The template of each masked message; messages that fit none are mined among themselves."""
        distinct = {line: _tokens(line) for line in set(masked)}
        patterns = {line: self.match(tokens) for line, tokens in distinct.items()}
        strangers = [distinct[line] for line, pattern in patterns.items() if pattern is None]
        if strangers:
            mined = Templates(_generalise(set(strangers)))
            patterns |= {line: mined.match(distinct[line]) for line, pattern in patterns.items() if pattern is None}
        names = {line: _name(pattern or distinct[line]) for line, pattern in patterns.items()}
        return [names[line] for line in masked]

    def names(self) -> list[str]:
        """The templates as text, sorted; patterns that differ only in the length of a parameter share one."""
        return sorted({_name(pattern) for pattern in self.patterns})


@lru_cache(maxsize=1 << 16)
def _tokens(masked: str) -> Tokens:
    return tuple(_TOKEN.findall(masked))


def _fits(pattern: Tokens, line: Tokens) -> bool:
    return all(p in (PARAMETER, token) for p, token in zip(pattern, line, strict=True))


def _name(pattern: Tokens) -> str:
    text = _SPACED_PARAMETERS.sub(PARAMETER, " ".join(pattern))
    return _SPACED_HOLLOW.sub("", text)


def _generalise(lines: set[Tokens]) -> set[Tokens]:
    """Replace varying words by ``<*>`` until nothing varies any more."""
    while True:
        step = {line: pattern for line, pattern in _one_step(lines).items() if pattern != line}
        if not step:
            return lines
        lines = {step.get(line, line) for line in lines}


def _one_step(lines: set[Tokens]) -> dict[Tokens, Tokens]:
    """For each line whose one token varies, the pattern without it; where several vary, the one with most values goes first."""
    values: dict[Tokens, list[str]] = defaultdict(list)
    for line in lines:
        for place in _open_places(line):
            values[(*line[:place], "", *line[place + 1 :])].append(line[place])
    varying = [(len(found), context) for context, found in values.items() if len(found) >= _values_needed(context, found)]
    patterns: dict[Tokens, Tokens] = {}
    for _, context in sorted(varying, key=lambda item: (-item[0], item[1])):
        place = context.index("")
        for value in values[context]:
            line = (*context[:place], value, *context[place + 1 :])
            patterns.setdefault(line, (*context[:place], PARAMETER, *context[place + 1 :]))
    return patterns


def _open_places(line: Tokens) -> list[int]:
    """Positions that may hold a parameter. A message of one or two words has none: it would lose its meaning."""
    words = sum(token[0].isalpha() for token in line)
    return [
        place
        for place, token in enumerate(line)
        if token == PARAMETER or (words >= 3 and token[0].isalpha() and not _STATE_WORD.fullmatch(token) and not _TOLD_BY.search(token))
    ]


def _values_needed(context: Tokens, values: list[str]) -> int:
    """How many distinct values make a parameter: 2 for what looks like an identifier or stands after ``=``, 3 for plain words."""
    place = context.index("")
    named = place > 0 and (context[place - 1] == "=" or any(_IDENTIFIER.search(value) for value in values))
    return 2 if named or PARAMETER in values else 3


def bounded(counts: Counter[str], limit: int) -> Counter[str]:
    """The `limit` most frequent masked messages, ties in alphabetical order."""
    if len(counts) <= limit:
        return counts
    return Counter(dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]))
