"""The answer: candidates in their order, each with what the score is the sum of."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Literal

from models.resume_ranking.asked import Asked
from models.resume_ranking.matching import Match, Matched
from models.resume_ranking.profile import Profile
from models.resume_ranking.records import (
    Audit,
    Finding,
    Flag,
    Part,
    Place,
    Ranked,
    ResumeRankingPrediction,
    ResumeRankingQuery,
    Wanted,
)
from models.resume_ranking.scoring import Scoring, shared

_MET, _PARTLY = 600_000, 350_000

Read = tuple[str, Profile]


def answer(
    query: ResumeRankingQuery, asked: Asked, read: Sequence[Read], matched: Sequence[Matched | None], scoring: Scoring, sha256: str
) -> ResumeRankingPrediction:
    """Put everything together.

    Parameters
    ----------
    read
        Per candidate, the hash of what was given, and the profile.
    matched
        Per candidate; ``None`` if not readable.
    """
    ranked = [
        _ranked(candidate.id, asked, profile, found, scoring)
        for candidate, (_, profile), found in zip(query.candidates, read, matched, strict=True)
    ]
    return ResumeRankingPrediction(
        requirements=tuple(
            Wanted(text=each.text, must=each.must, weight=weight, skills=each.skills, years=each.years)
            for each, weight in zip(asked.requirements, asked.weights, strict=True)
        ),
        ranking=tuple(_placed(sorted(ranked, key=_order), scoring.band)),
        band=scoring.band,
        audit=Audit(model_sha256=sha256, inputs_sha256=_inputs_sha256(query, read), method=scoring.method),
    )


def _order(candidate: Ranked) -> tuple[bool, int, int, str]:
    """Readable before unreadable, by score; of equals the one without flags, then by id: never by the order of the question."""
    return candidate.score is None, -(candidate.score or 0), len(candidate.flags), candidate.id


def _placed(ranked: Sequence[Ranked], band: int) -> Iterator[Ranked]:
    """Give each its place, and the places that the uncertainty of scores allows."""
    descending = [-each.score for each in ranked if each.score is not None]
    for each in ranked:
        if each.score is None:
            yield each
        else:
            places = {
                "rank": bisect_left(descending, -each.score) + 1,
                "rank_best": bisect_left(descending, -each.score - band) + 1,
                "rank_worst": bisect_right(descending, -each.score + band),
            }
            yield each.model_copy(update=places)


def _ranked(name: str, asked: Asked, profile: Profile, matched: Matched | None, scoring: Scoring) -> Ranked:
    flags = tuple(_flags(profile, matched))
    if matched is None:
        return Ranked(id=name, readable=False, reason=profile.document.reason, flags=flags)
    parts = scoring.parts(matched.features)
    findings = _findings(asked, profile, matched, {part: points for part, (_, points) in parts.items()})
    return Ranked(
        id=name,
        score=sum(points for _, points in parts.values()),
        parts=tuple(Part(name=part, value=value, points=points) for part, (value, points) in parts.items()),
        findings=findings,
        unmet=tuple(finding.requirement for finding in findings if finding.met == "unmet"),
        years=round(profile.resume.months / 12, 1) if profile.resume.months else None,
        flags=flags,
    )


def _findings(asked: Asked, profile: Profile, matched: Matched, points: dict[str, int]) -> tuple[Finding, ...]:
    """What was found for each requirement, with its share of the points of its part."""
    of: dict[int, int] = {}
    for must, part in ((True, "must_have"), (False, "nice_to_have")):
        places = [place for place, requirement in enumerate(asked.requirements) if requirement.must == must]
        if places:
            weighed = [matched.matches[place].strength * asked.weights[place] for place in places]
            of |= dict(zip(places, shared(points[part], weighed), strict=True))
    return tuple(_finding(place, each, profile, of[place]) for place, each in enumerate(matched.matches))


def _finding(place: int, found: Match, profile: Profile, points: int) -> Finding:
    return Finding(
        requirement=place,
        met=_met(found.strength),
        strength=found.strength,
        points=points,
        evidence=profile.place(found.span) if found.span is not None else None,
        skills=found.skills,
        partial=found.partial,
        years=round(found.months / 12, 1) if found.months is not None else None,
        months_since=found.months_since,
    )


def _met(strength: int) -> Literal["met", "partly", "unmet"]:
    return "met" if strength >= _MET else "partly" if strength >= _PARTLY else "unmet"


def _flags(profile: Profile, matched: Matched | None) -> Iterator[Flag]:
    for mark in profile.document.marks:
        yield Flag(kind=mark.kind, detail=mark.detail)
    for trick in (*profile.tricks, *(matched.copied if matched else ())):
        yield Flag(kind=trick.kind, detail=trick.detail, place=profile.place(trick.span))
    for trick in profile.withheld:
        yield Flag(kind=trick.kind, detail=trick.detail, place=Place(start=trick.span.start, end=trick.span.end, excerpt=""))


def _inputs_sha256(query: ResumeRankingQuery, read: Sequence[Read]) -> str:
    """Of the job, and of every resume by id: the same in whatever order they came."""
    resumes = sorted((candidate.id, source) for candidate, (source, _) in zip(query.candidates, read, strict=True))
    given = [query.job.model_dump(mode="json"), resumes]
    return hashlib.sha256(json.dumps(given, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()
