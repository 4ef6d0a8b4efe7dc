"""A BERT sentence encoder as an ONNX graph of 8-bit weights, written node by node from its safetensors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

BLOCK = 64
MICROSOFT = "com.microsoft"

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Graph:
    """An exported graph and what a caller of it has to know."""

    onnx: bytes
    dimension: int
    max_tokens: int


def build(source: Path) -> Graph:
    """The graph of a sentence-transformers folder: ids and mask (batch, tokens) in, unit vectors (batch, dimension) out."""
    config = json.loads((source / "config.json").read_text())
    limit = json.loads((source / "sentence_bert_config.json").read_text())["max_seq_length"]
    writer = _Writer(load_file(source / "model.safetensors"), config)
    writer.embed()
    for layer in range(config["num_hidden_layers"]):
        writer.layer(f"encoder.layer.{layer}")
    writer.pool()
    return Graph(writer.serialise(), config["hidden_size"], min(limit, 256))


class _Writer:
    """Appends nodes to a graph; ``self.hidden`` names the tensor that the next node reads."""

    def __init__(self, weights: dict[str, Array], config: dict[str, Any]) -> None:
        self.weights, self.config = weights, config
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self.hidden = ""

    def embed(self) -> None:
        words = self.weights["embeddings.word_embeddings.weight"]
        scale = np.abs(words).max(axis=1, keepdims=True) / 127
        scale[scale == 0] = 1
        codes = self.constant("words", np.rint(words / scale).astype(np.int8))
        scales = self.constant("word_scales", scale.astype(np.float32))
        positions = self.weights["embeddings.position_embeddings.weight"] + self.weights["embeddings.token_type_embeddings.weight"][0]
        quantised = self.node("Cast", self.node("Gather", codes, "ids"), to=TensorProto.FLOAT)
        word = self.node("Mul", quantised, self.node("Gather", scales, "ids"))
        tokens = self.node("Shape", "ids", start=1, end=2)
        axes = self.constant("zero", np.array([0], dtype=np.int64))
        position = self.node("Slice", self.constant("positions", positions), axes, tokens, axes)
        norm = "embeddings.LayerNorm"
        self.hidden = self.node(
            "LayerNormalization", self.node("Add", word, position), self.weight(f"{norm}.weight"), self.weight(f"{norm}.bias"),
            epsilon=self.config["layer_norm_eps"],
        )  # fmt: skip

    def layer(self, name: str) -> None:
        query, key, value = (self.linear(self.hidden, f"{name}.attention.self.{part}") for part in ("query", "key", "value"))
        attended = self.node(
            "MultiHeadAttention", query, key, value, "", "mask", domain=MICROSOFT, num_heads=self.config["num_attention_heads"]
        )
        output = f"{name}.attention.output"
        self.hidden = self.skip_norm(self.linear(attended, f"{output}.dense", bias=False), output)
        inner = self.linear(self.hidden, f"{name}.intermediate.dense", bias=False)
        inner = self.node("BiasGelu", inner, self.weight(f"{name}.intermediate.dense.bias"), domain=MICROSOFT)
        self.hidden = self.skip_norm(self.linear(inner, f"{name}.output.dense", bias=False), f"{name}.output")

    def pool(self) -> None:
        weights = self.node("Unsqueeze", self.node("Cast", "mask", to=TensorProto.FLOAT), self.constant("last", np.array([-1])))
        total = self.node("ReduceSum", self.node("Mul", self.hidden, weights), self.constant("tokens", np.array([1])), keepdims=0)
        self.nodes.append(helper.make_node("LpNormalization", [total], ["vectors"], axis=-1, p=2))

    def linear(self, hidden: str, name: str, *, bias: bool = True) -> str:
        weight = self.weights[f"{name}.weight"]
        outputs, inputs = weight.shape
        blocks = weight.reshape(outputs, inputs // BLOCK, BLOCK)
        scale = np.abs(blocks).max(axis=2, keepdims=True) / 127
        codes = self.constant(f"{name}.codes", (np.rint(blocks / scale) + 128).astype(np.uint8))
        scales = self.constant(f"{name}.scales", scale.astype(np.float32).reshape(-1))
        product = self.node(
            "MatMulNBits", hidden, codes, scales, domain=MICROSOFT, K=inputs, N=outputs, bits=8, block_size=BLOCK, accuracy_level=4
        )
        return self.node("Add", product, self.weight(f"{name}.bias")) if bias else product

    def skip_norm(self, hidden: str, name: str) -> str:
        norm = f"{name}.LayerNorm"
        return self.node(
            "SkipLayerNormalization", hidden, self.hidden, self.weight(f"{norm}.weight"), self.weight(f"{norm}.bias"),
            self.weight(f"{name}.dense.bias"), domain=MICROSOFT, epsilon=self.config["layer_norm_eps"],
        )  # fmt: skip

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        output = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def weight(self, name: str) -> str:
        return self.constant(name, self.weights[name])

    def constant(self, name: str, value: Array) -> str:
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def serialise(self) -> bytes:
        inputs = [
            helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", "tokens"]),
            helper.make_tensor_value_info("mask", TensorProto.INT32, ["batch", "tokens"]),
        ]
        outputs = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", self.config["hidden_size"]])]
        graph = helper.make_graph(self.nodes, "encoder", inputs, outputs, list(self.constants.values()))
        opsets = [helper.make_opsetid("", 21), helper.make_opsetid(MICROSOFT, 1)]
        model: onnx.ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="foretell")
        return bytes(model.SerializeToString(deterministic=True))
