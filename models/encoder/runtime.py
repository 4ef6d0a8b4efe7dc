"""Sentence vectors from an exported encoder; needs onnxruntime and tokenizers, and never torch."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from models.errors import EncoderError

GRAPH, TOKENIZER, CARD = FILES = ("encoder.onnx", "tokenizer.json", "encoder.json")

BATCH_TOKENS = 256
"""Tokens of one run, padding included: more leaves the processor's cache, and costs memory without being faster."""

Vectors = np.ndarray[Any, np.dtype[np.float32]]

_ALIKE = np.ones((1, 1), dtype=np.float32)


class Encoder:
    """Turns texts into unit vectors whose dot product is their cosine similarity.

    A text's vector does not depend on the other texts of the call, up to the rounding of sums (1e-6). Misleads on what it was not
    trained for: numbers, identifiers and, with the packaged weights, any language but English. May be used from several threads.

    Parameters
    ----------
    folder
        Holds `FILES`, as ``default_encoder`` or `save` wrote them.

    Attributes
    ----------
    dimension
        Length of a vector.
    sha256
        Names the content of the files: the hash of the card, which holds the hashes of the others.

    Raises
    ------
    EncoderError
        If a file is missing or is not the one that was exported.
    """

    _shared: ClassVar[dict[str, Encoder]] = {}
    _sharing: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sha256 = hashlib.sha256(_read(folder, CARD)).hexdigest()
        card = _read_card(folder)
        self.dimension: int = card["dimension"]
        self._tokenizer = Tokenizer.from_str(_read_checked(folder, TOKENIZER, card).decode())
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(card["max_tokens"])
        self._session = onnxruntime.InferenceSession(
            _read_checked(folder, GRAPH, card), _session_options(), providers=["CPUExecutionProvider"]
        )
        self._widths: dict[str, int] = {output.name: output.shape[1] for output in self._session.get_outputs()}

    @classmethod
    def shared(cls, folder: Path) -> Encoder:
        """The encoder of a folder; folders with the same content share one instance in this process."""
        sha256 = hashlib.sha256(_read(folder, CARD)).hexdigest()
        with cls._sharing:
            if sha256 not in cls._shared:
                cls._shared[sha256] = cls(folder)
            return cls._shared[sha256]

    def encode(self, texts: Sequence[str], *, exact: bool = False) -> Vectors:
        """One unit vector per text, in order; what lies beyond the model's maximum of tokens is not read.

        Any string is answered: the empty one, any script, lone surrogates.

        Parameters
        ----------
        exact
            Whether a text must get the same vector whatever the other texts are, to the last bit. Costs a few calls too many where
            texts are few, and nothing where they are many.

        Returns
        -------
        float32 array of shape (number of texts, dimension)
        """
        return self._encode(texts, "vectors", exact=exact)

    def encode_layers(self, texts: Sequence[str], weights: Vectors | None = None, *, alone: bool = False) -> Vectors:
        """The pooled states of the last three layers, earliest first, each a unit vector; without weights the third is as of `encode`.

        For classifiers: intents that differ by a word are told apart better in the earlier ones. With a fine-tuned top
        (`models.encoder.export.tuned_encoder`) its vector comes last, as a fourth.

        Parameters
        ----------
        weights
            What each token of the vocabulary counts in the last layer, of shape (`n_tokens`,); all the same if there are none.
        alone
            Whether each text is encoded by itself, which takes longer, so that its vectors are the same whatever the others are.

        Returns
        -------
        float32 array of shape (number of texts, 3 * dimension), or 4 * dimension with a fine-tuned top
        """
        return self._encode(texts, "layers", weights, alone=alone)

    def _encode(
        self, texts: Sequence[str], output: str, weights: Vectors | None = None, exact: bool = False, alone: bool = False
    ) -> Vectors:
        tokens = self.tokens(texts)
        batches = [[row] for row in range(len(tokens))] if alone else list(_batches([len(ids) for ids in tokens], exact))

        vectors = np.empty((len(texts), self._widths[output]), dtype=np.float32)

        def run(rows: list[int]) -> None:
            # Sums over the tokens of one text alone are added up in another order than those of two.
            doubled = rows * 2 if exact and len(rows) == 1 else rows
            vectors[rows] = self._run([tokens[row] for row in doubled], output, weights)[: len(rows)]

        if len(batches) == 1:
            run(batches[0])
        elif batches:
            with ThreadPoolExecutor(min(len(batches), os.cpu_count() or 1)) as pool:
                list(pool.map(run, reversed(batches)))
        return vectors

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of each text, at most the model's maximum."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast([_encodable(text) for text in texts])]

    @property
    def n_tokens(self) -> int:
        """Size of the vocabulary."""
        return self._tokenizer.get_vocab_size()

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words that are one token, the most frequent first: vocabularies are made from counts, and keep their order."""
        tokens = self._tokenizer.get_vocab(with_added_tokens=False)
        found = (token.removeprefix("\u2581") for token in sorted(tokens, key=tokens.__getitem__))
        return tuple(token for token in found if len(token) > 1 and token.isalpha())

    def save(self, folder: Path) -> None:
        """Put the encoder's files into a folder: hard links where the file system allows them, else copies.

        Raises
        ------
        FileExistsError
            If the folder holds an encoder already.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            _link_or_copy(self.folder / name, folder / name)

    def _run(self, tokens: Sequence[Sequence[int]], output: str, weights: Vectors | None) -> Vectors:
        ids = np.zeros((len(tokens), max(map(len, tokens))), dtype=np.int64)
        mask = np.zeros(ids.shape, dtype=np.int32)
        for row, text in enumerate(tokens):
            ids[row, : len(text)] = text
            mask[row, : len(text)] = 1
        weighed = _ALIKE if weights is None else weights[ids]
        vectors: Vectors = self._session.run([output], {"ids": ids, "mask": mask, "weights": weighed})[0]
        return vectors


def _session_options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    # One core a run and a run on every core: onnxruntime's own threads wait by spinning, and a busy machine makes them wait for long.
    options.intra_op_num_threads = 1
    # The graph is written in its final form; more fusion would bring the slow SkipLayerNormalization in.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return options


def _batches(lengths: Sequence[int], exact: bool = False) -> Iterator[list[int]]:
    """Rows of similar length together, so that little is spent on padding; at most `BATCH_TOKENS` a batch, or one row.

    Where it must be exact, only rows of the same length: padding changes the last digits.
    """
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        full = batch and lengths[row] * (len(batch) + 1) > BATCH_TOKENS
        if full or (batch and exact and lengths[row] != lengths[batch[0]]):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _encodable(text: str) -> str:
    """The text as the tokenizer can take it: surrogate pairs become their character, lone surrogates U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    if not path.is_file():
        raise EncoderError(f"expected an exported encoder in {folder}, found no {name}: delete the folder and train or fetch it again")
    return path.read_bytes()


def _read_card(folder: Path) -> dict[str, Any]:
    try:
        card: dict[str, Any] = json.loads(_read(folder, CARD))
        if card.keys() >= {"dimension", "max_tokens", "sha256"}:
            return card
    except (ValueError, AttributeError):
        pass
    raise EncoderError(f"expected {folder / CARD} to be the card of an encoder, got something else: delete the folder")


def _read_checked(folder: Path, name: str, card: dict[str, Any]) -> bytes:
    content = _read(folder, name)
    if hashlib.sha256(content).hexdigest() != card["sha256"].get(name):
        raise EncoderError(f"{folder / name} changed since it was exported: delete the folder and train or fetch it again")
    return content


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        shutil.copyfile(source, target)
