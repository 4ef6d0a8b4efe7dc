"""Resume ranking; `models.resume_ranking.model` says what it does and when not to trust it."""

from models.resume_ranking.model import ResumeRanking
from models.resume_ranking.records import (
    Candidate,
    CandidateOutcome,
    Job,
    Ranked,
    ResumeRankingConfig,
    ResumeRankingExample,
    ResumeRankingPrediction,
    ResumeRankingQuery,
)

__all__ = [
    "Candidate",
    "CandidateOutcome",
    "Job",
    "Ranked",
    "ResumeRanking",
    "ResumeRankingConfig",
    "ResumeRankingExample",
    "ResumeRankingPrediction",
    "ResumeRankingQuery",
]
