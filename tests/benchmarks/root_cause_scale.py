"""Ten million log lines, plain and gzipped, through the command line: how long it takes, and the most memory that each command uses.

Needs no data: the lines come from the generator in ``data/root_cause/prepare.py``, over and over at later times, with other values.
"""

from __future__ import annotations

import gzip
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

DATA = ""

LINES = 10_000_000
SEED = 77
STRETCHES = 10
"""Of `NORMAL_SECONDS` each, simulated; all others are copies of them."""
PATTERN = r"(?P<timestamp>\S+) (?P<level>\S+) \[(?P<service>[^,]*),(?P<trace_id>[^\]]*)\] (?P<message>.*)"


def run(data: Path) -> list[dict[str, object]]:
    """A row per command and file."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        plain = write(folder / "shop.log", LINES)
        packed = folder / "shop.log.gz"
        with plain.open("rb") as source, gzip.open(packed, "wb", compresslevel=1) as target:
            shutil.copyfileobj(source, target, 2**20)
        return list(_rows(folder, plain, packed))


def _rows(folder: Path, plain: Path, packed: Path) -> Iterator[dict[str, object]]:
    """Training first: prediction needs a champion."""
    answer = ["--output", str(folder / "answer.jsonl")]
    for command in (
        ["train", "root_cause", "--data", str(plain)],
        ["data", "check", "root_cause", str(plain)],
        ["data", "check", "root_cause", str(packed)],
        ["predict", "root_cause", "--input", str(plain), *answer],
        ["predict", "root_cause", "--input", str(packed), *answer],
    ):
        path = next(part for part in command if "shop.log" in part)
        what = " ".join(part for part in command[:2] if part != "root_cause")
        figures = _measured([*command, "--read", f"pattern={PATTERN}", "--json"], folder / "home")
        yield {"system": "foretell", "data": f"{what}, {LINES:,} lines{', gz' if path.endswith('.gz') else ''}", **figures}


def _measured(arguments: list[str], home: Path) -> dict[str, float]:
    """Seconds, and the most memory that the process held at once."""
    environ = {**os.environ, "FORETELL_HOME": str(home), "PYTHONPATH": str(Path(__file__).parents[2])}
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, "-m", "foretell", *arguments], stdout=subprocess.PIPE, env=environ) as process:
        assert process.stdout is not None
        json.loads(process.stdout.read())
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, arguments)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "lines_per_second": LINES / seconds, "peak_megabytes": _megabytes(used)}


def _megabytes(used: resource.struct_rusage) -> float:
    return used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def write(path: Path, count: int) -> Path:
    """A log of so many lines in the order of time, with a thousand requests a minute and more."""
    from tests.benchmarks.root_cause_simulator import generator

    shop, rng = generator(), np.random.default_rng(SEED)
    stretches = [pl.DataFrame(shop.normal(rng, shop.START, shop.NORMAL_SECONDS)) for _ in range(STRETCHES)]
    written, number = 0, 0
    with path.open("wb") as file:
        while written < count:
            lines = _later(stretches[number % STRETCHES].head(count - written), number, shop.NORMAL_SECONDS, rng)
            file.write(("\n".join(lines) + "\n").encode())
            written, number = written + len(lines), number + 1
    return path


def _later(stretch: pl.DataFrame, number: int, seconds: float, rng: np.random.Generator) -> list[str]:
    """The lines of a stretch as they are logged at a later time, by other users, in other requests."""
    users = pl.Series(rng.integers(1_000, 10**6, len(stretch)).astype(str))
    at = pl.col("timestamp").str.to_datetime("%+", time_unit="us", time_zone="UTC") + timedelta(seconds=number * seconds)
    trace = pl.when(pl.col("trace_id") == "").then(pl.lit("")).otherwise(pl.format("{}-{}", "trace_id", pl.lit(number)))
    told = stretch.select(
        line=pl.format(
            "{} {} [{},{}] {}",
            at.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"),
            "level",
            "service",
            trace,
            pl.col("message").str.replace(r"user \d+", pl.lit("user ") + pl.lit(users)),
        )
    )
    return told["line"].to_list()
