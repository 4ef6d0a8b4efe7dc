"""Intent from ten rows per intent, judged on the whole test file; a mean over draws, beside what one would use instead."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np

from tests.benchmarks.intent import SYSTEMS, Rows, Task, folders, judged, task_of

DATA = "intent/banking77"

SEEDS, FEW = (0, 1, 2), 10


def run(data: Path) -> list[dict[str, object]]:
    """One row a set and system."""
    return [
        {"system": system, "data": f"{task.data}, {FEW} per intent", **mean_of(system, _draws(task))}
        for task in filter(None, map(task_of, folders(data)))
        for system in SYSTEMS
    ]


def mean_of(system: str, tasks: list[Task]) -> dict[str, float]:
    """Each figure's mean over tasks."""
    figures = [judged(system, task) for task in tasks]
    return {name: float(np.mean([row[name] for row in figures])) for name in figures[0] if all(name in row for row in figures)}


def _draws(task: Task) -> list[Task]:
    return [Task(task.data, _few(task.train, seed), task.test) for seed in SEEDS]


def _few(rows: Rows, seed: int) -> Rows:
    chosen: defaultdict[str, Rows] = defaultdict(list)
    for place in np.random.default_rng(seed).permutation(len(rows)):
        if len(chosen[rows[place][1]]) < FEW:
            chosen[rows[place][1]].append(rows[place])
    return [row for found in chosen.values() for row in found]
