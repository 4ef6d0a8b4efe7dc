"""What the view of a fine-tuned encoder is worth beside the others; fitted to rows that were held out of the tuning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.intent import calibration
from models.intent.doubt import Doubt, Floats, Tier, mixed, sure_of
from models.intent.judging import Seen, Settings, calibrated, measured

USUAL_WEIGHT = 20.0
"""Of the view, on training rows of Banking77, about."""


def with_tuned(doubt: Doubt, seen: Seen, tuned: Floats, settings: Settings) -> tuple[Doubt, dict[str, float]]:
    """The full tier with one more view, the hand-over to it, and what was measured.

    Out of scope stays with the other views: intents can be hidden from these without tuning once more.

    Parameters
    ----------
    tuned
        The view of each row that was seen; NaN where the row was not held out.
    """
    asked = ~seen.outside & ~np.isnan(tuned).any(axis=1)
    views, truth = [view[asked] for view in (*seen.views, tuned)], seen.codes[asked]
    weights = calibration.exponents(views, truth, (*calibration.USUAL_WEIGHTS[: len(views) - 1], USUAL_WEIGHT))
    right = mixed(weights, views).argmax(axis=1) == truth
    fast_right = doubt.fast.probabilities(views[:1]).argmax(axis=1) == truth
    sure = sure_of(seen.fast(doubt.fast)[asked], doubt.fast.scope)
    # A better full tier is worth asking more often, never less: the old limit also keeps out-of-scope texts from the fast tier.
    handover = max(doubt.handover, calibration.handover(sure, fast_right, right, settings.accuracy_loss))
    handed = sure <= handover
    fast, full = calibrated(doubt.fast, Tier(weights, doubt.full.scope), views, truth, handed, settings.coverage)
    untuned = float((doubt.full.probabilities(views[:-1]).argmax(axis=1) == truth).mean())
    figures = measured(handover, handed, fast_right, right) | {"untuned_accuracy": untuned}
    return replace(doubt, fast=fast, handover=handover, tuned=full), figures
