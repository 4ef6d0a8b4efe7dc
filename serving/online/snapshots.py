"""States on disk, so that a replay never starts from the beginning.

``<home>/online/<slug>/<version>-<epoch>-<watermark>/`` holds ``snapshot.json`` and the saved model in ``model/``. A folder appears
whole or not at all; whatever is wrong with one, it is passed over, and the state is built from the version again.
"""

from __future__ import annotations

import fcntl
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field

import models
from models.base import OnlineModel
from models.blobs import sweep
from serving.registry import KEPT_VERSIONS, Version

logger = logging.getLogger("bentoml.foretell")

_ABOUT, _MODEL, _LOCK = "snapshot.json", "model", ".lock"


def purge_caches(home: Path) -> None:
    """Remove what this machine keeps of online models beside registry and store: snapshots, downloaded versions, blobs of these.

    Servers that run hold what they need in memory, and fetch it again; called when somebody was forgotten.
    """
    for slug in models.MODELS:
        if issubclass(models.get(slug), OnlineModel):
            Snapshots(home, slug).purge()
            shutil.rmtree(home / "served" / slug, ignore_errors=True)
    sweep(home / "blobs")


class Snapshot(BaseModel):
    """What a saved state has seen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version_sha256: str = Field(description="The manifest of the version that the events were applied to.")
    epoch: int = Field(description="The store's, when the state was built.")
    store: str = Field(description="Identity of the store: numbers of another store mean other events.")
    watermark: int = Field(description="Number of the last event that was read.")
    applied: int = Field(description="Events learned since the training.")
    refused: int = Field(description="Events that the version cannot take.")
    model_sha256: str = Field(default="", description="The manifest of the saved state.")


class Snapshots:
    """The snapshots of one model on this machine.

    Parameters
    ----------
    home
        ``FORETELL_HOME``.
    slug
        The model's.
    """

    def __init__(self, home: Path, slug: str) -> None:
        self._slug = slug
        self._folder = home / "online" / slug

    def newest(self, version: Version, epoch: int) -> tuple[float, int]:
        """When the newest snapshot of a version was made, in seconds since 1970, and its watermark; zeros if there is none."""
        watermark, folder = max(self._of(version, epoch), default=(0, None))
        with suppress(FileNotFoundError):  # a newer one may just have taken its place
            return (folder.stat().st_mtime if folder is not None else 0.0), watermark
        return time.time(), watermark

    def load(self, version: Version, epoch: int, store: str) -> tuple[Snapshot, OnlineModel[Any, Any, Any, Any]] | None:
        """The newest snapshot of a version that can be used."""
        for _, folder in sorted(self._of(version, epoch), reverse=True):
            try:
                about = Snapshot.model_validate_json((folder / _ABOUT).read_bytes())
                if (about.version_sha256, about.epoch, about.store) != (version.manifest_sha256, epoch, store):
                    continue
                model = models.get(self._slug).load(folder / _MODEL, manifest_sha256=about.model_sha256)
            except Exception as error:  # then the events are applied again
                logger.warning("snapshot %s cannot be used: %s", folder, error)
            else:
                return about, cast(OnlineModel[Any, Any, Any, Any], model)
        return None

    def save(self, about: Snapshot, model: OnlineModel[Any, Any, Any, Any], is_valid: Callable[[], bool]) -> bool:
        """Write a snapshot and remove what it makes superfluous; whether it is valid. Only while `alone`.

        Parameters
        ----------
        is_valid
            Is asked at the last moment: nobody may have been forgotten meanwhile.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=".draft-") as scratch:
            draft = Path(scratch) / "snapshot"
            draft.mkdir()
            about = about.model_copy(update={"model_sha256": model.save(draft / _MODEL)})
            (draft / _ABOUT).write_text(about.model_dump_json(indent=1))
            if not is_valid():
                return False
            final = self._folder / f"{about.version_sha256[:16]}-{about.epoch}-{about.watermark}"
            shutil.rmtree(final, ignore_errors=True)
            draft.rename(final)
        self._tidy(about)
        return True

    def purge(self) -> None:
        """Remove all snapshots; waits for whoever writes one."""
        if self._folder.is_dir():
            with (self._folder / _LOCK).open("w") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                for folder in self._folder.iterdir():
                    if folder.is_dir():
                        shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def alone(self) -> Iterator[int | None]:
        """The lock of the only one on this machine who writes, as a file that a process may inherit; ``None`` if somebody else does.

        It is held while the block lasts, and for as long as a process that has inherited it.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / _LOCK).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
            else:
                yield file.fileno()

    def _of(self, version: Version, epoch: int) -> list[tuple[int, Path]]:
        found = self._folder.glob(f"{version.manifest_sha256[:16]}-{epoch}-*")
        return [(int(folder.name.rpartition("-")[2]), folder) for folder in found]

    def _tidy(self, newest: Snapshot) -> None:
        """Keep one snapshot per version, and none of another epoch or of a version that is served no more."""
        kept: dict[str, Path] = {}
        for folder in sorted(self._folder.glob("*-*-*"), key=lambda folder: int(folder.name.rpartition("-")[2]), reverse=True):
            version, epoch, _ = folder.name.split("-")
            if epoch == str(newest.epoch) and (len(kept) < KEPT_VERSIONS or version == newest.version_sha256[:16]):
                kept.setdefault(version, folder)
        for folder in self._folder.iterdir():
            # A draft belongs to a writer that was killed, or this one would not be alone.
            if folder.is_dir() and folder not in kept.values():
                shutil.rmtree(folder, ignore_errors=True)
