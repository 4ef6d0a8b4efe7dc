"""Normal time in bounded memory: whole units of a log that may be longer than memory, read once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from models.root_cause.templates import Templates
from models.root_cause.types import LogLine, RootCauseExample
from models.root_cause.window import Array, Columns, columns

CHUNK = 50_000
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass
class Sample:
    """Units of normal time, drawn by a hash of their number: which ones are kept depends on neither order nor chunks.

    Parameters
    ----------
    max_lines
        How many lines may be kept.
    max_templates
        How many templates, which all lines are mined for, whether they are kept or not.
    seed
        Another seed keeps other units.
    """

    max_lines: int
    max_templates: int
    seed: int

    def __post_init__(self) -> None:
        self._chunks: list[Columns] = []
        self._below = np.uint64(2**64 - 1)
        self.templates = Templates({}, self.max_templates)
        self.lines_read = 0

    def add(self, chunk: Columns) -> None:
        """Take further lines."""
        self.lines_read += len(chunk.at)
        self.templates = self.templates.merged(Templates.mine(chunk.messages, self.max_templates, set(chunk.services)))
        self._chunks.append(chunk.where(self._rank(chunk.unit) <= self._below))
        if sum(len(kept.at) for kept in self._chunks) > 2 * self.max_lines:
            self._prune()

    def columns(self) -> Columns:
        """What was kept."""
        self._prune()
        return self._chunks[0]

    def _rank(self, unit: Array) -> Array:
        mixed = (unit.astype(np.uint64) + np.uint64(self.seed)) * _MIX
        return (mixed ^ (mixed >> np.uint64(29))) * _MIX

    def _prune(self) -> None:
        whole = _joined(self._chunks)
        rank = self._rank(whole.unit)
        if len(rank) > self.max_lines:
            limits, counts = np.unique(rank, return_counts=True)
            fitting = np.flatnonzero(np.cumsum(counts) <= self.max_lines)
            self._below = limits[fitting[-1]] if len(fitting) else limits[0]
            whole = whole.where(rank <= self._below)
        self._chunks = [whole]


def read_normal(examples: Iterable[RootCauseExample], block_seconds: float, sample: Sample) -> None:
    """Fill a sample with the lines that belong to no incident."""
    normal: Iterator[LogLine] = (line for line in examples if line.incident is None)
    while chunk := list(islice(normal, CHUNK)):
        sample.add(columns(chunk, block_seconds))


def _joined(chunks: Sequence[Columns]) -> Columns:
    return Columns(
        np.concatenate([chunk.at for chunk in chunks]),
        [service for chunk in chunks for service in chunk.services],
        [message for chunk in chunks for message in chunk.messages],
        [place for chunk in chunks for place in chunk.locations],
        [host for chunk in chunks for host in chunk.hosts],
        np.concatenate([chunk.severe for chunk in chunks]),
        np.concatenate([chunk.unit for chunk in chunks]),
    )
