"""Aliases move as a person means them to, and an MLflow that is away says so at once."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from mlflow import MlflowClient

from models.errors import RegistryError, UnknownModelError
from training import tracking


@pytest.fixture
def churn(registry: MlflowClient, home: Path) -> MlflowClient:
    """A registry in which churn has versions 1, 2 and 3, and 3 is the challenger."""
    run = registry.create_run(registry.create_experiment("churn", artifact_location=home.as_uri()))
    registry.log_metric(run.info.run_id, "roc_auc", 0.8)
    registry.log_metric(run.info.run_id, "baseline_roc_auc", 0.5)
    registry.create_registered_model("churn")
    tags = {"trained_at": "2026-01-01T00:00:00+00:00", "data": "rows.csv", "rows": "10"}
    for _ in range(3):
        registry.create_model_version("churn", home.as_uri(), run.info.run_id, tags)
    registry.set_registered_model_alias("churn", "challenger", "3")
    return registry


def champion() -> int:
    return next(version.version for version in tracking.status() if version.alias == "champion")


def test_promotions_can_be_taken_back_one_by_one(churn: MlflowClient) -> None:
    for version in (1, 2, None):
        tracking.promote("churn", version)
    assert champion() == 3
    assert [tracking.rollback("churn").version for _ in range(2)] == [2, 1]
    assert champion() == 1
    with pytest.raises(RegistryError, match="expected an earlier champion of churn to go back to, found none"):
        tracking.rollback("churn")
    assert champion() == 1


def test_a_rollback_passes_over_a_version_that_was_deleted(churn: MlflowClient) -> None:
    for version in (1, 2, 3):
        tracking.promote("churn", version)
    churn.delete_model_version("churn", "2")
    assert tracking.rollback("churn").version == 1


def test_promoting_the_champion_again_changes_nothing(churn: MlflowClient) -> None:
    for version in (1, 2, 2):
        tracking.promote("churn", version)
    assert tracking.rollback("churn").version == 1


def test_status_says_what_answers_and_how_good_it_was(churn: MlflowClient) -> None:
    tracking.promote("churn", 1)
    challenger, first = tracking.status()
    assert (challenger.alias, challenger.version) == ("challenger", 3)
    assert first.model_dump(mode="json", exclude={"run_id"}) == {
        "slug": "churn",
        "version": 1,
        "alias": "champion",
        "trained_at": "2026-01-01T00:00:00Z",
        "data": "rows.csv",
        "rows": 10,
        "metrics": {"roc_auc": 0.8},
    }


def test_what_is_not_there_cannot_be_promoted(churn: MlflowClient) -> None:
    with pytest.raises(RegistryError, match="found no version 9"):
        tracking.promote("churn", 9)
    churn.delete_registered_model_alias("churn", "challenger")
    with pytest.raises(RegistryError, match="expected a challenger of churn to promote, found none"):
        tracking.promote("churn")
    with pytest.raises(RegistryError, match="expected an earlier champion of interest_graph"):
        tracking.rollback("interest_graph")
    with pytest.raises(UnknownModelError, match="chrun"):
        tracking.promote("chrun")


def test_a_server_that_is_away_is_one_sentence_within_seconds(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://user:secret@127.0.0.1:{port}")
    started = time.monotonic()
    with pytest.raises(RegistryError) as raised:
        tracking.check()
    assert time.monotonic() - started < 10
    assert f"expected MLflow at http://***@127.0.0.1:{port}" in str(raised.value)
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)
