"""Search synonyms: planted names found and wrong ones kept out, beside simple ways; real sessions.

Six made-up sites with seeds that nothing was tuned on; then four that somebody else might have made up, harder from row to row. A rule is
right if both sides mean the same (`meaning`). Recall is over the pairs of a name and another name of the same thing that at least k users
walked with success: fewer teach nobody. The simple ways see the same pairs of phrases, and each takes the threshold that is best for it
on these very sites, which nobody would know: generous figures.
"""

from __future__ import annotations

import csv
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, Protocol

import numpy as np
import polars as pl
from rapidfuzz.distance import JaroWinkler

from data.search_synonyms import prepare, strangers
from models.encoder import default_encoder
from models.rows import read_rows
from models.search_synonyms import SearchSynonyms, SearchSynonymsConfig, SearchSynonymsExample
from models.search_synonyms.pairs import attempts, changed_phrases
from models.search_synonyms.searches import Searches
from models.search_synonyms.visits import visits
from models.search_synonyms.words import shape

DATA = "search_synonyms"

FIRST_SEED = 90_001
VISITS = 20_000
Pair = tuple[str, str]


class Seen(NamedTuple):
    """A pair of phrases in the log of a site, and what is true of it."""

    left: str
    right: str
    users: int
    information: float
    same: bool
    narrows: bool
    attacked: bool


Score = Callable[[Sequence[Seen]], list[float]]


class Truth(Protocol):
    """A made-up site."""

    @property
    def attacked(self) -> Sequence[Pair]: ...

    def meaning(self, text: str) -> str: ...

    def synonyms(self) -> Iterable[Pair]: ...


def run(data: Path) -> list[dict[str, object]]:
    """One row per system on all sites, and on those of strangers by difficulty; then real sessions."""
    rows = [*_on(f"{len(prepare.WORLDS)} made-up sites", _sites(), _simple())]
    for name, difficulty in strangers.DIFFICULTIES.items():
        simple = _simple() if name in {"usual", "all of it"} else {}
        rows += _on(f"strangers' {len(strangers.VOCABULARIES)} sites, {name}", _strangers(difficulty), simple)
    return [*rows, *_sessions(data / "trec2013" / "queries.csv"), *_insights(data / "ubi" / "log_events.zip")]


def _sites() -> Iterator[tuple[Truth, Searches]]:
    for number, name in enumerate(prepare.WORLDS):
        site = prepare.Site(name, seed=FIRST_SEED + number)
        yield site, Searches.of(map(record, prepare.generate(site, VISITS)))


def _strangers(difficulty: strangers.Difficulty) -> Iterator[tuple[Truth, Searches]]:
    for number, name in enumerate(strangers.VOCABULARIES):
        site = strangers.Stranger(name, difficulty, seed=FIRST_SEED + number)
        yield site, Searches.of(map(record, site.rows()))


def _on(data: str, sites: Iterable[tuple[Truth, Searches]], simple: dict[str, Score]) -> Iterator[dict[str, object]]:
    found: dict[str, list[list[tuple[float, Seen]]]] = {}
    learnable: list[set[frozenset[str]]] = []
    rules: list[list[Seen]] = []
    for site, log in sites:
        seen = list(_seen(site, log))
        planted = {frozenset((one, other)) for one, other in site.synonyms()}
        learnable.append({frozenset(pair[:2]) for pair in seen if frozenset(pair[:2]) in planted})
        rules.append([_judged(site, entry.rule.left, entry.rule.right) for entry in SearchSynonyms().fit(log).dictionary_])
        for system, score in simple.items():
            found.setdefault(system, []).append([(value, pair) for value, pair in zip(score(seen), seen, strict=True)])
    yield {"system": "foretell", "data": data, **_figures(rules, learnable)}
    for system, scored in found.items():
        thresholds = np.quantile([value for site_scores in scored for value, _ in site_scores], np.linspace(0, 0.99, 100))
        tried = [_figures([[pair for value, pair in one if value >= threshold] for one in scored], learnable) for threshold in thresholds]
        best = max(range(len(tried)), key=lambda place: tried[place]["dictionary_f1"])
        yield {"system": system, "data": data, **tried[best]}


def record(row: prepare.Row) -> SearchSynonymsExample:
    """A row of the generator, as it is read from a file."""
    return SearchSynonymsExample.model_construct(**row._asdict() | {"timestamp": datetime.fromtimestamp(row.timestamp, UTC)})


