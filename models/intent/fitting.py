"""Learns both tiers and their doubt from messages of known intent.

Every figure that calibrates is of rows which the scoring model had not learned from: by leave-one-out for the encoder's tier, by
cross-validation for words. Being out of scope is learned from rows that are, and by hiding a fold's intents from models and
asking them about these: so it can be learned where no out-of-scope row is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from models.intent import calibration
from models.intent.calibration import Usual
from models.intent.doubt import Doubt, Floats, Scope, Tier, fast_signals, full_signals, sure_of
from models.intent.meaning import Meaning
from models.intent.ridge import Ridge
from models.intent.vocabulary import Vocabulary
from models.intent.words import Words

MAX_LANDMARKS = 3_000
"""More are slower, fewer less accurate: of Banking77's rows 2,000 cost 0.4 points against all 8,000."""
SOFTNESS = 0.3
"""The support vector machines' C: of 0.1 to 1 the best likelihood on held-out training rows of Banking77."""

OUTSIDE_ANSWERED = 0.15
"""Share of hidden intents' rows that the fast tier may answer: less keeps more of them for the encoder, which knows them better, but
also more of what the fast tier knows. Of Banking77, with a quarter of the intents held out, it leaves 60% to the fast tier."""

FAST_USUAL = Usual(np.array([-0.3, 0.5, 2.5]), np.array([0.4, 0.4, 2.5]), np.array([-0.8, -0.3, -0.6]))
FULL_USUAL = Usual(
    np.array([0.6, 0.45, 0.85, 0.8, -0.3, 4.0]),
    np.array([0.25, 0.25, 0.07, 0.08, 0.4, 2.5]),
    np.array([-0.6, -0.6, -0.3, -0.3, -0.3, -0.6]),
)
"""Signals as they are on the training rows of Banking77 and CLINC150, about; the weights by intents held out of Banking77's."""

Codes = NDArray[np.intp]


@dataclass(frozen=True)
class Learned:
    """All that is fitted."""

    words: Words
    meaning: Meaning
    doubt: Doubt
    landmarks: Codes
    out_of_fold: Floats
    """Probabilities of the full tier for the rows in scope, from scores of models that had not seen them."""
    figures: dict[str, float]
    """What cross-validation measured."""


@dataclass(frozen=True)
class Rows:
    """Training rows as numbers.

    Parameters
    ----------
    codes
        The intent of each row; -1 out of scope.
    n_intents
        How many intents there are.
    matrix, left_out
        Vectors of words; as they are, and as if the row were none of the training rows.
    vectors
        Unit vectors of the encoder.
    fold
        In which part of the cross-validation a row is held out.
    """

    codes: Codes
    n_intents: int
    matrix: scipy.sparse.csr_matrix
    left_out: scipy.sparse.csr_matrix
    vectors: NDArray[np.float32]
    fold: Codes

    @property
    def targets(self) -> NDArray[np.float32]:
        """1 for a row's own intent, else 0; of shape (rows, intents)."""
        targets = np.zeros((len(self.codes), self.n_intents), dtype=np.float32)
        inside = np.flatnonzero(self.codes >= 0)
        targets[inside, self.codes[inside]] = 1
        return targets


def learn(
    vocabulary: Vocabulary,
    texts: Sequence[str],
    vectors: NDArray[np.float32],
    codes: Codes,
    n_intents: int,
    seed: int,
    settings: Settings,
) -> Learned:
    """Fit everything."""
    rng = np.random.default_rng(seed)
    fold = folds(codes, settings.folds, rng)
    matrix, left_out = _matrix(vocabulary, texts), _matrix(vocabulary, texts, left_out=True)
    rows = Rows(codes, n_intents, matrix, left_out, vectors, fold)
    ridge = Ridge(vectors, landmarks(codes, MAX_LANDMARKS, rng))
    meaning, full_scores = ridge.fit(rows.targets)
    weights, bias = _machines(rows.matrix, codes, n_intents, seed)
    words_scores = np.zeros((len(codes), n_intents))
    for held_out in _parts(fold):
        words_scores[held_out] = _scores(rows.left_out[held_out], *_machines(rows.matrix[~held_out], codes[~held_out], n_intents, seed))
    seen = _Seen(rows, words_scores, full_scores.astype(np.float64), _cosines(ridge))
    doubt, figures = _doubt(rows, ridge, seen, settings, seed)
    inside = codes >= 0
    probabilities = doubt.full.probabilities(seen.words[inside], seen.meaning[inside])
    return Learned(Words(vocabulary, weights, bias), meaning, doubt, ridge.landmarks, probabilities, figures)


