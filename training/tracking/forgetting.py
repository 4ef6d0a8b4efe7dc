"""Registered versions without one person in them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from models import MODELS, get
from models.base import OnlineModel
from training.tracking.aliases import HISTORY
from training.tracking.recording import Recording, Saved, hashes, quiet
from training.tracking.store import connect, registry_errors

REPLACES = "replaces"
"""Tag of a version that stands for an earlier one."""


@dataclass(frozen=True)
class Replaced:
    """A version that knew the person, and the one that stands for it now."""

    slug: str
    old: str
    new: str


def forget(subject: str) -> list[Replaced]:
    """Replace every version of an online model that knows a person by the same without them, and delete the old one for good.

    The new version has the run, figures, tags and aliases of the old one, and its place among the champions before. Once more is
    right, if it failed in the middle.

    Raises
    ------
    RegistryError
        If MLflow cannot be reached.
    ModelFolderError
        If a version cannot be read by this version of Foretell: nobody can tell whom it knows, so it has to be deleted by hand.
    """
    with registry_errors():
        client = connect()
        slugs = [slug for slug in MODELS if issubclass(get(slug), OnlineModel)]
        found = [version for slug in slugs for version in client.search_model_versions(f"name = '{slug}'")]
        found.sort(key=lambda version: (version.name, int(version.version)))
        return [done for version in found if (done := _replace(client, version, subject)) is not None]


def _replace(client: MlflowClient, found: ModelVersion, subject: str) -> Replaced | None:
    slug, old = str(found.name), str(found.version)
    with TemporaryDirectory() as scratch:
        served, knew = _scrubbed(client, found, "", subject, Path(scratch))
        judged, knew_then = served, False
        if found.tags.get("judged_folder", found.tags["folder"]) != found.tags["folder"]:
            judged, knew_then = _scrubbed(client, found, "judged_", subject, Path(scratch))
        if not (knew or knew_then):
            return None
        with quiet(), mlflow.start_run(run_id=found.run_id):
            example = get(slug).contract.query.model_config["json_schema_extra"]["examples"][0]
            uri = Recording(slug, client, str(found.run_id)).log_model(served, judged, example)
    tags = {**found.tags, **hashes(served, judged), REPLACES: old}
    model_id = uri.removeprefix("models:/")
    new = client.create_model_version(slug, uri, found.run_id, tags, None, found.description, 0, model_id=model_id).version
    _rename(client, slug, old, str(new))
    _delete(client, found)
    return Replaced(slug, old, str(new))


def _scrubbed(client: MlflowClient, found: ModelVersion, which: str, subject: str, scratch: Path) -> tuple[Saved, bool]:
    """One of a version's folders without the person, and whether they were in it."""
    path = found.tags[f"{which}folder"]
    uri = f"{client.get_model_version_download_uri(found.name, found.version)}/{path}"
    folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(scratch / f"{which}downloaded")))
    kind = get(found.name)
    model = cast(OnlineModel[Any, Any, Any, Any], kind.load(folder, manifest_sha256=found.tags[f"{which}manifest_sha256"]))
    before, name = model.fingerprint(), Path(path).name
    model.forget(subject)
    data_sha256 = json.loads((folder / "manifest.json").read_text())["data_sha256"]
    return Saved(scratch / name, model.save(scratch / name, data_sha256=data_sha256)), model.fingerprint() != before


def _rename(client: MlflowClient, slug: str, old: str, new: str) -> None:
    registered = client.get_registered_model(slug)
    for alias, version in registered.aliases.items():
        if str(version) == old:
            client.set_registered_model_alias(slug, alias, new)
    history = [int(new) if version == int(old) else version for version in json.loads(registered.tags.get(HISTORY, "[]"))]
    client.set_registered_model_tag(slug, HISTORY, json.dumps(history))


def _delete(client: MlflowClient, found: ModelVersion) -> None:
    """The version, and its files: MLflow itself keeps those of a deleted version."""
    source = client.get_model_version_download_uri(found.name, found.version)
    client.delete_model_version(found.name, str(found.version))
    if found.model_id:
        source = client.get_logged_model(found.model_id).artifact_location
        client.delete_logged_model(found.model_id)
    get_artifact_repository(source).delete_artifacts()  # type: ignore[no-untyped-call]
