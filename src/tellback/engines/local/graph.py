"""The sentence model as an ONNX graph: BERT, each layer's mean over the text, length one. Imported only to build it.

Written twice: in full precision, to see on examples how large what goes into each matrix gets, and then in bytes.
Source of the architecture: Devlin et al. 2018 (BERT), Reimers and Gurevych 2019 (mean pooling); of evening out columns
before rounding: Xiao et al. 2023 (SmoothQuant).

Scales are fixed when the graph is written. With scales taken from what is being read a text's vector would depend on
the texts beside it; with these, texts of one length can be read together and each gets the bytes it gets alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

OPSET = 20
OURS = "com.microsoft"
#: How far what goes into a matrix is evened out at the cost of the matrix: between 0, not at all, and 1. At 0.7 the
#: vectors' cosine to those in full precision is 0.998 on average and 0.990 at worst; at 0 it is 0.992 and 0.969.
EVENED = 0.7
#: A column counts as large as this share of its values is; few are larger.
USUAL = 99.9
SMALLEST = 1e-3

Floats = NDArray[np.float32]
Tensors = Mapping[str, NDArray[Any]]
#: What goes into each matrix, by its name: a row for each token of the examples.
Seen = Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Shape:
    """How large the model is."""

    layers: int
    heads: int
    hidden: int
    epsilon: float


def write_graph(tensors: Tensors, shape: Shape, examples: Sequence[Sequence[int]]) -> ModelProto:
    """The graph in bytes, from token ids (batch, length) to `layers` (batch, layers x hidden).

    `tensors` are the model's weights by name, `examples` the token ids of texts like those that will be read.
    """
    plain = _Plain(tensors)
    _write(plain, shape)
    small = _Small(tensors, _watch(plain, examples))
    _write(small, shape)
    return small.model({"layers": shape.layers * shape.hidden})


class _Graph:
    """Collects nodes and weights."""

    def __init__(self, tensors: Tensors) -> None:
        self.tensors = tensors
        self.nodes: list[Any] = []
        self.weights: dict[str, NDArray[Any]] = {}

    def weight(self, name: str, value: NDArray[Any] | None = None) -> str:
        """Adds a weight of the model (or a constant) once and returns its name."""
        self.weights.setdefault(name, np.ascontiguousarray(self.tensors[name] if value is None else value))
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Adds a node with one output and returns the output's name."""
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def norm(self, first: str, second: str, layer: str, output: str, epsilon: float) -> str:
        """Layer normalisation of a sum over the last axis."""
        total = self.node("Add", [first, second], f"{output}.sum")
        scale, bias = self.weight(f"{layer}.weight"), self.weight(f"{layer}.bias")
        return self.node("LayerNormalization", [total, scale, bias], output, axis=-1, epsilon=epsilon)

    def model(self, outputs: Mapping[str, int | None]) -> ModelProto:
        """The graph as a file's content; `outputs` are those it gives, with the number of their columns."""
        return helper.make_model(
            helper.make_graph(
                self.nodes,
                "sentence-encoder",
                [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"])],
                [
                    helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", columns] if columns else None)
                    for name, columns in outputs.items()
                ],
                [numpy_helper.from_array(value, name) for name, value in self.weights.items()],
            ),
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(OURS, 1)],
            ir_version=10,
        )

    def words(self) -> str:
        """The words' vectors."""
        raise NotImplementedError

    def dense(self, source: str, layer: str, output: str) -> str:
        """A linear layer."""
        raise NotImplementedError

    def attention(self, source: str, layer: str, output: str, heads: int) -> str:
        """Attention of every token of a text to every other, before its last linear layer."""
        raise NotImplementedError

    def linear(self, layer: str) -> tuple[Floats, Floats]:
        """Matrix and bias: the model stores weights as (out, in), the graph multiplies by (in, out)."""
        return self.tensors[f"{layer}.weight"].T, self.tensors[f"{layer}.bias"]

    def asking(self, layer: str) -> tuple[Floats, Floats]:
        """Matrix and bias of query, key and value side by side."""
        matrices, biases = zip(*(self.linear(f"{layer}.{part}") for part in ("query", "key", "value")), strict=True)
        return np.hstack(matrices), np.hstack(biases)


class _Plain(_Graph):
    """In full precision. Remembers what goes into each matrix."""

    def __init__(self, tensors: Tensors) -> None:
        super().__init__(tensors)
        self.sources: dict[str, str] = {}

    def words(self) -> str:
        return self.node("Gather", [self.weight("embeddings.word_embeddings.weight"), "input_ids"], "words")

    def dense(self, source: str, layer: str, output: str) -> str:
        self.sources[layer] = source
        matrix, bias = self.linear(layer)
        product = self.node("MatMul", [source, self.weight(f"{layer}.matrix", matrix)], f"{output}.mul")
        return self.node("Add", [product, self.weight(f"{layer}.bias", bias)], output)

    def attention(self, source: str, layer: str, output: str, heads: int) -> str:
        self.sources[layer] = source
        matrix, bias = self.asking(layer)
        inputs = [source, self.weight(f"{layer}.matrix", matrix), self.weight(f"{layer}.bias", bias)]
        return self.node("Attention", inputs, output, domain=OURS, num_heads=heads)


