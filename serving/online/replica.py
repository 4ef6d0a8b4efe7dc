"""One worker's copy of a model that goes on learning."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import ValidationError

import models
from models.base import OnlineModel
from serving.online.snapshots import Snapshot, Snapshots
from serving.registry import AnyModel, Version
from serving.store import Store

AnyOnlineModel = OnlineModel[Any, Any, Any, Any]

PORTION = 500
"""Events that are applied at a time: a portion takes some ten milliseconds, between which others may run."""

ABSORBED = "absorbed"
"""The tag of a version that was trained on stored events: ``<identity of the store>:<number of the last>``."""


def is_online(slug: str) -> bool:
    """Whether a model learns from stored events."""
    kind = models.get(slug)
    return issubclass(kind, OnlineModel) and kind.contract.event is not None


def absorbed(version: Version, store: Store) -> int:
    """The number of the last stored event that a version's training has seen; 0 if it saw none of this store's."""
    identity, _, seq = version.tags.get(ABSORBED, "").rpartition(":")
    return int(seq) if seq and identity == store.identity() else 0


@dataclass
class Replica:
    """A version, and the stored events that were applied to it.

    Parameters
    ----------
    model
        May be asked by other threads all the while.
    version
        What the model was when it was loaded.
    epoch
        Of the store, when the replica began; one that began before somebody was forgotten must be built again.
    watermark
        The greatest number of an event that was read: it and all before it are in the model.
    absorbed
        The greatest number of an event that the training had seen.
    applied, refused
        How many events were learned since the training, and how many this version cannot take.
    began_at
        When it was built, in seconds since 1970.
    """

    model: AnyOnlineModel
    version: Version
    epoch: int
    watermark: int
    absorbed: int
    applied: int = 0
    refused: int = 0
    began_at: float = field(default_factory=time.time)

    @classmethod
    def build(cls, version: Version, read: Callable[[Version], AnyModel], store: Store, snapshots: Snapshots) -> Replica:
        """Begin from the newest snapshot of a version, or from the version itself.

        Raises
        ------
        StoreError
            If the store cannot be read.
        """
        epoch, seen = store.epoch(version.slug), absorbed(version, store)
        found = snapshots.load(version, epoch, store.identity())
        if found is not None and found[0].watermark >= seen:
            snapshot, model = found
            return cls(model, version, epoch, snapshot.watermark, seen, snapshot.applied, snapshot.refused)
        return cls(cast(AnyOnlineModel, read(version)), version, epoch, seen, seen)

    def follow(self, store: Store, limit: int = PORTION) -> int:
        """Apply the next events; how many were read."""
        stored = store.since(self.version.slug, self.watermark, limit)
        events = []
        for each in stored:
            event = self._readable(each.body)
            if event is None or self.model.refusal(event) is not None:
                self.refused += 1
            else:
                events.append(event)
        if events:
            self.model.update(events)
            self.applied += len(events)
        if stored:
            self.watermark = stored[-1].seq
        return len(stored)

    def catch_up(self, store: Store) -> None:
        """Apply all that is stored."""
        while self.follow(store) == PORTION:
            pass

    def snapshot(self, store: Store) -> Snapshot:
        """What is to be known of the state, beside the model."""
        return Snapshot(
            version_sha256=self.version.manifest_sha256,
            epoch=self.epoch,
            store=store.identity(),
            watermark=self.watermark,
            applied=self.applied,
            refused=self.refused,
        )

    def _readable(self, body: str) -> Any:
        """An event, or ``None`` if it was stored by a version of Foretell with other fields."""
        kind = self.model.contract.event
        try:
            return kind.model_validate_json(body) if kind is not None else None
        except ValidationError:
            return None
