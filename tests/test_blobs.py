"""Large files that are the same are stored once, and stay what they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.blobs import LARGE, share


@pytest.fixture
def versions(tmp_path: Path) -> list[Path]:
    for name in ("a", "b"):
        (tmp_path / name / "encoder").mkdir(parents=True)
        (tmp_path / name / "encoder" / "large.onnx").write_bytes(b"x" * LARGE)
        (tmp_path / name / "small.json").write_bytes(b"{}")
    return [tmp_path / "a", tmp_path / "b"]


def test_equal_large_files_become_one(versions: list[Path], tmp_path: Path) -> None:
    for folder in [*versions, *versions]:
        share(folder, tmp_path / "blobs")
    first, second = (folder / "encoder" / "large.onnx" for folder in versions)
    assert first.samefile(second)
    assert first.stat().st_nlink == 3
    assert first.read_bytes() == b"x" * LARGE
    assert [path.name for path in versions[0].rglob("*") if path.is_file()] == ["small.json", "large.onnx"]
    assert len(list((tmp_path / "blobs").iterdir())) == 1
    assert not (versions[0] / "small.json").samefile(versions[1] / "small.json")


def test_a_damaged_blob_is_replaced_rather_than_spread(versions: list[Path], tmp_path: Path) -> None:
    share(versions[0], tmp_path / "blobs")
    (blob,) = (tmp_path / "blobs").iterdir()
    blob.write_bytes(b"y" * LARGE)
    share(versions[1], tmp_path / "blobs")
    assert (versions[1] / "encoder" / "large.onnx").read_bytes() == b"x" * LARGE
    assert blob.read_bytes() == b"x" * LARGE
