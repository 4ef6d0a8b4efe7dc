"""What the store has to teach: rows for a training, and the number of the last event among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

import models
from serving.online.replica import ABSORBED
from serving.store import Store

_PAGE = 10_000


@dataclass(frozen=True)
class Trained:
    """Stored events as training rows.

    Parameters
    ----------
    rows
        In the order in which they were stored; personal data in their texts is masked.
    tags
        To be given to the version that is trained on them: workers then apply only newer events to it.
    """

    rows: list[Any]
    tags: dict[str, str]


def trained_on(slug: str, store: Store) -> Trained:
    """All stored events of a model whose events are training rows, up to the newest one there is now."""
    last = store.newest(slug)
    return Trained(list(_rows(slug, store, last)), {ABSORBED: f"{store.identity()}:{last}"})


def _rows(slug: str, store: Store, last: int) -> Iterator[Any]:
    contract, seen = models.get(slug).contract, 0
    while seen < last:
        for each in store.since(slug, seen, _PAGE):
            if each.seq > last:
                return
            seen = each.seq
            try:
                yield contract.example.model_validate_json(each.body)
            except ValidationError:  # stored by a version of Foretell with other fields; workers pass over it too
                continue
