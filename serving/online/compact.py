"""Makes a snapshot of an online model; run by a worker as ``python -m serving.online.compact SLUG VERSION``."""

from __future__ import annotations

import os
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


if __name__ == "__main__":
    os.nice(10)
    compact(sys.argv[1], sys.argv[2], environment())
