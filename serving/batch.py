"""Predictions for a whole file, in a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from models.base import Prediction
from models.rows import read_queries, write_rows
from serving.registry import AnyModel, Version, load

BATCH = 1_000
"""Queries that are asked at once: enough for vectorised models, few enough to stay small in memory."""

T = TypeVar("T")


def predict_file(
    slug: str,
    source: Path,
    target: Path,
    *,
    mapping: Mapping[str, str],
    options: Mapping[str, str],
    alias: str,
    version: str | None,
    progress: Callable[[int], None],
) -> tuple[int, Version]:
    """Ask a registered model about every row of a file, in a stream: memory does not grow with the file.

    Parameters
    ----------
    source, target
        See `read_rows` and `write_rows`; predictions come in the order of the rows.
    mapping, options
        See `read_rows`.
    alias, version
        Which version; a number wins over an alias.
    progress
        Is called with the number of further bytes of the file that were read.

    Returns
    -------
    tuple[int, Version]
        How many predictions were written, and by which version.

    Raises
    ------
    InputError, RegistryError, ModelFolderError
        If the file, the registry or the saved model cannot be used; then nothing is written.
    """
    model, found = load(slug, alias=alias, version=version)
    queries = read_queries(source, model.contract, mapping, options=options, progress=progress)
    # Ids are for outcomes that are reported to the server; it never saw these.
    return write_rows(target, model.contract.prediction, _answers(model, queries), leave_out={"prediction_id"}), found


def _answers(model: AnyModel, queries: Iterable[Any]) -> Iterator[Prediction]:
    for batch in _batches(queries, BATCH):
        yield from model.predict(batch)


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