@dataclass(frozen=True)
class Settings:
    """What the configuration says about doubt."""

    folds: int
    coverage: float
    accuracy_loss: float
    false_rejection_rate: float


@dataclass(frozen=True)
class _Seen:
    """Rows as models saw them that had not learned from them."""

    rows: Rows
    words: Floats
    meaning: Floats
    cosines: NDArray[np.float32]


def folds(codes: Codes, n_folds: int, rng: np.random.Generator) -> Codes:
    """A fold for each row; each intent is spread over all of them."""
    fold = np.zeros(len(codes), dtype=np.intp)
    for code in np.unique(codes):
        members = rng.permutation(np.flatnonzero(codes == code))
        fold[members] = (np.arange(len(members)) + rng.integers(n_folds)) % n_folds
    return fold


def landmarks(codes: Codes, most: int, rng: np.random.Generator) -> Codes:
    """Rows to measure distance to: from every intent in turn, until there are enough."""
    turn = np.zeros(len(codes))
    for code in np.unique(codes):
        members = rng.permutation(np.flatnonzero(codes == code))
        turn[members] = np.arange(len(members))
    chosen = np.lexsort((rng.permutation(len(codes)), turn))[:most]
    return np.sort(chosen)


def _matrix(vocabulary: Vocabulary, texts: Sequence[str], *, left_out: bool = False) -> scipy.sparse.csr_matrix:
    """One row per text."""
    sparse = [vocabulary.vector(text, left_out=left_out) for text in texts]
    starts = np.concatenate([[0], np.cumsum([len(row.ids) for row in sparse])])
    parts = (np.concatenate([row.values for row in sparse]), np.concatenate([row.ids for row in sparse]), starts)
    return scipy.sparse.csr_matrix(parts, shape=(len(sparse), len(vocabulary)))


def _parts(fold: Codes) -> list[NDArray[np.bool_]]:
    return [fold == part for part in np.unique(fold)]


def _machines(X: scipy.sparse.csr_matrix, codes: Codes, n_intents: int, seed: int) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
    """Weights and bias of one linear machine per intent; an intent without rows, or alone, scores -1 or 1 everywhere."""
    from sklearn.svm import LinearSVC

    weights = np.zeros((X.shape[1], n_intents), dtype=np.float16)
    bias = np.full(n_intents, -1, dtype=np.float32)
    present = np.unique(codes)
    if len(present) < 2:
        bias[present[present >= 0]] = 1
        return weights, bias
    machine = LinearSVC(C=SOFTNESS, tol=1e-2, random_state=seed).fit(X, codes)
    lines, offsets = machine.coef_, machine.intercept_
    if len(present) == 2:
        lines, offsets = np.vstack([-lines, lines]), np.concatenate([-offsets, offsets])
    inside = present >= 0
    weights[:, present[inside]] = lines[inside].T
    bias[present[inside]] = offsets[inside]
    return weights, bias


def _scores(X: scipy.sparse.csr_matrix, weights: NDArray[np.float16], bias: NDArray[np.float32]) -> Floats:
    return np.asarray(X @ weights.astype(np.float32) + bias, dtype=np.float64)


def _cosines(ridge: Ridge) -> NDArray[np.float32]:
    """To the landmarks, but of no row to itself."""
    cosines = ridge.cosines.copy()
    cosines[ridge.landmarks, np.arange(len(ridge.landmarks))] = -1
    return cosines


