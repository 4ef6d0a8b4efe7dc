"""Finds intents that overlap: pairs that out-of-fold answers confuse, with the examples that show it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST_CONFUSED = 2
SHOWN_PAIRS = 20
SHOWN_EXAMPLES = 3


def overlaps(
    intents: Sequence[str], codes: NDArray[np.intp], probabilities: NDArray[np.float64], texts: Sequence[str]
) -> list[dict[str, Any]]:
    """Pairs of intents, the most confused first.

    Parameters
    ----------
    codes, probabilities, texts
        Of each training row in scope; probabilities are those of a model that had not seen the row.

    Returns
    -------
    list of dict
        ``one`` and ``other``, ``confused`` (rows of either that were taken for the other), ``share`` of the rows of both, and
        ``examples``: as ``text``, the ``intent`` it is labelled with, ``taken_for``.
    """
    taken = probabilities.argmax(axis=1)
    pairs: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row in np.flatnonzero(taken != codes).tolist():
        pairs[min(codes[row], taken[row]), max(codes[row], taken[row])].append(row)
    counts = np.bincount(codes, minlength=len(intents))
    found: list[dict[str, Any]] = []
    for (one, other), rows in pairs.items():
        if len(rows) >= LEAST_CONFUSED:
            surest = sorted(rows, key=lambda row: -probabilities[row, taken[row]])[:SHOWN_EXAMPLES]
            examples = [{"text": texts[row], "intent": intents[codes[row]], "taken_for": intents[taken[row]]} for row in surest]
            share = len(rows) / int(counts[one] + counts[other])
            found.append({"one": intents[one], "other": intents[other], "confused": len(rows), "share": share, "examples": examples})
    return sorted(found, key=lambda pair: (-pair["confused"], pair["one"], pair["other"]))[:SHOWN_PAIRS]
