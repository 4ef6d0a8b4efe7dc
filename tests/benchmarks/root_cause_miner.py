"""Lines a second that one core mines into templates, on a million varied lines, beside Drain3 on the same lines.

Drain3 is run where it is installed: here, or in the Python that ``FORETELL_BENCH_PYTHON`` names, an environment of its own. Each miner
gets one thread and a process of its own; counted is its processor time, from lines in memory to a template for each.
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
_BEGIN, _END = 1, 2

_OURS = """
from models.root_cause.masks import mask
from models.root_cause.templates import Templates
mask([])
# ready
masked = mask(lines)
found = Templates.mine(masked).assign(masked)
"""
_DRAIN3 = """
import logging
logging.disable()
from drain3 import TemplateMiner
miner = TemplateMiner()
# ready
found = [miner.add_log_message(line)["cluster_id"] for line in lines]
"""
_DRAIN3_MASKED = """
import logging
logging.disable()
from drain3 import TemplateMiner
from drain3.masking import MaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig
config = TemplateMinerConfig()
before, after = "((?<=[^A-Za-z0-9])|^)", "((?=[^A-Za-z0-9])|$)"
patterns = [r"(\\d{1,3}\\.){3}\\d{1,3}", r"0x[a-f0-9A-F]+", r"[0-9a-f]{6,}", r"[-+]?\\d+"]
config.masking_instructions = [MaskingInstruction(before + "(" + pattern + ")" + after, "*") for pattern in patterns]
miner = TemplateMiner(config=config)
# ready
found = [miner.add_log_message(line)["cluster_id"] for line in lines]
"""
_TIMED = """
import json, pathlib, sys, time
lines = pathlib.Path(sys.argv[1]).read_text().split("\\n")
{prepared}
start = time.process_time()
{mining}
print(json.dumps({{"seconds": time.process_time() - start, "lines": len(found), "templates": len(set(found))}}))
"""


def run(data: Path) -> list[dict[str, object]]:
    """One row per miner."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("\n".join(varied(data, LINES)))
        file.flush()
        found = {"foretell": _measured(Path(sys.executable), _OURS, file.name)}
        if (python := _python_with("drain3")) is not None:
            found["drain3"] = _measured(python, _DRAIN3, file.name)
            found["drain3, addresses and numbers masked"] = _measured(python, _DRAIN3_MASKED, file.name)
    return [{"system": system, "data": f"{LINES:,} varied lines", **figures} for system, figures in found.items()]


def varied(data: Path, count: int) -> list[str]:
    """Lines of all LogHub systems in any order, with digits drawn anew in the words that vary among lines of the same event.

    So there are as many values as a real log has, and what is the same in all lines of an event stays so, versions and names of nodes too.
    """
    logs = [pl.read_csv(path, infer_schema=False) for path in sorted(data.glob("*_structured.csv"))]
    marked = [line for log in logs for line in _marked(log)]
    rng = np.random.default_rng(0)
    text = "\n".join(marked[place] for place in rng.integers(0, len(marked), count))
    letters = np.frombuffer(text.encode("ascii", "replace"), dtype=np.uint8).copy()
    inside = np.cumsum(letters == _BEGIN) > np.cumsum(letters == _END)
    digits = inside & (letters >= ord("0")) & (letters <= ord("9"))
    letters[digits] = rng.integers(ord("0"), ord("9") + 1, digits.sum())
    lines: list[str] = letters[(letters != _BEGIN) & (letters != _END)].tobytes().decode().split("\n")
    return lines


def _marked(log: pl.DataFrame) -> list[str]:
    """The lines, with marks around the words that vary among lines of the same event and number of words."""
    words = [line.replace("\n", " ").split(" ") for line in log["Content"].fill_null("")]
    keys = list(zip(log["EventId"], map(len, words), strict=True))
    seen: dict[tuple[str, int], list[set[str]]] = {}
    for key, line in zip(keys, words, strict=True):
        for values, word in zip(seen.setdefault(key, [set() for _ in line]), line, strict=True):
            values.add(word)
    return [
        " ".join(f"{chr(_BEGIN)}{word}{chr(_END)}" if len(values) > 1 else word for word, values in zip(line, seen[key], strict=True))
        for key, line in zip(keys, words, strict=True)
    ]


def _measured(python: Path, program: str, path: str) -> dict[str, float]:
    prepared, mining = program.split("# ready")
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "POLARS_MAX_THREADS": "1"}
    command = [str(python), "-c", _TIMED.format(prepared=prepared, mining=mining), path]
    done = json.loads(subprocess.run(command, env=environ, check=True, capture_output=True, text=True).stdout)
    return {"lines_per_second": done["lines"] / done["seconds"], "seconds": done["seconds"], "templates": done["templates"]}


def _python_with(package: str) -> Path | None:
    """The first Python that has a package: this one, or the one that the environment names."""
    for python in (Path(sys.executable), environment().bench_python):
        if python is not None and not subprocess.run([str(python), "-c", f"import {package}"], capture_output=True, check=False).returncode:
            return python
    return None
