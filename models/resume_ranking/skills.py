"""Skills by name: where a text speaks of them."""

from __future__ import annotations

from dataclasses import dataclass

from models.resume_ranking.spans import Month, Span


@dataclass(frozen=True)
class Mention:
    """A place where a skill is named.

    Parameters
    ----------
    skill
        Its canonical name.
    span
        Where.
    section
        The kind of section it stands in.
    """

    skill: str
    span: Span
    section: str = "other"


@dataclass(frozen=True)
class Skill:
    """A skill that a resume claims.

    Parameters
    ----------
    name
        Its canonical name.
    mentions
        Every place, in order.
    months
        Months of the employments that mention it, overlaps counted once; or what the resume says outright ("Python - 24 months").
        0 when unknown.
    last_used
        The last month of those employments; ``None`` when no employment mentions it.
    """

    name: str
    mentions: tuple[Mention, ...]
    months: int = 0
    last_used: Month | None = None
