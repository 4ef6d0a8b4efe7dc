"""Search logs as somebody else would make them up, to see whether what was learned from `prepare` holds elsewhere.

Nothing but the row is shared with `prepare`: sessions are drawn by kind (a name that fails, a typing error, a word added or dropped,
something near taken instead, another topic, noise, a search that works), by words of other sites, languages and of none. Pairs that are
near are taken instead of each other by most who miss one of them, as names are, and must not become rules. No weight was learned here.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from data.search_synonyms.prepare import Row

VOCABULARIES = tomllib.loads((Path(__file__).parent / "strangers.toml").read_text())
START, DAY = datetime(2026, 2, 1, tzinfo=UTC).timestamp(), 86_400.0
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Difficulty:
    """What sessions are like: shares of them, and of what happens in them.

    Parameters
    ----------
    users
        How many people there are; ``None``: everybody comes once.
    name_works, near_works
        Shares of the searches for a name, or for one of two near things, that find something themselves.
    near_taken
        Share of those who miss one of two near things that take the other.
    favourites
        Share of those who add a word, or change the topic, that do it as all others do.
    """

    sessions: int = 20_000
    users: int | None = None
    names: float = 0.15
    typos: float = 0.10
    narrows: float = 0.15
    widens: float = 0.05
    nears: float = 0.08
    switches: float = 0.10
    noise: float = 0.08
    attributes: float = 0.3
    works: float = 0.9
    name_works: float = 0.0
    near_works: float = 0.5
    near_taken: float = 0.8
    favourites: float = 0.0
    goes_on: float = 0.0
    bots: int = 20
    logs_clicks: bool = True


DIFFICULTIES = {
    "usual": Difficulty(),
    "a tenth of the traffic": Difficulty(sessions=2_000),
    "800 people": Difficulty(sessions=6_000, users=800),
    "without clicked ids": Difficulty(logs_clicks=False),
    "three times the noise": Difficulty(noise=0.2, switches=0.25, names=0.08, typos=0.06),
    "names that work half the time": Difficulty(name_works=0.5),
    "150 bots": Difficulty(bots=150),
    "near things that never work": Difficulty(near_works=0.0),
    "names that seldom help": Difficulty(works=0.5, near_works=0.4),
    "habits of all": Difficulty(favourites=0.6),
    "others search on": Difficulty(goes_on=0.6, names=0.05),
    "all of it": Difficulty(
        8_000, noise=0.15, switches=0.2, names=0.1, favourites=0.5, works=0.7, name_works=0.3, bots=60, logs_clicks=False
    ),
}


@dataclass
class Stranger:
    """A site, its visitors, and what their queries mean."""

    name: str
    difficulty: Difficulty = field(default_factory=Difficulty)
    seed: int = 1

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311
        words: dict[str, list[str]] = {key: [entry.strip() for entry in text.split(",")] for key, text in VOCABULARIES[self.name].items()}
        self.same: list[tuple[str, str]] = [(left, right) for left, right in (pair.split("=") for pair in words["same"])]
        self.near: list[tuple[str, str]] = [(left, right) for left, right in (pair.split("/") for pair in words["near"])]
        self.single, self.attributes = words["single"], words["attributes"]
        self.goods: list[str] = [right for _, right in (*self.same, *self.near)] + self.single
        self._things: dict[str, str] = {term: term for term in [*self.goods, *(left for left, _ in self.near)]} | dict(self.same)
        self._popularity = [1 / (1 + 0.15 * rank) for rank in range(len(self.goods))]
        self.chance.shuffle(self._popularity)
        self._mistyped = dict[str, str]()
        self._slips = {thing: [self._slip(thing) for _ in range(2)] for thing in self.goods}
        self._favourite = {thing: (self.chance.choice(self.attributes), self.chance.choice(self.goods)) for thing in self.goods}
        pairs = [tuple(self.chance.sample(self.goods, 2)) for _ in range(self.difficulty.bots + 3)]
        self.attacked = [(left, right) for left, right in pairs if self.meaning(left) != self.meaning(right)]

    def synonyms(self) -> Iterator[tuple[str, str]]:
        """Two names of one thing."""
        yield from self.same

    def meaning(self, text: str) -> str:
        """The same text for all queries that mean the same."""
        words = [self._mistyped.get(word, word) for word in text.split()]
        said = " ".join(words)
        if said in self._things:
            return self._things[said]
        extra = [word for word in words if word in self.attributes]
        rest = " ".join(word for word in words if word not in extra)
        thing = next((self._things[form] for form in (rest, rest.removesuffix("s"), f"{rest}s") if form in self._things), rest)
        return " ".join((*sorted(extra), thing))

    def rows(self) -> Iterator[Row]:
        """All searches; not sorted."""
        chance, how = self.chance, self.difficulty
        kinds = {
            self._names: how.names,
            self._typos: how.typos,
            self._narrows: how.narrows,
            self._widens: how.widens,
            self._nears: how.nears,
            self._switches: how.switches,
            self._noise: how.noise,
        }
        shares = [*kinds.values(), 1 - sum(kinds.values())]
        for number in range(how.sessions):
            user = f"u{number if how.users is None else chance.randrange(how.users)}"
            kind = chance.choices([*kinds, self._plain], shares)[0]
            steps = list(kind())
            if kind != self._names and chance.random() < how.goes_on:
                steps += [(chance.choice(self.goods), chance.random() < 0.75) for _ in range(2)]
            yield from self._visit(user, START + chance.random() * 30 * DAY, steps)
        yield from self._bots()

    def _visit(self, user: str, at: float, steps: list[tuple[str, bool]]) -> Iterator[Row]:
        for query, works in steps:
            results = self.chance.randint(3, 50) if works else self.chance.choice((0, 0, 0, self.chance.randint(1, 9)))
            shown = self._documents(query) if works and self.difficulty.logs_clicks else ()
            yield Row(user, at, query, results, int(works), self.chance.random() < 0.4, shown, f"a{user}", self.meaning(query))
            at += 11 + self.chance.random() * 25

    def _documents(self, query: str) -> tuple[str, ...]:
        return (f"{self.meaning(query).split()[-1]}-{self.meaning(query)}-{int(12 * self.chance.random() ** 1.5)}".replace(" ", "_"),)

    def _thing(self) -> str:
        return self.chance.choices(self.goods, self._popularity)[0]

    def _with(self, thing: str) -> str:
        return f"{self.chance.choice(self.attributes)} {thing}" if self.chance.random() < self.difficulty.attributes else thing

    def _helps(self) -> bool:
        return self.chance.random() < self.difficulty.works

    def _usual(self) -> bool:
        return self.chance.random() < self.difficulty.favourites

    def _names(self) -> Iterator[tuple[str, bool]]:
        left, right = self.chance.choice(self.same)
        said = self._with(left)
        if self.chance.random() < self.difficulty.name_works:
            yield said, True
            return
        yield said, False
        if self.chance.random() < 0.2:
            yield f"{said}s", False
        yield said.removesuffix(left) + right, self._helps()

    def _typos(self) -> Iterator[tuple[str, bool]]:
        thing = self._thing()
        said = self._with(thing)
        yield said.removesuffix(thing) + self.chance.choice(self._slips[thing]), False
        yield said, self._helps()

    def _narrows(self) -> Iterator[tuple[str, bool]]:
        thing = self._thing()
        yield thing, False
        yield f"{self._favourite[thing][0] if self._usual() else self.chance.choice(self.attributes)} {thing}", self._helps()

    def _widens(self) -> Iterator[tuple[str, bool]]:
        thing = self._thing()
        yield f"{self.chance.choice(self.attributes)} {thing}", False
        yield thing, self._helps()

    def _nears(self) -> Iterator[tuple[str, bool]]:
        left, right = self.chance.choice(self.near)
        said = self._with(left)
        if self.chance.random() < self.difficulty.near_works:
            yield said, True
            return
        yield said, False
        taken = right if self.chance.random() < self.difficulty.near_taken else self.chance.choice(self.goods)
        yield said.removesuffix(left) + taken, self._helps()

    def _switches(self) -> Iterator[tuple[str, bool]]:
        thing = self._thing()
        yield self._with(thing), self.chance.random() < 0.4
        yield self._favourite[thing][1] if self._usual() else self.chance.choice(self.goods), self._helps()

    def _noise(self) -> Iterator[tuple[str, bool]]:
        yield self._thing(), False
        yield self._thing(), False
        yield self.chance.choice(self.goods), self.chance.random() < 0.5

    def _plain(self) -> Iterator[tuple[str, bool]]:
        yield self._with(self._thing()), self.chance.random() < 0.75

    def _bots(self) -> Iterator[Row]:
        """One user again and again; four who pose as forty visits each; forty made up in two hours, and in a fortnight."""
        for number, (left, right) in enumerate(self.attacked[:-3]):
            at = START + self.chance.random() * 20 * DAY
            for _ in range(120):
                yield from self._visit(f"bot{number}", at, [(left, False), (right, True)])
                at += 60 + 400 * self.chance.random()
        for number, ((left, right), users, days) in enumerate(zip(self.attacked[-3:], (4, 40, 40), (30.0, 0.08, 14.0), strict=False)):
            for visit in range(160 if users == 4 else users):
                at = START + (0.0 if days == 30.0 else 10 * DAY) + self.chance.random() * days * DAY
                yield from self._visit(f"made-up-{number}-{visit % users}", at, [(left, False), (right, True)])

    def _slip(self, thing: str) -> str:
        """The thing with a slip in its longest word; as it is, where the slip would make another word."""
        words = thing.split()
        place = max(range(len(words)), key=lambda number: len(words[number]))
        word = words[place]
        at, kind = self.chance.randrange(1, len(word)), self.chance.random()
        wrong = word[:at] + word[at + 1 :] if kind < 0.35 else word[:at] + word[at] + word[at:]
        if kind > 0.7:
            wrong = word[:at] + self.chance.choice(LETTERS) + word[at + 1 :]
        known = {part for term in self._things for part in term.split()} | set(self.attributes) | self._mistyped.keys()
        if len(word) < 4 or not word.isalpha() or wrong in known or f"{wrong}s" in known or wrong.removesuffix("s") in known:
            return thing
        self._mistyped[wrong] = word
        return " ".join([*words[:place], wrong, *words[place + 1 :]])
