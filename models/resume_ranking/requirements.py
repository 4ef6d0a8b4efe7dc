"""What a job asks for, requirement by requirement."""

from __future__ import annotations

from dataclasses import dataclass

from models.resume_ranking.spans import Span


@dataclass(frozen=True)
class Requirement:
    """One thing that a job asks for.

    Parameters
    ----------
    text
        The requirement's own words.
    span
        Where they stand in the job's text.
    must
        Whether the job needs it; otherwise it is nice to have.
    kind
        ``skill`` (names known skills), ``years`` (asks for experience in general), ``degree``, ``duty`` (something to do) or ``other``.
    skills
        Canonical names of the skills it names, in order.
    any_of
        Whether one of the skills is enough ("Java or Kotlin").
    years
        Years asked for; 0 when none are named.
    degree
        Level of the degree asked for, see `models.resume_ranking.understanding.Degree`; 0 when none is.
    """

    text: str
    span: Span
    must: bool = True
    kind: str = "other"
    skills: tuple[str, ...] = ()
    any_of: bool = False
    years: float = 0.0
    degree: int = 0


def requirements(text: str, *, must_have: tuple[str, ...] = ()) -> tuple[Requirement, ...]:
    """Split a job's text into its requirements, in order.

    Parameters
    ----------
    must_have
        Requirements that the recruiter lists apart from the text; they come first, their spans are empty (0, 0).
    """
    return tuple(Requirement(item, Span(0, 0)) for item in must_have) + ((Requirement(text, Span(0, len(text))),) if text else ())
