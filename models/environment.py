"""The environment variables that Foretell understands, read in this one place and only when asked."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Environment:
    """What the surroundings ask of this process.

    Parameters
    ----------
    home
        ``FORETELL_HOME``: everything local lives below it. Default ``./.foretell``.
    encoder
        ``FORETELL_ENCODER``: a folder or a hub id of a sentence-transformers model. ``None``: the packaged all-MiniLM-L6-v2.
    tracking_uri
        ``MLFLOW_TRACKING_URI``. Default: SQLite at ``<home>/mlflow.db``.
    models
        ``FORETELL_MODELS``: comma-separated slugs that the server answers for. Empty: all.
    reload_seconds
        ``FORETELL_RELOAD_SECONDS``: how often the server asks the registry for a newer champion. Default 10.
    database_url
        ``FORETELL_DATABASE_URL``: where events and feedback are kept. Default: SQLite at ``<home>/store.db``.
    keep_days
        ``FORETELL_KEEP_DAYS``: age at which events, predictions and feedback are dropped. ``None``: kept for ever.
    bench_data
        ``FORETELL_BENCH_DATA``: the folder of real data that benchmarks look in. ``None``: where the benchmarks say.
    bench_python
        ``FORETELL_BENCH_PYTHON``: a Python that has what benchmarks compare with and this one lacks. ``None``: there is none.
    """

    home: Path
    encoder: str | None
    tracking_uri: str
    models: tuple[str, ...]
    reload_seconds: float
    database_url: str
    keep_days: float | None
    bench_data: Path | None
    bench_python: Path | None


def environment() -> Environment:
    """Read the environment as it is now; creates nothing."""
    home = Path(os.environ.get("FORETELL_HOME") or ".foretell").expanduser().resolve()
    return Environment(
        home=home,
        encoder=os.environ.get("FORETELL_ENCODER") or None,
        tracking_uri=os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home / 'mlflow.db'}",
        models=tuple(slug.strip() for slug in os.environ.get("FORETELL_MODELS", "").split(",") if slug.strip()),
        reload_seconds=float(os.environ.get("FORETELL_RELOAD_SECONDS") or 10),
        database_url=os.environ.get("FORETELL_DATABASE_URL") or f"sqlite:///{home / 'store.db'}",
        keep_days=float(days) if (days := os.environ.get("FORETELL_KEEP_DAYS")) else None,
        bench_data=Path(folder).expanduser() if (folder := os.environ.get("FORETELL_BENCH_DATA")) else None,
        bench_python=Path(python).expanduser() if (python := os.environ.get("FORETELL_BENCH_PYTHON")) else None,
    )


def without_password(text: str) -> str:
    """The text, with the user and password of every address in it masked."""
    return re.sub(r"//[^@/]*@", "//***@", text)
