"""How a failure spreads: against the direction of calls, from the service at fault to those who wait for it."""

from __future__ import annotations

from collections import deque

import numpy as np

from models.root_cause.window import Array


def carriers(root: int, calls: Array, failing: Array) -> tuple[int, ...]:
    """Failing services that call the root, or another carrier: its failure is theirs; the nearest first.

    Parameters
    ----------
    calls
        Booleans, shape (caller, callee).
    failing
        By service, whether it changed for certain.
    """
    return tuple(service for service in _reached(root, calls, failing) if service != root)


def path(root: int, calls: Array, failing: Array, loudness: Array) -> tuple[int, ...]:
    """From the root to the loudest of its carriers, the shortest way; only the root if it has none."""
    came_from = _reached(root, calls, failing)
    end = max(came_from, key=lambda service: (service != root, loudness[service], -service))
    way = [end]
    while way[-1] != root:
        way.append(came_from[way[-1]])
    return tuple(reversed(way))


def _reached(root: int, calls: Array, failing: Array) -> dict[int, int]:
    """Breadth first from callee to caller: by service, the callee it was reached from."""
    came_from = {root: root}
    queue = deque([root])
    while queue:
        callee = queue.popleft()
        for caller in np.flatnonzero(calls[:, callee] & failing).tolist():
            if caller not in came_from:
                came_from[caller] = callee
                queue.append(caller)
    return came_from
