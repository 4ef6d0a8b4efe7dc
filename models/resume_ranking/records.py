"""What resume ranking reads, is asked and answers.

Scores, parts and strengths are whole numbers of millionths, so that parts add up to their total exactly.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from models.base import Config, Prediction, Record

UNIT = 1_000_000
"""Millionths: a strength of `UNIT` is full."""

MAX_CANDIDATES = 2_000
MAX_TEXT = 200_000
MAX_DOCUMENT = 14_000_000
"""Characters of base64: 10 MiB of file."""

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=200)]

_JOB: dict[str, Any] = {
    "title": "Backend engineer",
    "text": "You build and run the booking service.\nRequirements:\n- 3 years of Python\n- FastAPI and PostgreSQL\nNice to have:\n- Docker",
    "must_have": ["experience with REST APIs"],
}
_CANDIDATES: list[Any] = [
    {
        "id": "r-1",
        "text": "Backend developer\n\nExperience\nJan 2021 - present, shop\n- Built REST APIs with Python, FastAPI and PostgreSQL",
    },
    {"id": "r-2", "text": "Web developer\n\nExperience\nMar 2022 - Feb 2024, news site\n- Wrote Flask services on MySQL"},
    {"id": "r-3", "text": ""},
]
_QUERY: dict[str, Any] = {"job": _JOB, "candidates": _CANDIDATES}
_ROW: dict[str, Any] = {
    "job_id": "j-1",
    "job_text": f"{_JOB['title']}\n{_JOB['text']}",
    "resume_id": "r-1",
    "resume_text": _CANDIDATES[0]["text"],
    "relevance": 2,
}


class ResumeRankingConfig(Config):
    """Settings of resume ranking."""

    meaning_words: int = Field(
        default=240, ge=50, le=5000, description="Words of a resume, from its beginning, whose meaning is compared; names are found in all."
    )
    learner: Literal["auto", "sum", "lambdarank"] = Field(
        default="auto", description="How parts are weighed: as set, by LambdaRank, or by whichever orders held-out training jobs better."
    )
    min_jobs: int = Field(default=50, ge=2, le=10_000, description="Labelled jobs below which `auto` keeps the weights as set.")
    max_rounds: int = Field(default=300, ge=10, le=5000, description="Most boosting rounds of LambdaRank; held-out jobs pick how many.")
    tie_confidence: float = Field(
        default=0.75, gt=0.5, lt=1, description="Two candidates are tied if the labels order such pairs as scores do less often than this."
    )
    cached_resumes: int = Field(default=4000, ge=0, le=100_000, description="Resumes that are kept as read and encoded in memory.")
    disk_cache_mib: int = Field(
        default=256, ge=0, le=100_000, description="MiB of blinded, understood resumes kept below FORETELL_HOME; 0: none."
    )


class Job(BaseModel):
    """What is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [_JOB]})

    title: str = Field(default="", max_length=500, description="The role, in a few words; empty: the first line of the text.")
    text: str = Field(default="", max_length=MAX_TEXT, description="The vacancy, as it was advertised.")
    must_have: tuple[Annotated[str, StringConstraints(min_length=1, max_length=1000)], ...] = Field(
        default=(), max_length=50, description="Requirements that must be met, beside those in the text."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.title.strip() or self.text.strip() or self.must_have):
            raise ValueError("expected a job with a title, a text or requirements, got none of them")
        return self


