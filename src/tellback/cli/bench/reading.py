"""Understanding measured without a database: what the model bounds, beside the model alone in the same run."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from tellback.cli.output import say
from tellback.sdk.engine import Engine, Item

BATCH = 64
BATCHES = 10
ALONE = 200
NEEDED = BATCH * BATCHES + ALONE
RUNS = 3
TARGET_PER_SECOND = 200.0
TARGET_MS = 25.0


def measure_reading(texts: Sequence[str], *, engine: Engine) -> dict[str, Any]:
    """Items a second of one core, in batches of 64, and milliseconds for one item alone; the best of three runs.

    `read_` is every pass that needs the model (extract, interpret, embed), `embedding_` the model alone over the same
    items. Batches count seconds of the processor, one item alone seconds of the clock. Needs `NEEDED` texts,
    all different, so that none is remembered from before.
    """
    size = BATCH * BATCHES
    batches, singles = [texts[start : start + BATCH] for start in range(0, size, BATCH)], texts[size : size + ALONE]
    alone, both, ones = [], [], []
    engine.embed(texts[:1])
    for _ in range(RUNS):
        both.append(_seconds(lambda some: _understand(some, engine), batches))
        alone.append(_seconds(engine.embed, batches))
        ones.append(sorted(_clock(text, engine) for text in singles))
    per_second, bound = (size / min(runs) for runs in (both, alone))
    half, most = (min(run[int(share * ALONE)] for run in ones) * 1000 for share in (0.5, 0.95))
    return {
        "read_items_per_second": round(per_second, 1),
        "embedding_items_per_second": round(bound, 1),
        "read_one_p50_ms": round(half, 1),
        "read_one_p95_ms": round(most, 1),
        "reading_target_met": per_second >= TARGET_PER_SECOND and most <= TARGET_MS,
    }


def _understand(texts: Sequence[str], engine: Engine) -> None:
    """What the worker asks of the engine for these items."""
    items = [Item(text=text) for text in texts]
    found = [(item, signal) for item, one in zip(items, engine.extract(items), strict=True) for signal in one]
    engine.interpret([item for item, _ in found], [signal for _, signal in found])
    engine.embed([signal.wording for _, signal in found])


def _seconds(work: Callable[[Sequence[str]], object], batches: Sequence[Sequence[str]]) -> float:
    began = time.process_time()
    for some in batches:
        work(some)
    return time.process_time() - began


def _clock(text: str, engine: Engine) -> float:
    began = time.perf_counter()
    _understand([text], engine)
    return time.perf_counter() - began


def say_reading(report: dict[str, Any]) -> None:
    """The figures as a sentence for people."""
    say(
        f"On one core the local engine understands {report['read_items_per_second']} items/s in batches (the model "
        f"alone embeds {report['embedding_items_per_second']} in the same run), and one item alone in "
        f"{report['read_one_p50_ms']} ms in the middle, {report['read_one_p95_ms']} ms at the 95th percentile."
    )
