"""Which version answers: asks MLflow, keeps what it gave on disk, and never trusts a byte that the version's tag does not vouch for.

On disk, ``<home>/served/<slug>/<version>/`` holds ``version.json`` and the saved model in ``model/``; ``<home>/served/<slug>/current``
names the last version that was loaded and answered. MLflow (mlflow-skinny is enough) is imported only when it is asked.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

import models
from models.base import Model
from models.blobs import share
from models.environment import Environment, environment, without_password
from models.errors import ModelFolderError, RegistryError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

AnyModel = Model[Any, Any, Any, Any]

CHAMPION = "champion"
REPLACES = "replaces"
"""Tag of a version that stands for an earlier one, which knew somebody who was to be forgotten."""
KEPT_VERSIONS = 2
"""The one that answers and the one before it, so that a rollback needs no download."""

_PATIENCE = {
    # A registry that is away must not keep the last good version from answering: by default MLflow tries for minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


class Version(BaseModel):
    """What the registry knows of one version; also what ``version.json`` holds."""

    model_config = ConfigDict(frozen=True)

    slug: str
    version: str
    manifest_sha256: str = Field(description="The sha256 of the manifest that the saved model must have.")
    tags: dict[str, str] = Field(default_factory=dict, description="What was said when it was registered: rows, data, when it was trained.")
    metrics: dict[str, float] = Field(default_factory=dict, description="Figures on the hold-out, of the model and of the baseline.")


def fetch(slug: str, *, alias: str = CHAMPION, version: str | None = None) -> Path:
    """The folder of a registered model on this machine; downloaded unless it is there already.

    Parameters
    ----------
    alias
        Which version, by its role.
    version
        Which version, by its number; wins over `alias`.

    Raises
    ------
    UnknownModelError
        If there is no such slug.
    RegistryError
        If MLflow cannot be reached or has no such version.
    """
    return Registry(environment()).fetch(slug, alias=alias, version=version)[1]


def load(slug: str, *, alias: str = CHAMPION, version: str | None = None) -> tuple[AnyModel, Version]:
    """Fetch a registered model and read it, every byte checked; see `fetch`.

    Raises
    ------
    ModelFolderError
        If the registry holds something else than what was registered.
    """
    return Registry(environment()).load(slug, alias=alias, version=version)


class Registry:
    """MLflow's model registry, seen from the machine that answers."""

    def __init__(self, surroundings: Environment) -> None:
        self._uri = surroundings.tracking_uri
        self._served = surroundings.home / "served"
        self._blobs = surroundings.home / "blobs"
        self._connected: MlflowClient | None = None

    def resolve(self, slug: str, *, alias: str = CHAMPION, version: str | None = None) -> Version:
        """Ask MLflow which version that is, and with what tags and figures."""
        models.get(slug)
        with self._asking(slug, alias, version):
            return _described(self._client(), self._find(slug, alias, version))

    def fetch(self, slug: str, *, alias: str = CHAMPION, version: str | None = None) -> tuple[Version, Path]:
        """Ask MLflow which version that is, and download it unless it is on this machine."""
        found = self.resolve(slug, alias=alias, version=version)
        return found, self.download(found)

    def load(self, slug: str, *, alias: str = CHAMPION, version: str | None = None) -> tuple[AnyModel, Version]:
        """Ask MLflow which version that is, and read it."""
        found = self.resolve(slug, alias=alias, version=version)
        return self.read(found), found

    def read(self, found: Version) -> AnyModel:
        """The model of a version; a local copy that changed since it was downloaded is downloaded again, once."""
        folder = self.download(found)
        try:
            return read(found, folder)
        except ModelFolderError:
            shutil.rmtree(folder.parent, ignore_errors=True)
            return read(found, self.download(found))

    def download(self, version: Version) -> Path:
        """The model folder of a version; appears whole or not at all."""
        final = self._served / version.slug / version.version
        if self._is_here(version):
            return final / "model"
        self._served.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._served, prefix=".download-") as scratch:
            draft = Path(scratch) / "version"
            draft.mkdir()
            self._download_model(version, Path(scratch)).rename(draft / "model")
            share(draft / "model", self._blobs)
            (draft / "version.json").write_text(version.model_dump_json(indent=1))
            _replace(draft, final)
        return final / "model"

    def is_kept(self, version: Version) -> bool:
        """Whether a version is on this machine, and remembered as the last good one."""
        return self._is_here(version) and self._good(version.slug)[:1] == [version.version]

    def keep(self, version: Version) -> None:
        """Remember a version as the last good one, and forget all but the one before it."""
        folder = self._served / version.slug
        superfluous = {version.version, version.tags.get(REPLACES)}
        good = [version.version, *(name for name in self._good(version.slug) if name not in superfluous)][:KEPT_VERSIONS]
        draft = folder / f".current-{version.version}"
        draft.write_text("\n".join(good))
        draft.replace(folder / "current")
        for path in folder.iterdir():
            if path.is_dir() and path.name not in good:
                shutil.rmtree(path, ignore_errors=True)

    def stored(self, slug: str, version: str) -> tuple[Version, Path] | None:
        """A version that is on this machine, and its model folder."""
        folder = self._served / slug / version
        found = _stored(folder)
        return (found, folder / "model") if found is not None else None

    def last_good(self, slug: str) -> Iterator[tuple[Version, Path]]:
        """Versions that answered on this machine, latest first."""
        for name in self._good(slug):
            folder = self._served / slug / name
            if version := _stored(folder):
                yield version, folder / "model"

    def _is_here(self, version: Version) -> bool:
        found = _stored(self._served / version.slug / version.version)
        return found is not None and found.manifest_sha256 == version.manifest_sha256

    def _good(self, slug: str) -> list[str]:
        current = self._served / slug / "current"
        return current.read_text().split() if current.is_file() else []

    def _client(self) -> MlflowClient:
        if self._connected is None:
            for name, value in _PATIENCE.items():
                os.environ.setdefault(name, value)
            from mlflow import MlflowClient

            self._connected = MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)
        return self._connected

    def _find(self, slug: str, alias: str, version: str | None) -> ModelVersion:
        if version is not None:
            return self._client().get_model_version(slug, version)
        return self._client().get_model_version_by_alias(slug, alias)

    def _download_model(self, version: Version, scratch: Path) -> Path:
        with self._asking(version.slug, CHAMPION, version.version):
            from mlflow.artifacts import download_artifacts

            source = self._client().get_model_version_download_uri(version.slug, version.version)
            uri = f"{source}/{version.tags['folder']}"
            return Path(download_artifacts(uri, dst_path=str(scratch / "artifacts"), tracking_uri=self._uri))

    @contextmanager
    def _asking(self, slug: str, alias: str, version: str | None) -> Iterator[None]:
        """Whatever MLflow, its database driver or its HTTP client raise is one `RegistryError` with one sentence."""
        path = self._uri.removeprefix("sqlite:///")
        if path != self._uri and not Path(path).is_file():
            todo = f"run foretell train {slug}, or name another registry in MLFLOW_TRACKING_URI"
            raise RegistryError(f"expected the model registry at {self._uri}, found no such file: {todo}")
        try:
            yield
        except RegistryError:
            raise
        except Exception as error:
            if getattr(error, "error_code", "") in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
                wanted = f"version {version}" if version is not None else f"@{alias}"
                raise RegistryError(f"{slug} has no {wanted} in the registry: run foretell train {slug}") from error
            reason = str(error).strip().partition("\n")[0]
            raise RegistryError(without_password(f"the model registry at {self._uri} cannot be read: {reason}")) from error


