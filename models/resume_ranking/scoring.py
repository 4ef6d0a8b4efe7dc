"""From features to points: a sum of one rising function per feature, in whole numbers, so that the parts are the score.

With weights as set, each function is a line. LambdaRank adds steps to the lines: trees with one split each, which may only rise, so
that a feature's steps add up to a function of that feature alone and a better value never costs anything.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any, Literal

from models.resume_ranking.matching import FEATURES, Matched

WEIGHTS = {"role": 300, "field": 300, "tasks": 400, "must_have": 200, "nice_to_have": 50, "words": 300}
"""Shares of the score, in proportion: so that each part but the requirements tells the candidates of a job about equally far apart.
Equal weights, and any between half and double, did as well within .02 on the benchmark's development and further jobs."""

Method = Literal["sum", "lambdarank"]


@dataclass(frozen=True)
class Steps:
    """A rising step function: ``points[i]`` are added when the value is above ``thresholds[i]``; thresholds ascend."""

    thresholds: tuple[int, ...] = ()
    points: tuple[int, ...] = ()

    @cached_property
    def _sums(self) -> tuple[int, ...]:
        return tuple(accumulate(self.points, initial=0))

    def __call__(self, value: int) -> int:
        """Points of a value."""
        return self._sums[bisect_left(self.thresholds, value)]


@dataclass(frozen=True)
class Scoring:
    """Points by feature.

    Parameters
    ----------
    steps
        By feature; none: a line alone.
    band
        Scores that differ by no more are tied.
    """

    steps: Mapping[str, Steps]
    band: int

    @property
    def method(self) -> Method:
        """How the parts are weighed."""
        return "lambdarank" if self.steps else "sum"

    def parts(self, features: Sequence[int | None]) -> dict[str, tuple[int, int]]:
        """Value and points of each feature that the job asks for; the score is the sum of the points.

        The weight of what a job does not ask for is shared by the rest, the same for all its candidates.
        """
        asked = {name: value for name, value in zip(FEATURES, features, strict=True) if value is not None}
        total = sum(WEIGHTS[name] for name in asked)
        return {name: (value, value * WEIGHTS[name] // total + self._extra(name, value)) for name, value in asked.items()}

    def _extra(self, name: str, value: int) -> int:
        steps = self.steps.get(name)
        return steps(value) if steps else 0

    def score(self, matched: Matched) -> int:
        """The sum of all points."""
        return sum(points for _, points in self.parts(matched.features).values())

    def as_json(self) -> dict[str, Any]:
        """A JSON value that `from_json` takes back."""
        steps = {name: {"thresholds": list(each.thresholds), "points": list(each.points)} for name, each in self.steps.items()}
        return {"steps": steps, "band": self.band}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Scoring:
        """The scoring that `as_json` gave."""
        steps = {name: Steps(tuple(each["thresholds"]), tuple(each["points"])) for name, each in value["steps"].items()}
        return cls(steps, int(value["band"]))


def shared(points: int, strengths: Sequence[int]) -> list[int]:
    """Points of a part, shared among its requirements by their weighed strengths, so that they add up to it exactly."""
    total = sum(strengths)
    if not total:
        return [points if place == 0 else 0 for place in range(len(strengths))]
    sums = [points * upto // total for upto in accumulate(strengths)]
    return [after - before for before, after in zip([0, *sums], sums, strict=False)]
