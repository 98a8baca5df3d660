"""The local engine: on-device embeddings, light trained heads, rules. No key, nothing leaves the machine."""

from pathlib import Path

from threadpoolctl import threadpool_limits

from tellback.engines.local.encoder import Encoder
from tellback.engines.local.engine import LocalEngine
from tellback.engines.local.heads import FOLDER, load_head
from tellback.engines.local.joins import load_joins
from tellback.engines.local.model import ensure_model, find_model_files


def load_local_engine(*, cache_dir: Path, model_dir: Path | None = None, threads: int = 1) -> LocalEngine:
    """The local engine, with its model built into `cache_dir` when it is not there yet (some seconds, once).

    `threads` bounds numpy's too, for the whole process: left alone they spin on every core between two small products.

    Raises `Unavailable` when the model's files are not installed.
    """
    threadpool_limits(threads, user_api="blas")
    files = find_model_files(model_dir)
    model = ensure_model(files, cache_dir=cache_dir)
    encoder = Encoder(model=model, tokenizer=files.tokenizer, hidden=files.hidden, threads=threads)
    return LocalEngine(
        encoder=encoder,
        model_name=files.name,
        signals=load_head("signals"),
        sentiment=load_head("sentiment"),
        reviews=load_head("reviews"),
        joins=load_joins(FOLDER),
    )


__all__ = ["LocalEngine", "load_local_engine"]
