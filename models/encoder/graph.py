"""A BERT sentence encoder as an ONNX graph with 8-bit weights, written node by node from its safetensors.

Written, not traced: the same weights give the same bytes, without torch. Activations are quantised per token, never over the whole
batch as ``onnxruntime.quantization.quantize_dynamic`` does, so that a text's vector does not depend on its neighbours in the batch.

Where the bits go. Query, key and value read the residual stream with its outlier channels and lose most by 8 bits: they are
``MatMulNBits``, with a scale per 32 inputs of weights and activations. The other three quarters of the multiplications are plain
integer products, one scale per token and one per output. The hidden states are kept flat, (batch * tokens, width).

References
----------
Devlin et al. (2019), "BERT". Reimers and Gurevych (2019), "Sentence-BERT". Dettmers et al. (2022), "LLM.int8()", section 4, on
outlier channels and scales per row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

MICROSOFT = "com.microsoft"
BLOCK = 32
WEIGHT_LIMIT = 63
"""Seven bits: two products of 8 bits overflow the 16-bit sums (vpmaddubsw) of x86 processors without VNNI."""
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


def write_graph(source: Path, config: Mapping[str, Any]) -> bytes:
    """The graph as ONNX: ``ids`` and ``mask`` (batch, tokens) in, unit ``vectors`` (batch, width) out."""
    weights = {name.removeprefix("bert."): value.astype(np.float32) for name, value in load_file(source / "model.safetensors").items()}
    graph = _Graph(weights, config)
    hidden = graph.embedding()
    for layer in range(config["num_hidden_layers"]):
        hidden = graph.attention(hidden, f"encoder.layer.{layer}.attention")
        hidden = graph.feed_forward(hidden, f"encoder.layer.{layer}")
    graph.pooling(hidden)
    return graph.serialise()


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
        self.shape = self.node("Concat", self.node("Shape", "ids"), self.constant("width", np.array([self.width])), axis=0)

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

    def attention(self, hidden: str, name: str) -> str:
        query, key, value = (self.block_linear(hidden, f"{name}.self.{part}") for part in ("query", "key", "value"))
        attended = self.node("MultiHeadAttention", query, key, value, "", "mask", domain=MICROSOFT, num_heads=self.heads)
        return self.residual(self.node("Reshape", attended, self.flat), hidden, f"{name}.output")

    def feed_forward(self, hidden: str, name: str) -> str:
        inner = self.node("BiasGelu", *self.token_linear(hidden, f"{name}.intermediate.dense"), domain=MICROSOFT)
        return self.residual(inner, hidden, f"{name}.output", offset=GELU_OFFSET)

    def residual(self, inner: str, hidden: str, name: str, *, offset: float = 0) -> str:
        projected = self.node("Add", *self.token_linear(inner, f"{name}.dense", offset=offset))
        return self.norm(self.node("Add", projected, hidden), name)

    def norm(self, hidden: str, name: str) -> str:
        # Not SkipLayerNormalization: on a CPU it is eight times slower than this and an Add.
        gamma, beta = self.weight(f"{name}.LayerNorm.weight"), self.weight(f"{name}.LayerNorm.bias")
        return self.node("LayerNormalization", hidden, gamma, beta, epsilon=self.epsilon)

    def pooling(self, hidden: str) -> None:
        """Mean over the tokens; without the division, since the vectors become unit vectors anyway."""
        mask = self.node("Unsqueeze", self.node("Cast", "mask", to=TensorProto.FLOAT), self.last)
        total = self.node("ReduceSum", self.node("Mul", self.rows(hidden), mask), self.constant("tokens", np.array([1])), keepdims=0)
        self.nodes.append(helper.make_node("LpNormalization", [total], ["vectors"], axis=-1, p=2))

    def block_linear(self, hidden: str, name: str) -> str:
        """A product with a scale per `BLOCK` inputs, plus the bias; of shape (batch, tokens, width)."""
        weight = self.weights[f"{name}.weight"]
        outputs, inputs = weight.shape
        blocks = weight.reshape(outputs, -1, BLOCK)
        scales = np.abs(blocks).max(axis=2, keepdims=True).clip(min=1e-12) / 127
        codes = self.constant(f"{name}.codes", (np.rint(blocks / scales) + 128).astype(np.uint8))
        quantised = [codes, self.constant(f"{name}.scales", scales.ravel()), "", "", self.weight(f"{name}.bias")]
        # accuracy_level 4: the activations are quantised, too, by blocks.
        product = self.node(
            "MatMulNBits", hidden, *quantised, domain=MICROSOFT, K=inputs, N=outputs, bits=8, block_size=BLOCK, accuracy_level=4
        )
        return self.rows(product)

    def token_linear(self, hidden: str, name: str, *, offset: float = 0) -> tuple[str, str]:
        """A product of bytes, scaled back by token and by output, and the bias still to be added; both flat.

        With an ``offset``, ``hidden + offset`` is known to be positive and is quantised from 0, else symmetrically around 128.
        """
        weight = self.weights[f"{name}.weight"]
        scales = np.abs(weight).max(axis=1, keepdims=True).clip(min=1e-12) / WEIGHT_LIMIT
        codes = np.rint(weight / scales).astype(np.int8)
        quantised, scale, zero = self.quantise_from_zero(hidden, offset) if offset else self.quantise_around_zero(hidden)
        product = self.node(
            "MatMulIntegerToFloat",
            quantised,
            self.constant(f"{name}.codes", codes.T),
            self.constant("one", np.float32(1)),
            self.constant(f"{name}.scales", scales.ravel()),
            self.constant(f"zero_{zero}", np.uint8(zero)),
            domain=MICROSOFT,
        )
        bias = self.weights[f"{name}.bias"] - offset * (codes * scales).sum(axis=1)
        return self.node("Mul", product, self.node("Unsqueeze", scale, self.last)), self.constant(f"{name}.bias", bias.astype(np.float32))

    def quantise_around_zero(self, hidden: str) -> tuple[str, str, int]:
        largest = self.node("ReduceMax", self.node("Abs", hidden), self.last, keepdims=0)
        return self.quantise(hidden, self.node("Mul", largest, self.constant("per_level_signed", np.float32(1 / 127))), zero=128)

    def quantise_from_zero(self, hidden: str, offset: float) -> tuple[str, str, int]:
        positive = self.node("Add", hidden, self.constant("offset", np.float32(offset)))
        largest = self.node("ReduceMax", positive, self.last, keepdims=0)
        return self.quantise(positive, self.node("Mul", largest, self.constant("per_level", np.float32(1 / 255))), zero=0)

    def quantise(self, hidden: str, scale: str, *, zero: int) -> tuple[str, str, int]:
        """Bytes, the scale of each token and the byte that stands for 0."""
        zeros = self.node("Expand", self.constant(f"zeros_{zero}", np.array([zero], dtype=np.uint8)), self.node("Shape", scale))
        return self.node("QuantizeLinear", hidden, scale, zeros, axis=0), scale, zero

    def rows(self, hidden: str) -> str:
        """Flat hidden states as (batch, tokens, width)."""
        return self.node("Reshape", hidden, self.shape)

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
        ]
        outputs = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", self.width])]
        graph = helper.make_graph(self.nodes, "encoder", inputs, outputs, list(self.constants.values()))
        opsets = [helper.make_opsetid("", 21), helper.make_opsetid(MICROSOFT, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="foretell")
        return bytes(model.SerializeToString(deterministic=True))