class Candidate(BaseModel):
    """One resume: its text, or the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Identifier = Field(description="Names the resume in the answer; never used to score.")
    text: str | None = Field(default=None, max_length=MAX_TEXT, description="The resume as plain text.")
    document: str | None = Field(
        default=None, max_length=MAX_DOCUMENT, repr=False, description="The resume as a file, in base64: PDF, DOCX, HTML or plain text."
    )
    group: str | None = Field(default=None, max_length=200, description="For reports on fairness only; never used to score.")

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.text is None) == (self.document is None):
            raise ValueError("expected either text or document, got " + ("neither" if self.text is None else "both"))
        return self


class ResumeRankingQuery(Record):
    """A job and those who might fit it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_QUERY]})

    job: Job = Field(description="What is asked for.")
    candidates: tuple[Candidate, ...] = Field(min_length=1, max_length=MAX_CANDIDATES, description="The resumes, in any order.")

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [candidate.id for candidate in self.candidates]
        if twice := next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None:
            raise ValueError(f"expected candidates with different ids, got {twice!r} more than once")
        return self

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        """The question that a folder asks: ``job.txt`` (or .md, .pdf, .docx, .html) is the job, every other file a resume.

        Raises
        ------
        InputError
            If there is no such job, or no resume.
        """
        from models.resume_ranking.folder import read_folder

        job, candidates = read_folder(folder)
        return cls(job=job, candidates=candidates)


class ResumeRankingExample(Record):
    """A resume that was judged for a job."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ROW]})

    subject: ClassVar[str | None] = "resume_id"

    job_id: Identifier = Field(description="Names the job; its rows are compared with each other, and never split.")
    job_text: str = Field(min_length=1, max_length=MAX_TEXT, description="The vacancy; its first line is the title.")
    resume_id: Identifier = Field(description="Names the resume.")
    resume_text: str = Field(max_length=MAX_TEXT, description="The resume as plain text.")
    relevance: float = Field(ge=0, le=1000, description="How well it fits: 0 not at all; only the order of the grades matters.")
    weight: float = Field(default=1.0, gt=0, le=1000, description="How much the judgement counts; made from ranks when feedback is used.")
    group: str | None = Field(default=None, max_length=200, description="For reports on fairness only; never used to score.")

    @property
    def job(self) -> Job:
        """The job as a query holds it."""
        return job_of(self.job_text)

    @property
    def candidate(self) -> Candidate:
        """The resume as a query holds it."""
        return Candidate(id=self.resume_id, text=self.resume_text, group=self.group)


def job_of(text: str) -> Job:
    """A job whose text begins with its title: the first line, unless it is a paragraph."""
    first, _, rest = text.strip().partition("\n")
    return Job(title=first.strip(), text=rest) if len(first) <= 120 and rest.strip() else Job(title=first[:120].strip(), text=text)


class Place(BaseModel):
    """Characters of a text."""

    model_config = ConfigDict(frozen=True)

    start: int = Field(ge=0, description="The first character, counted from 0, in the text as it was given or read from the file.")
    end: int = Field(ge=0, description="The character after the last.")
    excerpt: str = Field(description="What stands there, without who the person is.")


class Wanted(BaseModel):
    """A requirement of the job."""

    model_config = ConfigDict(frozen=True)

    text: str = Field(description="In the job's words.")
    must: bool = Field(description="Whether the job needs it; otherwise it is nice to have.")
    weight: int = Field(
        default=UNIT, ge=0, le=UNIT, description="How much it counts among those of its kind; little, when any vacancy could say it."
    )
    skills: tuple[str, ...] = Field(default=(), description="Skills it names.")
    years: float = Field(default=0.0, description="Years it asks for; 0 when none.")


class Partial(BaseModel):
    """A skill that is not there, and the nearest that is."""

    model_config = ConfigDict(frozen=True)

    wants: str = Field(description="The skill that is asked for.")
    has: str = Field(description="The adjacent skill of the resume.")
    credit: int = Field(ge=0, le=UNIT, description="Share of the skill's credit that it gives, in millionths.")


class Finding(BaseModel):
    """What a resume shows for one requirement."""

    model_config = ConfigDict(frozen=True)

    requirement: int = Field(ge=0, description="Position in `requirements` of the prediction.")
    met: Literal["met", "partly", "unmet"] = Field(description="By strength: at least 0.6, at least 0.35, or less.")
    strength: int = Field(ge=0, le=UNIT, description="How well it is met, in millionths.")
    points: int = Field(description="What it adds to the score; part of the parts `must_have` and `nice_to_have`.")
    evidence: Place | None = Field(default=None, description="The passage that shows it best; null when none does.")
    skills: tuple[str, ...] = Field(default=(), description="Skills of the requirement that the resume names.")
    partial: tuple[Partial, ...] = Field(default=(), description="Skills that it lacks, with the adjacent ones it has.")
    years: float | None = Field(default=None, description="Years of experience with it; null when the resume does not say.")
    months_since: int | None = Field(default=None, description="Months since it was last used, at the resume's own present; null: unknown.")


class Part(BaseModel):
    """What one thing adds to a score."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="`role`, `field`, `tasks`, `must_have`, `nice_to_have` or `words`.")
    value: int = Field(description="How much of it there is, in millionths.")
    points: int = Field(description="What it adds to the score.")


