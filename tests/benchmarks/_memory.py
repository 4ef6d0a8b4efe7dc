"""The most memory that this process has held at once."""

from __future__ import annotations

import resource
import sys
from pathlib import Path


def peak_mebibytes() -> float:
    """Of this program alone: on Linux, ``ru_maxrss`` starts at what the process held that started it, but ``VmHWM`` does not."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM:")) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
