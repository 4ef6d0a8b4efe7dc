r"""A job against resumes: each requirement finds the passage that shows it best, and how well it does.

Everything is counted in millionths. Of a requirement, a passage's match is

.. math:: m = \tfrac34 \max(0, \cos(\text{passage}, \text{requirement})) + \tfrac14 \text{words}

where *words* is the share of what the requirement's words say that the passage holds, by inverse document frequency. Skills that a
requirement names, years and a degree then count beside the best match; see `_strength`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from models.resume_ranking.abuse import Trick, tricks
from models.resume_ranking.adjacency import Adjacency
from models.resume_ranking.asked import Asked
from models.resume_ranking.copying import copied_lines, is_telling, may_share
from models.resume_ranking.profile import Profile, without
from models.resume_ranking.records import UNIT, Partial
from models.resume_ranking.requirements import Requirement
from models.resume_ranking.sections import heading_kind
from models.resume_ranking.skills import Skill
from models.resume_ranking.spans import Month, Span
from models.resume_ranking.understanding import understand
from models.resume_ranking.vectors import cosines, whole_cosine
from models.resume_ranking.words import Rarity

FEATURES = ("role", "field", "tasks", "must_have", "nice_to_have", "words")
"""What a score is made of: the two best passages for the title, the whole resume for the title, how much of the resume is about what
the job asks for, the requirements, and BM25 of the whole job."""

_LISTED = 850_000  # a skill that is only listed, beside one that an employment or project speaks of
_PRACTISED = frozenset({"experience", "projects", "volunteering", "publications"})
_FADING_MONTHS = 120  # a skill that was last used so long ago counts `_FADED` less
_FADED = 300_000
_UNKNOWN_YEARS = UNIT // 2  # the resume does not say: neither shown nor refuted
_BY_NAME = 8  # words for each skill that is named, above which a requirement is about more than them
_WORTH_SHOWING = 250_000  # a weaker match is no evidence
_TITLES = 2  # passages that speak of a role: one may by chance
_BREADTH = 5  # a resume is as much about something as the fifth of its passages that is most about it

Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Match:
    """How one resume meets one requirement.

    Parameters
    ----------
    strength
        In millionths.
    span
        The passage of the blinded text that shows it best; ``None`` when none does.
    """

    strength: int
    span: Span | None
    skills: tuple[str, ...] = ()
    partial: tuple[Partial, ...] = ()
    months: int | None = None
    months_since: int | None = None


@dataclass(frozen=True)
class Matched:
    """How one resume meets a job.

    Parameters
    ----------
    features
        Values by `FEATURES`, in millionths; ``None`` where the job asks for nothing of the kind.
    matches
        One per requirement.
    copied
        Passages that were copied from the job; they were left out.
    """

    features: tuple[int | None, ...]
    matches: tuple[Match, ...]
    copied: tuple[Trick, ...] = field(default=())


def match(asked: Asked, profile: Profile, rarity: Rarity, adjacency: Adjacency) -> Matched:
    """Find the evidence of one resume for each requirement of a job."""
    copied = _copied(asked, profile)
    if copied:
        kept = without(profile.resume.text, [trick.span for trick in copied])
        profile = replace(profile, resume=understand(kept))
    honest = np.array([not _inside(span, copied) for span in profile.passages], dtype=bool)
    encoded = honest[: len(profile.vectors)]
    vectors = profile.vectors[encoded]
    meaning = np.zeros((len(profile.passages), len(asked.vectors)), np.int64)
    meaning[: len(profile.vectors)][encoded] = np.maximum(cosines(vectors, asked.vectors), 0)
    fits = (3 * meaning[:, 1:] + _words(asked.shares, profile)) // 4
    fits[~honest] = 0
    matches = tuple(_match(requirement, fits[:, place], profile, adjacency) for place, requirement in enumerate(asked.requirements))
    read = meaning[: len(profile.vectors)][encoded]
    features = (
        int(_mean_of_best(read[:, :1], _TITLES)[0]),
        min(max(whole_cosine(vectors, asked.vectors[0]), 0), UNIT),
        _tasks(asked, fits[: len(profile.vectors)][encoded]),
        _kind(asked, matches, must=True),
        _kind(asked, matches, must=False),
        _bm25(asked, profile, honest, rarity),
    )
    return Matched(features, matches, copied)


def _copied(asked: Asked, profile: Profile) -> tuple[Trick, ...]:
    """What was taken from the job: its runs of words, and of who took one, every line that is nearly the job's."""
    shares = may_share(profile.runs, asked.runs)
    if not shares and not any(line in asked.lines and is_telling(line) for line in profile.lines):
        return ()
    found = [trick for trick in tricks(profile.resume.text, asked.text) if trick.kind == "copied_job"] if shares else []
    for place in copied_lines(profile.lines, asked.lines):
        if not _inside(profile.passages[place], found):
            found.append(Trick("copied_job", profile.passages[place], "A line of the job."))
    return tuple(sorted(found, key=lambda trick: trick.span))


def _inside(span: Span, tricks_: Iterable[Trick]) -> bool:
    return any(trick.span.start < span.end and span.start < trick.span.end for trick in tricks_)


def _words(shares: Sequence[dict[str, int]], profile: Profile) -> Whole:
    """What each passage holds of each requirement's words, of shape (passages, requirements)."""
    held = np.zeros((len(profile.passages), len(shares)), np.int64)
    for column, known in enumerate(shares):
        for word, share in known.items():
            if places := profile.where.get(word):
                held[list(places), column] += share
    return held


