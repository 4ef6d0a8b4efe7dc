"""Injected faults in TrainTicket: which service is at fault, from the logs alone.

The data folder holds ``cases.json`` (root_service, fault, files) and the log files that it and ``normal_*.csv.gz`` name. The model
sees the normal files and the lines of one case: no label, no other case, and not when the fault was injected.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import field_validator

from models.root_cause import LogLine, RootCause, RootCauseConfig, RootCauseExample, RootCauseQuery
from models.root_cause.types import PlantedFault
from models.rows import read_rows
from training.metrics import ranking_metrics

DATA = "root_cause/trainticket"
COLUMNS = {"timestamp": "ts", "message": "msg"}


class TrainTicketLine(LogLine):
    """A line of these files: a handful of their times, all UTC, lost the zone at their end."""

    @field_validator("timestamp", mode="before")
    @classmethod
    def _in_utc(cls, value: object) -> object:
        return f"{value}Z" if isinstance(value, str) and not value.endswith("Z") else value


LEFT_OUT = "foretell, that kind of fault left out"
LIKE: dict[str, set[PlantedFault]] = {
    "cpu_contention": {"delay"},
    "network_delay": {"delay"},
    "exception": {"errors", "break"},
    "return": {"break", "silence"},
}
"""By kind of fault, what is like it among what is planted into normal time."""

Ranker = Callable[[Sequence[LogLine]], list[str]]


def run(data: Path) -> list[dict[str, object]]:
    """AC@1 and AC@3 over all cases and by kind of fault, beside three trivial answers.

    Nothing is learned from any case. What is planted into normal time, to calibrate probabilities, is no label, but like some of the
    faults; so each kind of fault is asked about again, of a model for which nothing like it was planted.
    """
    cases = json.loads((data / "cases.json").read_text())
    normal = [line for file in sorted(data.glob("normal_*.csv.gz")) for line in read_rows(file, RootCauseExample, COLUMNS)]
    windows = [tuple(line for file in case["files"] for line in read_rows(data / file, TrainTicketLine, COLUMNS)) for case in cases]
    model = RootCause().fit(normal)
    without = {fault: RootCause(_planting_nothing_like(fault)).fit(normal) for fault in sorted({case["fault"] for case in cases})}
    rankings = {"foretell": _suspects(model, windows)}
    rankings[LEFT_OUT] = [_suspects(without[case["fault"]], [window])[0] for case, window in zip(cases, windows, strict=True)]
    peers: dict[str, Ranker] = {"most ERROR lines": most_errors, "first ERROR": first_error, "largest volume change": volume_change(normal)}
    rankings |= {name: [ranker(window) for window in windows] for name, ranker in peers.items()}
    faults = [case["fault"] for case in cases]
    truth = [{case["root_service"]} for case in cases]
    rows: list[dict[str, object]] = []
    for system, ranked in rankings.items():
        for fault in ["all", *sorted(set(faults))]:
            chosen = [i for i, kind in enumerate(faults) if fault in ("all", kind)]
            figures = ranking_metrics([ranked[i] for i in chosen], [truth[i] for i in chosen], ["ac_at_1", "ac_at_3"])
            rows.append({"system": system, "data": f"trainticket, {fault} faults ({len(chosen)})", **figures})
    return rows


def _planting_nothing_like(fault: str) -> RootCauseConfig:
    every = RootCauseConfig().planted_faults
    return RootCauseConfig(planted_faults=tuple(kind for kind in every if kind not in LIKE.get(fault, set())))


def _suspects(model: RootCause, windows: Sequence[tuple[LogLine, ...]]) -> list[list[str]]:
    predictions = model.predict([RootCauseQuery(lines=window) for window in windows])
    return [[suspect.service for suspect in prediction.suspects] for prediction in predictions]


def most_errors(lines: Sequence[LogLine]) -> list[str]:
    """Services by their number of ERROR lines."""
    counts = Counter(line.service for line in lines if line.level == "ERROR")
    return sorted(counts, key=lambda service: (-counts[service], service))


def first_error(lines: Sequence[LogLine]) -> list[str]:
    """Services by the time of their first ERROR line."""
    errors = sorted((line for line in lines if line.level == "ERROR"), key=lambda line: line.timestamp)
    return list(dict.fromkeys(line.service for line in errors))


def volume_change(normal: Sequence[LogLine]) -> Ranker:
    """Services by how many times their share of the lines changed."""
    usual = Counter(line.service for line in normal)

    def ranker(lines: Sequence[LogLine]) -> list[str]:
        now = Counter(line.service for line in lines)
        ratio = {s: ((now[s] + 1) / (len(lines) + 1)) / ((usual[s] + 1) / (len(normal) + 1)) for s in now | usual}
        return sorted(ratio, key=lambda service: (-max(ratio[service], 1 / ratio[service]), service))

    return ranker
