"""A trained model, and a real server of it, for benchmarks."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from serving.launch import command, settings
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]


def trained(home: Path, slug: str) -> dict[str, str]:
    """The environment of a server whose home holds a champion of a slug, trained on its sample."""
    environ = {**os.environ, "FORETELL_HOME": str(home), "PYTHONPATH": str(ROOT)}
    environ.pop("MLFLOW_TRACKING_URI", None)
    train = [sys.executable, "-c", f"from training.run import train; train({slug!r})"]
    subprocess.run(train, env=environ, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return environ


@contextmanager
def served(environ: dict[str, str], workers: int, slug: str = "interest_graph") -> Iterator[int]:
    """The port of a server whose workers are all ready."""
    port = free_port()
    home = {"BENTOML_HOME": f"{environ['FORETELL_HOME']}/bentoml"}
    variables = {**settings(models=[slug], port=port, workers=workers), **environ, **home}
    process = subprocess.Popen(command(port=port), env=variables, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with suppress(URLError, OSError):
                urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
                break
            if process.poll() is not None:
                raise RuntimeError(f"the server ended with {process.returncode} before it was ready")
            time.sleep(0.1)
        time.sleep(2)  # one worker said so; the other has loaded the same
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)