def _bm25(asked: Asked, profile: Profile, honest: NDArray[np.bool_], rarity: Rarity) -> int:
    found = {word: places for word in asked.job_shares if (places := profile.where.get(word))}
    if honest.all():
        counts = {word: len(places) for word, places in found.items()}
    else:
        counts = {word: int(honest[list(places)].sum()) for word, places in found.items()}
    return rarity.bm25(asked.job_shares, counts, profile.length)


def _mean_of_best(values: Whole, count: int) -> Whole:
    """Mean of the `count` highest of each column; fewer rows count as if the rest were 0."""
    best: Whole = np.sort(values, axis=0)[::-1][:count].sum(axis=0)
    return np.minimum(best // count, UNIT)


def _tasks(asked: Asked, fits: Whole) -> int | None:
    """How much of the resume is about what the job asks for; ``None`` if it asks for nothing."""
    if not asked.about:
        return None
    return _weighed(_mean_of_best(fits, max(_TITLES, round(len(fits) / _BREADTH))).tolist(), asked.about)


def _kind(asked: Asked, matches: Sequence[Match], *, must: bool) -> int | None:
    """Strength of the requirements of a kind; ``None`` without any."""
    places = [place for place, requirement in enumerate(asked.requirements) if requirement.must == must]
    return _weighed([matches[place].strength for place in places], [asked.weights[place] for place in places]) if places else None


def _weighed(values: Sequence[int], weights: Sequence[int]) -> int:
    return sum(value * weight for value, weight in zip(values, weights, strict=True)) // sum(weights)


def _match(requirement: Requirement, fits: Whole, profile: Profile, adjacency: Adjacency) -> Match:
    known = {name: skill for name in requirement.skills if (skill := profile.resume.skills.get(name))}
    partial = tuple(found for name in requirement.skills if name not in known and (found := adjacency.nearest(name, profile.resume.skills)))
    months = _months(requirement, known, profile)
    place = _best(fits, known.values(), profile)
    best = int(fits.max(initial=0))
    return Match(
        strength=_strength(requirement, best, known, partial, months, profile),
        span=profile.passages[place] if place is not None and _shows(fits[place], bool(known), profile, place) else None,
        skills=tuple(known),
        partial=partial,
        months=months,
        months_since=_months_since(known.values(), profile),
    )


def _shows(fit: int, named: bool, profile: Profile, place: int) -> bool:
    """Whether a passage is evidence: it names a skill, or is close enough, and is more than a heading."""
    return named or (fit >= _WORTH_SHOWING and heading_kind(profile.passages[place].of(profile.resume.text)) is None)


def _best(fits: Whole, skills: Iterable[Skill], profile: Profile) -> int | None:
    """The passage that shows a requirement best: one that names its skills counts for more; the first of equals."""
    if not len(fits):
        return None
    named = fits.copy()
    for skill in skills:
        named[profile.showing(skill)] += UNIT // 2
    return int(named.argmax())


def _months(requirement: Requirement, known: dict[str, Skill], profile: Profile) -> int | None:
    """Months with what is asked for: of its skills, or of all employment when it names none; ``None``: unknown."""
    if requirement.skills:
        return max((skill.months for skill in known.values()), default=0) or None
    return (profile.resume.months or None) if requirement.years else None


def _months_since(skills: Iterable[Skill], profile: Profile) -> int | None:
    ages = [age for skill in skills if (age := _age(skill, profile)) is not None]
    return min(ages, default=None)


def _age(skill: Skill, profile: Profile) -> int | None:
    """Months from the skill's last use to the resume's own present; ``None`` when no employment mentions it."""
    present = max([span.ended for span in profile.resume.experiences], default=None)
    return max(0, _present(profile, present).ordinal - skill.last_used.ordinal) if skill.last_used and present else None


def _present(profile: Profile, newest: Month) -> Month:
    return profile.resume.as_of or newest


def _credit(skill: Skill, profile: Profile) -> int:
    """What naming a skill is worth: more where work with it is told of, less the longer it is ago."""
    base = UNIT if skill.months or any(mention.section in _PRACTISED for mention in skill.mentions) else _LISTED
    age = _age(skill, profile)
    return base - _FADED * min(age, _FADING_MONTHS) // _FADING_MONTHS if age is not None else base


def _strength(
    requirement: Requirement, best: int, known: dict[str, Skill], partial: Sequence[Partial], months: int | None, profile: Profile
) -> int:
    """How well a requirement is met.

    When its words are little more than names of skills, three fifths of it are those (the best one, where one is enough), and the rest
    is the best passage; in a sentence that is about more, they can only raise it. Where years are asked for, three tenths of all that
    are the share of them that is shown; where a degree is, half.
    """
    strength = best
    if requirement.skills:
        credit = [_credit(skill, profile) for skill in known.values()] + [found.credit for found in partial]
        skill = max(credit, default=0) if requirement.any_of else sum(credit) // len(requirement.skills)
        named = (3 * skill + 2 * best) // 5
        strength = named if len(requirement.text.split()) <= _BY_NAME * len(requirement.skills) else max(named, best)
    if requirement.years:
        shown = _UNKNOWN_YEARS if months is None else min(UNIT, round(UNIT * months / (12 * requirement.years)))
        strength = (7 * strength + 3 * shown) // 10
    if requirement.degree:
        level = max((degree.level for degree in profile.resume.degrees), default=0)
        strength = (strength + min(UNIT, UNIT * level // requirement.degree)) // 2
    return min(strength, UNIT)
