"""Who a person is changes no score, and the report on groups is right on numbers known by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sklearn.metrics import roc_auc_score

from data.resume_ranking import prepare
from models.resume_ranking import Candidate, Ranked, ResumeRanking, ResumeRankingExample, ResumeRankingQuery
from models.resume_ranking.records import job_of
from models.rows import read_rows
from training.counterfactual import PEOPLE, Person, swaps, with_person
from training.fairness import Placed, auc, exposure, proxies, rank_parity, ratio, selection, selection_ratios, wilson

SAMPLE = Path(__file__).parent.parent / "data" / "resume_ranking" / "sample.csv"


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory, encoder_cache: Path) -> Iterator[ResumeRanking]:
    home = tmp_path_factory.mktemp("home")
    (home / "encoders").symlink_to(encoder_cache)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORETELL_HOME", str(home))
        yield ResumeRanking().fit(read_rows(SAMPLE, ResumeRankingExample))


def work(resume: prepare.Resume) -> str:
    """A made-up resume without its own person: titles, employments and skills."""
    return resume.text.split("\n\n", 1)[1].split("\nEducation\n")[0].strip()


def what_counts(ranked: Ranked) -> tuple[object, ...]:
    """All that a score is made of."""
    findings = [(each.strength, each.points, each.met, each.skills, each.years, each.months_since) for each in ranked.findings]
    return ranked.score, ranked.parts, findings, ranked.years


@pytest.mark.parametrize("place", [0, 37, 80])
def test_swapping_the_person_changes_nothing(fitted: ResumeRanking, place: int) -> None:
    """Each detail of each other person, pronouns alone, and everything at once: 105 swaps a resume."""
    resume = prepare.resumes_of(0)[place]
    job = next(job for job in prepare.vacancies(0) if job.role == resume.role)
    versions: dict[str, Person] = {"nothing": PEOPLE[0], **swaps(PEOPLE[0])}
    candidates = tuple(Candidate(id=name, text=with_person(work(resume), person)) for name, person in versions.items())
    (answer,) = fitted.predict([ResumeRankingQuery(job=job_of(job.text), candidates=candidates)])
    found = {ranked.id: what_counts(ranked) for ranked in answer.ranking}
    assert len(found) == 106
    assert [name for name, counted in found.items() if counted != found["nothing"]] == []


def test_the_work_is_not_blinded(fitted: ResumeRanking) -> None:
    """The same person with other work has another score, or the test above would be empty."""
    job = job_of(prepare.vacancies(0)[0].text)
    texts = {resume.resume_id: with_person(work(resume), PEOPLE[0]) for resume in prepare.resumes_of(0)[:20]}
    candidates = tuple(Candidate(id=name, text=text) for name, text in texts.items())
    (answer,) = fitted.predict([ResumeRankingQuery(job=job, candidates=candidates)])
    assert len({ranked.score for ranked in answer.ranking}) > 15


def placed(group: str, rank: int, of: int = 4, **values: float) -> Placed:
    return Placed(group, rank, of, values)


def test_wilson_as_published() -> None:
    """Newcombe (1998), Statistics in Medicine 17, table I: 81 of 263, and 0 of 20."""
    found, none = wilson(81, 263), wilson(0, 20)
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert (none.low, none.high) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_the_four_fifths_rule_as_in_the_guidelines() -> None:
    """48 of 80 and 12 of 40: 30% over 60% is a half; Katz's standard error of its logarithm is .2582."""
    found = ratio(12, 40, 48, 80)
    assert found.value == 0.5
    assert (found.low, found.high) == pytest.approx((0.3014, 0.8294), abs=1e-4)


def test_selection_counts_the_first_of_each_ranking() -> None:
    rows = [placed("a", 1), placed("a", 2), placed("b", 3), placed("b", 1), placed("a", 4)]
    assert selection(rows, 2) == {"a": (2, 3), "b": (1, 2)}
    assert selection_ratios(rows, 2)["b"].value == pytest.approx(0.75)


def test_nobody_selected_is_no_ratio_below_one() -> None:
    assert selection_ratios([placed("a", 3), placed("b", 4)], 1)["a"].value == 1.0


def test_exposure_and_parity_see_who_stands_above() -> None:
    rows = [placed("a", 1), placed("a", 2), placed("b", 3), placed("b", 4)]
    shown = exposure(rows)
    assert shown["a"] > 1 > shown["b"]
    assert rank_parity(rows) == {"a": 1.0, "b": 0.0}
    assert rank_parity([placed("a", 1), placed("b", 1)]) == {"a": 0.5, "b": 0.5}


def test_a_proxy_tells_the_group() -> None:
    rows = [placed("a", 1, height=1.9, luck=0.3), placed("a", 2, height=1.8, luck=0.5)]
    rows += [placed("b", 3, height=1.6, luck=0.3), placed("b", 4, height=1.5, luck=0.5)]
    assert proxies(rows)["a"] == {"height": 1.0, "luck": 0.5}


def test_auc_is_scikit_learns() -> None:
    member, values = [True, False, True, False, False, True], [0.3, 0.3, 0.9, 0.1, 0.5, 0.5]
    assert auc(member, values) == pytest.approx(roc_auc_score(member, values))
    assert auc([True, True], [1, 2]) == 0.5
