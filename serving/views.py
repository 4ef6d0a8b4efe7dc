"""Stored predictions, shown as pictures: ``GET /v1/<slug>/<prediction_id>/<name>``."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import models
from models.base import View
from models.errors import StoreError
from serving.prediction_ids import read_prediction_id
from serving.routes import HARMLESS, Reply, Route, problem

STORED_SECONDS = 60
"""A younger prediction may still be on its way to the store."""


class Shown(BaseModel):
    """Which prediction."""

    model_config = ConfigDict(extra="forbid")

    prediction_id: str = Field(description="As the prediction says.")


class ViewRoute(Route):
    """One view of the predictions of a model.

    Parameters
    ----------
    slug
        The model's.
    view
        One of its contract's.
    stored
        Gives a stored prediction as JSON text, by its id; ``None`` if there is none.
    """

    methods = ("GET", "HEAD")

    def __init__(self, slug: str, view: View[Any], stored: Callable[[str], str | None]) -> None:
        super().__init__(f"{slug}/{view.name}", Shown)
        self._slug, self._view, self._stored = slug, view, stored

    @property
    def path(self) -> str:
        """Its address, with an asterisk for the id."""
        return path_of(self._slug, "*", self._view.name)

    def body_of(self, prediction_id: str) -> bytes:
        """The body that asks for a prediction."""
        return json.dumps({"prediction_id": prediction_id}).encode()

    def is_quick(self, body: bytes) -> bool:
        """Never: the store may keep one waiting."""
        return False

    def _answer(self, request: Any, size: int) -> Reply:
        named = read_prediction_id(request.prediction_id)
        if named is None or named.slug != self._slug:
            return problem(404, f"expected the id of a prediction by {self._slug}, got {request.prediction_id[:80]!r}")
        try:
            stored = self._stored(request.prediction_id)
        except StoreError as error:
            return problem(503, str(error), retry_after=1)
        if stored is None and datetime.now(UTC) - named.predicted_at < timedelta(seconds=STORED_SECONDS):
            return problem(503, f"{request.prediction_id} is being stored: ask again in a moment", retry_after=1)
        if stored is None:
            return problem(404, f"{request.prediction_id} is not stored: it was not made here, or has been dropped by age")
        try:
            prediction = models.get(self._slug).contract.prediction.model_validate_json(stored)
        except ValidationError:
            return problem(404, f"{request.prediction_id} was made by a version of Foretell whose predictions this one cannot read")
        return Reply(200, self._view.draw(prediction).encode(), HARMLESS, media_type=self._view.media_type.encode())


def path_of(slug: str, prediction_id: str, name: str) -> str:
    """Where a view of a prediction is found."""
    return f"/v1/{slug}/{prediction_id}/{name}"


def id_in(path: str) -> str | None:
    """The part of an address that is the id of a prediction, if it has the form of a view's."""
    parts = path.split("/")
    return parts[3] if len(parts) == 5 and parts[1] == "v1" else None
