"""Registers models in the shape that `training.tracking` gives them, without a training."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from models.base import Model
from models.environment import environment
from models.interest_graph import InterestGraph, InterestGraphConfig, InterestGraphEvent


@cache
def _empty_database() -> Path:
    """Made once: MLflow's migrations take seconds."""
    path = Path(mkdtemp()) / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_registered_models()
    return path


def graph(topic: str = "jazz", seed: int = 0) -> InterestGraph:
    """A small graph in which everybody likes `topic`."""
    events = [InterestGraphEvent(user_id=f"u{n}", topic=name, action="like") for n in range(8) for name in (topic, f"topic{n % 3}")]
    return InterestGraph(InterestGraphConfig(seed=seed)).fit(events)


def register(model: Model[Any, Any, Any, Any], *, champion: bool = True, tags: Mapping[str, str] | None = None) -> tuple[str, Path]:
    """The number of the new version, and where its artifacts are."""
    surroundings = environment()
    if surroundings.tracking_uri == f"sqlite:///{surroundings.home / 'mlflow.db'}" and not (surroundings.home / "mlflow.db").exists():
        shutil.copy(_empty_database(), surroundings.home / "mlflow.db")
    client = MlflowClient(surroundings.tracking_uri, surroundings.tracking_uri)
    slug = model.contract.slug
    try:
        client.get_registered_model(slug)
    except MlflowException:
        client.create_registered_model(slug)
    known = client.get_experiment_by_name(slug)
    experiment = known.experiment_id if known else client.create_experiment(slug, (surroundings.home / "artifacts" / slug).as_uri())
    run = client.create_run(experiment)
    with TemporaryDirectory() as scratch:
        sha256 = model.save(Path(scratch) / "model")
        client.log_artifacts(run.info.run_id, scratch, "logged/artifacts")
    client.log_metric(run.info.run_id, "ndcg_at_10", 0.5)
    about = {"folder": "artifacts/model", "manifest_sha256": sha256, "rows": "16", "trained_at": "2026-01-02T03:04:05+00:00"}
    found = client.create_model_version(slug, f"{run.info.artifact_uri}/logged", run.info.run_id, {**about, **(tags or {})})
    if champion:
        client.set_registered_model_alias(slug, "champion", found.version)
    return str(found.version), Path(run.info.artifact_uri.removeprefix("file://")) / "logged/artifacts/model"
