"""The sentence model's graph, beside the same model in plain numpy, and what runs beside a text."""

import math
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from tellback.engines.local import LocalEngine
from tellback.engines.local.graph import Shape, write_graph

SHAPE = Shape(layers=2, heads=2, hidden=32, epsilon=1e-12)
TOKENS = 50
Array = NDArray[Any]


def small_model() -> dict[str, Array]:
    """A model of two layers with weights by chance."""
    chance = np.random.default_rng(7)
    size, wide = SHAPE.hidden, SHAPE.hidden * 4

    def dense(name: str, given: int, made: int) -> dict[str, Array]:
        return {f"{name}.weight": chance.normal(0, 0.2, (made, given)), f"{name}.bias": chance.normal(0, 0.2, made)}

    def norm(name: str) -> dict[str, Array]:
        return {f"{name}.weight": chance.normal(1, 0.1, size), f"{name}.bias": chance.normal(0, 0.1, size)}

    weights = norm("embeddings.LayerNorm")
    for kind, rows in (("word", TOKENS), ("position", 16), ("token_type", 2)):
        weights[f"embeddings.{kind}_embeddings.weight"] = chance.normal(0, 1, (rows, size))
    for layer in (f"encoder.layer.{number}" for number in range(SHAPE.layers)):
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            weights |= dense(f"{layer}.attention.{part}", size, size)
        weights |= dense(f"{layer}.intermediate.dense", size, wide) | dense(f"{layer}.output.dense", wide, size)
        weights |= norm(f"{layer}.attention.output.LayerNorm") | norm(f"{layer}.output.LayerNorm")
    return {name: value.astype(np.float32) for name, value in weights.items()}


def plainly(weights: dict[str, Array], ids: list[int]) -> Array:
    """Devlin et al. 2018, written down: the last layer's mean, of length one."""

    def dense(rows: Array, name: str) -> Array:
        return np.asarray(rows @ weights[f"{name}.weight"].T + weights[f"{name}.bias"])

    def norm(rows: Array, name: str) -> Array:
        even = (rows - rows.mean(axis=1, keepdims=True)) / np.sqrt(rows.var(axis=1, keepdims=True) + SHAPE.epsilon)
        return np.asarray(even * weights[f"{name}.weight"] + weights[f"{name}.bias"])

    def heads(rows: Array) -> Array:
        return rows.reshape(len(ids), SHAPE.heads, -1).transpose(1, 0, 2)

    places = weights["embeddings.position_embeddings.weight"][: len(ids)]
    words = weights["embeddings.word_embeddings.weight"][ids] + weights["embeddings.token_type_embeddings.weight"][0]
    hidden = norm(words + places, "embeddings.LayerNorm")
    for layer in (f"encoder.layer.{number}" for number in range(SHAPE.layers)):
        query, key, value = (heads(dense(hidden, f"{layer}.attention.self.{p}")) for p in ("query", "key", "value"))
        scores = np.exp(query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[2]))
        mixed = (scores / scores.sum(axis=2, keepdims=True)) @ value
        context = dense(mixed.transpose(1, 0, 2).reshape(len(ids), -1), f"{layer}.attention.output.dense")
        middle = norm(context + hidden, f"{layer}.attention.output.LayerNorm")
        wide = dense(middle, f"{layer}.intermediate.dense")
        gelu = wide * (1 + np.vectorize(math.erf)(wide / math.sqrt(2))) / 2
        hidden = norm(dense(gelu, f"{layer}.output.dense") + middle, f"{layer}.output.LayerNorm")
    total = hidden.sum(axis=0)
    return np.asarray(total / np.linalg.norm(total))


def test_the_graph_in_bytes_says_what_the_model_says() -> None:
    weights = small_model()
    chance = np.random.default_rng(8)
    examples = [chance.integers(0, TOKENS, chance.integers(2, 15)).tolist() for _ in range(60)]
    graph = write_graph(weights, SHAPE, examples[:40])
    session = ort.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    found = np.vstack([session.run(["layers"], {"input_ids": np.array([ids])})[0] for ids in examples[40:]])
    assert found.shape == (20, SHAPE.layers * SHAPE.hidden)
    right = np.array([plainly(weights, ids) for ids in examples[40:]])
    # All texts are alike to a model by chance, so they are told apart by what is left without their mean.
    middle = right.mean(axis=0)
    ours, theirs = (rows / np.linalg.norm(rows, axis=1)[:, None] for rows in (found[:, -32:] - middle, right - middle))
    likeness = ours @ theirs.T
    assert np.diag(likeness).min() > 0.95
    assert np.abs(likeness - np.diag(np.diag(likeness))).mean() < 0.4


def test_a_text_has_the_same_bytes_whatever_is_read_beside_it(engine: LocalEngine) -> None:
    texts = [f"The {thing} fails{' again' * count}." for count in range(25) for thing in ("export", "map", "timer")]
    together = engine._encoder.encode(texts)
    for some in (texts[:1], texts[3:5], texts[1::7]):
        alone = engine._encoder.encode(some)
        assert all(
            row.tobytes() == together[texts.index(text)].tobytes() for text, row in zip(some, alone, strict=True)
        )
    assert len({row.tobytes() for row in together}) == len(texts)
