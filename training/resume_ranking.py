"""How resume ranking is trained and judged: by jobs it has not seen, beside BM25; and a look at how groups fare."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.base import Model
from models.feedback import Observed
from models.resume_ranking import (
    Candidate,
    Ranked,
    ResumeRanking,
    ResumeRankingConfig,
    ResumeRankingExample,
    ResumeRankingPrediction,
    ResumeRankingQuery,
)
from models.resume_ranking.profile import document_of
from models.resume_ranking.records import UNIT, Audit
from training.fairness import FOUR_FIFTHS, Interval, Placed, exposure, proxies, rank_parity, selection, selection_ratios, wilson
from training.figures import COLOURS, GREY, bar
from training.metrics import ranking_metrics
from training.recipe import Case, Gate, Predictor, Recipe, Split
from training.splits import by_hash

HOLDOUT_SHARE = 0.25
K = 5
GRADES = {"rejected": 0, "shortlisted": 1, "hired": 2}
EXAMINED = 1.0
"""How fast attention falls with the rank: the chance to be looked at is rank ** -EXAMINED, the usual choice where nothing was measured."""
MOST_WEIGHT = 10.0
"""A judgement far down counts at most so many times as one at the top: a few must not decide all."""

Grades = Mapping[str, float]
RankingCase = Case[ResumeRankingQuery, Grades]
RankingModel = Model[ResumeRankingConfig, ResumeRankingQuery, ResumeRankingExample, ResumeRankingPrediction]


def _split(rows: Sequence[ResumeRankingExample], seed: int) -> Split[ResumeRankingExample]:
    return by_hash(rows, lambda row: row.job_id, HOLDOUT_SHARE, seed)


def _cases(split: Split[ResumeRankingExample], seed: int) -> list[RankingCase]:
    """One question per job of the hold-out, about everybody who was judged for it."""
    jobs: dict[str, dict[str, ResumeRankingExample]] = {}
    for row in split.holdout:
        jobs.setdefault(row.job_id, {})[row.resume_id] = row
    return [_case(list(rows.values())) for rows in jobs.values()]


def _case(rows: Sequence[ResumeRankingExample]) -> RankingCase:
    query = ResumeRankingQuery(job=rows[0].job, candidates=tuple(row.candidate for row in rows))
    return Case(query, {row.resume_id: row.relevance for row in rows})


def _evaluate(predictions: Sequence[ResumeRankingPrediction], cases: Sequence[RankingCase]) -> dict[str, float]:
    """NDCG by the grades; precision counts a resume that reaches half of the highest grade; the smallest ratio of selection rates."""
    rankings = [[each.id for each in prediction.ranking] for prediction in predictions]
    metrics = ranking_metrics(rankings, [case.truth for case in cases], ("ndcg_at_10",))
    half = max((grade for case in cases for grade in case.truth.values()), default=0.0) / 2
    good = [[name for name, grade in case.truth.items() if grade >= half > 0] for case in cases]
    metrics |= ranking_metrics(rankings, good, ("precision_at_5",))
    placed = list(_placed(predictions, cases))
    if len({each.group for each in placed}) > 1:
        metrics["selection_rate_ratio"] = min(found.value for found in selection_ratios(placed, K).values())
    return metrics


def _placed(predictions: Sequence[ResumeRankingPrediction], cases: Sequence[RankingCase]) -> Iterator[Placed]:
    """Every candidate with a group and a place."""
    for prediction, case in zip(predictions, cases, strict=True):
        groups = {candidate.id: candidate.group for candidate in case.query.candidates}
        for each in prediction.ranking:
            if (group := groups[each.id]) is not None and each.rank is not None:
                yield Placed(group, each.rank, len(prediction.ranking), {part.name: part.value / UNIT for part in each.parts})


def _baseline(train: Sequence[ResumeRankingExample]) -> Predictor[ResumeRankingQuery, ResumeRankingPrediction]:
    """BM25 of the whole job in whole resumes, rarity counted among the candidates."""
    return lambda queries: [_by_bm25(query) for query in queries]


def _by_bm25(query: ResumeRankingQuery) -> ResumeRankingPrediction:
    import bm25s

    texts = [document_of(candidate).text for candidate in query.candidates]
    scores = np.zeros(len(texts))
    tokens = bm25s.tokenize(texts, show_progress=False, stopwords="en")
    if tokens.vocab:
        index = bm25s.BM25()
        index.index(tokens, show_progress=False)
        asked = bm25s.tokenize(f"{query.job.title} {query.job.text}", show_progress=False, stopwords="en", return_ids=False)
        scores = index.get_scores(asked[0])
    order = sorted(range(len(texts)), key=lambda place: (-scores[place], query.candidates[place].id))
    ranking = [Ranked(id=query.candidates[at].id, rank=rank, score=round(float(scores[at]) * UNIT)) for rank, at in enumerate(order, 1)]
    return ResumeRankingPrediction(ranking=tuple(ranking), audit=Audit(model_sha256="", inputs_sha256="", method="sum"))


def _figures(model: RankingModel, predictions: Sequence[ResumeRankingPrediction], cases: Sequence[RankingCase]) -> Mapping[str, Figure]:
    points: dict[str, list[int]] = {}
    for each in (each for prediction in predictions for each in prediction.ranking):
        for part in each.parts:
            points.setdefault(part.name, []).append(part.points)
    spread = {name: float(np.std(found)) / UNIT for name, found in points.items()}
    figures = {
        "parts": bar(spread, "What tells candidates apart", "standard deviation of a part's points, in scores"),
        "grades": _by_grade(predictions, cases),
    }
    placed = list(_placed(predictions, cases))
    return figures | _fairness(placed) if len({each.group for each in placed}) > 1 else figures


def _by_grade(predictions: Sequence[ResumeRankingPrediction], cases: Sequence[RankingCase]) -> Figure:
    scores: dict[float, list[float]] = {}
    for prediction, case in zip(predictions, cases, strict=True):
        for each in prediction.ranking:
            if each.score is not None:
                scores.setdefault(case.truth[each.id], []).append(each.score / UNIT)
    figure, axes = _axes("Scores by grade", "score", "grade")
    grades = sorted(scores)
    axes.boxplot([scores[grade] for grade in grades], orientation="horizontal", tick_labels=[f"{grade:g}" for grade in grades])
    return figure


def _fairness(placed: Sequence[Placed]) -> dict[str, Figure]:
    rates = {group: wilson(*count) for group, count in selection(placed, K).items()}
    ratios = selection_ratios(placed, K)
    alike = {f"{group}: exposure over all": value for group, value in exposure(placed).items()}
    alike |= {f"{group}: above the others, of 1": value for group, value in rank_parity(placed).items()}
    apart = {f"{name} for {group}": abs(value - 0.5) for group, found in proxies(placed).items() for name, value in found.items()}
    return {
        "fairness_selection_rates": _intervals(rates, f"Share among the first {K}, by group", "selection rate", None),
        "fairness_four_fifths": _intervals(ratios, "Selection rate over that of the highest", "ratio", FOUR_FIFTHS),
        "fairness_exposure": bar(alike, "Attention and places, by group", "exposure (1: like all), rank parity (0.5: like the others)"),
        "fairness_proxies": bar(apart, "Which parts tell groups apart", "distance of the AUC from 0.5; 0 tells nothing"),
    }


def _intervals(values: Mapping[str, Interval], title: str, xlabel: str, bound: float | None) -> Figure:
    figure, axes = _axes(title, xlabel, "")
    for place, found in enumerate(values.values()):
        axes.plot([found.low, found.high], [place, place], color=COLOURS[0], linewidth=2)
        axes.plot(found.value, place, "o", color=COLOURS[0])
        axes.annotate(f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})", (found.value, place), (0, 8), textcoords="offset points")
    if bound is not None:
        axes.axvline(bound, color=GREY, linestyle=":")
    axes.set_yticks(range(len(values)), list(values))
    axes.set_ylim(-0.5, len(values) - 0.3)
    return figure


def _axes(title: str, xlabel: str, ylabel: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.5, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(alpha=0.25)
    return figure, axes


def _notes(model: RankingModel) -> Sequence[str]:
    scoring = cast(ResumeRanking, model).scoring_
    how = "LambdaRank added steps to the weights as set" if scoring.steps else "the parts are weighed as set; the labels decide ties only"
    return (f"Method: {how}.", f"Scores that differ by no more than {scoring.band:,} millionths are tied.")


def _from_feedback(observed: Sequence[Observed[ResumeRankingQuery, ResumeRankingPrediction]]) -> list[ResumeRankingExample]:
    """A row per decision on a candidate, the last one if there are several, weighed against the place it was shown at.

    Recruiters look at the top: what is decided about candidates far down is seen too seldom, by the chance to be looked at, and
    counts more by its inverse (Joachims, Swaminathan and Schnabel 2017, Unbiased Learning-to-Rank with Biased Feedback), up to
    `MOST_WEIGHT`. Candidates of whom nothing was said teach nothing: silence is no rejection.
    """
    rows: dict[tuple[str, str], ResumeRankingExample] = {}
    for each in sorted(observed, key=lambda each: each.occurred_at):
        candidates = {candidate.id: candidate for candidate in each.query.candidates}
        ranks = {ranked.id: ranked.rank for ranked in each.prediction.ranking}
        for decision in each.outcome:
            candidate, rank = candidates.get(decision.candidate), ranks.get(decision.candidate)
            if candidate is not None and rank is not None:
                row = _row(each, candidate, rank, decision.outcome)
                rows[row.job_id, row.resume_id] = row
    return list(rows.values())


def _row(observed: Observed[Any, Any], candidate: Candidate, rank: int, outcome: str) -> ResumeRankingExample:
    job = observed.query.job
    lines = [job.title, job.text, *(f"- {item}" for item in job.must_have)]
    return ResumeRankingExample(
        job_id=hashlib.sha256(job.model_dump_json().encode("utf-8", "replace")).hexdigest()[:16],
        job_text="\n".join(line for line in lines if line),
        resume_id=candidate.id,
        resume_text=document_of(candidate).text,
        relevance=GRADES[outcome],
        weight=min(float(rank) ** EXAMINED, MOST_WEIGHT),
        group=candidate.group,
    )


RECIPE = Recipe(
    slug="resume_ranking",
    split=_split,
    split_protects="Whole jobs are held out, chosen by a hash of their id, so that no job is on both sides; resumes may be.",
    cases=_cases,
    evaluate=_evaluate,
    baseline=_baseline,
    baseline_name="BM25 of the whole job in whole resumes",
    primary="ndcg_at_10",
    gates=(Gate("ndcg_at_10", at_least=0.5),),
    figures=_figures,
    limits="""
- It orders what resumes say; it cannot know what is true, or what a person can do and did not write. Nobody is rejected by it: read on.
- Who a person is is taken out before scoring, yet schools, employers and hobbies may still hint at it: `fairness_proxies` shows
  which parts of the score tell the supplied groups apart, and `fairness_four_fifths` what comes of it. Few candidates: wide intervals.
- Labels and feedback carry the habits of those who decided. Look at the fairness figures before a version trained on them is promoted.
- English only; other languages are matched by words and skills, hardly by meaning.
- In many places the law asks for more than this report before a machine ranks applicants: notice, an audit, a person who decides.
""",
    notes=_notes,
    from_feedback=_from_feedback,
)
