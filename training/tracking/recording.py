"""One training, written down: parameters, figures, data, pictures, and the version."""

from __future__ import annotations

import re
import subprocess
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import requires
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import mlflow
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.meta_dataset import MetaDataset

import models
from models.blobs import share
from models.environment import environment
from training.tracking.aliases import CHALLENGER, crown
from training.tracking.store import connect, registry_errors

_DIGEST_LENGTH = 36  # the width of MLflow's column


@contextmanager
def quiet() -> Iterator[None]:
    """What MLflow would rather see in type hints and paths is no news to the person who trains."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module=r"mlflow\.")
        yield


@dataclass(frozen=True)
class Saved:
    """A model's folder, with the hash that vouches for it."""

    folder: Path
    manifest_sha256: str


@contextmanager
def recording(slug: str, tags: Mapping[str, str]) -> Iterator[Recording]:
    """An MLflow run in the experiment of a slug; marked as failed if the block raises.

    Raises
    ------
    RegistryError
        If MLflow cannot be reached.
    """
    with registry_errors(), quiet():
        client, commit = connect(), _git_commit()
        tags = {**tags, "mlflow.source.git.commit": commit} if commit else tags
        name = f"{slug} {tags['trained_at'][:19]}"
        with mlflow.start_run(run_name=name, experiment_id=_experiment(client, slug), tags=dict(tags)) as run:
            yield Recording(slug, client, run.info.run_id)


@dataclass(frozen=True)
class Recording:
    """An MLflow run that is being written."""

    slug: str
    client: MlflowClient
    run_id: str

    def parameters(self, values: Mapping[str, Any]) -> None:
        """Settings and what else was chosen."""
        mlflow.log_params(dict(values))

    def metrics(self, values: Mapping[str, float]) -> None:
        """Figures by name."""
        mlflow.log_metrics(dict(values))

    def dataset(self, path: Path, sha256: str, context: str) -> None:
        """A file that was read, as an input of the run; `context` is ``training`` or ``holdout``."""
        source = resolve_dataset_source(str(path))
        mlflow.log_input(_File(source, name=path.name, digest=sha256[:_DIGEST_LENGTH]), context=context, tags={"sha256": sha256})

    def figures(self, figures: Mapping[str, Figure | str]) -> None:
        """Pictures, as ``figures/<name>.png``; those that are SVG text, as ``figures/<name>.svg``."""
        for name, figure in figures.items():
            if isinstance(figure, str):
                mlflow.log_text(figure, f"figures/{name}.svg")
            else:
                mlflow.log_figure(figure, f"figures/{name}.png")

    def table(self, rows: list[dict[str, Any]], name: str) -> None:
        """A table that the MLflow UI shows as one."""
        columns = list(dict.fromkeys(column for row in rows for column in row))
        if rows:
            mlflow.log_table({column: [row.get(column) for row in rows] for column in columns}, f"{name}.json")

    def text(self, text: str, name: str) -> None:
        """A text file."""
        mlflow.log_text(text, name)

    def register(
        self, served: Saved, judged: Saved, example: Mapping[str, Any], description: str, tags: Mapping[str, str], *, champion: bool
    ) -> int:
        """Store the model and register it as a version, ``@champion`` or ``@challenger``; on any error there is no version.

        Parameters
        ----------
        served, judged
            The model as it will answer, and as it was judged; the same unless it learned the hold-out in between.
        example
            A query, to show how the version is asked.
        """
        uri = self.log_model(served, judged, example)
        if not self.client.search_registered_models(f"name = '{self.slug}'"):
            self.client.create_registered_model(self.slug)
        version = self.client.create_model_version(
            self.slug,
            uri,
            self.run_id,
            {**tags, **hashes(served, judged)},
            description=description,
            await_creation_for=0,
            model_id=uri.removeprefix("models:/"),
        ).version
        try:
            if champion:
                crown(self.client, self.slug, int(version))
            else:
                self.client.set_registered_model_alias(self.slug, CHALLENGER, str(version))
        except BaseException:
            self.client.delete_model_version(self.slug, str(version))
            raise
        return int(version)

    def log_model(self, served: Saved, judged: Saved, example: Mapping[str, Any]) -> str:
        """Store the model with the run, without a version of it; gives its address."""
        package = Path(models.__file__).parent
        folders = {saved.folder.name: str(saved.folder) for saved in (served, judged)}
        info = mlflow.pyfunc.log_model(
            name=self.slug,
            python_model=str(package.parent / "training" / "pyfunc.py"),
            model_config={"model": self.slug, "folder": served.folder.name, "manifest_sha256": served.manifest_sha256},
            artifacts=folders,
            code_paths=[str(package)],
            input_example=[dict(example)],
            pip_requirements=_requirements(),
        )
        location = mlflow.get_logged_model(info.model_id).artifact_location
        if location.startswith("file:"):
            share(Path(url2pathname(urlsplit(location).path)), environment().home / "blobs")
        return str(info.model_uri)


def hashes(served: Saved, judged: Saved) -> dict[str, str]:
    """The tags by which a version's folders are found and known to be unchanged."""
    return {
        "folder": f"artifacts/{served.folder.name}",
        "manifest_sha256": served.manifest_sha256,
        "judged_folder": f"artifacts/{judged.folder.name}",
        "judged_manifest_sha256": judged.manifest_sha256,
    }


class _File(MetaDataset):
    """A file as MLflow notes it; it is not read again for a profile."""

    profile = None


def _experiment(client: MlflowClient, slug: str) -> str:
    if known := client.get_experiment_by_name(slug):
        return str(known.experiment_id)
    surroundings = environment()
    served = surroundings.tracking_uri.startswith("http")
    return client.create_experiment(slug, None if served else (surroundings.home / "artifacts" / slug).as_uri())


def _requirements() -> list[str]:
    """What `models` needs, at the versions that are installed; given, so that MLflow does not spend seconds guessing."""
    core = (line for line in requires("foretell") or () if "extra ==" not in line)
    names = sorted(re.split(r"[^\w.-]", line)[0] for line in core)
    return [f"{name}=={installed_version(name)}" for name in ("mlflow", *names)]


def _git_commit() -> str:
    """The commit of the checkout that runs; empty if there is none."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return ""
