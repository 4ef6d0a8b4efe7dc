"""Intent, from twenty rows to a million and from one intent to 150: seconds and memory of learning, each in a process of its own.

The rows are made up: words of an intent among words that all intents use, and no two rows alike.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from models.intent import Intent, IntentExample, IntentQuery
from tests.benchmarks._alone import alone, peak_mebibytes

DATA = "intent"

SIZES = ((1, 20), (1, 1_000), (77, 1_000), (150, 1_000), (77, 10_000), (150, 10_000), (150, 100_000), (150, 1_000_000))
"""Intents, and rows."""

_COMMON, _OWN, _ASKED = 2_000, 12, 100
_LETTERS = np.array(list("abcdefghijklmnoprstuvwyz"))


def run(data: Path) -> list[dict[str, object]]:
    """One row a size; the folder is not read."""
    return [alone(__file__, *size) for size in SIZES]


def _measured(n_intents: int, n_rows: int) -> dict[str, object]:
    rows = made_up(n_intents, n_rows)
    began, before = time.perf_counter(), peak_mebibytes()
    model = Intent().fit(rows)
    seconds, peak = time.perf_counter() - began, peak_mebibytes()
    asked = made_up(n_intents, _ASKED, seed=1)
    answers = model.predict([IntentQuery(text=row.text) for row in asked])
    with TemporaryDirectory() as folder:
        model.save(Path(folder, "model"))
        megabytes = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6
    return {
        "system": "foretell",
        "data": f"{n_intents} intents, {n_rows:,} rows",
        "fit_seconds": round(seconds, 1),
        "rows_mib": round(before),
        "peak_mib": round(peak),
        "megabytes": round(megabytes, 1),
        "accuracy": float(np.mean([answer.intent == row.intent for answer, row in zip(answers, asked, strict=True)])),
    }


def made_up(n_intents: int, n_rows: int, seed: int = 0) -> list[IntentExample]:
    """Rows of every intent in turn; another seed gives other rows of the same intents."""
    names = np.random.default_rng(0)
    common = [_word(names) for _ in range(_COMMON)]
    own = [[_word(names) for _ in range(_OWN)] for _ in range(n_intents)]
    rng = np.random.default_rng([seed, 1])
    told, filled = rng.permuted(np.tile(np.arange(_OWN), (n_rows, 1)), axis=1)[:, :2], rng.integers(_COMMON, size=(n_rows, 6))
    order = rng.permuted(np.tile(np.arange(8), (n_rows, 1)), axis=1)
    rows = []
    for number in range(n_rows):
        intent = number % n_intents
        parts = [*(own[intent][place] for place in told[number]), *(common[place] for place in filled[number])]
        rows.append(IntentExample(text=" ".join(parts[place] for place in order[number]), intent=f"intent_{intent}"))
    return rows


def _word(rng: np.random.Generator) -> str:
    return "".join(rng.choice(_LETTERS, rng.integers(3, 9)))


if __name__ == "__main__":
    print(json.dumps(_measured(int(sys.argv[1]), int(sys.argv[2]))))
