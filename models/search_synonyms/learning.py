"""From searches to proposed rules, step by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from models.masking import personal_data
from models.search_synonyms.evidence import FEATURES, SAME_KINDS, Encode, candidates
from models.search_synonyms.kinds import Weights
from models.search_synonyms.pairs import attempts, changed_phrases, supported
from models.search_synonyms.phrases import Phrases
from models.search_synonyms.records import SearchSynonymsConfig
from models.search_synonyms.rules import LONGEST_TERM, Evidence, Proposal, Rule
from models.search_synonyms.searches import Searches
from models.search_synonyms.visits import Visits, users_by_query, visits
from models.search_synonyms.words import stems
from models.wilson import wilson_bounds

Pair = tuple[str, str]

MOST_CONTEXTS = 20

MOST_GOALS = 8
"""Rules from one term, at most: a word with more names than this is a word that many things are called."""

WORKS_BY_ITSELF = 0.3
"""Success rate from which a term finds something by itself, so that its rule runs both ways, or only in its context."""

TWO_WAY_OVERLAP = 0.3
"""Cosine of clicked documents from which two terms that both work are the same in both directions."""


class Found(NamedTuple):
    """A rule, and the `FEATURES` that speak for it."""

    proposal: Proposal
    features: tuple[float, ...]


@dataclass(frozen=True)
class Learned:
    """What searches taught.

    Parameters
    ----------
    pairs
        Candidates with their features and probability, also those that became no rule.
    found
        Rules, likeliest first.
    faint
        Pairs that are too unlikely to be rules.
    visits, tried
        What they were learned from.
    """

    pairs: pl.DataFrame
    found: list[Found]
    faint: list[Found]
    visits: Visits
    tried: pl.DataFrame

    @property
    def proposals(self) -> list[Proposal]:
        """The rules with what they stand on, in words for people."""
        return [found.proposal for found in self.found]


def learn(searches: Searches, config: SearchSynonymsConfig, encode: Encode, weights: Weights) -> Learned:
    """Find the pairs that mean the same.

    Parameters
    ----------
    encode
        Unit vectors of texts.
    weights
        Of the evidence.
    """
    seen = visits(searches, config)
    tried = attempts(seen, config)
    changed, names = changed_phrases(tried, searches.queries)
    frame = supported(tried, changed, seen, config.k_anonymity)
    shown = {names[number] for column in ("left", "right") for number in frame[column].to_list()} - {""}
    phrases = Phrases(seen, searches.queries, shown)
    public = {name for name in shown if phrases.users[phrases.number[name]] >= config.k_anonymity and is_public(name)}
    allowed = names.is_in(public).arg_true().cast(pl.Int32).to_list()
    frame = frame.filter(pl.col("left").is_in(allowed) & pl.col("right").is_in(allowed))
    pairs = candidates(frame, names, _words(seen, searches.queries, config.k_anonymity), phrases, encode)
    pairs = pairs.with_columns(
        probability=pl.Series(weights.probabilities(pairs), dtype=pl.Float64),
        left_searches=pl.Series([phrases.searches[phrases.number[term]] for term in pairs["term"]], dtype=pl.Float64),
        left_successes=pl.Series([phrases.successes[phrases.number[term]] for term in pairs["term"]], dtype=pl.Float64),
        query_before=pl.Series([searches.queries[n] for n in pairs["before"]], dtype=pl.String),
        query_after=pl.Series([searches.queries[n] for n in pairs["after"]], dtype=pl.String),
    )
    public_queries = [is_public(before) and is_public(after) for before, after in pairs.select("query_before", "query_after").iter_rows()]
    pairs = pairs.filter(pl.Series(public_queries, dtype=pl.Boolean))
    contexts = _contexts(pairs, tried, changed, searches.queries, config.k_anonymity) if len(pairs) else {}
    return Learned(pairs, found_rules(pairs, seen.weeks, config, contexts), _faint(pairs, seen.weeks, config), seen, tried)


def _words(seen: Visits, queries: Sequence[str], k: int) -> set[str]:
    """Of the queries that at least k users searched."""
    users = users_by_query(seen.query, seen.person, len(queries))
    return {word for query in np.flatnonzero(users >= k).tolist() for word in queries[query].split()}


def is_public(text: str) -> bool:
    """Whether a text may be shown to others: no personal data in it, and not longer than a term."""
    return len(text) <= LONGEST_TERM and not personal_data(text)


def found_rules(pairs: pl.DataFrame, weeks: float, config: SearchSynonymsConfig, contexts: Mapping[Pair, tuple[str, ...]]) -> list[Found]:
    """The pairs that are likely enough as rules: directed, as general as they were seen, without what others make needless."""
    likely = pairs.filter(pl.col("probability") >= config.min_probability).sort(
        ["probability", "users", "term", "goal"], descending=[True, True, False, False]
    )
    rows = _few_goals(_one_direction_of_typos(list(likely.iter_rows(named=True))))
    known: dict[str, set[str]] = {}
    for row in rows:
        known.setdefault(row["term"], set()).add(row["goal"])
    rules: dict[str, Found] = {}
    for row in rows:
        if not _explained(row, known):
            proposal = _proposal(row, known, weeks, contexts.get((row["term"], row["goal"]), ()))
            rules.setdefault(proposal.rule.id, Found(proposal, tuple(row[name] for name in FEATURES)))
    return list(rules.values())[: config.max_rules]


def _faint(pairs: pl.DataFrame, weeks: float, config: SearchSynonymsConfig) -> list[Found]:
    """What is below the threshold, the pairs of most users: a rule that was published long ago may be among them."""
    unlikely = pairs.filter(pl.col("probability") < config.min_probability).sort(["users", "term", "goal"], descending=[True, False, False])
    rows = unlikely.head(config.max_rules).iter_rows(named=True)
    return [Found(_proposal(row, {}, weeks, ()), tuple(row[name] for name in FEATURES)) for row in rows]


def _proposal(row: Mapping[str, Any], known: Mapping[str, set[str]], weeks: float, context: tuple[str, ...]) -> Proposal:
    """A rule for phrases that were changed as a whole query or in several; else for the one pair of queries."""
    general = row["bare"] or row["contexts"] > 1
    left, right = (row["term"], row["goal"]) if general else (row["query_before"], row["query_after"])
    kind: Any = SAME_KINDS[row["shape"]]
    works = row["left_searches"] > 0 and row["left_successes"] / row["left_searches"] >= WORKS_BY_ITSELF
    overlap = row["overlap"] if row["overlap"] == row["overlap"] else None
    both = row["term"] in known.get(row["goal"], ()) or (works and overlap is not None and overlap >= TWO_WAY_OVERLAP)
    lost = (row["left_searches"] - row["left_successes"]) if general else row["attempts"]
    low, _ = wilson_bounds(row["successes"], row["attempts"])
    evidence = Evidence(
        users=row["users"],
        attempts=row["attempts"],
        successes=row["successes"],
        success_rate=row["successes"] / row["attempts"],
        success_at_least=low,
        log_likelihood_ratio=row["llr"],
        probability=row["probability"],
        fixed_per_week=lost / weeks * low,
        lag_seconds=row["lag"],
        click_overlap=None if overlap is None else min(max(overlap, 0.0), 1.0),
        frequency_ratio=row["ratio"],
    )
    rule = Rule(kind=kind, left=left, right=right, two_way=both and kind != "typo", context=context if general else ())
    return Proposal(rule=rule, evidence=evidence)


def _one_direction_of_typos(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without corrections towards the rarer spelling, and without those that lead to what is itself corrected."""
    typos = {row["term"]: row["goal"] for row in rows if row["shape"] == "typo" and row["ratio"] >= 1}
    return [row for row in rows if row["shape"] != "typo" or (typos.get(row["term"]) == row["goal"] and row["goal"] not in typos)]


