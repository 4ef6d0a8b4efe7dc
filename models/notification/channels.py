"""Rates beside those of clicks: of users who turn a type off, and of clicks in the app and in digests."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.notification.evidence import Sums
from models.notification.vocabulary import Action

_LOADS = (0, 1, 2, 3, 5, 8)
_PRIOR_RATE, _PRIOR_PUSHES = 0.001, 500.0
"""Of a thousand pushes one ends the channel, as long as nothing is known: half a disablement in 500 pushes."""
_TYPE_PUSHES = 500.0
_TRUSTED = 3.0
"""Disablements after which a load's or an interest's own rate weighs as much as that of all."""
_INTERESTS = (0.02, 0.04, 0.08, 0.15, 0.3)
_SHARE_CLICKS = 10.0
"""Clicks worth of trust in the configured share of in-app messages and digests."""

_EVERYWHERE = "all"

Numbers = Sequence[float] | NDArray[np.float64]


class Rates:
    """Counts of pushes and of users who turned a type off, by type and by load; of clicks against those that pushes would have got."""

    def __init__(self, sums: Sums | None = None) -> None:
        self._sums = sums if sums is not None else Sums()

    def pushed(self, kinds: Sequence[str], pushes_last_day: Sequence[int], weights: Numbers) -> None:
        """Count pushes by their types and loads."""
        keys = [key for kind, load in zip(kinds, pushes_last_day, strict=True) for key in _keys(kind, load)]
        self._sums.add(keys, np.outer(np.repeat(weights, _KEYS), (1.0, 0.0, 0.0)))

    def disabled(self, kind: str, pushes_last_day: int, weight: float) -> None:
        """Count a user who turned a type off."""
        self._sums.add(_keys(kind, pushes_last_day), np.array([(0.0, weight, 0.0)] * _KEYS))

    def wanted(self, probabilities: Sequence[float], disabled: Numbers, expected: Numbers) -> None:
        """Count pushes by their probability of a click: whether they made a user turn the type off, and how likely that had been."""
        keys = [f"interest {_interest(probability)}" for probability in probabilities]
        self._sums.add(keys, np.column_stack([np.zeros(len(keys)), disabled, expected]))

    def shown(self, action: Action, clicked: float, expected: float, weight: float) -> None:
        """Count what was shown in the app or in a digest, and the probability that a push of it would have had."""
        self._sums.add((f"share {action}",), np.array([[weight, weight * clicked, weight * expected]]))

    def disable_probability(self, kind: str, pushes_last_day: int, probability: float | None = None) -> float:
        """That a push makes the user turn a type off: the type's rate, times how much more it happens under the load, and to the bored.

        Parameters
        ----------
        probability
            Of a click. ``None``: whatever it is.
        """
        pushes, disabled, _ = self._sums.get(_EVERYWHERE)
        overall = (disabled + _PRIOR_RATE * _PRIOR_PUSHES) / (pushes + _PRIOR_PUSHES)
        pushes, disabled, _ = self._sums.get(f"type {kind}")
        of_type = (disabled + overall * _TYPE_PUSHES) / (pushes + _TYPE_PUSHES)
        pushes, disabled, _ = self._sums.get(f"load {_load(pushes_last_day)}")
        under_load = (disabled + _TRUSTED) / (pushes * overall + _TRUSTED)
        bored = 1.0
        if probability is not None:
            _, disabled, expected = self._sums.get(f"interest {_interest(probability)}")
            bored = (disabled + _TRUSTED) / (expected + _TRUSTED)
        return min(1.0, of_type * under_load * bored)

    def share(self, action: Action, assumed: float) -> float:
        """Clicks in the app or in digests per click of a push."""
        _, clicks, expected = self._sums.get(f"share {action}")
        return (clicks + assumed * _SHARE_CLICKS) / (expected + _SHARE_CLICKS)

    def dump(self) -> tuple[list[str], NDArray[np.int64]]:
        """Keys and counts."""
        return self._sums.dump()

    @classmethod
    def restore(cls, keys: list[str], counts: Mapping[str, Any] | NDArray[np.int64]) -> Self:
        """Take back what `dump` gave."""
        return cls(Sums(keys, np.asarray(counts)))


_KEYS = 3


def _keys(kind: str, pushes_last_day: int) -> tuple[str, str, str]:
    return _EVERYWHERE, f"type {kind}", f"load {_load(pushes_last_day)}"


def _load(pushes_last_day: int) -> int:
    return _LOADS[bisect_right(_LOADS, pushes_last_day) - 1]


def _interest(probability: float) -> int:
    return bisect_right(_INTERESTS, probability)
