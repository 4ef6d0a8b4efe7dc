"""From searches to proposed rules, step by step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.masking import personal_data
from models.search_synonyms.evidence import FEATURES, SAME_KINDS, Encode, candidates
from models.search_synonyms.kinds import Weights
from models.search_synonyms.pairs import attempts, changed_phrases, supported
from models.search_synonyms.phrases import Phrases
from models.search_synonyms.records import SearchSynonymsConfig
from models.search_synonyms.rules import LONGEST_TERM, Evidence, Proposal, Rule
from models.search_synonyms.searches import Searches
from models.search_synonyms.visits import Visits, visits
from models.search_synonyms.wilson import wilson_bounds

MOST_GOALS = 8
"""Rules from one term, at most: a word with more names than this is a word that many things are called."""

WORKS_BY_ITSELF = 0.3
"""Success rate from which a term finds something by itself, so that its rule runs both ways, or only in its context."""

TWO_WAY_OVERLAP = 0.3
"""Cosine of clicked documents from which two terms that both work are the same in both directions."""


@dataclass(frozen=True)
class Learned:
    """What searches taught.

    Parameters
    ----------
    pairs
        Candidates with their features and probability, also those that became no rule.
    proposals
        Rules, likeliest first.
    visits, tried
        What they were learned from.
    """

    pairs: pl.DataFrame
    proposals: list[Proposal]
    visits: Visits
    tried: pl.DataFrame


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
    allowed = [number for number, name in enumerate(names) if name in public]
    frame = frame.filter(pl.col("left").is_in(allowed) & pl.col("right").is_in(allowed))
    pairs = candidates(frame, names, phrases, encode)
    pairs = pairs.with_columns(
        probability=pl.Series(weights.probabilities(pairs), dtype=pl.Float64),
        left_searches=pl.Series([phrases.searches[phrases.number[term]] for term in pairs["term"]], dtype=pl.Float64),
        left_successes=pl.Series([phrases.successes[phrases.number[term]] for term in pairs["term"]], dtype=pl.Float64),
        query_before=pl.Series([searches.queries[n] for n in pairs["before"]], dtype=pl.String),
        query_after=pl.Series([searches.queries[n] for n in pairs["after"]], dtype=pl.String),
    )
    pairs = pairs.filter(pl.col("query_before").map_elements(is_public, return_dtype=pl.Boolean)) if len(pairs) else pairs
    return Learned(pairs, proposals(pairs, seen.weeks, config), seen, tried)


def is_public(text: str) -> bool:
    """Whether a text may be shown to others: no personal data in it, and not longer than a term."""
    return len(text) <= LONGEST_TERM and not personal_data(text)


def proposals(pairs: pl.DataFrame, weeks: float, config: SearchSynonymsConfig) -> list[Proposal]:
    """The pairs that are likely enough as rules: directed, as general as they were seen, without what others make needless."""
    likely = pairs.filter(pl.col("probability") >= config.min_probability).sort(
        ["probability", "users", "term", "goal"], descending=[True, True, False, False]
    )
    rows = _few_goals(_one_direction_of_typos(list(likely.iter_rows(named=True))))
    known = {(row["term"], row["goal"]) for row in rows}
    rules: dict[str, Proposal] = {}
    for row in rows:
        proposal = _proposal(row, known, weeks)
        if proposal is not None and not _explained(row, known):
            rules.setdefault(proposal.rule.id, proposal)
    return list(rules.values())[: config.max_rules]


def _proposal(row: Mapping[str, Any], known: set[tuple[str, str]], weeks: float) -> Proposal | None:
    """A rule for phrases that were changed as a whole query or in several; else for the one pair of queries."""
    general = row["bare"] or row["contexts"] > 1
    left, right = (row["term"], row["goal"]) if general else (row["query_before"], row["query_after"])
    kind: Any = SAME_KINDS[row["shape"]]
    works = row["left_searches"] > 0 and row["left_successes"] / row["left_searches"] >= WORKS_BY_ITSELF
    overlap = row["overlap"] if row["overlap"] == row["overlap"] else None
    both = (row["goal"], row["term"]) in known or (works and overlap is not None and overlap >= TWO_WAY_OVERLAP)
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
    return Proposal(rule=Rule(kind=kind, left=left, right=right, two_way=both and kind != "typo"), evidence=evidence)


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


def _explained(row: Mapping[str, Any], known: set[tuple[str, str]]) -> bool:
    """Whether rules about single words come to the same: laptop case -> notebook sleeve, given laptop ~ notebook and case ~ sleeve."""
    term, goal = row["term"].split(), row["goal"].split()
    if len(term) != len(goal) or len(term) < 2:
        return False
    return all(a == b or (a, b) in known or (b, a) in known for a, b in zip(term, goal, strict=True))


def features(pairs: pl.DataFrame) -> NDArray[np.float64]:
    """The features of pairs, of shape (pairs, features)."""
    return pairs.select(FEATURES).to_numpy()
