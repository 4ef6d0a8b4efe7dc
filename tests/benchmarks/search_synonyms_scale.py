"""Search synonyms, ten million events: from a Parquet file to a dictionary, in a process of its own; then one query at a time."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from data.search_synonyms import prepare
from models.rows import read_batches
from models.search_synonyms import SearchSynonyms, SearchSynonymsExample, SearchSynonymsQuery
from models.search_synonyms.questions import CompleteRequest
from models.search_synonyms.searches import Searches
from tests.benchmarks._alone import alone, peak_mebibytes

DATA = "search_synonyms"

SEED = 90_001
EVENTS = 10_000_000
SIMULATED_VISITS = 250_000
TAIL = 0.15
"""Share of the queries that nobody else asks."""

ASKED = 2_000


def run(data: Path) -> list[dict[str, object]]:
    """One row; the log is made up, so the folder is not read."""
    with TemporaryDirectory() as folder:
        path = big_log(Path(folder) / "log.parquet", EVENTS)
        return [alone(__file__, path)]


def measured(path: Path) -> dict[str, object]:
    """Read, fit and ask in this process, which must have done nothing else."""
    began, worked = time.perf_counter(), time.process_time()
    searches = Searches.gathered(read_batches(path, SearchSynonymsExample))
    read = time.perf_counter()
    model = SearchSynonyms().fit(searches)
    learned, work = time.perf_counter(), time.process_time() - worked
    peak = peak_mebibytes()
    queries = [SearchSynonymsQuery(query=query) for query in searches.queries[: 10 * ASKED : 10]]
    cold, warm = (_milliseconds(model, queries) for _ in range(2))
    return {
        "system": "foretell",
        "data": f"{len(searches):,} events, Parquet",
        "minutes": round((learned - began) / 60, 2),
        "read_seconds": round(read - began, 1),
        "processor_seconds": round(work, 1),
        "peak_memory_mib": round(peak),
        "bytes_per_event": round(searches.nbytes() / len(searches), 1),
        "distinct_queries": len(searches.queries),
        "rules": len(model.dictionary_),
        "predict_p50_ms": round(float(np.median(cold)), 3),
        "predict_p99_ms": round(float(np.quantile(cold, 0.99)), 3),
        "predict_again_p99_ms": round(float(np.quantile(warm, 0.99)), 3),
        "complete_p99_ms": round(float(np.quantile(_completing(model, queries), 0.99)), 3),
    }


def _milliseconds(model: SearchSynonyms, queries: list[SearchSynonymsQuery]) -> list[float]:
    """Processor time of each answer: what others do on the machine does not count."""
    return [_took(partial(model.predict, [query])) for query in queries]


def _completing(model: SearchSynonyms, queries: list[SearchSynonymsQuery]) -> list[float]:
    """The same for the beginnings of queries, of one letter to six."""
    asked = (CompleteRequest(prefix=query.query[: 1 + place % 6]) for place, query in enumerate(queries))
    return [_took(partial(model.complete, request)) for request in asked]


def _took(answer: Callable[[], object]) -> float:
    start = time.thread_time()
    answer()
    return 1e3 * (time.thread_time() - start)


def big_log(path: Path, events: int) -> Path:
    """Copies of a simulated log, each by other users at other times, with a tail of queries that nobody else asks."""
    site = prepare.Site("electronics", seed=SEED)
    simulated = pl.DataFrame(list(prepare.generate(site, SIMULATED_VISITS)), schema=list(prepare.Row._fields), orient="row")
    simulated = simulated.select("user_id", "timestamp", "query", "n_results", "n_clicks", "scrolled", pl.col("clicked_ids").list.join("|"))
    rng = np.random.default_rng(0)
    parts = []
    for number in range(-(-events // len(simulated))):
        tail = pl.Series(rng.random(len(simulated)) < TAIL)
        parts.append(
            simulated.with_columns(
                user_id=pl.format("{}-{}", "user_id", pl.lit(number)),
                timestamp=(pl.col("timestamp") + number * 977).cast(pl.Int64).cast(pl.String),
                query=pl.when(tail).then(pl.format("{} {}", "query", pl.Series(rng.integers(0, 10**9, len(simulated))))).otherwise("query"),
            )
        )
    pl.concat(parts).head(events).write_parquet(path)
    return path


if __name__ == "__main__":
    print(json.dumps(measured(Path(sys.argv[1]))))