class Flag(BaseModel):
    """Something in the resume or its file that a recruiter should look at; it gains nothing."""

    model_config = ConfigDict(frozen=True)

    kind: str = Field(description="`stuffing`, `copied_job`, `instructions`, `hidden_text`, or how the file was read.")
    detail: str = Field(description="One sentence.")
    place: Place | None = Field(default=None, description="Where, if it is in the text.")


class Ranked(BaseModel):
    """One candidate's place. Nobody is left out, whatever the score."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="As asked.")
    rank: int | None = Field(default=None, description="Place, from 1; candidates with the same score share it. Null when not readable.")
    rank_best: int | None = Field(default=None, description="The best place that the score's uncertainty allows.")
    rank_worst: int | None = Field(default=None, description="The worst; candidates whose ranges overlap are tied.")
    readable: bool = Field(default=True, description="False if there is no text to judge: ask the candidate for another file.")
    reason: str | None = Field(default=None, description="Why it is not readable.")
    score: int | None = Field(default=None, description="The sum of the points of `parts`, exactly; null when not readable.")
    parts: tuple[Part, ...] = Field(default=(), description="What the score is the sum of.")
    findings: tuple[Finding, ...] = Field(default=(), description="One per requirement, in their order.")
    unmet: tuple[int, ...] = Field(default=(), description="Requirements that nothing in the resume shows, by position.")
    years: float | None = Field(default=None, description="Years of employment, overlaps counted once; null when there are no dates.")
    flags: tuple[Flag, ...] = Field(default=(), description="What a recruiter should look at.")


class Audit(BaseModel):
    """Enough to show later what was computed from what."""

    model_config = ConfigDict(frozen=True)

    model_sha256: str = Field(description="Hash of everything the model learned and was set to, with the encoder.")
    inputs_sha256: str = Field(description="Hash of the job and of every resume by id, whatever their order.")
    method: Literal["sum", "lambdarank"] = Field(description="How the parts were weighed.")


class ResumeRankingPrediction(Prediction):
    """The candidates in their order, each with the evidence."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "requirements": [{"text": "3 years of Python", "must": True, "skills": ["python"], "years": 3}],
                    "ranking": [
                        {"id": "r-1", "rank": 1, "score": 610_000, "parts": [{"name": "role", "value": 610_000, "points": 610_000}]}
                    ],
                    "band": 20_000,
                    "audit": {"model_sha256": "5f1e", "inputs_sha256": "9a0c", "method": "sum"},
                }
            ]
        }
    )

    requirements: tuple[Wanted, ...] = Field(default=(), description="What the job asks for.")
    ranking: tuple[Ranked, ...] = Field(description="Every candidate, the best first; unreadable ones last.")
    band: int = Field(default=0, ge=0, description="Scores that differ by no more than this are tied.")
    audit: Audit = Field(description="What was computed from what.")


class CandidateOutcome(BaseModel):
    """What became of one candidate of a ranking."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidate: Identifier = Field(description="The candidate's id.")
    outcome: Literal["rejected", "shortlisted", "hired"] = Field(description="What the recruiter decided.")
