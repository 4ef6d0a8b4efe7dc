"""The skills that have names: ``skills.txt``, and the automaton that finds them (Aho & Corasick, 1975).

The list is the project's own. Everything that can be said about a spelling is said there: whether it counts in any case, only with
its capital letters, or only among other skills.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import ahocorasick

ANY, CAPITALS, CONTEXT = "", "^", "~"
SOFT = "soft skills"
"""The group of what many claim and no resume shows."""
_JOINTS = str.maketrans("-\n\t\u00a0\u2010\u2011", "      ")


@dataclass(frozen=True)
class Spelling:
    """One way to write a skill.

    Parameters
    ----------
    skill
        Canonical name.
    text
        As `skills.txt` writes it.
    demand
        `ANY` case counts; `CAPITALS`: only as written, or all in capitals; `CONTEXT`: the same, and only among other skills.
    """

    skill: str
    text: str
    demand: str = ANY


@dataclass(frozen=True)
class Found:
    """A spelling at a place; nothing is said yet about whether it means the skill there."""

    spelling: Spelling
    start: int
    end: int


class Gazetteer:
    """All skills, by group and by spelling."""

    def __init__(self, text: str) -> None:
        self.groups: dict[str, str] = {}
        self._automaton = ahocorasick.Automaton()
        spellings: dict[str, Spelling] = {}
        for spelling in self._spellings(text):
            for key in _keys(spelling.text):
                spellings.setdefault(key, spelling)
        for key, spelling in spellings.items():
            self._automaton.add_word(key, (len(key), spelling))
        self._automaton.make_automaton()

    def _spellings(self, text: str) -> Iterator[Spelling]:
        group = ""
        for line in text.splitlines():
            if line.startswith("["):
                group = line.strip("[]")
            elif line and not line.startswith("#"):
                name, _, others = line.partition(": ")
                self.groups[name] = group
                marked = [other for other in others.split("; ") if other]
                if name.lower() not in (other.lstrip("^~").lower() for other in marked):
                    yield Spelling(name, name)
                for other in marked:
                    demand = other[0] if other[0] in (CAPITALS, CONTEXT) else ANY
                    yield Spelling(name, other[len(demand) :], demand)

    def candidates(self, text: str) -> list[Found]:
        """Every spelling anywhere, also inside words, in order of its end."""
        folded = folded_text(text)
        return [Found(spelling, end + 1 - length, end + 1) for end, (length, spelling) in self._automaton.iter(folded)]


def folded_text(text: str) -> str:
    """Lower case, hyphens and line ends as spaces; of the same length, so that offsets stay."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(low if len(low := character.lower()) == 1 else character for character in text)
    return lower.translate(_JOINTS)


def _keys(spelling: str) -> set[str]:
    """What to look for: the folded spelling, and its plural if it has several words."""
    key = folded_text(spelling)
    return {key, f"{key}s"} if " " in key and key[-1].isalpha() and not key.endswith("s") else {key}


@cache
def gazetteer() -> Gazetteer:
    """The gazetteer of this version, read when first needed."""
    return Gazetteer((files("models.resume_ranking") / "skills.txt").read_text("utf-8"))
