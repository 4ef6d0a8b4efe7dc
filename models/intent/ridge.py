r"""Fits `Meaning` in closed form, with the score that each row would get from a model that had not seen it.

For ridge regression the leave-one-out prediction needs no refitting (the PRESS residual):
:math:`\hat y_{-i} = (\hat y_i - h_{ii} y_i) / (1 - h_{ii})`, with the leverage :math:`h_{ii} = z_i^\top (Z^\top Z + \lambda I)^{-1} z_i`.

References
----------
Allen (1974), The relationship between variable selection and data augmentation and a method for prediction.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from models.intent.meaning import Floats, Meaning, axes_of, crowding_of, kernel_of

PENALTY = 0.1
CONSTANT = 0.3
"""The value of the constant feature, small so that the bias is penalised little but surely."""

_FEW = 3.0
"""Rows that the score usual to all intents counts, in that of each."""
_JITTER = 1e-4
_CHUNK = 4_096


@dataclass(frozen=True)
class Ridge:
    """Features of the training rows and their products; several models are fitted from one of these.

    Parameters
    ----------
    vectors
        Unit vectors of the training rows.
    landmarks
        Rows that are landmarks.
    """

    vectors: Floats
    landmarks: NDArray[np.intp]

    @cached_property
    def axes(self) -> Floats:
        """Along which similarity is measured."""
        return axes_of(self.vectors)

    @cached_property
    def places(self) -> Floats:
        """The rows along the axes."""
        return self.vectors @ self.axes

    @cached_property
    def cosines(self) -> Floats:
        """Of each row to each landmark."""
        return self.places @ self.places[self.landmarks].T

    @cached_property
    def whitening(self) -> Floats:
        """Turns kernel values to the landmarks into features whose products are the kernel (Nyström)."""
        kernel = kernel_of(self.cosines[self.landmarks]).astype(np.float64)
        kernel[np.diag_indices_from(kernel)] += _JITTER
        root = scipy.linalg.cholesky(kernel, lower=True, check_finite=False)
        inverse = scipy.linalg.solve_triangular(root, np.eye(len(kernel)), lower=True, check_finite=False)
        return np.ascontiguousarray(inverse.T.astype(np.float32))

    @cached_property
    def features(self) -> Floats:
        """Linear, kernel and constant features of each row."""
        kernel = kernel_of(self.cosines) @ self.whitening
        return np.hstack([self.vectors, kernel, np.full((len(self.vectors), 1), CONSTANT, dtype=np.float32)])

    @cached_property
    def gram(self) -> Floats:
        """Products of the features, summed over the rows."""
        return self.features.T @ self.features

    def _root(self, gram: Floats) -> Floats:
        gram = gram.copy()
        gram[np.diag_indices_from(gram)] += PENALTY
        return np.asarray(scipy.linalg.cholesky(gram, lower=True, overwrite_a=True, check_finite=False))

    def fit(self, targets: Floats) -> tuple[Meaning, Floats]:
        """The model of all rows, and the leave-one-out scores of each; targets of shape (rows, intents)."""
        Z, root = self.features, self._root(self.gram)
        weights = scipy.linalg.cho_solve((root, True), Z.T @ targets, check_finite=False).astype(np.float32)
        leverage = np.concatenate([_leverage(root, Z[at : at + _CHUNK]) for at in range(0, len(Z), _CHUNK)])[:, None]
        left_out = (Z @ weights - leverage * targets) / (1 - leverage)
        return self._meaning(weights, _typical(targets, left_out)), left_out

    def without(self, hidden: NDArray[np.bool_], targets: Floats) -> Floats:
        """The scores of hidden rows by a model of the others."""
        Z = self.features[hidden]
        root = self._root(self.gram - Z.T @ Z)
        known = self.features[~hidden].T @ targets[~hidden]
        scores: Floats = Z @ scipy.linalg.cho_solve((root, True), known, check_finite=False).astype(np.float32)
        return scores

    def _meaning(self, weights: Floats, typical: Floats) -> Meaning:
        width = self.vectors.shape[1]
        kernel = self.whitening @ weights[width:-1]
        crowding = crowding_of(self.cosines[self.landmarks])
        bias = weights[-1] * np.float32(CONSTANT)
        return Meaning(self.axes, self.places[self.landmarks], weights[:width], kernel, bias, typical, crowding)


def _typical(targets: Floats, left_out: Floats) -> Floats:
    """By intent, the mean score of its own rows."""
    own, rows = (targets * left_out).sum(axis=0), targets.sum(axis=0)
    typical: Floats = (own + _FEW * own.sum() / rows.sum()) / (rows + _FEW)
    return typical.astype(np.float32)


def _leverage(root: Floats, Z: Floats) -> Floats:
    half = scipy.linalg.solve_triangular(root, Z.T, lower=True, check_finite=False)
    leverage: Floats = np.square(half).sum(axis=0).clip(max=0.999)
    return leverage
