"""Measures in a process that does nothing else, and what memory that took."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any


def alone(script: str, *arguments: object, given: object = None) -> Any:
    """What a script prints last, read as JSON; it finds modules where this process does.

    Parameters
    ----------
    given
        What the script reads from its standard input, as JSON.
    """
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, script, *map(str, arguments)]
    done = subprocess.run(command, input=json.dumps(given), stdout=subprocess.PIPE, text=True, check=True, env=environ)
    return json.loads(done.stdout.splitlines()[-1])


def peak_mebibytes() -> float:
    """The most that this process has held at once.

    Of this program alone: on Linux, ``ru_maxrss`` starts at what the process held that started it, but ``VmHWM`` does not.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM:")) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
