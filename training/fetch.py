"""Downloads a public set from its publisher: resumes what was cut off, and keeps only what has the expected hash."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from models.digest import sha256_of
from models.errors import FetchError, InputError
from training.public_sets import PUBLIC_SETS, PublicFile, PublicSet

_ATTEMPTS = 4
_TIMEOUT_SECONDS = 30
_CHUNK = 2**16


def public_set(name: str) -> PublicSet:
    """The public set of a name.

    Raises
    ------
    InputError
        If there is none.
    """
    for found in PUBLIC_SETS:
        if found.name == name:
            return found
    raise InputError(f"expected one of {', '.join(each.name for each in PUBLIC_SETS)} as the public set, got {name!r}")


def fetch(wanted: PublicSet, folder: Path, *, progress: Callable[[int], None]) -> list[Path]:
    """Bring the files of a set into a folder; those that are there already are checked, not fetched again.

    Parameters
    ----------
    folder
        Is created.
    progress
        Is called with the number of further bytes that are there.

    Returns
    -------
    list[Path]
        The files, each with the expected hash.

    Raises
    ------
    InputError
        If another file of the same name is in the folder; it is left alone.
    FetchError
        If the publisher cannot be reached, or offers something else. A download that was cut off goes on at the next call.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [_fetch_file(file, folder / file.name, progress) for file in wanted.files]


def _fetch_file(file: PublicFile, target: Path, progress: Callable[[int], None]) -> Path:
    if target.exists():
        if sha256_of(target) != file.sha256:
            raise InputError(f"expected {target} to be the published file, got another one: move it away and fetch again")
        progress(file.size)
        return target
    part = target.with_name(target.name + ".part")
    progress(part.stat().st_size if part.exists() else 0)
    _complete(file, part, progress)
    if (digest := sha256_of(part)) != file.sha256:
        part.unlink()
        raise FetchError(f"expected sha256 {file.sha256} at {file.address}, got {digest}: the published file changed, nothing was kept")
    part.replace(target)
    return target


def _complete(file: PublicFile, part: Path, progress: Callable[[int], None]) -> None:
    """Download what is missing, in a few attempts; each goes on where the last one was cut off."""
    problem = "the connection was cut"
    for _ in range(_ATTEMPTS):
        try:
            _append(file, part, progress)
        except urllib.error.HTTPError as error:
            problem = str(error)
            error.close()
            if error.code < http.HTTPStatus.INTERNAL_SERVER_ERROR:
                break
        except (OSError, http.client.HTTPException) as error:
            problem = str(error)
        if _size(part) >= file.size:
            return
    raise FetchError(f"expected {file.size:,} bytes from {file.address}, got {_size(part):,} ({problem}): fetch again to go on from there")


def _append(file: PublicFile, part: Path, progress: Callable[[int], None]) -> None:
    have = _size(part)
    if have >= file.size:
        return
    # The addresses come from our own table, and what they answer is trusted only by its hash.
    request = urllib.request.Request(file.address, headers={"Range": f"bytes={have}-", "Accept-Encoding": "identity"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
        if not resumed:
            progress(-have)
            have = 0
        with part.open("ab" if resumed else "wb") as out:
            while have <= file.size and (chunk := response.read(_CHUNK)):
                out.write(chunk)
                have += len(chunk)
                progress(len(chunk))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
