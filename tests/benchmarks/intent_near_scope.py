"""Out of scope near to what is in scope: a quarter of the intents is held out of training; a mean over draws, beside peers.

The held-out intents' test rows must be told from all others. ``max_probability_oos_roc_auc`` is what the probability of the answer alone
tells of Foretell's encoder tier, ``tier_2_oos_roc_auc`` what that tier tells, ``oos_roc_auc`` what is answered by both tiers together.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.benchmarks.intent import SYSTEMS, Rows, Task, folders, task_of
from tests.benchmarks.intent_few_shot import mean_of

DATA = "intent/banking77"

SEEDS, HELD_OUT = (0, 1, 2), 0.25


def run(data: Path) -> list[dict[str, object]]:
    """One row a set and system."""
    return [
        {"system": system, "data": f"{task.data}, intents held out", **mean_of(system, _draws(task))}
        for task in filter(None, map(task_of, folders(data)))
        for system in SYSTEMS
    ]


def _draws(task: Task) -> list[Task]:
    return [Task(task.data, _some_intents(task.train, seed), task.test) for seed in SEEDS]


def _some_intents(rows: Rows, seed: int) -> Rows:
    intents = np.random.default_rng(seed).permutation(sorted({intent for _, intent in rows}))
    hidden = set(intents[: round(len(intents) * HELD_OUT)].tolist())
    return [row for row in rows if row[1] not in hidden]
