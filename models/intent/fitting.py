"""Learns all views of a message from messages of known intent, and asks each about rows that it had not learned from.

Every figure that calibrates is of rows which the scoring model had not learned from: by leave-one-out for the encoder's tier, by
cross-validation for words. Being out of scope is learned from rows that are, and by hiding a fold's intents from models and
asking them about these: so it can be learned where no out-of-scope row is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from models.intent.doubt import Around, Doubt, Floats
from models.intent.examples import PER_INTENT
from models.intent.judging import Seen, Settings, doubt_of
from models.intent.logistic import MAX_ROWS, Logistic
from models.intent.meaning import Meaning, crowding_of, neighbours, targets_of
from models.intent.mixing import with_tuned
from models.intent.ridge import Ridge
from models.intent.vocabulary import Vocabulary
from models.intent.words import Words

MAX_LANDMARKS = 8_000
"""More are slower, fewer less accurate: 3,000 cost 0.6 points on training rows of Banking77, and 0.3 on those of CLINC150."""
SOFTNESS = 0.3
"""The support vector machines' C: of 0.1 to 1 the best likelihood on held-out training rows of Banking77."""

Codes = NDArray[np.intp]


@dataclass(frozen=True)
class Learned:
    """All that is fitted."""

    words: Words
    meaning: Meaning
    logistic: Logistic | None
    doubt: Doubt
    landmarks: Codes
    out_of_fold: Floats
    """Probabilities of the full tier for the judged rows in scope, from scores of models that had not seen them."""
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
    judged
        Whether a row is like what customers write: the names of intents are only learned from.
    matrix, left_out
        Vectors of words; as they are, and as if the row were none of the training rows.
    ridge
        Vectors of the encoder, and the landmarks among them.
    fold
        In which part of the cross-validation a row is held out; -1 in none.
    seed
        Of what is drawn.
    """

    codes: Codes
    n_intents: int
    judged: NDArray[np.bool_]
    matrix: scipy.sparse.csr_matrix
    left_out: scipy.sparse.csr_matrix
    ridge: Ridge
    fold: Codes
    seed: int

    @property
    def is_few(self) -> bool:
        """Whether logistic regression is worth its time."""
        return len(self.codes) <= MAX_ROWS and self.n_intents > 1

    @cached_property
    def shown(self) -> NDArray[np.bool_]:
        """Which landmarks the fast tier compares with: the first of each intent."""
        return _turn(self.codes[self.ridge.landmarks]) < PER_INTENT


def learn(
    vocabulary: Vocabulary,
    texts: Sequence[str],
    vectors: NDArray[np.float32],
    codes: Codes,
    n_intents: int,
    judged: NDArray[np.bool_],
    seed: int,
    settings: Settings,
    tuned: NDArray[np.float32] | None = None,
) -> Learned:
    """Fit everything; see `Rows` for what the rows are, and `models.intent.mixing` for the view `tuned`, NaN where it may not be used."""
    rng = np.random.default_rng(seed)
    fold = np.full(len(codes), -1)
    fold[judged] = folds(codes[judged], settings.folds, rng)
    matrix, left_out = vocabulary.matrix(texts), vocabulary.matrix(texts, left_out=True)
    places = np.flatnonzero(judged)
    ridge = Ridge(vectors, places[landmarks(codes[judged], MAX_LANDMARKS, rng)], targets_of(codes, n_intents))
    rows = Rows(codes, n_intents, judged, matrix, left_out, ridge, fold, seed)
    meaning = ridge.meaning()
    seen = _cross_validated(rows, Around(meaning.typical, meaning.crowding))
    doubt, figures = doubt_of(seen, _hidden_intents(rows, meaning.typical, settings.folds), settings)
    if tuned is not None:
        doubt, figures = with_tuned(doubt, seen, tuned[judged].astype(np.float64), settings)
    weights, bias = _machines(matrix, codes, n_intents, seed)
    logistic = Logistic.fit(vectors, ridge.targets[:, :-1]) if rows.is_few else None
    return Learned(
        Words(vocabulary, weights, bias), meaning, logistic, doubt, ridge.landmarks, doubt.full.probabilities(seen.inside), figures
    )


def _cross_validated(rows: Rows, around: Around) -> Seen:
    """The judged rows, as models saw them that had not learned from them."""
    judged, ridge, shape = rows.judged, rows.ridge, (len(rows.codes), rows.n_intents)
    words, logistic = np.zeros((shape[0], shape[1] + 1)), np.zeros(shape)
    for part in range(rows.fold.max() + 1):
        held_out = rows.fold == part
        if held_out.any() and not held_out.all():
            words[held_out] = _scores(
                rows.left_out[held_out], *_machines(rows.matrix[~held_out], rows.codes[~held_out], shape[1], rows.seed)
            )
            if rows.is_few:
                learned = Logistic.fit(ridge.vectors[~held_out], ridge.targets[~held_out, :-1])
                logistic[held_out] = learned.scores(ridge.vectors[held_out])
    own = np.full(len(rows.codes), -1)
    own[ridge.landmarks] = np.arange(len(ridge.landmarks))
    cosines = ridge.cosines[judged]
    with_own = np.flatnonzero(own[judged] >= 0)
    cosines[with_own, own[judged][with_own]] = -1  # no row is near to itself
    near = neighbours(cosines, rows.codes[ridge.landmarks], rows.n_intents)
    words, scores = words[judged], ridge.left_out[judged].astype(np.float64)
    views = [words[:, :-1], scores[:, :-1], near, *([logistic[judged]] if rows.is_few else [])]
    nearest = _nearest_by_words(rows, judged, words[:, :-1].argmax(axis=1), own[judged], rows.shown)
    return Seen(views, words[:, -1], scores[:, -1], cosines, around, nearest, rows.codes[judged], rows.codes[judged] < 0)


def folds(codes: Codes, n_folds: int, rng: np.random.Generator) -> Codes:
    """A fold for each row; each intent is spread over all of them."""
    fold = np.zeros(len(codes), dtype=np.intp)
    for code in np.unique(codes):
        members = rng.permutation(np.flatnonzero(codes == code))
        fold[members] = (np.arange(len(members)) + rng.integers(n_folds)) % n_folds
    return fold


def landmarks(codes: Codes, most: int, rng: np.random.Generator) -> Codes:
    """Rows to measure distance to: from every intent in turn, until there are enough."""
    order = rng.permutation(len(codes))
    turn = np.zeros(len(codes))
    turn[order] = _turn(codes[order])
    return np.sort(np.lexsort((order, turn))[:most])


def _turn(codes: Codes) -> Codes:
    """How many earlier rows have the same code, by row."""
    order = np.argsort(codes, kind="stable")
    turn = np.empty(len(codes), dtype=np.intp)
    turn[order] = np.arange(len(codes)) - np.searchsorted(codes[order], codes[order])
    return turn


def _machines(X: scipy.sparse.csr_matrix, codes: Codes, n_intents: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights and bias of a linear machine per intent and of one for out of scope; one without rows, or alone, says -1 or 1 to all."""
    from sklearn.svm import LinearSVC

    weights = np.zeros((X.shape[1], n_intents + 1), dtype=np.float32)
    bias = np.full(n_intents + 1, -1, dtype=np.float32)
    present = np.unique(codes)  # -1, if there, is the last column's
    if len(present) < 2:
        bias[present] = 1
        return weights, bias
    machine = LinearSVC(C=SOFTNESS, tol=1e-2, random_state=seed).fit(X, codes)
    lines, offsets = machine.coef_, machine.intercept_
    if len(present) == 2:
        lines, offsets = np.vstack([-lines, lines]), np.concatenate([-offsets, offsets])
    weights[:, present] = lines.T.astype(np.float16)  # as they are kept on disk
    bias[present] = offsets
    return weights, bias