def _seen(site: Truth, log: Searches) -> Iterator[Seen]:
    """All pairs of phrases that five users and more changed with success, bots and floods among them."""
    config = SearchSynonymsConfig(max_searches_per_hour=100_000)
    tried = attempts(visits(log, config), config).filter("success")
    changed, names = changed_phrases(tried, log.queries)
    rows = tried.join(changed, on=["before", "after"]).select("left", "right", "person").unique()
    counted = rows.group_by("left", "right").agg(users=pl.len())
    counted = counted.with_columns(a=pl.col("users").sum().over("left"), b=pl.col("users").sum().over("right"), n=pl.col("users").sum())
    for left, right, users, a, b, n in counted.filter(pl.col("users") >= config.k_anonymity).sort("left", "right").iter_rows():
        pair = _judged(site, names[left], names[right])
        yield pair._replace(users=users, information=float(np.log(users * n / (a * b))))


def _judged(site: Truth, left: str, right: str) -> Seen:
    attacked = {frozenset(pair) for pair in site.attacked}
    same = bool(left and right) and site.meaning(left) == site.meaning(right)
    narrows = not same and shape(left, right) in {"narrower", "wider"}
    return Seen(left, right, 0, 0.0, same, narrows, frozenset((left, right)) in attacked and not same)


def _simple() -> dict[str, Score]:
    return {
        "co-occurrence, mutual information": lambda seen: [pair.information for pair in seen],
        "co-occurrence, users": lambda seen: [float(pair.users) for pair in seen],
        "MiniLM cosine": _cosines,
        "edit distance (Jaro-Winkler)": lambda seen: [JaroWinkler.similarity(pair.left, pair.right) for pair in seen],
    }


def _cosines(seen: Sequence[Seen]) -> list[float]:
    encode = default_encoder().encode
    left, right = (encode([getattr(pair, side) for pair in seen]) for side in ("left", "right"))
    return [float(cosine) for cosine in np.einsum("ij,ij->i", left, right)]


def _figures(rules: Sequence[Sequence[Seen]], learnable: Sequence[set[frozenset[str]]]) -> dict[str, Any]:
    every = [rule for of_site in rules for rule in of_site]
    named = [rule for rule in every if shape(rule.left, rule.right) in {"other", "abbreviation", "translation"}]
    right = sum(rule.same for rule in every)
    found = sum(len(pairs & {frozenset(rule[:2]) for rule in of_site}) for pairs, of_site in zip(learnable, rules, strict=True))
    precision, recall = right / max(len(every), 1), found / sum(map(len, learnable))
    return {
        "dictionary_precision": round(precision, 4),
        "dictionary_recall": round(recall, 4),
        "dictionary_f1": round(2 * precision * recall / max(precision + recall, 1e-9), 4),
        "specialisations": round(sum(rule.narrows for rule in every) / max(len(every), 1), 4),
        "synonym_precision": round(sum(rule.same for rule in named) / max(len(named), 1), 4),
        "attackers_rules": sum(rule.attacked for rule in every),
        "rules": len(every),
        "learnable": sum(map(len, learnable)),
        "wrong": [f"{rule.left} -> {rule.right}" for rule in every if not rule.same][:20],
    }


def _sessions(path: Path) -> Iterator[dict[str, object]]:
    """Real sessions, each by another user; with k-anonymity as low as it goes, so that something could come out."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as file:
        steps = list(csv.DictReader(file))
    rows = [
        SearchSynonymsExample(
            session_id=step["session"],
            timestamp=datetime.fromtimestamp(float(step["starttime"]), UTC),
            query=step["query"],
            n_clicks=int(step["n_clicks"]) if step["n_clicks"] else None,
            dwell_s=float(step["max_dwell_s"]) if step["max_dwell_s"] else None,
        )
        for step in steps
    ]
    for k in (5, 2):
        model = SearchSynonyms(SearchSynonymsConfig(k_anonymity=k)).fit(rows)
        found = [(entry.rule.left, entry.rule.right) for entry in model.dictionary_]
        narrowing = sum(shape(left, right) in {"narrower", "wider"} for left, right in found)
        yield {
            "system": "foretell",
            "data": f"trec2013, k = {k}",
            "searches": len(rows),
            "narrowing_rules": narrowing,
            "rules": [f"{a} -> {b}" for a, b in found],
        }


def _insights(path: Path) -> Iterator[dict[str, object]]:
    """A file of User Behavior Insights, as it is."""
    if not path.is_file():
        return
    with TemporaryDirectory() as folder, zipfile.ZipFile(path) as packed:
        file = Path(packed.extract(packed.namelist()[0], folder))
        began = time.perf_counter()
        searches = Searches.of(read_rows(file, SearchSynonymsExample))
        seconds = time.perf_counter() - began
    clicked = int((searches.clicks > 0).sum())
    yield {"system": "foretell", "data": "ubi", "searches": len(searches), "clicked": clicked, "seconds": round(seconds, 2)}
