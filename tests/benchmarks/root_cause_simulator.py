"""Planted incidents in a made-up shop, a quarter of them without any cause in the logs; beside trivial answers.

Needs no data: the lines come from the generator in ``data/root_cause/prepare.py``, with other seeds than the sample's.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from models.root_cause import LogLine, RootCause, RootCauseExample, RootCausePrediction, RootCauseQuery
from training.metrics import false_confidence_rate, ranking_metrics

DATA = ""

INCIDENTS = 80
SEED = 731_994
"""Of incidents that nobody looked at while the model was built; whoever does must take another."""

Answer = tuple[list[str], bool]
"""The suspects, and whether the first is claimed to be the cause."""


def run(data: Path) -> list[dict[str, object]]:
    """One row per system, over all incidents, and ours by kind of fault."""
    shop, rng = generator(), np.random.default_rng(SEED)
    normal = [RootCauseExample.model_validate(row) for row in shop.normal(rng, shop.START, shop.NORMAL_SECONDS)]
    cases = [_case(shop, number, rng) for number in range(INCIDENTS)]
    queries = [RootCauseQuery(lines=lines) for _, _, lines in cases]
    model = RootCause().fit(normal)
    answers: dict[str, list[Answer]] = {"foretell": [_ours(prediction) for prediction in model.predict(queries)]}
    answers |= {"most ERROR lines": [_most_errors(query.lines) for query in queries]}
    answers |= {"first ERROR": [_first_error(query.lines) for query in queries]}
    truth = [(kind, service) for kind, service, _ in cases]
    rows: list[dict[str, object]] = [_figures(system, "all", given, truth) for system, given in answers.items()]
    for kind in sorted({kind for kind, _ in truth}):
        chosen = [i for i, (other, _) in enumerate(truth) if other == kind]
        rows.append(_figures("foretell", kind, [answers["foretell"][i] for i in chosen], [truth[i] for i in chosen]))
    return rows


def generator() -> ModuleType:
    """The sample's generator, which is a script and no package."""
    path = Path(__file__).parents[2] / "data" / "root_cause" / "prepare.py"
    spec = importlib.util.spec_from_file_location("root_cause_prepare", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _case(shop: Any, number: int, rng: np.random.Generator) -> tuple[str, str, tuple[LogLine, ...]]:
    kind = "none" if number % 4 == 0 else shop.FAULTS[number % len(shop.FAULTS)]
    service = "" if kind == "none" else str(rng.choice(shop.SERVICES))
    rows = shop.incident(rng, shop.START + timedelta(hours=number + 1), kind, service)
    return kind, service, tuple(LogLine.model_validate(row) for row in rows)


def _ours(prediction: RootCausePrediction) -> Answer:
    return [suspect.service for suspect in prediction.suspects], prediction.verdict == "root_cause"


def _most_errors(lines: Sequence[LogLine]) -> Answer:
    counts = Counter(line.service for line in lines if line.level == "ERROR")
    return [service for service, _ in counts.most_common()], bool(counts)


def _first_error(lines: Sequence[LogLine]) -> Answer:
    found = list(dict.fromkeys(line.service for line in lines if line.level == "ERROR"))
    return found, bool(found)


def _figures(system: str, data: str, answers: Sequence[Answer], truth: Sequence[tuple[str, str]]) -> dict[str, object]:
    rankings = [ranking for ranking, _ in answers]
    relevant = [{service} if service else set() for _, service in truth]
    correct = [ranking[:1] == [service] for ranking, (_, service) in zip(rankings, truth, strict=True)]
    wrong = false_confidence_rate([sure for _, sure in answers], correct)
    figures = ranking_metrics(rankings, relevant, ["ac_at_1", "ac_at_3"])
    return {"system": system, "data": f"{data} ({len(truth)} incidents)", **figures, "false_confidence_rate": wrong}
