"""Text to vectors on this machine's processor: sentence-transformers on torch, onnxruntime's own int8, and ours.

Half of the sentences are what customers ask (Banking77), half are what servers log (LogHub). The systems take turns, so that a busy
machine slows all of them; speeds are medians of the turns.
"""

from __future__ import annotations

import random
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnxruntime
import polars as pl
import torch
from onnxruntime.quantization import quantize_dynamic
from sentence_transformers import SentenceTransformer

from models.encoder import default_encoder
from models.encoder.export import packaged_source
from models.encoder.runtime import GRAPH

DATA = "."

SENTENCES, ALONE, TURNS, BATCH, MAX_TOKENS = 1_000, 100, 3, 32, 256

Vectors = np.ndarray[Any, np.dtype[np.float32]]
Encode = Callable[[Sequence[str]], Vectors]


def run(data: Path) -> list[dict[str, object]]:
    """One row per system; ``data`` is the root of the public sets."""
    sentences = _sentences(data)
    reference = SentenceTransformer(str(packaged_source()), device="cpu")
    with TemporaryDirectory() as folder:
        quantised = _quantise_dynamic(reference, Path(folder))
        encoder = default_encoder()
        systems: dict[str, tuple[Encode, Path]] = {
            "sentence-transformers": (lambda texts: _as_vectors(reference, texts), packaged_source() / "model.safetensors"),
            "quantize_dynamic": (_OnnxPeer(quantised, reference), quantised),
            "foretell": (encoder.encode, encoder.folder / GRAPH),
        }
        expected = _as_vectors(reference, sentences)
        quality = {name: _quality(encode, sentences, expected) for name, (encode, _) in systems.items()}
        speed = _speeds({name: encode for name, (encode, _) in systems.items()}, sentences)
        sizes = {name: {"megabytes": round(path.stat().st_size / 1e6, 1)} for name, (_, path) in systems.items()}
        lengths = [len(ids) for ids in reference.tokenizer(sentences, truncation=True, max_length=MAX_TOKENS)["input_ids"]]
    about = {"data": "banking77 + loghub", "tokens_per_sentence": round(statistics.mean(lengths), 1)}
    return [{"system": name, **about, **speed[name], **quality[name], **sizes[name]} for name in systems]


def _sentences(data: Path) -> list[str]:
    questions = pl.read_csv(data / "intent/banking77/test.csv")["text"].to_list()
    logs = [
        line
        for file in sorted(data.glob("root_cause/loghub/*_structured.csv"))
        for line in pl.read_csv(file, columns=["Content"], infer_schema=False)["Content"].drop_nulls().unique(maintain_order=True)
    ]
    generator = random.Random(0)  # noqa: S311
    sentences = generator.sample(questions, SENTENCES // 2) + generator.sample(logs, SENTENCES // 2)
    generator.shuffle(sentences)
    return sentences


def _as_vectors(model: SentenceTransformer, texts: Sequence[str]) -> Vectors:
    return np.asarray(model.encode(list(texts), batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False), dtype=np.float32)


def _quality(encode: Encode, sentences: Sequence[str], expected: Vectors) -> dict[str, object]:
    together = encode(sentences)
    alone = np.vstack([encode([sentence]) for sentence in sentences[:ALONE]])
    cosines = (together * expected).sum(axis=1)
    return {
        "cosine_mean": round(float(cosines.mean()), 4),
        "cosine_min": round(float(cosines.min()), 4),
        "batch_vs_single_max_abs_diff": float(np.abs(together[:ALONE] - alone).max()),
    }


def _speeds(systems: dict[str, Encode], sentences: Sequence[str]) -> dict[str, dict[str, object]]:
    single: dict[str, list[float]] = {name: [] for name in systems}
    batched: dict[str, list[float]] = {name: [] for name in systems}
    for _ in range(TURNS):
        for name, encode in systems.items():
            began = time.perf_counter()
            for sentence in sentences[:ALONE]:
                encode([sentence])
            single[name].append(ALONE / (time.perf_counter() - began))
            began = time.perf_counter()
            encode(sentences)
            batched[name].append(len(sentences) / (time.perf_counter() - began))
    return {
        name: {
            "sentences_per_second_single": round(statistics.median(single[name]), 1),
            "sentences_per_second_batched": round(statistics.median(batched[name]), 1),
        }
        for name in systems
    }


class _Pooled(torch.nn.Module):
    """The whole of sentence-transformers' pipeline as one traceable module."""

    def __init__(self, transformer: torch.nn.Module) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        hidden = self.transformer(input_ids=ids, attention_mask=mask).last_hidden_state
        return torch.nn.functional.normalize((hidden * mask.unsqueeze(-1)).sum(dim=1), dim=-1)


def _quantise_dynamic(reference: SentenceTransformer, folder: Path) -> Path:
    """What a user would do with the tools at hand: trace, then quantise by tensor."""
    axes = {"ids": {0: "batch", 1: "tokens"}, "mask": {0: "batch", 1: "tokens"}, "vectors": {0: "batch"}}
    example = (torch.ones(2, 9, dtype=torch.int64), torch.ones(2, 9, dtype=torch.int64))
    names: dict[str, Any] = {"input_names": ["ids", "mask"], "output_names": ["vectors"], "dynamic_axes": axes}
    transformer: Any = reference[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Pooled(transformer.auto_model).eval(), example, str(folder / "float.onnx"), dynamo=False, opset_version=17, **names
        )
        quantize_dynamic(folder / "float.onnx", folder / "int8.onnx", per_channel=True)
    return folder / "int8.onnx"


class _OnnxPeer:
    """Runs a traced graph with the tokenizer and the batches of the model that it was traced from."""

    def __init__(self, path: Path, reference: SentenceTransformer) -> None:
        self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self._tokenizer: Any = reference.tokenizer

    def __call__(self, texts: Sequence[str]) -> Vectors:
        order = np.argsort([len(text) for text in texts], kind="stable")
        vectors = [self._run([texts[row] for row in order[start : start + BATCH]]) for start in range(0, len(order), BATCH)]
        return np.vstack(vectors)[np.argsort(order)]

    def _run(self, texts: Sequence[str]) -> Vectors:
        tokens = self._tokenizer(list(texts), padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="np")
        inputs = {"ids": tokens["input_ids"].astype(np.int64), "mask": tokens["attention_mask"].astype(np.int64)}
        return np.asarray(self._session.run(None, inputs)[0], dtype=np.float32)
