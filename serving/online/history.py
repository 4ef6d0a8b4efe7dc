"""What the store has to teach: stored events, or predictions whose outcome is known, as training rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pydantic import ValidationError

import models
from models.errors import InputError
from models.feedback import Observed, Stored
from serving.online.replica import ABSORBED
from serving.store import Store

_PAGE = 10_000

FromFeedback = Callable[[Sequence[Observed[Any, Any]]], list[Any]]


def lessons(slug: str, store: Store, from_feedback: FromFeedback | None) -> Stored:
    """What a model can be trained on: its events where these are training rows, else the outcomes that were reported.

    Parameters
    ----------
    from_feedback
        Makes training rows of outcomes; ``None``: they teach this model nothing.

    Raises
    ------
    InputError
        If the model learns from neither.
    """
    contract = models.get(slug).contract
    if contract.event is not None and issubclass(contract.example, contract.event):
        return stored_events(slug, store)
    if from_feedback is None:
        raise InputError(f"expected a model that learns from what was reported, got {slug}: train it without --from-feedback")
    rows = from_feedback(list(store.observed(slug)))
    return Stored(rows, f"{len(rows):,} predictions whose outcome was reported")


def stored_events(slug: str, store: Store) -> Stored:
    """All stored events of a model, up to the newest one there is now.

    The version that is trained on them is tagged with the number of that event, and workers apply only newer ones to it: nothing is
    counted twice, and what arrives during the training is not lost.
    """
    last = store.newest(slug)
    rows = list(_rows(slug, store, last))
    return Stored(rows, f"{len(rows):,} stored events", {ABSORBED: f"{store.identity()}:{last}"})


def _rows(slug: str, store: Store, last: int) -> Iterator[Any]:
    contract, seen = models.get(slug).contract, 0
    while seen < last:
        page = store.since(slug, seen, _PAGE)
        if not page:  # the newest was dropped or forgotten meanwhile
            return
        for each in page:
            if each.seq > last:
                return
            seen = each.seq
            try:
                yield contract.example.model_validate_json(each.body)
            except ValidationError:  # stored by a version of Foretell with other fields; workers pass over it too
                continue
