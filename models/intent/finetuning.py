"""Fine-tuning of the encoder within a time budget, and what its result says of rows that it has not learned from.

A text then has one more view: its cosine to a vector per intent, through upper layers that are tuned to these intents. The encoder's own
layers stay beside them, since all other views are calibrated by leaving rows out of those: a view of layers that have learned a row
cannot be asked about it. Embeddings and lower layers are shared, so a second top costs half of a second encoder.

What the view is worth is fitted to rows that the asked encoder has not learned from. Tuning once for each fold would cost the budget
several times over. So the same recipe is first tuned without a fifth of each intent's rows, and asked about these: for each fifth in
turn where rows are few, and for fewer of them where they are many. Then it is tuned on all rows; that is what answers, calibrated by
encoders that learned a fifth less.

The number of steps follows from the rows and the budget alone, at about half the speed of two cores with nothing beside them, so that the
same rows and seed give the same model. Time tells only where a machine is slower than that: then the rate falls sooner, and steps that
there is no time for are left out, with a warning.
"""

from __future__ import annotations

import importlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from types import ModuleType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.encoder import Encoder
from models.encoder.export import default_source, tuned_encoder
from models.errors import InputError
from models.intent.fitting import Codes, folds
from models.intent.meaning import members_of
from models.intent.tuned import Floats, TunedView

TOKENS_PER_SECOND = 1_700
"""That steps are planned for: two cores learned 3,500 and, of a newer kind, 5,500 with nothing beside them."""
MOST_TOKENS = 64
"""Of a text that is learned from; what a customer wants stands early."""
LEAST_EPOCHS, MOST_EPOCHS = 10, 30
"""Where rows are many, and few."""
LEAST_ROWS = 20
PARTS, ENOUGH = 5, 1_500
"""In how many parts rows are held out at most, one after the other; no more of them than it takes to have held out so many rows. Of a
third of that many, no limit of the fast tier could show that it costs no more accuracy than may be lost: it would never answer."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FineTuned:
    """What fine-tuning gives.

    Parameters
    ----------
    encoder
        With the tuned top beside its own.
    view
        Scores of intents from it.
    held_out
        The view of each row, of shape (rows, intents), by an encoder that had not learned it; NaN where none was asked.
    figures
        Epochs of the last tuning, and the share of the planned steps that there was time for.
    seconds
        What all of it took.
    """

    encoder: Encoder
    view: TunedView
    held_out: Floats
    figures: dict[str, float]
    seconds: float


@dataclass(frozen=True)
class _Plan:
    """What is tuned on, one after the other.

    Parameters
    ----------
    held_out
        For each tuning, which rows it does not learn but is asked about; the last one's are none.
    learned
        For each tuning, the rows that it learns.
    epochs
        How often it learns each of them.
    ends
        For each tuning, the share of the time after which it must be done.
    """

    held_out: Sequence[NDArray[np.bool_]]
    learned: Sequence[Codes]
    epochs: float
    ends: Sequence[float]

    @classmethod
    def of(cls, codes: Codes, judged: NDArray[np.bool_], lengths: NDArray[np.intp], minutes: float, seed: int) -> Self:
        """The plan for rows of the given intents and numbers of tokens."""
        inside = codes >= 0
        part = np.full(len(codes), -1)
        part[inside & judged] = folds(codes[inside & judged], PARTS, np.random.default_rng([seed, 3]))
        n_rows = int((inside & judged).sum())
        held_out = [part == number for number in range(min(PARTS, ceil(ENOUGH * PARTS / n_rows)))]
        held_out.append(np.zeros(len(codes), dtype=np.bool_))
        learned = [np.flatnonzero(inside & ~held) for held in held_out]
        sizes = np.array([lengths[rows].sum() for rows in learned])
        # Ten epochs from 60 rows per intent, thirty to 20, and as many steps per intent between.
        wanted = np.clip(LEAST_EPOCHS * 60 * len(np.unique(codes[inside])) / n_rows, LEAST_EPOCHS, MOST_EPOCHS)
        epochs = min(float(wanted), 60 * minutes * TOKENS_PER_SECOND / float(sizes.sum()))
        return cls(held_out, learned, epochs, (np.cumsum(sizes) / sizes.sum()).tolist())


def fine_tune(
    minutes: float,
    encoder: Encoder,
    texts: Sequence[str],
    weights: Floats,
    vectors: Floats,
    codes: Codes,
    n_intents: int,
    judged: NDArray[np.bool_],
    seed: int,
) -> FineTuned:
    """Tune the encoder to messages of known intent.

    Parameters
    ----------
    minutes
        All that it may take.
    weights
        What each token of the vocabulary counts.
    vectors
        What the encoder gives for the texts as it is, by these weights.
    codes
        The intent of each text; -1 out of scope, which is not learned from.
    judged
        Which texts may be held out.

    Raises
    ------
    InputError
        If there are too few messages, or no torch.
    """
    if (n_rows := int(((codes >= 0) & judged).sum())) < LEAST_ROWS:
        raise InputError(
            f"expected at least {LEAST_ROWS} messages to fine-tune the encoder with, got {n_rows}: leave finetune_minutes at 0"
        )
    tuning, started = _tuning(), time.monotonic()
    tokens = [ids[:MOST_TOKENS] for ids in encoder.tokens(texts)]
    plan = _Plan.of(codes, judged, np.array([len(ids) for ids in tokens]), minutes, seed)
    tuner = tuning.Tuner(default_source(), tokens, weights)
    scores = np.full((len(codes), n_intents), np.nan, dtype=np.float32)
    planned = made = 0
    for rows, held, end in zip(plan.learned, plan.held_out, plan.ends, strict=True):
        steps = max(1, round(plan.epochs * len(rows) / tuning.BATCH))
        start = _means(vectors[rows], codes[rows], n_intents)
        tuned = tuner.tune(rows, codes[rows], start, steps, seed, started + 60 * minutes * end - time.monotonic())
        planned, made = planned + steps, made + tuned.steps
        own, view = tuned_encoder(tuned.layers), TunedView(tuned.head)
        if held.any():
            scores[held] = view.scores(own.encode_layers([texts[row] for row in np.flatnonzero(held).tolist()], weights))
    seconds = time.monotonic() - started
    _log.info("fine-tuned the encoder: %.1f epochs in %.0f of %.0f seconds", plan.epochs, seconds, 60 * minutes)
    if made < planned:
        _log.warning("fine-tuning had time for %d of %d steps: expect worse answers, and others next time", made, planned)
    return FineTuned(own, view, scores, {"finetune_epochs": plan.epochs, "finetune_done": made / planned}, seconds)


def _tuning() -> ModuleType:
    """The module that needs torch."""
    try:
        return importlib.import_module("models.intent.tuning")
    except ImportError as error:
        raise InputError(
            f"expected {error.name} to fine-tune the encoder with, which is not installed: pip install 'foretell[train,finetune]', "
            "or leave finetune_minutes at 0"
        ) from error


def _means(vectors: Floats, codes: Codes, n_intents: int) -> Floats:
    """The mean direction of each intent's vectors, of shape (width, intents); of an intent without rows, that of all."""
    members = members_of(codes, n_intents)
    means: Floats = np.where(members.any(axis=0), vectors.T @ members, vectors.sum(axis=0)[:, None])
    means /= np.linalg.norm(means, axis=0)
    return means
