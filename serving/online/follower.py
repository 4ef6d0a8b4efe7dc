"""Keeps the online models of one process current: one thread reads the store, applies what is new, and has snapshots made."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from models.errors import StoreError
from serving.answers import OnlineStatus
from serving.online import compact
from serving.online.replica import PORTION, Replica
from serving.online.snapshots import Snapshots
from serving.registry import AnyModel, Version
from serving.store import Store

logger = logging.getLogger("bentoml.foretell")

WAIT_SECONDS = 1.0
"""How long the thread sleeps when nothing is stored; what is stored wakes it."""
REST_SECONDS = 0.05
"""Between two looks: a portion of many events costs less than many portions, and other things than events are stored all the time."""
IDLE_SECONDS = 0.2
"""Nothing has been stored for so long: a time to hash the state."""
SWITCH_SECONDS = 0.0005
SNAPSHOT_EVENTS = 50_000
"""Two seconds or so of replay."""
SNAPSHOT_SECONDS = 600.0
SNAPSHOT_REST_SECONDS = 30.0
"""Between two snapshots, however much is stored: making one takes seconds of a processor."""
HASHING_SHARE = 0.1
"""Of the thread's time, at most, goes into hashing states."""
SLOW_HASH_SECONDS = 1.0
"""A state that takes longer is hashed no more: events must be seen within two seconds."""


class Online:
    """The replicas of one process.

    Parameters
    ----------
    store
        What is followed.
    home
        ``FORETELL_HOME``: where snapshots are kept.
    on_outdated
        Is called, in the thread that follows, when a replica must be built again.
    snapshot_events, snapshot_seconds
        A snapshot is made after so many events, or so long after the one before if there were any.
    """

    def __init__(
        self,
        store: Store,
        home: Path,
        on_outdated: Callable[[], None],
        *,
        snapshot_events: int = SNAPSHOT_EVENTS,
        snapshot_seconds: float = SNAPSHOT_SECONDS,
    ) -> None:
        self._store, self._home, self._on_outdated = store, home, on_outdated
        self._snapshot_events, self._snapshot_seconds = snapshot_events, snapshot_seconds
        self._followed: dict[str, _Followed] = {}
        self._applying = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="online", daemon=True)
        self._compaction: subprocess.Popen[bytes] | None = None
        self._compaction_began = 0.0

    def start(self) -> None:
        """Begin to follow."""
        # Answers wait for the interpreter while events are applied, by default 5 ms each time: p99 was 30 ms then, and is 12 ms so.
        sys.setswitchinterval(SWITCH_SECONDS)
        self._thread.start()

    def stop(self) -> None:
        """Let the thread end; models go on answering with what they know."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(2 * WAIT_SECONDS)
        if self._compaction is not None:
            self._compaction.terminate()
            self._compaction.wait()

    def outdated(self, slug: str) -> bool:
        """Whether the model of a slug must be built again, because somebody was forgotten or the store could not be read."""
        followed = self._followed.get(slug)
        return followed is None or followed.outdated

    def exchange(self, version: Version, read: Callable[[Version], AnyModel], accept: Callable[[AnyModel], None]) -> None:
        """Let a version take over, with all stored events that it has not seen; no event that is known now is missing for a moment.

        Parameters
        ----------
        read
            Gives the model of a version.
        accept
            Lets a model answer from now on; may raise, and then the one before goes on.

        Raises
        ------
        StoreError
            If the store cannot be read.
        """
        replica = Replica.build(version, read, self._store, Snapshots(self._home, version.slug))
        replica.catch_up(self._store)
        with self._applying:
            replica.catch_up(self._store)
            if self._store.epoch(version.slug) != replica.epoch:
                raise StoreError(f"somebody was forgotten while {version.slug} was being loaded: it is loaded again")
            accept(replica.model)
            self._followed[version.slug] = _Followed(replica)

    def status(self, slug: str) -> OnlineStatus | None:
        """How far the model of a slug has followed; ``None`` for one that does not learn between trainings, or not yet."""
        followed = self._followed.get(slug)
        return followed.status() if followed is not None else None

    def _run(self) -> None:
        patience = WAIT_SECONDS
        while not self._stopped.is_set():
            self._store.wait(patience)
            followed = list(self._followed.values())
            behind = [each for each in followed if self._follow(each)]
            if not behind:
                self._stopped.wait(REST_SECONDS)
                for each in followed:
                    each.hash_if_idle()
                    self._consider_snapshot(each.replica)
            patience = 0.0 if behind else IDLE_SECONDS if any(each.wants_hash() for each in followed) else WAIT_SECONDS

    def _follow(self, followed: _Followed) -> bool:
        """Apply a portion of what is new; whether there may be more."""
        replica, slug = followed.replica, followed.replica.version.slug
        try:
            with self._applying:
                if self._followed.get(slug) is not followed or followed.outdated:
                    return False
                outdated = self._store.epoch(slug) != replica.epoch
                count = replica.follow(self._store)
            followed.problem = None
            if count:
                followed.learned_at = time.monotonic()
        except StoreError as error:
            followed.problem = str(error)
            self._stopped.wait(IDLE_SECONDS)
            return False
        except Exception:  # half an update may have been made: only a new replica is to be trusted
            logger.exception("%s could not learn from a stored event", slug)
            outdated, count = True, 0
        if outdated:
            followed.outdated = True
            self._on_outdated()
        return count == PORTION

    def _consider_snapshot(self, replica: Replica) -> None:
        if self._compaction is not None and self._compaction.poll() is None:
            return
        snapshots, now = Snapshots(self._home, replica.version.slug), time.time()
        saved_at, saved = snapshots.newest(replica.version, replica.epoch)
        behind = replica.watermark - max(saved, replica.absorbed)
        is_much = behind >= self._snapshot_events and now - max(saved_at, self._compaction_began) >= SNAPSHOT_REST_SECONDS
        is_late = behind > 0 and now - max(saved_at, self._compaction_began, replica.began_at) >= self._snapshot_seconds
        if is_much or is_late:
            self._compaction, self._compaction_began = compact.begin(replica.version, snapshots), now


class _Followed:
    """A replica that is being followed, and what is told of it."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.outdated = False
        self.problem: str | None = None
        self.learned_at = float("-inf")
        self._hashed: tuple[int, str] | None = None
        self._hashed_at, self._hash_seconds = float("-inf"), 0.0

    def status(self) -> OnlineStatus:
        """As `GET /v1/models` shows it."""
        watermark, hashed = self.replica.watermark, self._hashed
        return OnlineStatus(
            watermark=watermark,
            events_applied=self.replica.applied,
            events_refused=self.replica.refused,
            state_sha256=hashed[1] if hashed is not None and hashed[0] == watermark else None,
            problem=self.problem,
        )

    def wants_hash(self) -> bool:
        """Whether the state has changed since it was hashed, and the last time is long enough ago."""
        is_new = self._hashed is None or self._hashed[0] != self.replica.watermark
        rested = time.monotonic() - self._hashed_at >= self._hash_seconds / HASHING_SHARE
        return is_new and rested and self._hash_seconds < SLOW_HASH_SECONDS

    def hash_if_idle(self) -> None:
        """Hash the state, unless events are arriving."""
        started = time.monotonic()
        if self.wants_hash() and started - self.learned_at >= IDLE_SECONDS:
            self._hashed = self.replica.watermark, self.replica.model.fingerprint()
            self._hashed_at = time.monotonic()
            self._hash_seconds = self._hashed_at - started
