"""Stores predictions that want feedback, beside the requests: no answer waits for it, and none fails by it."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

import models
from models.errors import StoreError
from serving.personal import without_personal_data
from serving.prediction_ids import read_prediction_id
from serving.store import NewPrediction, Store

logger = logging.getLogger("bentoml.foretell")

MAX_BYTES = 64 * 1024 * 1024
"""Of the requests whose predictions wait to be stored."""
_MAX_PREDICTIONS = 1_000
"""In one transaction, unless one request has more."""
_GATHER_SECONDS = 0.1
_AGAIN_SECONDS = 1.0


@dataclass(frozen=True)
class _Answered:
    slug: str
    queries: Sequence[Any]
    predictions: Sequence[Any]
    size: int


class Recorder:
    """Takes what was answered, and stores it from a thread of its own.

    Parameters
    ----------
    store
        Where to.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._dropped: Callable[[str, int], None] = lambda slug, count: None
        self._waiting: deque[_Answered] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        self._some = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)

    def start(self, dropped: Callable[[str, int], None]) -> None:
        """Begin to store; returns at once.

        Parameters
        ----------
        dropped
            Told the slug and the number of predictions that are not stored: too much waited already, or they cannot be.
        """
        self._dropped = dropped
        self._thread.start()

    def stop(self) -> None:
        """Store what waits, if the store can be used, and end."""
        self._stopped.set()
        self._some.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def note(self, slug: str, queries: Sequence[Any], predictions: Sequence[Any], size: int) -> None:
        """Have predictions stored soon; never waits.

        Parameters
        ----------
        size
            Bytes of the request, as a measure of what is kept in memory until then.
        """
        with self._lock:
            has_room = self._bytes + size <= MAX_BYTES
            if has_room:
                self._waiting.append(_Answered(slug, [query.kept() for query in queries], predictions, size))
                self._bytes += size
        self._some.set() if has_room else self._dropped(slug, len(predictions))

    def _work(self) -> None:
        while True:
            self._some.wait()
            last = self._stopped.wait(_GATHER_SECONDS)
            self._some.clear()
            while batch := self._next():
                self._keep([row for each in batch for row in _rows(each, self._dropped)])
                with self._lock:
                    self._bytes -= sum(each.size for each in batch)
            if last:
                return

    def _next(self) -> list[_Answered]:
        batch: list[_Answered] = []
        count = 0
        while self._waiting and count < _MAX_PREDICTIONS:
            batch.append(self._waiting.popleft())
            count += len(batch[-1].predictions)
        return batch

    def _keep(self, rows: Sequence[NewPrediction]) -> None:
        """Store, however long the store is away; meanwhile what comes waits, and when there is no more room is dropped."""
        while rows:
            try:
                self._store.record(rows)
            except StoreError as error:
                logger.warning("predictions wait to be stored: %s", error)
                if self._stopped.wait(_AGAIN_SECONDS):
                    return
            except Exception:
                if len(rows) > 1:  # one that cannot be stored must not take the others along
                    self._keep(rows[: len(rows) // 2])
                    self._keep(rows[len(rows) // 2 :])
                    return
                logger.exception("a prediction cannot be stored")
                self._dropped(rows[0].slug, 1)
                return
            else:
                return


def _rows(answered: _Answered, dropped: Callable[[str, int], None]) -> list[NewPrediction]:
    rows = []
    for query, prediction in zip(answered.queries, answered.predictions, strict=True):
        try:
            rows.append(_row(answered.slug, query, prediction))
        except ValidationError:  # of its text so much is personal that what is left is no query
            dropped(answered.slug, 1)
        time.sleep(0)  # whoever answers a request now need not wait for the interpreter
    return rows


def _row(slug: str, query: Any, prediction: Any) -> NewPrediction:
    field = models.get(slug).contract.query.subject
    named = read_prediction_id(prediction.prediction_id)
    if named is None:
        raise ValueError(f"expected the id of a prediction, got {prediction.prediction_id!r}")
    subject = getattr(query, field) if field is not None else None
    asked, answered = without_personal_data(query, field), without_personal_data(prediction, field)
    return NewPrediction(prediction.prediction_id, slug, subject, named.predicted_at, asked.model_dump_json(), answered.model_dump_json())
