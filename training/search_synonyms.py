"""How search synonyms are trained, and judged by later weeks: whether what is offered for a failed query is what its users meant."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from matplotlib.figure import Figure

from models.base import Model
from models.errors import InputError
from models.search_synonyms import (
    Rewrite,
    SearchSynonyms,
    SearchSynonymsConfig,
    SearchSynonymsExample,
    SearchSynonymsPrediction,
    SearchSynonymsQuery,
)
from models.search_synonyms.pairs import attempts
from models.search_synonyms.searches import Searches
from models.search_synonyms.visits import FAILURES, visits
from models.search_synonyms.words import shape
from training.figures import bar, reliability_curve
from training.recipe import Case, Gate, Predictor, Recipe, Split

HOLDOUT_SHARE = 0.25
MOST_CASES = 5_000
BASELINE_USERS = 5
BASELINE_OFFERS = 3
NEVER_THE_SAME = {"narrower", "wider", "contrast"}

Row = SearchSynonymsExample


@dataclass(frozen=True)
class Truth:
    """What is known about a query that failed in the hold-out.

    Parameters
    ----------
    same
        Queries that mean the same: by their label where rows carry one; else those that hold-out users changed it to with success,
        without adding or dropping words.
    works
        Those of them that somebody found something by.
    judged
        Queries of which it is known whether they do; an offer outside is neither right nor wrong.
    searches
        How often the query failed.
    """

    same: frozenset[str]
    works: frozenset[str]
    judged: frozenset[str] = field(repr=False)
    searches: int


SynonymsCase = Case[SearchSynonymsQuery, Truth]


def _split(rows: Sequence[Row], seed: int) -> Split[Row]:
    """The latest quarter of the searches is held out; what happens at one instant stays on one side."""
    searches = Searches.of(rows)
    if not len(searches):
        raise InputError("expected searches to split, got none")
    first = np.sort(searches.at)[min(int(len(searches) * (1 - HOLDOUT_SHARE)), len(searches) - 1)]
    late = searches.at >= first
    if late.all():
        raise InputError(f"expected searches at different times, got {len(searches)} that begin with the held-out ones: give more data")
    return Split(train=searches.where(~late), holdout=searches.where(late))


def _cases(split: Split[Row], seed: int) -> list[SynonymsCase]:
    """One question per query that failed in the hold-out and can be mended, and per query that is known and need not be."""
    train, holdout = Searches.of(split.train), Searches.of(split.holdout)
    seen = visits(holdout, SearchSynonymsConfig())
    failed = Counter(seen.query[seen.failed].tolist())
    reasons = dict(zip(seen.query[seen.failed].tolist(), seen.outcome[seen.failed].tolist(), strict=True))
    labelled = _Labels(train, holdout) if (holdout.meaning >= 0).any() else None
    tried = labelled or _by_deed(holdout)
    familiar = {train.queries[number] for number in np.unique(train.query).tolist()}
    cases = []
    for number, searches in sorted(failed.items(), key=lambda item: (-item[1], holdout.queries[item[0]]))[:MOST_CASES]:
        query = holdout.queries[number]
        slices = {"failure": FAILURES[reasons[number]], "query": "seen in training" if query in familiar else "new"}
        cases.append(Case(SearchSynonymsQuery(query=query), Truth(*tried(query), searches), slices))
    return cases


class _Labels:
    """What means the same by the labels of the rows."""

    def __init__(self, train: Searches, holdout: Searches) -> None:
        self._meanings: dict[str, str] = {}
        same, works = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
        for searches in (train, holdout):
            labelled = np.flatnonzero(searches.meaning >= 0)
            labels = zip(
                searches.query[labelled].tolist(), searches.meaning[labelled].tolist(), searches.clicks[labelled].tolist(), strict=True
            )
            for query, meaning, clicks in labels:
                text, means = searches.queries[query], searches.meanings[meaning]
                self._meanings[text] = means
                same[means].add(text)
                if clicks > 0:
                    works[means].add(text)
        self._same, self._works, self._all = same, works, frozenset(self._meanings)

    def __call__(self, query: str) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
        meaning = self._meanings.get(query, "")
        same, works = (frozenset(found.get(meaning, set()) - {query}) for found in (self._same, self._works))
        return same, works, self._all


def _by_deed(holdout: Searches) -> _Tried:
    """What means the same by what users did."""
    config = SearchSynonymsConfig()
    tried = attempts(visits(holdout, config), config)
    worked: defaultdict[str, set[str]] = defaultdict(set)
    judged: defaultdict[str, set[str]] = defaultdict(set)
    for before, after, success in tried.select("before", "after", "success").iter_rows():
        left, right = holdout.queries[before], holdout.queries[after]
        judged[left].add(right)
        if success and shape(left, right) not in NEVER_THE_SAME:
            worked[left].add(right)
    return _Tried(worked, judged)


@dataclass(frozen=True)
class _Tried:
    worked: Mapping[str, set[str]]
    judged: Mapping[str, set[str]]

    def __call__(self, query: str) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
        worked = frozenset(self.worked.get(query, ()))
        return worked, worked, frozenset(self.judged.get(query, ()))


def _evaluate(predictions: Sequence[SearchSynonymsPrediction], cases: Sequence[SynonymsCase]) -> dict[str, float]:
    offered = right = fixable = found = fixed = failed = 0
    for prediction, case in zip(predictions, cases, strict=True):
        offers = {rewrite.query for rewrite in prediction.rewrites} & (case.truth.judged | case.truth.same)
        hit = bool(offers & case.truth.works)
        offered, right = offered + len(offers), right + len(offers & case.truth.same)
        fixable, found = fixable + bool(case.truth.works), found + hit
        failed, fixed = failed + case.truth.searches, fixed + hit * case.truth.searches
    recall = found / fixable if fixable else math.nan
    precision = right / offered if offered else math.nan
    figures = {
        "dictionary_precision": precision,
        "dictionary_recall": recall,
        "dictionary_f1": 2 * precision * recall / (precision + recall) if offered and right else 0.0,
        "searches_fixed": fixed / failed if failed else math.nan,
    }
    return {name: value for name, value in figures.items() if value == value}


def _baseline(train: Sequence[Row]) -> Predictor[SearchSynonymsQuery, SearchSynonymsPrediction]:
    """For each failed query the queries that follow it with the greatest pointwise mutual information, by five users at least."""
    searches, config = Searches.of(train), SearchSynonymsConfig()
    tried = attempts(visits(searches, config), config).select("before", "after", "person").unique()
    pairs, before, after = Counter[tuple[int, int]](), Counter[int](), Counter[int]()
    for left, right, _ in tried.iter_rows():
        pairs[left, right] += 1
        before[left] += 1
        after[right] += 1
    offers: dict[str, list[Rewrite]] = {}
    for (left, right), users in sorted(pairs.items()):
        if users >= BASELINE_USERS:
            information = math.log(users * len(tried) / (before[left] * after[right]))
            probability = 1 / (1 + math.exp(-information))
            rewrite = Rewrite(
                query=searches.queries[right],
                kind="synonym",
                probability=probability,
                replaces=False,
                status=None,
                because=[f"{users} users"],
            )
            offers.setdefault(searches.queries[left], []).append(rewrite)

    def answer(query: SearchSynonymsQuery) -> SearchSynonymsPrediction:
        best = sorted(offers.get(query.query, []), key=lambda rewrite: (-rewrite.probability, rewrite.query))[:BASELINE_OFFERS]
        return SearchSynonymsPrediction(query=query.query, known=bool(best), corrected=None, rewrites=best)

    return lambda queries: [answer(query) for query in queries]


def _figures(
    model: Model[SearchSynonymsConfig, SearchSynonymsQuery, Row, SearchSynonymsPrediction],
    predictions: Sequence[SearchSynonymsPrediction],
    cases: Sequence[SynonymsCase],
) -> Mapping[str, Figure]:
    synonyms = cast(SearchSynonyms, model)
    useful = {f"{e.rule.left} -> {e.rule.right}": e.evidence.fixed_per_week for e in synonyms.dictionary_ if e.evidence is not None}
    figures = {"rules": bar(useful or {"none": 0.0}, "Rules that fix most", "failed searches fixed in a week")}
    figures["gaps"] = bar(
        {gap.topic: gap.lost_per_week for gap in synonyms.gaps_} or {"none": 0.0}, "Content gaps", "searches lost in a week"
    )
    judged = [
        (rewrite.query in case.truth.same, rewrite.probability)
        for prediction, case in zip(predictions, cases, strict=True)
        for rewrite in prediction.rewrites
        if rewrite.query in case.truth.judged
    ]
    if judged:
        right, probability = zip(*judged, strict=True)
        figures["reliability"] = reliability_curve(right, {"rewrites": probability})
    return figures


def _notes(model: Model[SearchSynonymsConfig, SearchSynonymsQuery, Row, SearchSynonymsPrediction]) -> Sequence[str]:
    synonyms = cast(SearchSynonyms, model)
    kinds = Counter(entry.rule.kind for entry in synonyms.dictionary_)
    rules = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "none"
    return [
        f"Rules: {rules}. Until somebody has approved or rejected them they are {'tried' if model.config.auto_publish else 'not tried'}."
    ]


RECIPE = Recipe(
    slug="search_synonyms",
    split=_split,
    split_protects="The latest quarter of the searches is held out, so no rule is judged by the searches that it was learned from.",
    cases=_cases,
    evaluate=_evaluate,
    baseline=_baseline,
    baseline_name="the queries that follow a failed one with the greatest pointwise mutual information, by five users at least",
    primary="dictionary_f1",
    gates=(Gate("dictionary_precision", at_least=0.5),),
    figures=_figures,
    limits="""
- Without labels a rewrite counts as right if a user of the hold-out made it by hand, adding and dropping no word, and then clicked; what
  nobody tried is not counted. That is a floor for precision where few users try, and says nothing about rewrites nobody thinks of.
- A thing that the site does not have, and that most users replace by the same other thing, may be taken for a name of it: review
  rules whose left side never had a click.
- Learned from fewer than `k_anonymity` users: nothing. A small site has to wait.
- Rules are about this site's searches; another site's words mean other things.
""",
    notes=_notes,
    gather=Searches.gathered,
)
