"""How root cause is trained and judged: on past incidents where they are labelled, and on faults planted into held-out normal time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import lru_cache
from hashlib import blake2b
from itertools import chain, cycle, islice, product
from typing import TYPE_CHECKING, Any

import numpy as np

from models.base import Model
from models.root_cause import LogLine, RootCause, RootCauseExample, RootCausePrediction, RootCauseQuery, Suspect
from models.root_cause.cluster_map import ClusterMapRequest
from models.root_cause.drawing import draw_timeline
from models.root_cause.learning import is_pause
from training.figures import bar
from training.metrics import false_confidence_rate, ranking_metrics
from training.recipe import Case, Gate, Predictor, Recipe, Split
from training.splits import by_hash, by_time

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_NORMAL_ROWS = 300_000
HOLDOUT_SHARE = 0.3
STRETCH_MINUTES = 5
EVERY = 2**64 * STRETCH_MINUTES
"""A rank that all minutes are below."""
LEAST_WINDOW_LINES, USUAL_WINDOW_LINES = 700, 5_000
PLANTED_PER_FAULT = 8
FAULTS = ("delay", "errors", "crash")

RootCauseCase = Case[RootCauseQuery, str | None]


def split(rows: Sequence[RootCauseExample], seed: int) -> Split[RootCauseExample]:
    """The latest part of normal time is held out; every incident goes whole to one side."""
    normal = by_time([row for row in rows if row.incident is None], lambda row: row.timestamp, HOLDOUT_SHARE)
    incidents = [row for row in rows if row.incident is not None]
    if len({row.incident for row in incidents}) < 2:
        return Split([*normal.train], [*normal.holdout, *incidents])
    past = by_hash(incidents, lambda row: row.incident, HOLDOUT_SHARE, seed)
    return Split([*normal.train, *past.train], [*normal.holdout, *past.holdout])


def gather(batches: Iterable[Iterable[RootCauseExample]]) -> list[RootCauseExample]:
    """Rows of files of any length in bounded memory: all lines of incidents, and of normal time whole minutes, drawn by a hash.

    Minutes are whole, and drawn five in a row where a log is not too busy for that, so that rates and the steps of requests within them
    are as they were.
    """
    kept: list[tuple[int, RootCauseExample]] = []
    incidents: list[RootCauseExample] = []
    limit = EVERY
    for row in chain.from_iterable(batches):
        if row.incident is not None:
            incidents.append(row)
        elif (rank := _rank(int(row.timestamp.timestamp()) // 60)) < limit:
            kept.append((rank, row))
            if len(kept) > 1.25 * MOST_NORMAL_ROWS:
                limit = _limit([rank for rank, _ in kept], MOST_NORMAL_ROWS)
                kept = [one for one in kept if one[0] < limit]
    return [row for _, row in kept] + incidents


@lru_cache(maxsize=2**10)
def _rank(minute: int) -> int:
    stretch, place = divmod(minute, STRETCH_MINUTES)
    return int.from_bytes(blake2b(stretch.to_bytes(8, signed=True), digest_size=8).digest()) * STRETCH_MINUTES + place


def _limit(ranks: Sequence[int], most: int) -> int:
    """The rank below which at most so many rows are; one minute stays in any case."""
    counts = sorted(Counter(ranks).items())
    total = 0
    for place, (rank, count) in enumerate(counts):
        total += count
        if total > most and place > 0:
            return rank
    return EVERY


def cases(split: Split[RootCauseExample], seed: int) -> list[RootCauseCase]:
    """The labelled incidents of the hold-out, then windows of its normal time, each as it is and with planted faults."""
    incidents: dict[str, list[RootCauseExample]] = defaultdict(list)
    for row in split.holdout:
        if row.incident is not None and row.root_service is not None:
            incidents[row.incident].append(row)
    real = [Case(RootCauseQuery.from_lines(rows), rows[0].root_service, {"incident": "real"}) for rows in incidents.values()]
    normal = sorted((row for row in split.holdout if row.incident is None), key=lambda row: row.timestamp)
    rng = np.random.default_rng(seed)
    windows = _windows(normal)
    untouched: list[RootCauseCase] = [Case(RootCauseQuery.from_lines(window), None, {"incident": "none"}) for window in windows]
    chosen = product(FAULTS, islice(cycle(windows), PLANTED_PER_FAULT))
    return [*real, *untouched, *(_planted(window, fault, rng) for fault, window in chosen)]


def _windows(normal: Sequence[LogLine]) -> list[Sequence[LogLine]]:
    """Windows of normal time without a pause in them, in order; the longest ones."""
    gaps = np.diff([line.timestamp.timestamp() for line in normal])
    ends = [*(np.flatnonzero(is_pause(gaps)) + 1).tolist(), len(normal)]
    lines = min(max(len(normal) // PLANTED_PER_FAULT, LEAST_WINDOW_LINES), USUAL_WINDOW_LINES)
    parts = [part for run in np.split(np.arange(len(normal)), ends[:-1]) for part in np.array_split(run, max(1, len(run) // lines))]
    longest = sorted(parts, key=len)[-PLANTED_PER_FAULT:]
    enough = [part for part in longest if len(part) >= LEAST_WINDOW_LINES] or longest[-1:]
    return [[normal[i] for i in part] for part in sorted(enough, key=lambda part: int(part[0])) if len(part)]


def _planted(window: Sequence[LogLine], fault: str, rng: np.random.Generator) -> RootCauseCase:
    """A window of normal time with one fault in its second half."""
    counts = Counter(line.service for line in window)
    guilty = str(rng.choice(sorted(service for service in counts if counts[service] >= max(counts.values()) / 10)))
    began = window[len(window) // 2].timestamp
    change = {"delay": _delayed, "errors": _failing, "crash": _crashed}[fault]
    lines = change(window, guilty, began)
    return Case(RootCauseQuery.from_lines(lines), guilty, {"incident": f"planted: {fault}"})


def _delayed(window: Iterable[LogLine], guilty: str, began: Any) -> list[LogLine]:
    """Every step of the service takes a second longer, and all that follows in the same trace is late with it."""
    late: Counter[str] = Counter()
    lines = []
    for line in window:
        request = line.trace_id or line.service
        late[request] += line.service == guilty and line.timestamp >= began
        lines.append(line.model_copy(update={"timestamp": line.timestamp + timedelta(seconds=late[request])}))
    return lines


def _failing(window: Iterable[LogLine], guilty: str, began: Any) -> list[LogLine]:
    """Every other line of the service becomes an exception, and its trace ends there."""
    ended, lines = set(), []
    for number, line in enumerate(window):
        if line.trace_id in ended:
            continue
        if line.service == guilty and line.timestamp >= began and number % 2:
            if line.trace_id:
                ended.add(line.trace_id)
            lines.append(line.model_copy(update={"message": "java.lang.IllegalStateException: cannot go on", "level": "ERROR"}))
        else:
            lines.append(line)
    return lines


def _crashed(window: Iterable[LogLine], guilty: str, began: Any) -> list[LogLine]:
    """The service writes no more; a request that needs it ends there, and whoever spoke last in it complains."""
    last: dict[str, LogLine] = {}
    lines, ended = [], set()
    for line in window:
        if line.trace_id in ended:
            continue
        if line.service != guilty or line.timestamp < began:
            lines.append(line)
        elif line.trace_id in last:
            complaint = {"message": f"connection refused by {guilty}", "level": "ERROR", "timestamp": line.timestamp}
            lines.append(last[line.trace_id].model_copy(update=complaint))
        if line.trace_id:
            last[line.trace_id] = line
            if line.service == guilty and line.timestamp >= began:
                ended.add(line.trace_id)
    return lines


def evaluate(predictions: Sequence[RootCausePrediction], cases: Sequence[RootCauseCase]) -> dict[str, float]:
    """AC@1 and AC@3 over the cases with a cause; false confidence over all."""
    rankings = [[suspect.service for suspect in prediction.suspects] for prediction in predictions]
    relevant = [{case.truth} if case.truth else set() for case in cases]
    sure = [prediction.verdict == "root_cause" for prediction in predictions]
    right = [prediction.root_cause == case.truth for prediction, case in zip(predictions, cases, strict=True)]
    return {**ranking_metrics(rankings, relevant, ["ac_at_1", "ac_at_3"]), "false_confidence_rate": false_confidence_rate(sure, right)}


def baseline(rows: Sequence[RootCauseExample]) -> Predictor[RootCauseQuery, RootCausePrediction]:
    """Blame whoever logs most ERROR lines."""
    return lambda queries: [_loudest(query) for query in queries]


def _loudest(query: RootCauseQuery) -> RootCausePrediction:
    counts = Counter(line.service for line in query.lines if line.level == "ERROR")
    ranking = sorted(counts, key=lambda service: (-counts[service], service))
    suspects = tuple(
        Suspect(
            service=service,
            probability=counts[service] / counts.total(),
            surprise=counts[service],
            parts={"errors": counts[service]},
            onset_at=None,
            lag_seconds=None,
            blames=None,
            evidence=(),
        )
        for service in ranking
    )
    return RootCausePrediction(
        verdict="root_cause" if ranking else "insufficient_evidence",
        root_cause=ranking[0] if ranking else None,
        no_cause_probability=0.0 if ranking else 1.0,
        suspects=suspects,
        impact=(),
        message_kinds=(),
        what_would_help=(),
        lines=len(query.lines),
        timeline=None,
    )


def figures(
    model: Model[Any, RootCauseQuery, RootCauseExample, RootCausePrediction],
    predictions: Sequence[RootCausePrediction],
    cases: Sequence[RootCauseCase],
) -> dict[str, Figure | str]:
    """The map of message kinds; timeline and suspects of the surest right answer, to a real incident if there is one."""
    found: dict[str, Figure | str] = {"cluster_map": model.cluster_map(ClusterMapRequest())} if isinstance(model, RootCause) else {}
    right = [i for i, case in enumerate(cases) if case.truth is not None and predictions[i].root_cause == case.truth]
    if right:
        best = min(right, key=lambda i: (cases[i].slices["incident"] != "real", predictions[i].no_cause_probability))
        found["timeline"] = draw_timeline(predictions[best])
        found["suspects"] = suspects(predictions[best])
    return found


def suspects(prediction: RootCausePrediction) -> Figure:
    """How likely each suspect is the cause."""
    chances = {suspect.service: suspect.probability for suspect in prediction.suspects}
    return bar({**chances, "no cause in these lines": prediction.no_cause_probability}, "Who caused it", "probability")


RECIPE = Recipe(
    slug="root_cause",
    split=split,
    split_protects="Against knowing the future of normal time, and against lines of one incident on both sides.",
    cases=cases,
    evaluate=evaluate,
    baseline=baseline,
    baseline_name="the service with most ERROR lines",
    primary="ac_at_1",
    gates=(Gate("ac_at_1", at_least=0.4), Gate("false_confidence_rate", at_most=0.1)),
    figures=figures,
    gather=gather,
    limits="""
- The figures mix labelled incidents of the hold-out, if there are any, with **faults planted into held-out normal windows** (delays,
  exceptions that end a request, crashes; every window is also asked about untouched). Planted faults are cleaner than real ones: trust the
  slice `incident = real` more, where there is one.
- A probability is calibrated on planted faults of the same kinds.
- Do not use it when normal time and incident differ for other reasons: a release in between, another day's traffic with only minutes
  of normal time, a service that was not logged before.
- Where a log is lost from some moment on while its service goes on working, the neighbours may be suspected: requests look cut short.
- A service that writes no logs can only be suspected through those who complain about it or wait for it.
""",
)
