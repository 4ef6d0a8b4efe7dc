"""Planted incidents in a made-up shop, a quarter of them without any cause in the logs; beside trivial answers.

Slow services, exceptions, crashes, starved memory, wrong configuration and floods of requests, each with clean logs, with a wrong clock,
with lost lines and with a log missing; deploys that have nothing to do with it, and a neighbour that is noisy for no reason.

Needs no data: the lines come from the generator in ``data/root_cause/prepare.py``, with other seeds than the sample's.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

import numpy as np

from models.root_cause import LogLine, RootCause, RootCauseExample, RootCausePrediction, RootCauseQuery
from tests.benchmarks.root_cause_faults import volume_change
from training.metrics import false_confidence_rate, ranking_metrics

DATA = ""

INCIDENTS = 240
SEED = 518_307
"""Of incidents that nobody looked at while the model was built; whoever does must take another."""

Answer = tuple[list[str], bool]
"""The suspects, and whether the first is claimed to be the cause."""


L = TypeVar("L", bound=LogLine)


class Incident(NamedTuple):
    """What was planted, and what is told of it."""

    kind: str
    condition: str
    service: str
    query: RootCauseQuery


def run(data: Path) -> list[dict[str, object]]:
    """One row per system over all incidents, by kind of fault, and by condition of the logs; ours without trace ids, too."""
    normal, incidents = simulate(SEED)
    queries = [incident.query for incident in incidents]
    model = RootCause().fit(normal)
    answers: dict[str, list[Answer]] = {"foretell": [_ours(prediction) for prediction in model.predict(queries)]}
    answers |= {"most ERROR lines": [_most_errors(query.lines) for query in queries]}
    answers |= {"first ERROR": [_first_error(query.lines) for query in queries]}
    answers |= {"largest volume change": [_volume_change(query.lines, normal) for query in queries]}
    names = ["all", *sorted({i.kind for i in incidents}), *sorted({i.condition for i in incidents})]
    rows = []
    for system, given in answers.items():
        for name in names:
            chosen = [n for n, incident in enumerate(incidents) if name in ("all", incident.kind, incident.condition)]
            rows.append(_figures(system, name, [given[i] for i in chosen], [incidents[i].service for i in chosen]))
    blind = RootCause().fit([_without_trace(line) for line in normal])
    untraced = [query.model_copy(update={"lines": tuple(map(_without_trace, query.lines))}) for query in queries]
    given = [_ours(prediction) for prediction in blind.predict(untraced)]
    return [*rows, _figures("foretell", "all, without traces", given, [incident.service for incident in incidents])]


def _without_trace(line: L) -> L:
    return line.model_copy(update={"trace_id": None})


def simulate(seed: int) -> tuple[list[RootCauseExample], list[Incident]]:
    """Normal time, and incidents."""
    shop, rng = generator(), np.random.default_rng(seed)
    normal = [RootCauseExample.model_validate(row) for row in shop.normal(rng, shop.START, shop.NORMAL_SECONDS)]
    return normal, [_incident(shop, number, rng) for number in range(INCIDENTS)]


def generator() -> ModuleType:
    """The sample's generator, which is a script and no package."""
    path = Path(__file__).parents[2] / "data" / "root_cause" / "prepare.py"
    spec = importlib.util.spec_from_file_location("root_cause_prepare", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _incident(shop: Any, number: int, rng: np.random.Generator) -> Incident:
    kind = "none" if number % 4 == 0 else shop.FAULTS[(number - number // 4 - 1) % len(shop.FAULTS)]
    condition = shop.CONDITIONS[number // 8 % len(shop.CONDITIONS)]
    service = "" if kind == "none" else str(rng.choice(shop.SERVICES))
    told = shop.told(rng, shop.START + timedelta(hours=number + 1), kind, service, condition)
    return Incident(kind, condition, service, RootCauseQuery.model_validate({"lines": told.rows, "changes": told.changes}))


def _ours(prediction: RootCausePrediction) -> Answer:
    return [suspect.service for suspect in prediction.suspects], prediction.verdict == "root_cause"


def _most_errors(lines: Sequence[LogLine]) -> Answer:
    counts = Counter(line.service for line in lines if line.level == "ERROR")
    return [service for service, _ in counts.most_common()], bool(counts)


def _first_error(lines: Sequence[LogLine]) -> Answer:
    found = list(dict.fromkeys(line.service for line in lines if line.level == "ERROR"))
    return found, bool(found)


def _volume_change(lines: Sequence[LogLine], normal: Sequence[LogLine]) -> Answer:
    ranking = volume_change(normal)(lines)
    return ranking, True


def _figures(system: str, data: str, answers: Sequence[Answer], truth: Sequence[str]) -> dict[str, object]:
    rankings = [ranking for ranking, _ in answers]
    relevant = [{service} if service else set() for service in truth]
    correct = [ranking[:1] == [service] for ranking, service in zip(rankings, truth, strict=True)]
    wrong = false_confidence_rate([sure for _, sure in answers], correct)
    figures = ranking_metrics(rankings, relevant, ["ac_at_1", "ac_at_3"]) if any(truth) else {}
    return {"system": system, "data": f"{data} ({len(truth)} incidents)", **figures, "false_confidence_rate": wrong}
