"""Lines a second that one core mines into templates, on a million varied lines, beside Drain3 on the same lines.

Drain3 is run where it is installed: here, or in the Python that ``FORETELL_BENCH_PYTHON`` names, an environment of its own. Each miner
gets one thread and a process of its own, and is timed there from lines in memory to a template for each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from models.environment import environment

DATA = "root_cause/loghub"
LINES = 1_000_000

_OURS = """
from models.root_cause.templates import Templates, mask
masked = mask(lines)
found = Templates.mine(masked).assign(masked)
"""
_DRAIN3 = """
import logging
logging.disable()
from drain3 import TemplateMiner
miner = TemplateMiner()
found = [miner.add_log_message(line)["cluster_id"] for line in lines]
"""
_TIMED = """
import json, pathlib, sys, time
lines = pathlib.Path(sys.argv[1]).read_text().split("\\n")
start = time.perf_counter()
{program}
print(json.dumps({{"seconds": time.perf_counter() - start, "lines": len(found), "templates": len(set(found))}}))
"""


def run(data: Path) -> list[dict[str, object]]:
    """One row per miner."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("\n".join(varied(data, LINES)))
        file.flush()
        found = {"foretell": _measured(Path(sys.executable), _OURS, file.name)}
        if (python := _python_with("drain3")) is not None:
            found["drain3"] = _measured(python, _DRAIN3, file.name)
    return [{"system": system, "data": f"{LINES:,} varied lines", **figures} for system, figures in found.items()]


def varied(data: Path, count: int) -> list[str]:
    """Lines of all LogHub systems in any order, each digit of them drawn anew: as many values as a real log has, and no line by heart."""
    logs = [pl.read_csv(path, infer_schema=False)["Content"].fill_null("") for path in sorted(data.glob("*_structured.csv"))]
    lines = pl.concat(logs).str.replace_all("\n", " ", literal=True).to_list()
    rng = np.random.default_rng(0)
    text = "\n".join(lines[place] for place in rng.integers(0, len(lines), count))
    letters = np.frombuffer(text.encode("ascii", "replace"), dtype=np.uint8).copy()
    digits = (letters >= ord("0")) & (letters <= ord("9"))
    letters[digits] = rng.integers(ord("0"), ord("9") + 1, digits.sum())
    return letters.tobytes().decode().split("\n")


def _measured(python: Path, program: str, path: str) -> dict[str, float]:
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "POLARS_MAX_THREADS": "1"}
    command = [str(python), "-c", _TIMED.format(program=program), path]
    done = json.loads(subprocess.run(command, env=environ, check=True, capture_output=True, text=True).stdout)
    return {"lines_per_second": done["lines"] / done["seconds"], "seconds": done["seconds"], "templates": done["templates"]}


def _python_with(package: str) -> Path | None:
    """The first Python that has a package: this one, or the one that the environment names."""
    for python in (Path(sys.executable), environment().bench_python):
        if python is not None and not subprocess.run([str(python), "-c", f"import {package}"], capture_output=True, check=False).returncode:
            return python
    return None
