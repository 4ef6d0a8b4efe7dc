r"""What the scores are worth: probabilities, the conformal set, out of scope, and when the fast tier may answer.

All of it is fitted to scores that rows got from models which had not learned from them. The views of a text, words alone in the fast
tier, give :math:`s = \sum_v w_v s_v`. What is told is :math:`p = (1 - \epsilon)\,\mathrm{softmax}(h s) + \epsilon / K`, where :math:`h` and
:math:`\epsilon` are fitted to the rows that the tier is left with: a share :math:`\epsilon` of messages, however clear they look, means
something else, and no temperature could say so.

The conformal set holds every intent with :math:`p \ge 1 - q`, where :math:`q` is the quantile of :math:`1 - p_{true}` over the training
rows at the coverage asked for, each as the tier that answers it tells it, and always the most probable intent.

References
----------
Guo et al. (2017), On calibration of modern neural networks. Sadinle, Lei and Wasserman (2019), Least ambiguous set-valued classifiers
with bounded error levels. Vovk (2015), Cross-conformal predictors. Hendrycks and Gimpel (2017), A baseline for detecting misclassified
and out-of-distribution examples. Breunig et al. (2000), LOF: identifying density-based local outliers. Chow (1970), On optimum
recognition error and reject tradeoff.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from models.intent.meaning import CROWD

Floats = NDArray[np.float64]

SURE_WEIGHTS = np.array([-0.5, 1.4, 0.5, 1.0, -0.4])
"""Of the fast tier's standardised signals: logistic regression, on training rows of Banking77 and of CLINC150, of being out of scope or
answered right by the full tier alone, rounded. At 60% answered by the fast tier 0.05 and 0.02 points of accuracy are then lost, and 8.5%
and 4.5% of hidden intents' rows answered; by the probability of the intent and of its scope 0.09, 0.03, 9.7% and 4.3%."""
NEAREST = 2
"""Which of the fast tier's signals is the similarity to an example."""

_ROWS = 1_024
"""Of a matrix that are sorted at a time."""


@dataclass(frozen=True)
class Scope:
    """Log-odds that a text is out of scope: a linear function of signals, each in units of its spread among texts in scope.

    Parameters
    ----------
    mean, spread
        Of each signal over training texts in scope.
    weights, bias
        Of the standardised signals.
    threshold
        A text whose probability reaches it goes to a human.
    """

    mean: Floats
    spread: Floats
    weights: Floats
    bias: float
    threshold: float

    def probability(self, signals: Floats) -> Floats:
        """Probability of being out of scope, by row of signals."""
        return np.asarray(expit(self.bias + self.standard(signals) @ self.weights))

    def standard(self, signals: Floats) -> Floats:
        """The signals in units of their spread."""
        return np.minimum(np.maximum((signals - self.mean) / self.spread, -8), 8)  # of one row, twice as fast as by np.clip

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in asdict(self).items()}

    @classmethod
    def restore(cls, values: dict[str, Any]) -> Self:
        """What `dump` gave."""
        arrays: dict[str, Any] = {name: np.array(value) if isinstance(value, list) else value for name, value in values.items()}
        return cls(**arrays)


@dataclass(frozen=True)
class Around:
    """What is usual around a text: see `models.intent.meaning.Meaning`."""

    typical: NDArray[np.floating]
    crowding: NDArray[np.floating]


@dataclass(frozen=True)
class Tier:
    """How one tier turns scores into an answer.

    Parameters
    ----------
    weights
        What the scores of each view count in the exponent; words are the first.
    scope
        Out of scope, from this tier's signals.
    heat, noise
        From the probabilities of all rows to those of the rows that are left to this tier: an exponent, and a share of other meaning.
    least
        Intents that are told at least this probability are in the conformal set.
    """

    weights: tuple[float, ...]
    scope: Scope
    heat: float = 1.0
    noise: float = 0.0
    least: float = 0.0

    def probabilities(self, views: Sequence[Floats]) -> Floats:
        """Probabilities of the intents, by row, as if this tier answered everything: signals and the hand-over are made of these."""
        return mixed(self.weights, views)

    def told(self, probabilities: Floats) -> Floats:
        """The same, calibrated to the rows that this tier does answer."""
        return cooled(probabilities, self.heat, self.noise)

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"scope": self.scope.dump()}

    @classmethod
    def restore(cls, values: dict[str, Any]) -> Self:
        """What `dump` gave."""
        return cls(**values | {"weights": tuple(values["weights"]), "scope": Scope.restore(values["scope"])})


