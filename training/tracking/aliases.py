"""Which version answers: champion, challenger, and the champions before."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from pydantic import AwareDatetime, BaseModel

from models import MODELS, get
from models.base import Model
from models.errors import RegistryError
from training.tracking.store import connect, registry_errors

CHAMPION, CHALLENGER = "champion", "challenger"

HISTORY = "champions"
"""Tag of the registered model: the versions that were champion, the latest last."""


class Version(BaseModel):
    """A registered version that has an alias."""

    slug: str
    version: int
    alias: str
    trained_at: AwareDatetime
    data: str
    rows: int
    metrics: dict[str, float]
    run_id: str


def status() -> list[Version]:
    """Champions and challengers, in the order of `models.MODELS`.

    Raises
    ------
    RegistryError
        If MLflow cannot be reached.
    """
    with registry_errors():
        client = connect()
        return [
            _described(client, slug, alias, version)
            for slug in MODELS
            for alias, version in sorted(_aliases(client, slug).items())
            if alias in (CHAMPION, CHALLENGER)
        ]


def promote(slug: str, version: int | None = None) -> Version:
    """Make a version the champion; it is the challenger no more.

    Parameters
    ----------
    version
        ``None``: the challenger.

    Raises
    ------
    RegistryError
        If there is no such version, or MLflow cannot be reached.
    """
    get(slug)
    with registry_errors():
        client = connect()
        chosen = version if version is not None else _aliases(client, slug).get(CHALLENGER)
        if chosen is None:
            raise RegistryError(f"expected a challenger of {slug} to promote, found none: train one, or name a version")
        if chosen not in _versions(client, slug):
            raise RegistryError(f"expected a registered version of {slug} to promote, found no version {chosen}")
        crown(client, slug, chosen)
        return _described(client, slug, CHAMPION, chosen)


def rollback(slug: str) -> Version:
    """Give ``@champion`` back to the version that had it before; again, to the one before that.

    Raises
    ------
    RegistryError
        If there was no earlier champion, or MLflow cannot be reached.
    """
    get(slug)
    with registry_errors():
        client = connect()
        current, history = _aliases(client, slug).get(CHAMPION), _history(client, slug)
        while history and (history[-1] == current or history[-1] not in _versions(client, slug)):
            history.pop()
        if not history:
            raise RegistryError(f"expected an earlier champion of {slug} to go back to, found none")
        client.set_registered_model_alias(slug, CHAMPION, str(history[-1]))
        client.set_registered_model_tag(slug, HISTORY, json.dumps(history))
        return _described(client, slug, CHAMPION, history[-1])


def load_champion(slug: str, folder: Path) -> tuple[int, Model[Any, Any, Any, Any]] | None:
    """The champion as it was when it was judged, with its version; ``None`` if there is none.

    A model that learns online has seen its hold-out since it was judged; comparing that state on the same hold-out would be unfair.

    Parameters
    ----------
    folder
        Where to download to.

    Raises
    ------
    RegistryError
        If MLflow cannot be reached.
    ModelFolderError
        If it cannot be loaded by this version of Foretell.
    """
    with registry_errors():
        client = connect()
        version = _aliases(client, slug).get(CHAMPION)
        if version is None:
            return None
        tags = client.get_model_version(slug, str(version)).tags
        uri = f"models:/{slug}/{version}/{tags['judged_folder']}"
        path = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder)))
    return version, get(slug).load(path, manifest_sha256=tags["judged_manifest_sha256"])


def crown(client: MlflowClient, slug: str, version: int) -> None:
    """Give ``@champion`` to a version, and remember that it had it."""
    aliases, history = _aliases(client, slug), _history(client, slug)
    if aliases.get(CHAMPION) != version:
        client.set_registered_model_tag(slug, HISTORY, json.dumps([*history, version]))
        client.set_registered_model_alias(slug, CHAMPION, str(version))
    if aliases.get(CHALLENGER) == version:
        client.delete_registered_model_alias(slug, CHALLENGER)


def _aliases(client: MlflowClient, slug: str) -> dict[str, int]:
    """Version by alias; empty if the model was never registered."""
    found = client.search_registered_models(f"name = '{slug}'")
    return {alias: int(version) for alias, version in found[0].aliases.items()} if found else {}


def _versions(client: MlflowClient, slug: str) -> set[int]:
    return {int(found.version) for found in client.search_model_versions(f"name = '{slug}'")}


def _history(client: MlflowClient, slug: str) -> list[int]:
    return list(json.loads(client.get_registered_model(slug).tags.get(HISTORY, "[]"))) if _aliases(client, slug) else []


def _described(client: MlflowClient, slug: str, alias: str, version: int) -> Version:
    found = client.get_model_version(slug, str(version))
    figures = client.get_run(str(found.run_id)).data.metrics
    return Version(
        slug=slug,
        version=version,
        alias=alias,
        trained_at=datetime.fromisoformat(found.tags["trained_at"]),
        data=found.tags["data"],
        rows=int(found.tags["rows"]),
        metrics={name: value for name, value in figures.items() if not name.startswith(("baseline_", "champion_"))},
        run_id=str(found.run_id),
    )
