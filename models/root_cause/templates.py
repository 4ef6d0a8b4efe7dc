"""From masked log messages to templates: what the program's author wrote, with the values of the moment taken out.

A word that varies where all the other words stay the same is a parameter too, a user's name for instance; mining looks for those in
the few distinct masked messages.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Self

from models.root_cause.masks import PARAMETER, TOLD_BY

Tokens = tuple[str, ...]

MOST_TEMPLATES = 20_000

_TOKEN = re.compile(r"<\*>|[1-5]xx(?=[.:,-]*(?:\s|$))|[\w.$@/\\%+~*#&-]+|[^\w\s]")
_SPACED_PARAMETERS = re.compile(r"<\*>(?: [,.:/-]? ?<\*>)+")
_SPACED_HOLLOW = re.compile(r" \( (?:<\*> ?)*\)")
_IDENTIFIER = re.compile(r"[._/@$\\]|[a-z][A-Z]|[A-Z]{2,}.*[a-z]|[a-z]-")

_STATE_WORD = re.compile(
    "(?i:true|false|null|none|up|down|on|off|yes|no|in|out|ok|new|old|not|read|write|get|put|post|delete|start(?:ed)?|stop(?:ped)?|open(?:ed)?"
    "|closed?|enabled|disabled|success(?:ful)?|succeeded|fail(?:ed|ure)?|errors?|warn(?:ing)?|info|debug|trace|fatal|critical|panic|timeout"
    "|refused|reset|denied|rejected|(?:un)?available|(?:un)?healthy|ready)"
)
"""Words whose variation is the message, never a parameter."""


class Templates:
    """Templates mined from masked messages, and the template of any further message.

    Mining does not depend on the order of the messages; what was mined from two parts of a log is `merged`, in whichever order, and is
    what the whole gives wherever the parts saw the same variety. Of more than `limit` templates those that most lines have are kept, so
    a template of more than one in `limit` of all lines is in none of the merges left out, unlike one that was merely not seen lately.

    Parameters
    ----------
    counts
        Lines by token pattern; a ``<*>`` in one matches any single token.
    limit
        How many there may be.
    kept
        Words that are no parameters, however they vary: names of services, because who is complained about is what matters.

    References
    ----------
    He et al. (2017), Drain: an online log parsing approach with fixed depth tree.
    Yu et al. (2023), Brain: log parsing with bidirectional parallel tree.
    """

    def __init__(self, counts: Mapping[Tokens, int], limit: int = MOST_TEMPLATES, kept: Iterable[str] = ()) -> None:
        most = sorted(counts, key=lambda pattern: (-counts[pattern], pattern))[:limit]
        self.counts = {pattern: counts[pattern] for pattern in sorted(most)}
        self.limit = limit
        self.kept = frozenset(kept)
        self._by_length: dict[int, list[Tokens]] = defaultdict(list)
        for pattern in sorted(self.counts, key=lambda p: (p.count(PARAMETER), p)):
            self._by_length[len(pattern)].append(pattern)

    @classmethod
    def mine(cls, masked: Iterable[str], limit: int = MOST_TEMPLATES, kept: Iterable[str] = ()) -> Self:
        """Find the templates of masked messages."""
        lines = Counter[Tokens]()
        for message, count in Counter(masked).items():
            lines[_tokens(message)] += count
        return cls._of(lines, limit, frozenset(kept))

    @classmethod
    def _of(cls, lines: Mapping[Tokens, int], limit: int, kept: frozenset[str]) -> Self:
        found = Templates(dict.fromkeys(_generalise(set(lines), kept), 0), len(lines))
        counts = Counter[Tokens]()
        for line, count in lines.items():
            counts[found.match(line) or line] += count
        return cls(counts, limit, kept)

    def merged(self, other: Templates) -> Self:
        """The templates of two parts of a log; which one is the first does not matter."""
        return self._of(Counter(self.counts) + Counter(other.counts), max(self.limit, other.limit), self.kept | other.kept)

    def state(self) -> list[list[Any]]:
        """As JSON: of each template its lines, then its tokens."""
        return [[count, *pattern] for pattern, count in self.counts.items()]

    @classmethod
    def restored(cls, state: Iterable[Sequence[Any]], limit: int = MOST_TEMPLATES, kept: Iterable[str] = ()) -> Self:
        """Take back what `state` gave."""
        return cls({tuple(pattern): count for count, *pattern in state}, limit, kept)

    def match(self, line: Tokens) -> Tokens | None:
        """The most specific pattern that a tokenised message fits; ``None`` if there is none."""
        if line in self.counts:
            return line
        return next((p for p in self._by_length.get(len(line), ()) if _fits(p, line)), None)

    def assign(self, masked: Sequence[str], kept: Iterable[str] = ()) -> list[str]:
        """The template of each masked message; messages that fit none are mined among themselves, with further words kept."""
        distinct = {line: _tokens(line) for line in set(masked)}
        patterns = {line: self.match(tokens) for line, tokens in distinct.items()}
        strangers = [distinct[line] for line, pattern in patterns.items() if pattern is None]
        if strangers:
            mined = self._of(dict.fromkeys(strangers, 1), len(strangers), self.kept.union(kept))
            patterns |= {line: mined.match(distinct[line]) for line, pattern in patterns.items() if pattern is None}
        names = {line: _name(pattern or distinct[line]) for line, pattern in patterns.items()}
        return [names[line] for line in masked]

    def names(self) -> list[str]:
        """The templates as text, sorted; patterns that differ only in the length of a parameter share one."""
        return sorted({_name(pattern) for pattern in self.counts})


@lru_cache(maxsize=1 << 16)
def _tokens(masked: str) -> Tokens:
    return tuple(_TOKEN.findall(masked))


def _fits(pattern: Tokens, line: Tokens) -> bool:
    return all(p in (PARAMETER, token) for p, token in zip(pattern, line, strict=True))


def same_kind(one: str, other: str) -> bool:
    """Whether one of two templates fits the other, and says a word of its own: one may have had fewer values to learn a parameter from."""
    left, right = tuple(one.split(" ")), tuple(other.split(" "))
    if len(left) != len(right):
        return False
    says = any(a == b != PARAMETER for a, b in zip(left, right, strict=True))
    return one == other or (says and (_fits(left, right) or _fits(right, left)))


def _name(pattern: Tokens) -> str:
    text = _SPACED_PARAMETERS.sub(PARAMETER, " ".join(pattern))
    return _SPACED_HOLLOW.sub("", text)


def _generalise(lines: set[Tokens], kept: frozenset[str]) -> set[Tokens]:
    """Replace varying words by ``<*>`` until nothing varies any more."""
    while True:
        step = {line: pattern for line, pattern in _one_step(lines, kept).items() if pattern != line}
        if not step:
            return lines
        lines = {step.get(line, line) for line in lines}


def _one_step(lines: set[Tokens], kept: frozenset[str]) -> dict[Tokens, Tokens]:
    """For each line whose one token varies, the pattern without it; where several vary, the one with most values goes first."""
    values: dict[Tokens, list[str]] = defaultdict(list)
    for line in lines:
        for place in _open_places(line, kept):
            values[(*line[:place], "", *line[place + 1 :])].append(line[place])
    varying = [(len(found), context) for context, found in values.items() if len(found) >= _values_needed(context, found)]
    patterns: dict[Tokens, Tokens] = {}
    for _, context in sorted(varying, key=lambda item: (-item[0], item[1])):
        place = context.index("")
        for value in values[context]:
            line = (*context[:place], value, *context[place + 1 :])
            patterns.setdefault(line, (*context[:place], PARAMETER, *context[place + 1 :]))
    return patterns


def _open_places(line: Tokens, kept: frozenset[str]) -> list[int]:
    """Positions that may hold a parameter. A message of one or two words has none: it would lose its meaning."""
    words = sum(token[0].isalpha() for token in line)
    return [
        place
        for place, token in enumerate(line)
        if token == PARAMETER or (words >= 3 and token[0].isalpha() and token not in kept and not _tells(token))
    ]


def _tells(token: str) -> bool:
    return bool(_STATE_WORD.fullmatch(token) or TOLD_BY.search(token))


def _values_needed(context: Tokens, values: list[str]) -> int:
    """How many distinct values make a parameter: 2 for what looks like an identifier or stands after ``=``, 3 for plain words."""
    place = context.index("")
    named = place > 0 and (context[place - 1] == "=" or any(_IDENTIFIER.search(value) for value in values))
    return 2 if named or PARAMETER in values else 3
