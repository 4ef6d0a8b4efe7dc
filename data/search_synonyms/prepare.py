"""Write ``sample.csv.gz``: seven weeks of searches on a made-up shop, with a planted truth.

People want a thing, know one or more of its names, and may mistype it. The site finds what its own words say. Who finds nothing to click
gives up, corrects the typing error, tries another name, adds or drops a word, or takes something else instead. Only other names, typing
errors and word forms mean the same; `Site.meaning` knows. What the generator assumes is in `Habits`, as rates.
"""

from __future__ import annotations

import csv
import gzip
import io
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

T = TypeVar("T")

WORLDS = tomllib.loads((Path(__file__).parent / "worlds.toml").read_text())
ATTRIBUTES = {world: tuple(tuple(words.split(", ")) for words in groups.pop("attributes")) for world, groups in WORLDS.items()}
"""Words that narrow a query, in sets of alternatives."""

START = datetime(2026, 1, 5, tzinfo=UTC).timestamp()
DAY = 86_400.0
LETTERS = "abcdefghijklmnopqrstuvwxyz"
KEYS = dict(zip("qwertyuiopasdfghjklzxcvbnm", "wqweertyuisaasdfghjkxzxcvb", strict=True))
"""A neighbour of each key."""


@dataclass(frozen=True)
class Habits:
    """How people and the site behave; shares of the cases in which it could happen.

    Studies of logs find 10 to 15% of queries mistyped (Cucerzan and Brill 2004), and that narrowing is the commonest change of a query,
    before new words, widening and corrections (Jansen, Booth and Spink 2009).
    """

    typo: float = 0.08
    attribute: float = 0.45
    second_attribute: float = 0.12
    clicks_what_fits: float = 0.75
    clicks_what_does_not: float = 0.04
    scrolls: float = 0.6
    gives_up: float = 0.35
    corrects: float = 0.7
    knows_another_name: float = 0.55
    narrows: float = 0.22
    widens: float = 0.12
    takes_something_else: float = 0.16
    takes_the_favourite: float = 0.0
    goes_on: float = 0.3
    returns: float = 0.5
    finds_other_names: float = 0.12
    finds_any_word: float = 0.25
    stems: float = 0.5
    bots: float = 0.004
    crawls: int = 150
    attackers: int = 60
    logs_clicks: bool = True


class Dice:
    """Random choices, drawn in blocks: one by one they would take most of the time."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng([seed, 8])
        self._drawn: list[float] = []

    def number(self) -> float:
        """From 0 to 1."""
        if not self._drawn:
            self._drawn = self._rng.random(65_536).tolist()
        return self._drawn.pop()

    def chance(self, share: float) -> bool:
        """True in that share of the cases."""
        return self.number() < share

    def pick(self, items: Sequence[T]) -> T:
        """One of them."""
        return items[int(self.number() * len(items))]

    def skewed(self, items: Sequence[T]) -> T:
        """One of them, the first ones more often."""
        return items[int(self.number() ** 2.2 * len(items))]

    def pause(self, median: float) -> float:
        """Seconds, log-normal in spirit."""
        return median * (0.3 + 1.8 * self.number() ** 2)


@dataclass(frozen=True)
class Concept:
    """A thing, and its names; the first is the catalogue's."""

    names: tuple[str, ...]
    group: str
    offered: bool


class Want(NamedTuple):
    """What somebody looks for: a thing, and what it should be like."""

    concept: Concept
    attributes: tuple[str, ...] = ()

    @property
    def meaning(self) -> str:
        """The same text for all who want the same."""
        return " ".join(sorted((self.concept.names[0], *self.attributes)))


class Row(NamedTuple):
    """A search, as `SearchSynonymsExample` reads it."""

    user_id: str
    timestamp: float
    query: str
    n_results: int
    n_clicks: int
    scrolled: bool
    clicked_ids: tuple[str, ...]
    source: str
    meaning: str


