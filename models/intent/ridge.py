r"""Fits `Meaning` in closed form, with the score that each row would get from a model that had not seen it, or others like it.

For ridge regression what a model without some rows says of them needs no refitting. With the hat matrix
:math:`H = Z (Z^\top Z + \lambda I)^{-1} Z^\top` and fitted values :math:`\hat y = H y` the residuals of left-out rows :math:`S` are
:math:`(I - H_{SS})^{-1} (y_S - \hat y_S)`; for one row that is the PRESS residual. With the Cholesky root
:math:`R R^\top = Z^\top Z + \lambda I` all of it comes out of one matrix, :math:`B = R^{-1} Z^\top`, as :math:`H = B^\top B`.

References
----------
Allen (1974), The relationship between variable selection and data augmentation and a method for prediction. Rifkin and Lippert (2007),
Notes on regularized least squares.
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
_LEAST = 1e-3
"""Of 1 less a row's leverage, so that rounding is not divided by."""


@dataclass(frozen=True)
class Ridge:
    """Kernel ridge regression of the training rows.

    Parameters
    ----------
    vectors
        Unit vectors of the training rows.
    landmarks
        Rows that are landmarks.
    targets
        What is fitted, of shape (rows, intents + 1): see `models.intent.meaning.targets_of`.
    """

    vectors: Floats
    landmarks: NDArray[np.intp]
    targets: Floats

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
    def whitener(self) -> Floats:
        """The root of the landmarks' kernel: divided by it, kernel values become features whose products are the kernel (Nyström)."""
        kernel = kernel_of(self.cosines[self.landmarks]).astype(np.float64)
        kernel[np.diag_indices_from(kernel)] += _JITTER
        return np.asarray(scipy.linalg.cholesky(kernel.T, lower=True, overwrite_a=True, check_finite=False), dtype=np.float32, order="F")

    @cached_property
    def _solved(self) -> tuple[Floats, Floats]:
        """The root R, and B, a row's features divided by it, in its columns; the features give way to it."""
        Z = self._features()
        gram = Z.T @ Z
        gram[np.diag_indices_from(gram)] += PENALTY
        root = scipy.linalg.cholesky(gram.T, lower=True, overwrite_a=True, check_finite=False)
        return root, scipy.linalg.solve_triangular(root, Z.T, lower=True, overwrite_b=True, check_finite=False)

    def _features(self) -> Floats:
        """Linear, kernel and constant features of each row."""
        width, end = self.vectors.shape[1], self.vectors.shape[1] + len(self.landmarks)
        Z = np.full((len(self.vectors), end + 1), CONSTANT, dtype=np.float32)
        Z[:, :width] = self.vectors
        kernel = kernel_of(self.cosines)
        Z[:, width:end] = scipy.linalg.solve_triangular(self.whitener, kernel.T, lower=True, overwrite_b=True, check_finite=False).T
        return Z

    @cached_property
    def fitted(self) -> Floats:
        """The scores of the training rows by the model of all."""
        half = self._solved[1]
        scores: Floats = half.T @ (half @ self.targets)
        return scores

    @cached_property
    def left_out(self) -> Floats:
        """The scores of each training row by a model of all others."""
        half = self._solved[1]
        leverage = np.einsum("ij,ij->j", half, half)[:, None]
        scores: Floats = self.targets - (self.targets - self.fitted) / (1 - leverage).clip(min=_LEAST)
        return scores

    def without(self, hidden: NDArray[np.bool_]) -> Floats:
        """The scores of hidden rows by a model of the others."""
        half = np.asfortranarray(self._solved[1][:, hidden])
        rest = np.eye(half.shape[1]) - half.T @ half
        rest[np.diag_indices_from(rest)] += 1e-6  # of rounding, which else might leave it less than positive
        left = scipy.linalg.solve(rest, self.targets[hidden] - self.fitted[hidden], assume_a="pos", overwrite_a=True, check_finite=False)
        scores: Floats = self.targets[hidden] - left.astype(np.float32)
        return scores

    def meaning(self) -> Meaning:
        """The model of all rows."""
        root, half = self._solved
        weights = scipy.linalg.solve_triangular(root, half @ self.targets, lower=True, trans="T", check_finite=False)
        width = self.vectors.shape[1]
        kernel = scipy.linalg.solve_triangular(self.whitener, weights[width:-1], lower=True, trans="T", check_finite=False)
        crowding = crowding_of(self.cosines[self.landmarks])
        bias = weights[-1] * np.float32(CONSTANT)
        typical = _typical(self.targets[:, :-1], self.left_out[:, :-1])
        return Meaning(self.axes, self.places[self.landmarks], weights[:width], kernel, bias, typical, crowding)


def _typical(targets: Floats, left_out: Floats) -> Floats:
    """By intent, the mean score of its own rows."""
    own, rows = (targets * left_out).sum(axis=0), targets.sum(axis=0)
    typical: Floats = (own + _FEW * own.sum() / rows.sum()) / (rows + _FEW)
    return typical.astype(np.float32)
