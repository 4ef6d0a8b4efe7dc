"""A folder of resumes with a job in it, as one question."""

from __future__ import annotations

import base64
from pathlib import Path

from models.errors import InputError
from models.resume_ranking.reading import read
from models.resume_ranking.records import MAX_CANDIDATES, MAX_DOCUMENT, MAX_TEXT, Candidate, Job, job_of

_JOB = "job"
_MAX_BYTES = MAX_DOCUMENT * 3 // 4 - 3


def read_folder(folder: Path) -> tuple[Job, tuple[Candidate, ...]]:
    """The job, from the file whose name without ending is ``job``, and a candidate per other file, named after it.

    Files whose names begin with a dot, and folders in it, are not looked at.

    Raises
    ------
    InputError
        If there is not exactly one job, it cannot be read, or there is no resume or too many.
    """
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    jobs = [path for path in files if path.stem.casefold() == _JOB]
    if len(jobs) != 1:
        found = ", ".join(path.name for path in jobs) or "none"
        raise InputError(f"expected one file named job.txt (or .md, .pdf, .docx, .html) in {folder}, found {found}: put the vacancy there")
    resumes = [path for path in files if path not in jobs]
    if not 0 < len(resumes) <= MAX_CANDIDATES:
        raise InputError(f"expected 1 to {MAX_CANDIDATES:,} resumes beside {jobs[0].name} in {folder}, found {len(resumes):,}")
    return _job(jobs[0]), tuple(Candidate(id=path.name[-200:], document=_base64(path)) for path in resumes)


def _job(path: Path) -> Job:
    document = read(_head(path), path.name)
    if not document.readable:
        raise InputError(f"{path.name}: expected a job that can be read, but {document.reason}")
    return job_of(document.text[:MAX_TEXT])


def _base64(path: Path) -> str:
    return base64.b64encode(_head(path)).decode()


def _head(path: Path) -> bytes:
    """The file; of one that is larger than any reader takes only so much that the reader will say so."""
    with path.open("rb") as file:
        return file.read(_MAX_BYTES)
