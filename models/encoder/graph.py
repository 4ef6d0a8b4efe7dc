"""A BERT sentence encoder as an ONNX graph with 8-bit weights, written node by node from its safetensors.

Written, not traced: the same weights give the same bytes, without torch. Activations are quantised per token, never over the whole
batch as ``onnxruntime.quantization.quantize_dynamic`` does, so that a text's vector does not depend on its neighbours in the batch.

Query, key and value are one product, each product has one scale per token and one per output, and what all of them share (shapes, zero
points) is computed once: for a short sentence, calling the nodes costs as much as their arithmetic. The hidden states are kept flat,
(batch * tokens, width).

References
----------
Devlin et al. (2019), "BERT". Reimers and Gurevych (2019), "Sentence-BERT". Dettmers et al. (2022), "LLM.int8()", section 3.1, on
scales per row and column.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

MICROSOFT = "com.microsoft"
PAIR_LIMIT = 128
"""Codes of two neighbouring inputs sum to at most this: processors without VNNI add their products in 16 bits (vpmaddubsw)."""
WEIGHT_LIMITS = (64, 72, 80, 88, 96, 112, 127)
"""Largest codes to try: more is finer, but then more neighbours exceed `PAIR_LIMIT` and are cut."""
POOLED = 3
"""Last layers whose pooled states are told beside the vector: what a classifier needs is partly forgotten in the last one."""
TUNED = "tuned."
"""Before the names of a second top's weights."""
GELU_OFFSET = 0.17
"""gelu(x) > -0.17, so with this added its values use all of an unsigned byte."""

Array = np.ndarray[Any, Any]


def read_config(source: Path) -> dict[str, Any]:
    """The configuration of a sentence-transformers folder.

    Raises
    ------
    ValueError
        If `write_graph` cannot express the model; the message says what it expected and what came.
    """
    config: dict[str, Any] = _read_json(source, "config.json")
    pooling = _read_json(source, "1_Pooling/config.json")
    config["pooling"] = "mean" if pooling.get("pooling_mode_mean_tokens") or pooling.get("pooling_mode") == "mean" else "another"
    config["modules"] = [module["type"].rsplit(".", 1)[-1] for module in _read_json(source, "modules.json") if module["path"]]
    expected: dict[str, list[Any]] = {
        "model_type": ["bert"],
        "hidden_act": ["gelu"],
        "pooling": ["mean"],
        "modules": [["Pooling"], ["Pooling", "Normalize"]],
    }
    for name, values in expected.items():
        if config.get(name) not in values:
            raise ValueError(f"expected {name} to be {values[-1]!r}, got {config.get(name)!r}")
    config["max_tokens"] = _read_json(source, "sentence_bert_config.json").get("max_seq_length") or config["max_position_embeddings"]
    return config


def read_weights(source: Path) -> dict[str, Array]:
    """The weights of a sentence-transformers folder in single precision, by their names below ``bert.``."""
    return {name.removeprefix("bert."): value.astype(np.float32) for name, value in load_file(source / "model.safetensors").items()}


def write_graph(source: Path, config: Mapping[str, Any], tuned: Mapping[str, Array] | None = None) -> bytes:
    """The graph as ONNX: ``ids``, ``mask`` and ``weights`` (batch, tokens) in, the last also as one number of shape (1, 1).

    Out come unit ``vectors`` (batch, width), and ``layers`` (batch, POOLED * width): those of the last layers beside each other. In the
    very last of ``layers`` a token counts by its weight.

    Parameters
    ----------
    tuned
        Other weights of the upper layers, by name. They become a second top on the same lower layers, so that both cost less than two
        encoders, and its last layer, by weights too, stands in ``layers`` after the others.
    """
    graph = _Graph(read_weights(source) | {f"{TUNED}{name}": value for name, value in (tuned or {}).items()}, config)
    names = [f"encoder.layer.{layer}" for layer in range(config["num_hidden_layers"])]
    hidden = [graph.embedding()]
    for name in names:
        hidden.append(graph.layer(hidden[-1], name))
    lower, tops = hidden[-POOLED:-1], hidden[-1:]
    if tuned:
        lowest = min(int(name.split(".")[2]) for name in tuned)
        top = hidden[lowest]
        for name in names[lowest:]:
            top = graph.layer(top, f"{TUNED}{name}")
        tops.append(top)
    graph.pooling(lower, tops)
    return graph.serialise()