def _scores(X: scipy.sparse.csr_matrix, weights: NDArray[np.float32], bias: NDArray[np.float32]) -> Floats:
    return np.asarray(X @ weights + bias, dtype=np.float64)


def _nearest_by_words(rows: Rows, asked: NDArray[np.bool_], best: Codes, own: Codes, compared: NDArray[np.bool_]) -> Floats:
    """TF-IDF cosine of each row that is asked about to the nearest landmark of its best intent, of those compared with; never its own."""
    X, landmarks_, codes = rows.left_out[asked], rows.matrix[rows.ridge.landmarks], rows.codes[rows.ridge.landmarks]
    nearest = np.zeros(len(best))
    for intent in np.unique(best):
        members, taken = np.flatnonzero((codes == intent) & compared), np.flatnonzero(best == intent)
        if len(members):
            cosines = (X[taken] @ landmarks_[members].T).toarray()
            cosines[own[taken][:, None] == members] = 0
            nearest[taken] = cosines.max(axis=1)
    return nearest


def _hidden_intents(rows: Rows, typical: NDArray[np.float32], n_folds: int) -> list[Seen]:
    """Rows as models saw them that know neither a fold's rows nor a share of the intents: these are out of scope to them."""
    if rows.n_intents < 4:
        return []
    rng = np.random.default_rng([rows.seed, 1])
    group = np.concatenate([np.arange(rows.n_intents)[rng.permutation(rows.n_intents)].argsort() % n_folds, [-1]])[rows.codes]
    samples = (_sample(rows, typical, (rows.fold == part) | (group == part), group == part) for part in range(n_folds))
    return [sample for sample in samples if sample is not None]


def _sample(rows: Rows, typical: NDArray[np.float32], hidden: NDArray[np.bool_], away: NDArray[np.bool_]) -> Seen | None:
    """The judged ones of the hidden rows, as models of all others see them; those of intents that are away are out of scope."""
    ridge, codes = rows.ridge, rows.codes
    asked = hidden & (codes >= 0) & rows.judged
    kept, known = np.unique(codes[~hidden & (codes >= 0)]), ~hidden[ridge.landmarks]
    if (~hidden).sum() < 2 or not away.any() or not len(kept) or known.sum() < 3:
        return None
    columns = [*kept, rows.n_intents]
    words = _scores(rows.left_out[asked], *_machines(rows.matrix[~hidden], codes[~hidden], rows.n_intents, rows.seed))[:, columns]
    scores = ridge.without(hidden)[asked[hidden]][:, columns].astype(np.float64)
    cosines = ridge.cosines[asked][:, known]
    near = neighbours(cosines, codes[ridge.landmarks[known]], rows.n_intents)[:, kept]
    views = [words[:, :-1], scores[:, :-1], near]
    if rows.is_few:
        logistic = Logistic.fit(ridge.vectors[~hidden], ridge.targets[~hidden][:, kept])
        views.append(logistic.scores(ridge.vectors[asked]).astype(np.float64))
    nearest = _nearest_by_words(rows, asked, kept[words[:, :-1].argmax(axis=1)], np.full(int(asked.sum()), -1), rows.shown & known)
    around = Around(typical[kept], crowding_of(ridge.cosines[ridge.landmarks[known]][:, known]))
    own = np.where(away, -1, np.searchsorted(kept, codes).clip(max=len(kept) - 1))
    return Seen(views, words[:, -1], scores[:, -1], cosines, around, nearest, own[asked], away[asked])
