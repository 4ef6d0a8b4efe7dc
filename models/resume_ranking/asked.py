"""A job as the matching sees it: split, encoded, and each requirement weighed by how much it is about the job's title."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from models.resume_ranking.copying import Runs, runs, said
from models.resume_ranking.gazetteer import SOFT, gazetteer
from models.resume_ranking.passages import passages
from models.resume_ranking.records import UNIT, Job
from models.resume_ranking.requirements import Requirement, requirements
from models.resume_ranking.spans import Span
from models.resume_ranking.vectors import PassageEncoder, Vectors, cosines
from models.resume_ranking.words import Rarity, words

LISTED_APART = UNIT
"""Weight of what the recruiter lists as must-haves; the most there is."""

NAMED = 300_000
"""Least weight of a requirement that names a skill (no soft one), a degree or years: it can be checked."""

VAGUE = 10_000
"""Least weight of any other ("strong attention to detail")."""

TITLE_WORDS = 3
"""A word of the title counts as often as one that the most telling requirement says so many times."""

_LABEL = re.compile(
    r"^\W*(?:(?:job|position|role|vacancy|opening)\s*(?:description|title|name|advert\w*)?|title|we are hiring|hiring|wanted)\s*[:\-|]+",
    re.I,
)
_BRACKETS = re.compile(r"[(\[][^)\]]*[)\]]?")
_ROLE_WORDS = 16


@dataclass(frozen=True)
class Asked:
    """A job, split and encoded.

    Parameters
    ----------
    text
        Title and text, to find what was copied from it.
    vectors
        Of the title, then of each requirement.
    about
        How much each requirement is about the title, in millionths: what any vacancy says as well counts little.
    weights
        How much each requirement counts among those of its kind, in millionths: as it is about the title, and not below what it names.
    shares
        Words of each requirement, with their share of what it says.
    job_shares
        Words of title and requirements together.
    lines
        The words of its lines, however written.
    runs
        Of the text, to see quickly who may have copied it.
    """

    text: str
    requirements: tuple[Requirement, ...]
    vectors: Vectors
    about: tuple[int, ...]
    weights: tuple[int, ...]
    shares: tuple[dict[str, int], ...]
    job_shares: dict[str, int]
    lines: frozenset[str]
    runs: Runs

    @classmethod
    def of(cls, job: Job, encoder: PassageEncoder, rarity: Rarity) -> Asked:
        """Split a job and encode it."""
        title = job.title.strip() or next((line.strip() for line in job.text.splitlines() if line.strip()), " ".join(job.must_have))
        asked = requirements(job.text, must_have=job.must_have)
        whole = "\n".join([title, job.text, *job.must_have])
        vectors = encoder.encode([role_of(title), *(requirement.text for requirement in asked)])
        cosine = [max(value, 0) for value in cosines(vectors[1:], vectors[:1])[:, 0].tolist()]
        about = tuple(max(value * value // UNIT, VAGUE) for value in cosine)
        return cls(
            text=whole,
            requirements=asked,
            vectors=vectors,
            about=about,
            weights=tuple(max(value, _least(requirement)) for value, requirement in zip(about, asked, strict=True)),
            shares=tuple(rarity.shares(dict.fromkeys(words(requirement.text), 1.0)) for requirement in asked),
            job_shares=rarity.shares(_job_words(title, asked, about)),
            lines=frozenset(said(span.of(whole)) for span in passages(whole)),
            runs=runs(whole),
        )


def role_of(title: str) -> str:
    """The role that a title names, without what forms put before it and brackets after it."""
    role = _BRACKETS.sub(" ", _LABEL.sub("", title)).strip(" -:|,") or title
    return " ".join(role.split()[:_ROLE_WORDS])


def _least(requirement: Requirement) -> int:
    if requirement.span == Span(0, 0):
        return LISTED_APART
    groups = gazetteer().groups
    return NAMED if requirement.degree or requirement.years or any(groups[skill] != SOFT for skill in requirement.skills) else VAGUE


def _job_words(title: str, asked: Sequence[Requirement], about: Sequence[int]) -> dict[str, float]:
    """How much each word of a job counts: as often as it is said, each time as much as what says it is about the title."""
    most = max(about, default=1)
    found: defaultdict[str, float] = defaultdict(float)
    for requirement, value in zip(asked, about, strict=True):
        for word in words(requirement.text):
            found[word] += value / most
    for word in words(title):
        found[word] += TITLE_WORDS
    return dict(found)