def quantise_weight(weight: Array) -> tuple[Array, Array]:
    """Codes and scales, one scale per output (row): of `WEIGHT_LIMITS` the limit that costs a row least."""
    attempts = [_quantise_up_to(limit, weight) for limit in WEIGHT_LIMITS]
    errors = [np.square(codes * scales[:, None] - weight).sum(axis=1) for codes, scales in attempts]
    best, rows = np.argmin(errors, axis=0), np.arange(len(weight))
    codes, scales = (np.stack(parts)[best, rows] for parts in zip(*attempts, strict=True))
    return codes.astype(np.int8), scales.astype(np.float32)


def _quantise_up_to(limit: int, weight: Array) -> tuple[Array, Array]:
    scales = np.abs(weight).max(axis=1).clip(min=1e-12) / limit
    pairs = np.rint(weight / scales[:, None]).reshape(len(weight), -1, 2)
    excess = np.abs(pairs.sum(axis=2, keepdims=True)) / PAIR_LIMIT
    return np.where(excess > 1, np.trunc(pairs / excess.clip(min=1)), pairs).reshape(weight.shape), scales


def _read_json(source: Path, name: str) -> Any:
    path = source / name
    if not path.is_file():
        raise ValueError(f"expected {name}, found none")
    return json.loads(path.read_text(encoding="utf-8"))


