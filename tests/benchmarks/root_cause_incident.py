"""One incident of 50,000 lines, the most a query may hold: how long an answer takes in a process that only serves, and how much memory.

Needs no data: the lines come from the generator in ``data/root_cause/prepare.py``, with 36 times its usual load.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import numpy as np

from models.root_cause import RootCause, RootCauseExample, RootCauseQuery
from models.root_cause.types import MAX_LINES
from tests.benchmarks._alone import alone, peak_mebibytes

DATA = ""
LOAD = 36.0
SEED = 11


def run(data: Path) -> list[dict[str, object]]:
    """Seconds to read and to answer the question, and peak memory of the process that did."""
    from tests.benchmarks.root_cause_simulator import generator  # the process that is measured does without

    shop, rng = generator(), np.random.default_rng(SEED)
    normal = [RootCauseExample.model_validate(row) for row in shop.normal(rng, shop.START, shop.NORMAL_SECONDS)]
    fault = shop.Fault("exception", "payment", 40.0)
    lines = shop.lines_of(rng, shop.START + timedelta(hours=1), shop.INCIDENT_SECONDS, fault, LOAD)[:MAX_LINES]
    with tempfile.TemporaryDirectory() as folder:
        model, question = Path(folder) / "model", Path(folder) / "question.json"
        RootCause().fit(normal).save(model)
        question.write_text(RootCauseQuery.model_validate({"lines": lines}).model_dump_json())
        figures = alone(__file__, model, question)
    return [{"system": "foretell", "data": f"{len(lines):,} lines, encoder included", **figures}]


def _measure(model: Path, question: Path) -> dict[str, float]:
    root_cause = RootCause.load(model)
    root_cause.predict([RootCauseQuery(lines=())])
    start = time.perf_counter()
    query = RootCauseQuery.model_validate_json(question.read_bytes())
    read = time.perf_counter()
    (prediction,) = root_cause.predict([query])
    done = time.perf_counter()
    return {
        "read_seconds": read - start,
        "answer_seconds": done - read,
        "peak_megabytes": peak_mebibytes(),
        "right": float(prediction.root_cause == "payment"),
    }


if __name__ == "__main__":
    print(json.dumps(_measure(Path(sys.argv[1]), Path(sys.argv[2]))))