@dataclass
class Site:
    """A shop or help centre of one vocabulary, its catalogue and its search engine."""

    name: str
    seed: int
    habits: Habits = field(default_factory=Habits)

    def __post_init__(self) -> None:
        self.dice = Dice(self.seed)
        self.concepts = [concept for group, text in WORLDS[self.name].items() for concept in _concepts(group, text)]
        order = np.random.default_rng([self.seed, 9]).permutation(len(self.concepts))
        self.by_popularity = [self.concepts[place] for place in order]
        self.siblings = {c: [o for o in self.concepts if o.group == c.group and o is not c] for c in self.concepts}
        self.catalogue = {concept: self._stock(number, concept) for number, concept in enumerate(self.concepts)}
        also = [(c, name) for c in self.concepts for name in c.names[1:]]
        self.found_names = {pair for pair in also if self.dice.chance(self.habits.finds_other_names)}
        self.any_word = self.dice.chance(self.habits.finds_any_word)
        self.stems = self.dice.chance(self.habits.stems)
        self.mistyped: dict[str, str] = {}
        self._meant = {_tokens(name): c.names[0] for c in self.concepts for name in c.names}

    def planted(self) -> list[tuple[str, str]]:
        """All pairs of another name and the catalogue's own."""
        return [(name, c.names[0]) for c in self.concepts if c.offered for name in c.names[1:]]

    def synonyms(self) -> Iterator[tuple[str, str]]:
        """All pairs of two names of one thing."""
        return (pair for c in self.concepts if c.offered for pair in combinations(sorted(c.names), 2))

    @property
    def attacked(self) -> list[tuple[str, str]]:
        """The pairs that bots and attackers try to plant."""
        names = [concept.names[0] for concept in self.by_popularity]
        return [(names[0], "acme superstore"), (names[3], names[4]), (names[1], names[7]), ("cheap", "acme superstore")]

    def meaning(self, text: str) -> str:
        """What a query, or a part of one, means: typing errors mended, word forms made one, names made the catalogue's, words sorted."""
        words = tuple(_singular(part) for word in text.split() for part in self.mistyped.get(word, word).split())
        meant: list[str] = []
        while words:
            size = next((n for n in range(min(4, len(words)), 0, -1) if words[:n] in self._meant), 0)
            meant.append(self._meant[words[:size]] if size else words[0])
            words = words[size or 1 :]
        return " ".join(sorted(meant))

    def _stock(self, number: int, concept: Concept) -> list[tuple[str, frozenset[str]]]:
        """Documents with the attributes that they have."""
        if not concept.offered:
            return []
        sets = ATTRIBUTES[self.name]
        return [(f"{self.name[0]}{number:02}-{n}", frozenset(self.dice.pick(alike) for alike in sets)) for n in range(14)]

    def found(self, want: Want, name: str, text: str) -> tuple[list[str], int]:
        """Documents that fit, and how many results there are."""
        misspelt = any(word in self.mistyped for word in text.split())
        plural_fails = not self.stems and text.split()[-1].endswith("s") and not name.endswith("s")
        known = name == want.concept.names[0] or (want.concept, name) in self.found_names
        fits = [doc for doc, has in self.catalogue[want.concept] if has.issuperset(want.attributes)]
        if not misspelt and not plural_fails and known:
            if (want.concept, name) in self.found_names:
                fits = fits[: max(1, len(fits) // 3)]
            return fits, len(fits) + int(self.dice.number() * 3)
        return [], int(1 + self.dice.number() * 40) if self.any_word and len(text.split()) > 1 else 0

    def mistype(self, text: str) -> str:
        """The text with one slip of the fingers or the memory in a word of four letters or more; remembered."""
        words = text.split()
        places = [place for place, word in enumerate(words) if len(word) >= 4 and word.isalpha()]
        if not places:
            return text
        place = self.dice.pick(places)
        wrong = _slip(words[place], self.dice)
        if wrong == words[place] or wrong in self.mistyped or (wrong,) in self._meant:
            return text if self.mistyped.get(wrong) != words[place] else " ".join([*words[:place], wrong, *words[place + 1 :]])
        if any(wrong in (word, word + "s") for names in self._meant for word in names):
            return text
        self.mistyped[wrong] = words[place]
        return " ".join([*words[:place], wrong, *words[place + 1 :]])


class Person:
    """Somebody who searches: has habits of naming and writing."""

    def __init__(self, site: Site, user_id: str, source: str, days: float) -> None:
        self.site, self.user_id, self.source = site, user_id, source
        self.dice = site.dice
        self.plural = self.dice.chance(0.25)
        self.at = START + self.dice.number() * days * DAY

    def visit(self) -> Iterator[Row]:
        """The searches of one visit."""
        site, dice, habits = self.site, self.dice, self.site.habits
        want = self._wanted(dice.skewed(site.by_popularity))
        name = dice.skewed(want.concept.names)
        right = self._text(want, name)
        text = site.mistype(right) if dice.chance(habits.typo) else right
        for _ in range(7):
            fits, n_results = site.found(want, name, text)
            clicked = self._click(fits, n_results)
            yield Row(
                self.user_id,
                self.at,
                text,
                n_results,
                len(clicked),
                bool(n_results and dice.chance(habits.scrolls)),
                tuple(clicked) if habits.logs_clicks else (),
                self.source,
                site.meaning(text),
            )
            self.at += dice.pause(45.0 if clicked else 20.0)
            if clicked and fits:
                if not dice.chance(habits.goes_on):
                    return
                want, name, right = self._onwards(want, name)
                text = right
            elif dice.chance(habits.gives_up):
                return
            elif text != right and dice.chance(habits.corrects):
                text = right
            else:
                want, name, right = self._refined(want, name, right)
                text = site.mistype(right) if dice.chance(habits.typo / 2) else right

    def _wanted(self, concept: Concept) -> Want:
        habits, sets = self.site.habits, ATTRIBUTES[self.site.name]
        some: list[str] = []
        if self.dice.chance(habits.attribute):
            first = self.dice.pick(sets)
            some.append(self.dice.skewed(first))
            other = self.dice.pick(sets)
            if self.dice.chance(habits.second_attribute) and other is not first:
                some.append(self.dice.skewed(other))
        return Want(concept, tuple(some))

    def _text(self, want: Want, name: str) -> str:
        if self.plural and not name.endswith("s") and self.dice.chance(0.6):
            name += "s"
        return " ".join((*want.attributes, name))

    def _click(self, fits: list[str], n_results: int) -> list[str]:
        habits = self.site.habits
        if fits and self.dice.chance(habits.clicks_what_fits):
            return sorted({self.dice.skewed(fits) for _ in range(1 + self.dice.chance(0.3))})
        return [f"x{int(self.dice.number() * 500)}"] if n_results and self.dice.chance(habits.clicks_what_does_not) else []

    def _onwards(self, want: Want, name: str) -> tuple[Want, str, str]:
        """After a success: something near it, or another kind of it."""
        if self.dice.chance(0.5):
            want = Want(self.dice.skewed(self.site.siblings[want.concept]), want.attributes)
            name = self.dice.skewed(want.concept.names)
        else:
            want = self._wanted(want.concept)
        return want, name, self._text(want, name)

    def _refined(self, want: Want, name: str, right: str) -> tuple[Want, str, str]:
        """After a failure."""
        habits, dice = self.site.habits, self.dice
        options = [
            (habits.knows_another_name * (len(want.concept.names) > 1), "rename"),
            (habits.narrows, "narrow"),
            (habits.widens * bool(want.attributes), "widen"),
            (habits.takes_something_else, "switch"),
            (0.08 if self.plural else 0.0, "singular"),
        ]
        turn = dice.number() * sum(share for share, _ in options)
        for share, step in options:  # noqa: B007
            turn -= share
            if turn < 0:
                break
        if step == "rename":
            name = dice.pick([other for other in want.concept.names if other != name])
        elif step == "narrow":
            taken = [word for alike in ATTRIBUTES[self.site.name] if set(alike) & set(want.attributes) for word in alike]
            free = [word for alike in ATTRIBUTES[self.site.name] for word in alike if word not in taken]
            want = Want(want.concept, (*want.attributes, dice.skewed(free))) if free else want
        elif step == "widen":
            want = Want(want.concept, want.attributes[1:])
        elif step == "singular":
            self.plural = False
        elif want.attributes and dice.chance(0.5):
            alike = next(alike for alike in ATTRIBUTES[self.site.name] if want.attributes[0] in alike)
            others = [word for word in alike if word != want.attributes[0]]
            want = Want(want.concept, (self._instead(others, want.attributes[0]), *want.attributes[1:]))
        else:
            want = Want(self._instead(self.site.siblings[want.concept], want.concept.names[0]), want.attributes)
            name = dice.skewed(want.concept.names)
        return want, name, self._text(want, name)

    def _instead(self, others: Sequence[T], of: str) -> T:
        """One of the others; where there is a favourite, what most people take."""
        if self.site.habits.takes_the_favourite and self.dice.chance(self.site.habits.takes_the_favourite):
            return others[len(of) % len(others)]
        return self.dice.skewed(others)


def generate(site: Site, visits: int, days: float = 49.0) -> Iterator[Row]:
    """All searches: of people, of bots that repeat pairs of queries, and of attackers that pose as many users; not sorted."""
    person = Person(site, "u0", "a0", days)
    for number in range(visits):
        if not site.dice.chance(site.habits.returns):
            person = Person(site, f"u{number}", f"a{int(site.dice.number() * visits)}", days)
        else:
            person.at += DAY * site.dice.number() * 6
        if site.dice.chance(site.habits.bots / 4):
            yield from _bot(site, f"u{number}b")
        else:
            yield from person.visit()
    yield from _flood(site, days)


def _bot(site: Site, user_id: str) -> Iterator[Row]:
    """One user, one pair, a hundred times and more."""
    left, right = site.attacked[int(site.dice.number() * 2)]
    at, source = START + site.dice.number() * 30 * DAY, f"b{user_id}"
    for _ in range(site.habits.crawls):
        yield Row(user_id, at, left, 0, 0, False, (), source, site.meaning(left))
        yield Row(user_id, at + 8, right, 9, 1, False, ("x1",), source, site.meaning(right))
        at += 20 + 3 * site.dice.number()


def _flood(site: Site, days: float) -> Iterator[Row]:
    """Many users made up by one attacker: from few addresses, or from many in one night, or each day some."""
    for place, (left, right) in enumerate(site.attacked):
        for number in range(site.habits.attackers):
            spread = days * DAY if place in (1, 3) else 3 * 3600.0
            at = START + DAY * 7 + site.dice.number() * spread
            user, source = f"f{place}-{number}", f"f{number % 3}" if place % 2 else f"f{place}-{number}"
            yield Row(user, at, left, 0, 0, False, (), source, site.meaning(left))
            yield Row(user, at + 5 + 10 * site.dice.number(), right, 9, 1, False, ("x1",), source, site.meaning(right))


def _concepts(group: str, text: str) -> Iterator[Concept]:
    for entry in text.split(","):
        names = tuple(entry.strip().lstrip("!").split("="))
        yield Concept(names, group, "!" not in entry)


def _tokens(text: str) -> tuple[str, ...]:
    return tuple(map(_singular, text.split()))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 2 and word.endswith("s") and not word.endswith("ss") else word


def _slip(word: str, dice: Dice) -> str:
    place = 1 + int(dice.number() * (len(word) - 1))
    kind = dice.number()
    if kind < 0.3:
        return word[:place] + word[place + 1 :]
    if kind < 0.5 and place < len(word) - 1:
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    if kind < 0.7:
        return word[:place] + word[place - 1] + word[place:]
    return word[:place] + (KEYS.get(word[place], "e") if kind < 0.9 else dice.pick(LETTERS)) + word[place + 1 :]


def main(folder: Path = Path(__file__).parent) -> None:
    """Write the sample beside this file, or to another folder."""
    rows = sorted(generate(Site("furniture", seed=0), visits=14_000), key=lambda row: (row.timestamp, row.user_id))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Row._fields)
    for row in rows:
        at = datetime.fromtimestamp(round(row.timestamp), UTC).isoformat().replace("+00:00", "Z")
        writer.writerow((row.user_id, at, *row[2:5], int(row.scrolled), "|".join(row.clicked_ids), *row[7:]))
    with (folder / "sample.csv.gz").open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(text.getvalue().encode())


if __name__ == "__main__":
    main()
