"""Makes a snapshot of an online model, in a process of its own that disturbs no answer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from models.environment import Environment, environment
from serving.online.replica import Replica
from serving.online.snapshots import Snapshots
from serving.registry import Registry, Version, read
from serving.store import Store

_UNHURRIED = """
import os
os.nice(19)
if hasattr(os, "SCHED_IDLE"):
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
import site
site.main()
from serving.online.compact import main
main()
"""
"""What needs a second of a processor, even Python's own start, comes after the step back: answers need the processor meanwhile."""


def begin(version: Version, snapshots: Snapshots) -> subprocess.Popen[bytes] | None:
    """Start `main` for a version that is on this machine; ``None`` if a snapshot is being made already.

    The process inherits the lock, so that of several workers one starts it, and nobody begins until it has ended, however it ends.
    """
    with snapshots.alone() as lock:
        if lock is None:
            return None
        command = [sys.executable, "-S", "-c", _UNHURRIED, version.slug, version.version]
        path = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]))
        environ = {**os.environ, "PYTHONPATH": path}
        return subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, pass_fds=[lock])  # noqa: S603 - our own command


def compact(slug: str, version: str, surroundings: Environment) -> bool:
    """Apply what was stored since the last snapshot of a version that is on this machine, and save the state.

    Returns
    -------
    bool
        Whether there is a new snapshot: not if another process makes one, or if somebody was forgotten in the meantime.
    """
    with Snapshots(surroundings.home, slug).alone() as lock:
        return lock is not None and _compact(slug, version, surroundings)


def main() -> None:
    """Compact what the command line names, a slug and a version, under the lock of who has started this process."""
    _compact(sys.argv[1], sys.argv[2], environment())


def _compact(slug: str, version: str, surroundings: Environment) -> bool:
    stored = Registry(surroundings).stored(slug, version)
    if stored is None:
        return False
    snapshots, store = Snapshots(surroundings.home, slug), Store(surroundings.database_url)
    try:
        replica = Replica.build(stored[0], lambda found: read(found, stored[1]), store, snapshots)
        replica.catch_up(store)
        return snapshots.save(replica.snapshot(store), replica.model, lambda: store.epoch(slug) == replica.epoch)
    finally:
        store.close()
