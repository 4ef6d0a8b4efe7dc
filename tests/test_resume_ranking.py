"""Resume ranking against answers known by hand and against the planted truth of its sample."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.resume_ranking import (
    Candidate,
    Job,
    Ranked,
    ResumeRanking,
    ResumeRankingConfig,
    ResumeRankingExample,
    ResumeRankingPrediction,
    ResumeRankingQuery,
)
from models.rows import read_rows

FOLDER = Path(__file__).parent.parent / "data" / "resume_ranking"


@pytest.fixture(scope="module")
def sample() -> list[ResumeRankingExample]:
    return list(read_rows(FOLDER / "sample.csv", ResumeRankingExample))


@pytest.fixture(scope="module")
def fitted(sample: list[ResumeRankingExample], tmp_path_factory: pytest.TempPathFactory, encoder_cache: Path) -> ResumeRanking:
    home = tmp_path_factory.mktemp("home")
    (home / "encoders").symlink_to(encoder_cache)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORETELL_HOME", str(home))
        return ResumeRanking(ResumeRankingConfig(disk_cache_mib=0)).fit(sample)


def ask(model: ResumeRanking, job: Job, *texts: str) -> ResumeRankingPrediction:
    """The answer for candidates ``c0``, ``c1``, ... with these texts."""
    candidates = tuple(Candidate(id=f"c{place}", text=text) for place, text in enumerate(texts))
    return model.predict([ResumeRankingQuery(job=job, candidates=candidates)])[0]


def by_id(answer: ResumeRankingPrediction) -> dict[str, Ranked]:
    return {each.id: each for each in answer.ranking}


def test_parts_add_up_to_the_score_exactly(fitted: ResumeRanking, sample: list[ResumeRankingExample]) -> None:
    answer = ask(fitted, sample[0].job, *{row.resume_text for row in sample[:60]})
    for each in answer.ranking:
        assert sum(part.points for part in each.parts) == each.score
        for part in each.parts:
            if part.name in ("must_have", "nice_to_have"):
                must = part.name == "must_have"
                assert sum(f.points for f in each.findings if answer.requirements[f.requirement].must == must) == part.points