@dataclass(frozen=True)
class Doubt:
    """Both tiers, and the hand-over between them.

    Parameters
    ----------
    fast, full
        The tier of words alone, and that of words and the encoder.
    handover
        The fast tier answers if it is surer than this, see `sure_of`.
    tuned
        The full tier's probabilities with the view of a fine-tuned encoder, if there is one; `full` then tells of the scope only.
    """

    fast: Tier
    full: Tier
    handover: float
    tuned: Tier | None = None

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        tuned = {"tuned": self.tuned.dump()} if self.tuned else {}
        return {"fast": self.fast.dump(), "full": self.full.dump(), "handover": self.handover} | tuned

    @classmethod
    def restore(cls, values: dict[str, Any]) -> Self:
        """What `dump` gave."""
        tuned = Tier.restore(values["tuned"]) if "tuned" in values else None
        return cls(Tier.restore(values["fast"]), Tier.restore(values["full"]), values["handover"], tuned)


def fast_signals(words: Floats, outside: Floats, nearest: Floats, probabilities: Floats) -> Floats:
    """What tells of being out of scope without the encoder: margin, lead over the second, `nearest`, doubt about the intent, `outside`.

    `nearest` is the TF-IDF cosine to the nearest example of the intent: a text may be far from all, and yet on the right side of a margin.
    `outside` is the score of being out of scope itself, learned from such rows where they were given.
    """
    signals = np.empty((len(words), len(SURE_WEIGHTS)))
    first, second = top_two(words)
    signals[:, 0], signals[:, 1], signals[:, NEAREST] = first, first - second, nearest
    signals[:, 3], signals[:, 4] = _log_odds(probabilities.max(axis=1)), outside
    return signals


def full_signals(scores: Floats, outside: Floats, cosines: NDArray[np.float32], around: Around, probabilities: Floats) -> Floats:
    """The same with the encoder, whose scores go to 0 far from all training texts.

    They are: the score against what is typical of the intent, its lead, similarity to the nearest landmarks, the same against how crowded
    it is there (the local outlier factor of Breunig et al., 2000, as a difference), doubt about the intent, and `outside`.
    """
    first, second = top_two(scores)
    usual = around.typical[scores.argmax(axis=1)]
    places = _nearest(cosines, min(CROWD, cosines.shape[1]))
    near = np.sort(np.take_along_axis(cosines, places, axis=1), axis=1)
    apart = _row_means(near) - _row_means(around.crowding[places])
    sure = _log_odds(probabilities.max(axis=1))
    return np.stack([first - usual, first - second, _row_means(near[:, -3:]), apart, sure, outside], axis=1)


def _nearest(cosines: NDArray[np.float32], most: int) -> NDArray[np.intp]:
    """Places of the greatest of each row, in no order; some rows at a time, since the places of all are twice what the cosines are."""
    parts = [np.argpartition(cosines[at : at + _ROWS], -most, axis=1)[:, -most:] for at in range(0, len(cosines), _ROWS)]
    return np.concatenate([np.empty((0, most), dtype=np.intp), *parts])


def sure_of(signals: Floats, scope: Scope) -> Floats:
    """How sure the fast tier is that the full one would say the same, from 0 to 1; by row of `fast_signals`."""
    return np.asarray(expit(scope.standard(signals) @ SURE_WEIGHTS))


def mixed(weights: Sequence[float], views: Sequence[Floats]) -> Floats:
    """Probabilities from the weighted sum of each view's scores."""
    total = np.zeros(views[0].shape)
    for weight, view in zip(weights, views, strict=True):
        total += weight * view
    return softmax(total)


def cooled(probabilities: Floats, heat: float, noise: float) -> Floats:
    """Their power `heat`, of which a share `noise` is spread over all intents."""
    result: Floats = (1 - noise) * softmax(heat * np.log(probabilities.clip(1e-12))) + noise / probabilities.shape[1]
    return result


def softmax(scores: Floats) -> Floats:
    """Rows of probabilities."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: Floats = powers / powers.sum(axis=1, keepdims=True)
    return result


def top_two(scores: Floats) -> tuple[Floats, Floats]:
    """The greatest and the second of each row; where there is one column, the second is 0."""
    if scores.shape[1] == 1:
        return scores[:, 0], np.zeros(len(scores))
    parted = np.partition(scores, -2, axis=1)
    return parted[:, -1], parted[:, -2]


def _row_means(values: NDArray[np.floating]) -> Floats:
    """The mean of each row, column by column: `mean` adds up one row alone in another order than several."""
    total: Floats = np.zeros(len(values))
    for column in values.T:
        total += column
    means: Floats = total / values.shape[1]
    return means


def _log_odds(probability: Floats) -> Floats:
    clipped = np.minimum(np.maximum(probability, 1e-6), 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)))
