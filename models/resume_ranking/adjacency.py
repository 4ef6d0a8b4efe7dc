"""Skills that stand near each other in resumes: who has one learns the other quickly.

References
----------
Church and Hanks (1990), Word association norms, mutual information, and lexicography; Levy and Goldberg (2014), Neural Word Embedding
as Implicit Matrix Factorization, for the cosine of positive mutual information.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from models.resume_ranking.records import UNIT, Partial

MOST_CREDIT = UNIT // 2
"""Credit of a skill that is used exactly as the wanted one is: it still is not the wanted one."""

_LEAST_RESUMES = 3
_LEAST_SIMILARITY = 0.4
_NEIGHBOURS = 8


@dataclass(frozen=True)
class Adjacency:
    """Neighbours of skills.

    Parameters
    ----------
    credits
        By wanted skill, then by the skill that is there, in millionths.
    """

    credits: Mapping[str, Mapping[str, int]]

    @classmethod
    def learn(cls, resumes: Iterable[Collection[str]]) -> Adjacency:
        """Skills that keep the same company in resumes, by the cosine of their positive pointwise mutual information.

        Parameters
        ----------
        resumes
            Skills of each; skills of fewer than three resumes have no neighbours.
        """
        sets = [set(skills) for skills in resumes]
        names = sorted({name for skills in sets for name in skills})
        column = {name: place for place, name in enumerate(names)}
        held = np.zeros((len(sets), len(names)))
        for row, skills in enumerate(sets):
            held[row, [column[name] for name in skills]] = 1.0
        count = held.sum(axis=0)
        together = held.T @ held
        expected = np.outer(count, count) / max(len(sets), 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            information = np.where(together > 0, np.maximum(np.log(together / expected), 0.0), 0.0)
        np.fill_diagonal(information, 0.0)
        length = np.linalg.norm(information, axis=1)
        unit = information / np.where(length > 0, length, 1.0)[:, None]
        alike = np.rint((unit @ unit.T) * UNIT).astype(np.int64)
        rare = count < _LEAST_RESUMES
        alike[rare] = alike[:, rare] = 0
        np.fill_diagonal(alike, 0)
        return cls({name: near for place, name in enumerate(names) if (near := _near(alike[place], names))})

    def nearest(self, wanted: str, has: Collection[str]) -> Partial | None:
        """The adjacent skill that gives the most credit; ``None`` without any."""
        known = self.credits.get(wanted, {})
        best = max((name for name in known if name in has), key=lambda name: (known[name], name), default=None)
        return Partial(wants=wanted, has=best, credit=known[best]) if best is not None else None


def _near(row: np.ndarray, names: list[str]) -> dict[str, int]:
    order = np.argsort(-row, kind="stable")[:_NEIGHBOURS]
    return {names[place]: int(row[place]) * MOST_CREDIT // UNIT for place in order.tolist() if row[place] >= _LEAST_SIMILARITY * UNIT}