class _Small(_Graph):
    """In bytes: a scale for each column of a matrix, one for what goes into it, which is evened out before."""

    def __init__(self, tensors: Tensors, seen: Seen) -> None:
        super().__init__(tensors)
        self.seen = seen

    def words(self) -> str:
        table = self.tensors["embeddings.word_embeddings.weight"]
        scale = np.abs(table).max(axis=0) / 127
        rounded = self.weight("words.table", np.round(table / scale).astype(np.int8))
        found = self.node("Gather", [rounded, "input_ids"], "words.found")
        wide = self.node("Cast", [found], "words.wide", to=TensorProto.FLOAT)
        return self.node("Mul", [wide, self.weight("words.scale", scale)], "words")

    def dense(self, source: str, layer: str, output: str) -> str:
        matrix, bias = self.linear(layer)
        given, scale, zero, rounded, scales, zeros = self._rounded(source, layer, matrix)
        inputs = [given, rounded, scale, scales, zero, zeros, self.weight(f"{layer}.bias", bias)]
        return self.node("MatMulIntegerToFloat", inputs, output, domain=OURS)

    def attention(self, source: str, layer: str, output: str, heads: int) -> str:
        matrix, bias = self.asking(layer)
        given, scale, zero, rounded, scales, zeros = self._rounded(source, layer, matrix)
        inputs = [given, rounded, self.weight(f"{layer}.bias", bias), scale, scales, "", zero, zeros]
        return self.node("QAttention", inputs, output, domain=OURS, num_heads=heads)

    def _rounded(self, source: str, layer: str, matrix: Floats) -> tuple[str, str, str, str, str, str]:
        """What goes in, its scale and zero; the matrix, its scales and zeros."""
        seen = self.seen[layer]
        usual = np.maximum(np.percentile(np.abs(seen), USUAL, axis=0), SMALLEST)
        weight = np.maximum(np.abs(matrix).max(axis=1), SMALLEST)
        even = (usual**EVENED / weight ** (1 - EVENED)).astype(np.float32)
        matrix = matrix * even[:, None]
        lowest, highest = min(float((seen / even).min()), 0.0), max(float((seen / even).max()), 0.0)
        scale, scales = np.float32((highest - lowest) / 255), (np.abs(matrix).max(axis=0) / 127).astype(np.float32)
        evened = self.node("Mul", [source, self.weight(f"{layer}.even", 1 / even)], f"{layer}.evened")
        names = (
            self.weight(f"{layer}.scale", np.array(scale)),
            self.weight(f"{layer}.zero", np.array(np.round(-lowest / scale), np.uint8)),
        )
        return (
            self.node("QuantizeLinear", [evened, *names], f"{layer}.given"),
            *names,
            self.weight(f"{layer}.matrix", np.round(matrix / scales).astype(np.int8)),
            self.weight(f"{layer}.scales", scales),
            self.weight(f"{layer}.zeros", np.zeros(len(scales), np.int8)),
        )


def _watch(plain: _Plain, examples: Sequence[Sequence[int]]) -> Seen:
    """What goes into each matrix when these examples are read."""
    names = list(plain.sources.values())
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(
        plain.model(dict.fromkeys(names)).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    runs = [session.run(names, {"input_ids": np.array([ids], dtype=np.int64)}) for ids in examples]
    return {layer: np.concatenate([run[place][0] for run in runs]) for place, layer in enumerate(plain.sources)}


def _write(graph: _Graph, shape: Shape) -> None:
    hidden = _embeddings(graph, shape)
    layers = []
    for index in range(shape.layers):
        hidden = _layer(graph, shape, hidden, f"encoder.layer.{index}")
        layers.append(hidden)
    _pool(graph, layers)


def _embeddings(graph: _Graph, shape: Shape) -> str:
    # Token type 0 throughout, so its row is added to every position once.
    places = graph.tensors["embeddings.position_embeddings.weight"]
    kind = graph.tensors["embeddings.token_type_embeddings.weight"][0]
    length = graph.node("Shape", ["input_ids"], "length", start=1, end=2)
    one, zero = (graph.weight(f"const.{n}", np.array([n], np.int64)) for n in (1, 0))
    used = graph.node("Slice", [graph.weight("places", (places + kind)[None]), zero, length, one], "places.used")
    return graph.norm(graph.words(), used, "embeddings.LayerNorm", "hidden", shape.epsilon)


def _layer(graph: _Graph, shape: Shape, hidden: str, layer: str) -> str:
    context = graph.attention(hidden, f"{layer}.attention.self", f"{layer}.context", shape.heads)
    attended = graph.dense(context, f"{layer}.attention.output.dense", f"{layer}.attended")
    middle = graph.norm(attended, hidden, f"{layer}.attention.output.LayerNorm", f"{layer}.middle", shape.epsilon)
    wide = graph.node("Gelu", [graph.dense(middle, f"{layer}.intermediate.dense", f"{layer}.wide")], f"{layer}.gelu")
    narrow = graph.dense(wide, f"{layer}.output.dense", f"{layer}.narrow")
    return graph.norm(narrow, middle, f"{layer}.output.LayerNorm", f"{layer}.out", shape.epsilon)


def _pool(graph: _Graph, layers: list[str]) -> None:
    """Each layer's mean over the text, of length one, side by side; the last is the sentence's vector.

    Earlier layers know what the last one is trained to forget: mood, manner and spelling. The sum is a product with
    ones, for the runtime's own sum goes another way for a single text than for several.
    """
    one = graph.weight("const.1", np.array([1], np.int64))
    size = graph.node("Concat", [one, "length"], "pool.size", axis=0)
    ones = graph.node(
        "ConstantOfShape", [size], "pool.ones", value=helper.make_tensor("one", TensorProto.FLOAT, [1], [1])
    )
    pooled = []
    for hidden in layers:
        total = graph.node("Squeeze", [graph.node("MatMul", [ones, hidden], f"{hidden}.total"), one], f"{hidden}.flat")
        # The mean's divisor cancels in the normalisation, so the sum is enough.
        pooled.append(graph.node("LpNormalization", [total], f"{hidden}.mean", axis=-1, p=2))
    graph.node("Concat", pooled, "layers", axis=-1)