def read(version: Version, folder: Path) -> AnyModel:
    """The model in a folder, if it is the one that was registered."""
    return models.get(version.slug).load(folder, manifest_sha256=version.manifest_sha256)


def _described(client: MlflowClient, found: ModelVersion) -> Version:
    tags = dict(found.tags)
    if missing := {"folder", "manifest_sha256"} - tags.keys():
        raise RegistryError(
            f"{found.name} version {found.version} was not registered by Foretell: it lacks the tags {', '.join(sorted(missing))}"
        )
    metrics = client.get_run(found.run_id).data.metrics if found.run_id else {}
    metrics = {name: value for name, value in metrics.items() if math.isfinite(value)}
    return Version(slug=found.name, version=str(found.version), manifest_sha256=tags["manifest_sha256"], tags=tags, metrics=metrics)


def _stored(folder: Path) -> Version | None:
    try:
        return Version.model_validate_json((folder / "version.json").read_bytes())
    except (OSError, ValueError):
        return None


def _replace(draft: Path, final: Path) -> None:
    """Put a finished folder in its place; of two processes that do so, either may win."""
    final.parent.mkdir(exist_ok=True)
    shutil.rmtree(final, ignore_errors=True)
    try:
        draft.rename(final)
    except OSError:
        if _stored(final) is None:
            raise
