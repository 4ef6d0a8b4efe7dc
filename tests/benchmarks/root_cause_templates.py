"""Grouping accuracy of templates on LogHub systems, one configuration for all of them, beside masking digits and Drain3.

Speed is in lines a second of processor time; `root_cause_miner` measures it on logs of a length at which it matters.
"""

from __future__ import annotations

import importlib
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from models.root_cause.masks import mask
from models.root_cause.templates import Templates
from training.metrics import grouping_accuracy

DATA = "root_cause/loghub"

Miner = Callable[[Sequence[str]], list[str]]


def run(data: Path) -> list[dict[str, object]]:
    """One row per miner and system, and the mean over the systems."""
    logs = {path.name.split("_")[0]: pl.read_csv(path, infer_schema=False) for path in sorted(data.glob("*_structured.csv"))}
    rows: list[dict[str, object]] = []
    for system, miner in miners().items():
        figures = [_measure(miner, log) for log in logs.values()]
        rows += [{"system": system, "data": name, **figure} for name, figure in zip(logs, figures, strict=True)]
        mean = {key: float(np.mean([figure[key] for figure in figures])) for key in figures[0]}
        rows.append({"system": system, "data": f"mean of {len(logs)}", **mean})
    return rows


def miners() -> dict[str, Miner]:
    """Ours, the trivial one, and Drain3 with its defaults where it is installed."""
    found: dict[str, Miner] = {"foretell": _ours, "mask digits": _mask_digits}
    try:
        importlib.import_module("drain3")
    except ImportError:
        return found
    return found | {"drain3": _drain3}


def _measure(miner: Miner, log: pl.DataFrame) -> dict[str, float]:
    messages = log["Content"].fill_null("").to_list()
    start = time.process_time()
    groups = miner(messages)
    seconds = time.process_time() - start
    return {"grouping_accuracy": grouping_accuracy(log["EventId"].to_list(), groups), "lines_per_second": len(messages) / seconds}


def _ours(messages: Sequence[str]) -> list[str]:
    masked = mask(messages)
    return Templates.mine(masked).assign(masked)


def _mask_digits(messages: Sequence[str]) -> list[str]:
    return [re.sub(r"\d+", "0", message) for message in messages]


def _drain3(messages: Sequence[str]) -> list[str]:
    miner = importlib.import_module("drain3").TemplateMiner()
    return [str(miner.add_log_message(message)["cluster_id"]) for message in messages]
