"""Milliseconds of intent for one text, in process: both tiers, the encoder alone, and fastText alone.

They take turns, so that each sees the same machine. ``times_the_encoder`` is the median of a system's time by the encoder's in the same
turn: it holds on a busy machine too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from models.intent import Intent, IntentExample, IntentQuery
from tests.benchmarks.intent import fast_text, folders, task_of

DATA = "intent/banking77"

ASKED = 300


def run(data: Path) -> list[dict[str, object]]:
    """One row a tier or peer and set."""
    rows: list[dict[str, object]] = []
    for task in filter(None, map(task_of, folders(data))):
        model, peer = Intent().fit(IntentExample(text=text, intent=intent) for text, intent in task.train), fast_text(task.train)
        texts = [text for text, _ in task.test]
        answers = model.predict([IntentQuery(text=text) for text in texts])
        easy, hard = ([text for text, answer in zip(texts, answers, strict=True) if answer.tier == tier][:ASKED] for tier in (1, 2))
        turns = [_turn(model, peer, *pair) for pair in zip(easy, hard, strict=False)]
        encoder = np.array([turn[_ENCODER] for turn in turns])
        for system in turns[0]:
            took = np.array([turn[system] for turn in turns])
            figures = {f"p{percent}_ms": np.percentile(took, percent) for percent in (10, 50, 99)}
            figures["times_the_encoder"] = np.median(took / encoder)
            rows.append({"system": system, "data": task.data, **{name: round(float(value), 4) for name, value in figures.items()}})
    return rows


_ENCODER = "MiniLM int8 alone"


def _turn(model: Intent, peer: Callable[[Sequence[str]], object], easy: str, hard: str) -> dict[str, float]:
    return {
        _ENCODER: _took(partial(model.cascade_.encoder.encode, [hard])),
        "foretell, tier 2": _took(partial(model.predict, [IntentQuery(text=hard)])),
        "foretell, tier 1": _took(partial(model.predict, [IntentQuery(text=easy)])),
        "fastText": _took(partial(peer, [easy])),
    }


def _took(answer: Callable[[], object]) -> float:
    start = time.perf_counter()
    answer()
    return 1e3 * (time.perf_counter() - start)