def _few_goals(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    counted: dict[str, int] = {}
    kept = []
    for row in rows:
        counted[row["term"]] = counted.get(row["term"], 0) + 1
        if counted[row["term"]] <= MOST_GOALS:
            kept.append(row)
    return kept


def _explained(row: Mapping[str, Any], known: Mapping[str, set[str]]) -> bool:
    """Whether other rules come to the same, or to the same with words added or left out.

    Given laptop ~ notebook and case ~ sleeve, laptop case -> notebook sleeve is needless; given fridge -> refrigerator, samsung fridge ->
    refrigerator widens.
    """
    term, goal = row["term"].split(), row["goal"].split()
    if len(term) == len(goal) > 1 and all(
        a == b or b in known.get(a, ()) or a in known.get(b, ()) for a, b in zip(term, goal, strict=True)
    ):
        return True
    for start, end in combinations(range(len(term) + 1), 2):
        for shorter in known.get(" ".join(term[start:end]), ()):
            words = shorter.split()
            if (end - start, len(words)) == (len(term), len(goal)):
                continue
            rest, added = Counter(stems(" ".join([*term[:start], *term[end:]]))), Counter(stems(row["goal"]))
            if added >= (found := Counter(stems(shorter))) and ((added := added - found) <= rest or rest <= added):
                return True
    return False


def _contexts(
    pairs: pl.DataFrame, tried: pl.DataFrame, changed: pl.DataFrame, queries: Sequence[str], k: int
) -> dict[Pair, tuple[str, ...]]:
    """Words that a pair was only seen beside, where its term works by itself: an apple is a laptop in electronics, not everywhere."""
    works = pl.col("left_successes") >= WORKS_BY_ITSELF * pl.col("left_searches")
    narrow = pairs.filter(works & ~pl.col("bare") & (pl.col("contexts") > 1)).select("left", "right", "term", "goal")
    rows = tried.filter("success").join(changed, on=["before", "after"]).join(narrow, on=["left", "right"])
    users: dict[Pair, dict[str, set[int]]] = {}
    for before, person, term, goal in rows.select("before", "person", "term", "goal").iter_rows():
        for word in set(queries[before].split()) - set(term.split()):
            users.setdefault((term, goal), {}).setdefault(word, set()).add(person)
    enough = {pair: tuple(sorted(word for word, who in words.items() if len(who) >= k))[:MOST_CONTEXTS] for pair, words in users.items()}
    return {pair: words for pair, words in enough.items() if words}
