"""Runs the benchmarks of a checkout: ``tests/benchmarks/<name>.py``, each with a folder of real data and a ``run``."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from pathlib import Path
from types import ModuleType
from typing import TypedDict

from models.environment import environment
from models.errors import InputError

Row = dict[str, object]


class Result(TypedDict):
    """What a benchmark measured."""

    name: str
    machine: dict[str, object]
    rows: list[Row]
    """One per system and data set."""


_CHECKOUT = str(Path(__file__).resolve().parents[1])
_FOLDER = Path(_CHECKOUT, "tests", "benchmarks")


def names() -> list[str]:
    """The benchmarks of this checkout.

    Raises
    ------
    InputError
        If this is an installed package, which has none.
    """
    found = sorted(path.stem for path in _FOLDER.glob("*.py") if not path.stem.startswith("_"))
    if not found:
        raise InputError(f"expected benchmarks in {_FOLDER}, found none: run foretell bench in a checkout")
    return found


def run(name: str, data: Path | None = None) -> Result:
    """Run one benchmark.

    Parameters
    ----------
    data
        The benchmark's own folder. ``None``: the folder that it names, below ``FORETELL_BENCH_DATA``, or below that of ``_data.py``.

    Raises
    ------
    InputError
        If there is no such benchmark, or no such folder.
    """
    if name not in names():
        raise InputError(f"expected one of {', '.join(names())} as the benchmark, got {name!r}")
    module = _load(name)
    needed = getattr(module, "DATA", None)
    folder = data or (environment().bench_data or _load("_data").ROOT) / (needed or "")
    if (data or needed) and not folder.is_dir():
        raise InputError(f"expected the data of {name} in the folder {folder}, found none: name yours with --data")
    return {"name": name, "machine": machine(), "rows": module.run(folder)}


def machine() -> dict[str, object]:
    """What the figures were measured on: processor, cores this process may use, memory, Python."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "python": platform.python_version(),
    }


def _load(name: str) -> ModuleType:
    """The module of a benchmark; it may import from anywhere in the checkout, which need not be the current folder."""
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", _FOLDER / f"{name}.py")
    if spec is None or spec.loader is None:
        raise InputError(f"expected a Python file at {_FOLDER / name}.py")
    if _CHECKOUT not in sys.path:
        sys.path.append(_CHECKOUT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
