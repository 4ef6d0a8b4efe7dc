"""The one thread of a process that writes: what waits together is committed together, for one wait for the disk."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection

from models.errors import StoreError

T = TypeVar("T")

PATIENCE_SECONDS = 5.0
"""A client hears within this time whether what it sent is kept."""
MAX_WAITING = 256
_MAX_ROWS = 20_000
"""Rows in one transaction, about: half a second of SQLite's time."""


@dataclass
class _Job:
    run: Callable[[Connection], Any]
    rows: int
    future: Future[Any] = field(default_factory=Future)
    deadline: float = field(default_factory=lambda: time.monotonic() + PATIENCE_SECONDS)


class Writer:
    """Runs functions in transactions, several in one.

    Parameters
    ----------
    transaction
        Opens one; commits at its end.
    """

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._transaction = transaction
        self._jobs: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def submit(self, run: Callable[[Connection], T], rows: int) -> Future[T]:
        """Have `run` called within a transaction; the future has its result once that is committed.

        `run` may be called again, if the transaction of several cannot be committed. The future raises `StoreError` when the
        database cannot be used now, or too much waits for it already.
        """
        job = _Job(run, rows)
        with self._changed:
            if len(self._jobs) >= MAX_WAITING or self._closed:
                job.future.set_exception(StoreError(f"{len(self._jobs)} batches wait to be stored already: come back in a moment"))
                return job.future
            self._jobs.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="store", daemon=True)
                self._thread.start()
            self._changed.notify()
        return job.future

    def close(self) -> None:
        """Write what waits, then end."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(2 * PATIENCE_SECONDS)

    def _write(self) -> None:
        while jobs := self._next():
            self._commit(jobs)

    def _next(self) -> list[_Job]:
        """What waits now, up to `_MAX_ROWS`; waits for the first. Nothing: there will be no more."""
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._jobs or self._closed)
                jobs = self._taken()
                if jobs or (self._closed and not self._jobs):
                    return jobs

    def _taken(self) -> list[_Job]:
        jobs: list[_Job] = []
        rows = 0
        while self._jobs and (not jobs or rows + self._jobs[0].rows <= _MAX_ROWS):
            job = self._jobs.popleft()
            if job.future.set_running_or_notify_cancel():  # nobody waits for a cancelled one
                jobs.append(job)
                rows += job.rows
        return jobs

    def _commit(self, jobs: Sequence[_Job]) -> None:
        now = time.monotonic()
        for job in jobs:
            if job.deadline < now:  # its client has been told to come back
                job.future.set_exception(StoreError("the store is too busy: come back in a moment"))
        jobs = [job for job in jobs if job.deadline >= now]
        try:
            with self._transaction() as connection:
                results = [job.run(connection) for job in jobs]
        except Exception as error:
            if isinstance(error, StoreError) or len(jobs) == 1:
                for job in jobs:
                    job.future.set_exception(error)
            else:  # one of them cannot be stored: it must not take the others along
                for job in jobs:
                    self._commit([job])
        else:
            for job, result in zip(jobs, results, strict=True):
                job.future.set_result(result)
