"""Drops what is older than it may be, while the server runs."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from models.environment import Environment
from models.errors import StoreError
from serving.online.replica import absorbed, is_online
from serving.registry import Registry
from serving.store import Store

logger = logging.getLogger("bentoml.foretell")

_EVERY_SECONDS = 3600.0
"""Workers do so at times of their own; each finds little to do after another."""


class Retention:
    """Drops by age, now and then, in a thread of its own.

    Parameters
    ----------
    store
        What is dropped from.
    slugs
        The models that this server answers for. Events of others are other servers' to drop.
    surroundings
        Say how old is too old; and where the versions are that must go on finding the events they replay.
    """

    def __init__(self, store: Store, slugs: Sequence[str], surroundings: Environment) -> None:
        self._store, self._slugs = store, slugs
        self._registry = Registry(surroundings)
        self._keep = None if surroundings.keep_days is None else timedelta(days=surroundings.keep_days)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="retention", daemon=True)

    def start(self) -> None:
        """Begin, if anything is ever too old."""
        if self._keep is not None:
            self._thread.start()

    def stop(self) -> None:
        """Drop no more."""
        self._stopped.set()

    def drop(self) -> dict[str, int]:
        """Drop what is too old now; the number of rows, by table."""
        if self._keep is None:
            return {}
        return self._store.expire(datetime.now(UTC) - self._keep, self._needed_by_none())

    def _needed_by_none(self) -> dict[str, int]:
        """By slug, the number of the newest event that neither the champion nor the one before it has to replay.

        A champion that was trained on a file has to replay all that ever happened; one trained on stored events, what came after them.
        """
        found = {}
        for slug in filter(is_online, self._slugs):
            if seen := [absorbed(version, self._store) for version, _ in self._registry.last_good(slug)]:
                found[slug] = min(seen)
        return found

    def _work(self) -> None:
        while not self._stopped.wait(_EVERY_SECONDS * random.uniform(0.01, 1.0)):  # noqa: S311 - not a secret
            try:
                if any((dropped := self.drop()).values()):
                    logger.info("dropped by age: %s", ", ".join(f"{count:,} {table}" for table, count in dropped.items()))
            except StoreError as error:
                logger.warning("what is too old stays for now: %s", error)
            except Exception:
                logger.exception("what is too old stays for now")
