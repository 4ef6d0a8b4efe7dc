"""Fixtures that several test files share."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.databases import postgres_schema

if TYPE_CHECKING:
    from mlflow import MlflowClient

os.environ.setdefault("MPLBACKEND", "Agg")

# The same examples in every run, however slow the machine: a red test is about the change, not about luck.
hypothesis.settings.register_profile("foretell", deadline=None, derandomize=True)
hypothesis.settings.register_profile("nightly", deadline=None, max_examples=2_000)
hypothesis.settings.load_profile("foretell")


@pytest.fixture(scope="session")
def encoder_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of exported encoders; the export happens once, when the first test needs it."""
    return tmp_path_factory.mktemp("encoders")


@pytest.fixture(scope="session")
def root_cause_folder(encoder_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Root cause fitted on its sample, saved; once, however many test files and workers ask for it."""
    from models.root_cause import RootCause, RootCauseExample
    from models.rows import read_rows

    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "root_cause"
    with folder.with_suffix(".lock").open("w") as lock, pytest.MonkeyPatch.context() as patch:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            home = tmp_path_factory.mktemp("home")
            (home / "encoders").symlink_to(encoder_cache)
            patch.setenv("FORETELL_HOME", str(home))
            sample = Path(__file__).parent.parent / "data" / "root_cause" / "sample.csv.gz"
            RootCause().fit(read_rows(sample, RootCauseExample)).save(folder)
    return folder


@pytest.fixture
def home(tmp_path: Path, encoder_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty FORETELL_HOME of this test's own, which shares only the exported encoder with other tests."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "encoders").symlink_to(encoder_cache)
    monkeypatch.setenv("FORETELL_HOME", str(folder))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return folder


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's SQLite file without a run in it; making one takes MLflow seconds, so it is made once."""
    from training import tracking

    folder = tmp_path_factory.mktemp("mlflow")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORETELL_HOME", str(folder))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        tracking.check()
    return folder / "mlflow.db"


@pytest.fixture
def registry(home: Path, empty_database: Path) -> MlflowClient:
    """The empty registry of this test's own home."""
    from mlflow import MlflowClient

    copyfile(empty_database, home / "mlflow.db")
    uri = f"sqlite:///{home / 'mlflow.db'}"
    return MlflowClient(uri, registry_uri=uri)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty store, in each database that the store can live in."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.db'}"
    else:
        with postgres_schema() as url:
            yield url