def _doubt(rows: Rows, ridge: Ridge, seen: _Seen, settings: Settings, seed: int) -> tuple[Doubt, dict[str, float]]:
    inside = rows.codes >= 0
    truth = rows.codes[inside]
    words, meaning = seen.words[inside], seen.meaning[inside]
    nothing = Scope(np.zeros(1), np.ones(1), np.zeros(1), 0.0, 1.0)
    fast = Tier(calibration.exponents(words, np.zeros_like(words), truth)[0], 0.0, 0.0, nothing)
    full = Tier(*calibration.exponents(words, meaning, truth), 0.0, nothing)
    hidden = _hidden_intents(rows, ridge, settings.folds, seed)
    samples = [(seen.words, seen.meaning, seen.cosines, ~inside), *hidden]
    outside = np.concatenate([sample[3] for sample in samples])
    weight = _weights(outside, [len(sample[3]) for sample in samples], inside)
    fast_parts, full_parts = [], []
    for w, m, c, _ in samples:
        fast_parts.append(fast_signals(w, fast.probabilities(w)))
        full_parts.append(full_signals(w, m, c.astype(np.float64), full.probabilities(w, m)))
    fast_scope = calibration.scope(np.concatenate(fast_parts), outside, weight, FAST_USUAL)
    full_scope = calibration.scope(np.concatenate(full_parts), outside, weight, FULL_USUAL)
    out = {"fast": fast_scope.probability(fast_parts[0][inside]), "full": full_scope.probability(full_parts[0][inside])}
    tiers = {}
    for name, tier, found, p in (
        ("fast", fast, fast_scope, fast.probabilities(words)),
        ("full", full, full_scope, full.probabilities(words, meaning)),
    ):
        limit = calibration.threshold(out[name], settings.false_rejection_rate)
        least = calibration.least_probability(p, truth, settings.coverage)
        tiers[name] = Tier(tier.words, tier.meaning, least, Scope(found.mean, found.spread, found.weights, found.bias, limit))
    p_fast, p_full = fast.probabilities(words), full.probabilities(words, meaning)
    sure = sure_of(fast_parts[0][inside], fast_scope)
    handover = calibration.handover(sure, p_fast.argmax(1) == truth, p_full.argmax(1) == truth, settings.accuracy_loss)
    if outside.any():
        sureness = np.concatenate([sure_of(part, fast_scope) for part in fast_parts])
        handover = max(handover, float(np.quantile(sureness[outside], 1 - OUTSIDE_ANSWERED)))
    else:
        handover = 1.0  # nothing was out of scope to learn from, so the tier without distances must not decide
    right = {"fast": p_fast.argmax(1) == truth, "full": p_full.argmax(1) == truth}
    handed = sure <= handover
    figures = {
        "handover": handover,
        "fast_share": float(1 - handed.mean()),
        "fast_accuracy": float(right["fast"].mean()),
        "full_accuracy": float(right["full"].mean()),
        "accuracy": float(np.where(handed, right["full"], right["fast"]).mean()),
    }
    return Doubt(tiers["fast"], tiers["full"], handover), figures


def _weights(outside: NDArray[np.bool_], sizes: list[int], inside: NDArray[np.bool_]) -> Floats:
    """Rows in scope count one together, those out of scope as much as the prior says; real ones half of that, if there are any."""
    real = np.zeros(len(outside), dtype=bool)
    real[: sizes[0]] = ~inside
    held = outside & ~real
    weight = np.zeros(len(outside))
    weight[~outside] = 1 / max((~outside).sum(), 1)
    share = calibration.PRIOR / (1 - calibration.PRIOR)
    both = real.any() and held.any()
    for part in (real, held):
        if part.any():
            weight[part] = share * (0.5 if both else 1.0) / part.sum()
    return weight * min(len(outside), 10_000)


def _hidden_intents(
    rows: Rows, ridge: Ridge, n_folds: int, seed: int
) -> list[tuple[Floats, Floats, NDArray[np.float32], NDArray[np.bool_]]]:
    """Rows of models that know neither a fold's rows nor a share of the intents: scores, distances, and which were out of scope."""
    if rows.n_intents < 4:
        return []
    rng = np.random.default_rng([seed, 1])
    group = np.concatenate([np.arange(rows.n_intents)[rng.permutation(rows.n_intents)].argsort() % n_folds, [-1]])[rows.codes]
    found = []
    for part in range(n_folds):
        away = group == part
        hidden = (rows.fold == part) | away
        asked = hidden & (rows.codes >= 0)
        if (~hidden).sum() < 2 or not away.any():
            continue
        targets = rows.targets
        targets[away] = 0
        words = _scores(rows.left_out[asked], *_machines(rows.matrix[~hidden], rows.codes[~hidden], rows.n_intents, seed))
        meaning = ridge.without(hidden, targets)[asked[hidden]].astype(np.float64)
        kept = np.unique(rows.codes[~hidden & (rows.codes >= 0)])
        cosines = ridge.cosines[asked][:, ~hidden[ridge.landmarks]]
        if len(kept) and cosines.shape[1] >= 3:
            found.append((words[:, kept], meaning[:, kept], cosines, away[asked]))
    return found
