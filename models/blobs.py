"""Large files that several model folders hold are stored once: each is a hard link to one blob, named by its sha256."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

from models.digest import sha256_of

LARGE = 1 << 20


def share(folder: Path, blobs: Path) -> None:
    """Replace the large files below a folder by links to blobs of the same content.

    A blob is checked before it is linked to, so a damaged one is replaced rather than spread. Where hard links are not possible
    (another file system), the files stay as they are.

    Parameters
    ----------
    folder
        Its files of 1 MiB and more are shared; they must not be written to afterwards.
    blobs
        Where the blobs are; is created.
    """
    blobs.mkdir(parents=True, exist_ok=True)
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink() and file.stat().st_size >= LARGE:
            _share(file, blobs)


def sweep(blobs: Path) -> None:
    """Remove the blobs that no folder holds any more."""
    for blob in blobs.glob("*"):
        if blob.stat().st_nlink == 1:
            blob.unlink(missing_ok=True)


def _share(file: Path, blobs: Path) -> None:
    digest = sha256_of(file)
    blob = blobs / digest
    sound = blob.is_file() and sha256_of(blob) == digest
    source, target = (blob, file) if sound else (file, blob)
    link = target.with_name(f".{uuid4().hex}")
    try:
        os.link(source, link)
    except OSError:
        return
    link.replace(target)
    link.unlink(missing_ok=True)  # replacing a file by a link to itself leaves both names
