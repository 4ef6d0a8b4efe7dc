"""Sentence vectors from an exported encoder; needs onnxruntime and tokenizers, and never torch."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from models.errors import EncoderError

GRAPH, TOKENIZER, CARD = FILES = ("encoder.onnx", "tokenizer.json", "encoder.json")

Vectors = np.ndarray[Any, np.dtype[np.float32]]


class Encoder:
    """Turns texts into unit vectors whose dot product is their cosine similarity.

    A text's vector does not depend on the other texts of the call. May be used from several threads at once.

    Parameters
    ----------
    folder
        Holds `FILES`, as `models.encoder.export` wrote them.

    Raises
    ------
    EncoderError
        If a file is missing or is not the one that was exported.
    """

    _shared: ClassVar[dict[str, Encoder]] = {}
    _sharing: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        contents = _read(folder)
        card = json.loads(contents[CARD])
        self.sha256 = _content_hash(contents)
        self.dimension: int = card["dimension"]
        self._tokenizer = Tokenizer.from_str(contents[TOKENIZER].decode())
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(card["max_tokens"])
        self._session = onnxruntime.InferenceSession(contents[GRAPH], _options(), providers=["CPUExecutionProvider"])

    @classmethod
    def shared(cls, folder: Path) -> Encoder:
        """The encoder of a folder; folders with the same content share one instance in this process."""
        with cls._sharing:
            sha256 = _content_hash(_read(folder))
            if sha256 not in cls._shared:
                cls._shared[sha256] = cls(folder)
            return cls._shared[sha256]

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One unit vector per text, in order; what lies beyond the model's maximum of tokens is not read.

        Returns
        -------
        float32 array of shape (number of texts, dimension)
        """
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch([_printable(text) for text in texts])]
        for rows in _batches([len(ids) for ids in tokens]):
            vectors[rows] = self._run([tokens[row] for row in rows])
        return vectors

    def save(self, folder: Path) -> None:
        """Put the encoder's files into a new folder: hard links where the file system allows, else copies."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            _link_or_copy(self.folder / name, folder / name)

    def _run(self, tokens: Sequence[Sequence[int]]) -> Vectors:
        longest = max(map(len, tokens))
        ids = np.zeros((len(tokens), longest), dtype=np.int64)
        mask = np.zeros_like(ids, dtype=np.int32)
        for row, sentence in enumerate(tokens):
            ids[row, : len(sentence)] = sentence
            mask[row, : len(sentence)] = 1
        vectors: Vectors = self._session.run(["vectors"], {"ids": ids, "mask": mask})[0]
        return vectors


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False
    # The graph is written in its final form; fusing further brings the slow SkipLayerNormalization back.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return options


def _batches(lengths: Sequence[int], size: int = 32) -> Iterator[list[int]]:
    """Rows in batches of similar length, so that little is spent on padding."""
    rows = sorted(range(len(lengths)), key=lengths.__getitem__)
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _printable(text: str) -> str:
    """The text without lone surrogates, which the tokenizer cannot take; a pair of surrogates becomes its character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _read(folder: Path) -> dict[str, bytes]:
    """The bytes of the encoder's files, each compared with the hash in the card."""
    if missing := [name for name in FILES if not (folder / name).is_file()]:
        raise EncoderError(f"expected an exported encoder in {folder}, found no {', '.join(missing)}: delete the folder to export it again")
    contents = {name: (folder / name).read_bytes() for name in FILES}
    try:
        expected: dict[str, str] = json.loads(contents[CARD])["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise EncoderError(f"expected {folder / CARD} to be the JSON of an export, got something else: delete the folder") from error
    for name in (GRAPH, TOKENIZER):
        if hashlib.sha256(contents[name]).hexdigest() != expected.get(name):
            raise EncoderError(f"{name} in {folder} is not the exported one: delete the folder to export it again")
    return contents


def _content_hash(contents: dict[str, bytes]) -> str:
    return hashlib.sha256(contents[CARD]).hexdigest()


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