class _Graph:
    """Nodes and constants under construction; each method appends nodes and returns the name of the tensor they end in."""

    def __init__(self, weights: Mapping[str, Array], config: Mapping[str, Any]) -> None:
        self.weights = weights
        self.width: int = config["hidden_size"]
        self.heads: int = config["num_attention_heads"]
        self.epsilon: float = config["layer_norm_eps"]
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self.flat = self.constant("flat", np.array([-1, self.width]))
        self.last = self.constant("last", np.array([-1]))
        self.shape = self.node("Concat", self.node("Shape", "ids"), self.last, axis=0)
        tokens = self.node("Reshape", self.node("Size", "ids"), self.last)
        self.zeros = {zero: self.node("Expand", self.constant(f"zero_{zero}", np.uint8(zero)), tokens) for zero in (0, 128)}

    def embedding(self) -> str:
        """Word, position and segment; the words as bytes with a scale each."""
        words = self.weights["embeddings.word_embeddings.weight"]
        scales = np.abs(words).max(axis=1, keepdims=True).clip(min=1e-12) / 127
        codes = self.node("Gather", self.constant("words", np.rint(words / scales).astype(np.int8)), "ids")
        word = self.node(
            "Mul", self.node("Cast", codes, to=TensorProto.FLOAT), self.node("Gather", self.constant("word_scales", scales), "ids")
        )
        positions = self.weights["embeddings.position_embeddings.weight"] + self.weights["embeddings.token_type_embeddings.weight"][0]
        zero, tokens = self.constant("zero", np.array([0])), self.node("Shape", "ids", start=1, end=2)
        position = self.node("Slice", self.constant("positions", positions), zero, tokens, zero)
        return self.norm(self.node("Reshape", self.node("Add", word, position), self.flat), "embeddings")

    def layer(self, hidden: str, name: str) -> str:
        return self.feed_forward(self.attention(hidden, f"{name}.attention"), name)

    def attention(self, hidden: str, name: str) -> str:
        product, bias = self.linear(hidden, *(f"{name}.self.{part}" for part in ("query", "key", "value")))
        parts = [f"{name}.{part}" for part in ("query", "key", "value")]
        self.nodes.append(helper.make_node("Split", [self.rows(product)], parts, axis=2, num_outputs=3))
        attended = self.node("MultiHeadAttention", *parts, bias, "mask", domain=MICROSOFT, num_heads=self.heads)
        return self.residual(self.node("Reshape", attended, self.flat), hidden, f"{name}.output")

    def feed_forward(self, hidden: str, name: str) -> str:
        inner = self.node("BiasGelu", *self.linear(hidden, f"{name}.intermediate.dense"), domain=MICROSOFT)
        return self.residual(inner, hidden, f"{name}.output", offset=GELU_OFFSET)

    def residual(self, inner: str, hidden: str, name: str, *, offset: float = 0) -> str:
        projected = self.node("Add", *self.linear(inner, f"{name}.dense", offset=offset))
        return self.norm(self.node("Add", projected, hidden), name)

    def norm(self, hidden: str, name: str) -> str:
        # Not SkipLayerNormalization: on a CPU it is eight times slower than this and an Add.
        gamma, beta = self.weight(f"{name}.LayerNorm.weight"), self.weight(f"{name}.LayerNorm.bias")
        return self.node("LayerNormalization", hidden, gamma, beta, epsilon=self.epsilon)

    def pooling(self, lower: Sequence[str], tops: Sequence[str]) -> None:
        """Means over the tokens: plain ones of lower layers and the first top, and weighted ones of each top."""
        present = self.node("Cast", "mask", to=TensorProto.FLOAT)
        plain, weighted = (self.node("Unsqueeze", each, self.last) for each in (present, self.node("Mul", present, "weights")))
        units = [*(self.mean(states, plain) for states in lower), *(self.mean(states, weighted) for states in tops)]
        self.nodes.append(helper.make_node("Identity", [self.mean(tops[0], plain)], ["vectors"]))
        self.nodes.append(helper.make_node("Concat", units, ["layers"], axis=-1))
        self.pooled = len(units)

    def mean(self, states: str, weights: str) -> str:
        """Over the tokens; without the division, since it becomes a unit vector anyway."""
        total = self.node("ReduceSum", self.node("Mul", self.rows(states), weights), self.constant("tokens", np.array([1])), keepdims=0)
        return self.node("LpNormalization", total, axis=-1, p=2)

    def rows(self, hidden: str) -> str:
        """Flat hidden states as (batch, tokens, width)."""
        return self.node("Reshape", hidden, self.shape)

    def linear(self, hidden: str, *names: str, offset: float = 0) -> tuple[str, str]:
        """The layers of the given names as one product of bytes, scaled back by token and by output, and their bias still to be added.

        With an ``offset``, ``hidden + offset`` is known to be positive and is quantised from 0, else symmetrically around 128.
        """
        codes, scales = quantise_weight(np.concatenate([self.weights[f"{name}.weight"] for name in names]))
        bias = np.concatenate([self.weights[f"{name}.bias"] for name in names]) - offset * scales * codes.sum(axis=1)
        quantised, scale, zero = self.quantise_from_zero(hidden, offset) if offset else self.quantise_around_zero(hidden)
        product = self.node(
            "MatMulIntegerToFloat",
            quantised,
            self.constant(f"{names[0]}.codes", codes.T),
            self.constant("one", np.float32(1)),
            self.constant(f"{names[0]}.scales", scales),
            self.constant(f"zero_{zero}", np.uint8(zero)),
            domain=MICROSOFT,
        )
        return self.node("Mul", product, self.node("Unsqueeze", scale, self.last)), self.constant(
            f"{names[0]}.bias", bias.astype(np.float32)
        )

    def quantise_around_zero(self, hidden: str) -> tuple[str, str, int]:
        largest = self.node("ReduceMax", self.node("Abs", hidden), self.last, keepdims=0)
        return self.quantise(hidden, self.node("Mul", largest, self.constant("per_level_signed", np.float32(1 / 127))), zero=128)

    def quantise_from_zero(self, hidden: str, offset: float) -> tuple[str, str, int]:
        positive = self.node("Add", hidden, self.constant("offset", np.float32(offset)))
        largest = self.node("ReduceMax", positive, self.last, keepdims=0)
        return self.quantise(positive, self.node("Mul", largest, self.constant("per_level", np.float32(1 / 255))), zero=0)

    def quantise(self, hidden: str, scale: str, *, zero: int) -> tuple[str, str, int]:
        """Bytes, the scale of each token and the byte that stands for 0."""
        return self.node("QuantizeLinear", hidden, scale, self.zeros[zero], axis=0), scale, zero

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        output = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def weight(self, name: str) -> str:
        return self.constant(name, self.weights[name])

    def constant(self, name: str, value: Array | np.generic) -> str:
        self.constants[name] = numpy_helper.from_array(np.array(value, order="C"), name)
        return name

    def serialise(self) -> bytes:
        inputs = [
            helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", "tokens"]),
            helper.make_tensor_value_info("mask", TensorProto.INT32, ["batch", "tokens"]),
            helper.make_tensor_value_info("weights", TensorProto.FLOAT, ["batch_or_1", "tokens_or_1"]),
        ]
        widths = {"vectors": self.width, "layers": self.pooled * self.width}
        outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width]) for name, width in widths.items()]
        graph = helper.make_graph(self.nodes, "encoder", inputs, outputs, list(self.constants.values()))
        opsets = [helper.make_opsetid("", 21), helper.make_opsetid(MICROSOFT, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="foretell")
        return bytes(model.SerializeToString(deterministic=True))
