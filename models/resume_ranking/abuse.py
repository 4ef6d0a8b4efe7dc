"""Tricks in a resume's text that are meant to lift its score."""

from __future__ import annotations

from dataclasses import dataclass

from models.resume_ranking.spans import Span


@dataclass(frozen=True)
class Trick:
    """A passage that is marked, and gains nothing.

    Parameters
    ----------
    kind
        ``stuffing``, ``copied_job`` or ``instructions``.
    span
        Where.
    detail
        One sentence for the recruiter.
    """

    kind: str
    span: Span
    detail: str


def tricks(text: str, job: str = "") -> tuple[Trick, ...]:
    """Passages that must not be scored, in order and disjoint.

    Parameters
    ----------
    job
        The job's text, to find what was copied from it.
    """
    return ()
