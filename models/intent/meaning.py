r"""The second tier's classifier: kernel ridge regression on the encoder's layers.

A text's vector :math:`e` is that of the last three layers, of unit length together; in the last one rare tokens count more. With
landmarks :math:`l_j` among the training texts the score of an intent is
:math:`w^\top e + \sum_j a_j \exp(-\gamma\lVert e - l_j\rVert^2) + b`, fitted by least squares to 1 for its own texts and 0 for all
others, out-of-scope ones included. So the scores of a text that is like no training text go to 0.

References
----------
Williams and Seeger (2001), Using the Nyström method to speed up kernel machines. Rifkin and Klautau (2004), In defense of one-vs-all
classification. Reimers and Gurevych (2019), Sentence-BERT.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LAYERS = 3
"""Of the encoder, in a vector."""
AXES = 192
"""A sixth of a vector's width: so a text is compared with six times as many landmarks in the same time, and as well as with all of it."""
COMMON = 0.5
"""What a token that stands in every training text counts; another by the logarithm of its rarity more. From ten rows per intent of
Banking77's training rows .8524 are answered right instead of .8471; of all rows of Banking77 and CLINC150 one in a thousand more."""
GAMMA = 1.0
"""Width of the kernel; like `models.intent.ridge.PENALTY` chosen by leave-one-out on the training rows of Banking77 and CLINC150."""

SHARPNESS = 20.0
"""How far the nearest landmarks outweigh others in `neighbours`: a cosine less by 0.05 counts e times less."""

CROWD = 10
"""Landmarks around a text or a landmark whose mean similarity is compared; of 1 to 20 the best on intents held out of training rows."""

_FAR = 1e-12


@dataclass(frozen=True)
class Meaning:
    """Scores from the encoder's vectors.

    Parameters
    ----------
    axes
        The directions in which the training texts differ most, of shape (width, `AXES` at most): similarity is measured along these.
    landmarks
        Training texts along the axes.
    linear, kernel
        Weights of shape (width, intents + 1) and (landmarks, intents + 1).
    bias
        One per intent, and one more.
    typical
        By intent, the score that its own training texts get from models that had not seen them: intents differ in it.
    crowding
        By landmark, how similar the landmarks nearest to it are: a text may be far from others because all texts are, there.
    """

    axes: Floats
    landmarks: Floats
    linear: Floats
    kernel: Floats
    bias: Floats
    typical: Floats
    crowding: Floats

    def __post_init__(self) -> None:
        for name, array in list(vars(self).items()):  # as they come back from disk: sums depend on the order in memory
            object.__setattr__(self, name, np.ascontiguousarray(array))

    def cosines(self, vectors: Floats) -> Floats:
        """Similarity of each vector to each landmark, of shape (texts, landmarks)."""
        return text_by_text(text_by_text(vectors, self.axes), self.landmarks.T)

    def scores(self, vectors: Floats, cosines: Floats) -> Floats:
        """One score per text and intent, and last that of being out of scope: 0 where no such row was learned from."""
        return text_by_text(vectors, self.linear) + text_by_text(kernel_of(cosines), self.kernel) + self.bias

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The fields as arrays."""
        return dict(vars(self))


def token_weights(tokens: Sequence[Sequence[int]], n_tokens: int) -> Floats:
    """What each token counts, given those of the training texts: its inverse document frequency, `COMMON` more."""
    counts = np.zeros(n_tokens)
    for ids in tokens:
        counts[list(set(ids))] += 1
    weights: Floats = (np.log((len(tokens) + 1) / (counts + 1)) + COMMON).astype(np.float32)
    return weights


def axes_of(vectors: Floats) -> Floats:
    """The axes for training texts: principal components, not centred."""
    _, directions = np.linalg.eigh((vectors.T @ vectors).astype(np.float64))
    return np.ascontiguousarray(directions[:, ::-1][:, :AXES].astype(np.float32))


def crowding_of(cosines: Floats) -> Floats:
    """How similar the nearest others are to each landmark, given the similarity of each to all; 1 where there are no others."""
    most = min(CROWD, len(cosines) - 1)
    if not most:
        return np.ones(len(cosines), dtype=np.float32)
    others = cosines.copy()
    np.fill_diagonal(others, -1)
    others.partition(len(others) - most, axis=1)
    means: Floats = others[:, -most:].mean(axis=1)
    return means


def text_by_text(texts: Floats, weights: Floats) -> Floats:
    """The product of two matrices, each row as if it were alone.

    A product of whole matrices adds up in an order that depends on how many rows there are, which would show in the probabilities.
    """
    product: Floats = np.empty((len(texts), weights.shape[1]), dtype=np.float32)
    for row, text in zip(product, texts, strict=True):
        row[:] = text @ weights
    return product


def unit_vectors(layers: Floats) -> Floats:
    """The encoder's layers, each of unit length, as one vector of unit length."""
    vectors: Floats = layers / np.linalg.norm(layers, axis=1, keepdims=True).clip(min=1e-12)
    return vectors


def kernel_of(cosines: Floats) -> Floats:
    """The kernel between unit vectors of these cosines."""
    values: Floats = cosines - 1
    values *= np.float32(2 * GAMMA)  # in place: of training rows it is the largest array there is
    return np.exp(values, out=values)


def targets_of(codes: NDArray[np.intp], n_intents: int) -> Floats:
    """What the scores should be: 1 for a row's own intent, or in the last column where it has none, else 0."""
    return np.column_stack([members_of(codes, n_intents), (codes < 0).astype(np.float32)])


def members_of(codes: NDArray[np.intp], n_intents: int) -> Floats:
    """1 where a landmark is of an intent, else 0; of shape (landmarks, intents). Those of code -1 are of none."""
    members = np.zeros((len(codes), n_intents), dtype=np.float32)
    inside = np.flatnonzero(codes >= 0)
    members[inside, codes[inside]] = 1
    return members


def neighbours(cosines: Floats, codes: NDArray[np.intp], n_intents: int) -> NDArray[np.float64]:
    """Score of each intent by its landmarks near to a text: a soft maximum of their cosines, less 1; landmarks of code -1 are of none."""
    sums = np.empty((len(cosines), n_intents))
    for row, near in zip(sums, cosines, strict=True):
        row[:] = np.bincount(codes + 1, weights=np.exp(np.float32(SHARPNESS) * (near - 1)), minlength=n_intents + 1)[1:]
    scores: NDArray[np.float64] = np.log(sums + _FAR) / SHARPNESS
    return scores
