"""Makes a snapshot of an online model; a worker runs `main` in a process of its own."""

from __future__ import annotations

import sys

from models.environment import Environment, environment
from serving.online.replica import Replica
from serving.online.snapshots import Snapshots
from serving.registry import Registry, read
from serving.store import Store


def compact(slug: str, version: str, surroundings: Environment) -> bool:
    """Apply what was stored since the last snapshot of a version that is on this machine, and save the state.

    Returns
    -------
    bool
        Whether there is a new snapshot: not if another process makes one, or if somebody was forgotten in the meantime.
    """
    snapshots = Snapshots(surroundings.home, slug)
    stored = Registry(surroundings).stored(slug, version)
    with snapshots.alone() as mine:
        if stored is None or not mine:
            return False
        store = Store(surroundings.database_url)
        try:
            replica = Replica.build(stored[0], lambda found: read(found, stored[1]), store, snapshots)
            replica.catch_up(store)
            return snapshots.save(replica.snapshot(store), replica.model, lambda: store.epoch(slug) == replica.epoch)
        finally:
            store.close()


def main() -> None:
    """Compact what the command line names: a slug, and a version that is on this machine."""
    compact(sys.argv[1], sys.argv[2], environment())
