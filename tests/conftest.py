"""Fixtures that several test files share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture(scope="session")
def encoder_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of exported encoders; the export happens once, when the first test needs it."""
    return tmp_path_factory.mktemp("encoders")


@pytest.fixture
def home(tmp_path: Path, encoder_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty FORETELL_HOME of this test's own, which shares only the exported encoder with other tests."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "encoders").symlink_to(encoder_cache)
    monkeypatch.setenv("FORETELL_HOME", str(folder))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return folder
