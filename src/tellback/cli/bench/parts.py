"""What two parts of the pipeline cost, in one process: the model, and finding a theme among ten thousand.

Run as a process in the environment of a measurement; reports JSON on stdout.
"""

import itertools
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import numpy as np
import psycopg

from tellback.cli.bench.pipeline import texts_of_forty
from tellback.cli.bench.texts import varied_texts
from tellback.cli.environment import database_url, ready
from tellback.cli.output import print_json
from tellback.sdk.engine import Engine, Item

BATCH, BATCHES, SINGLE = 64, 6, 120
THEMES, LOOKUPS = 10_000, 300
#: Sentences that the centres of the ten thousand themes are mixed of.
SENTENCES = 400


def measure_parts(workspace_id: UUID) -> dict[str, Any]:
    """Figures of the model and of the look-up; in a workspace of its own database."""
    with ready() as options:
        from tellback.understanding.engine import get_engine

        engine = get_engine()
        return {**_measure_model(engine), **_measure_lookup(engine, workspace_id, database_url(options))}


def _measure_model(engine: Engine) -> dict[str, Any]:
    """Items a second of one core: the embedding alone, and everything that the model takes part in, by turns.

    By processor time, so that what else runs on the machine matters little; one item alone is timed by the clock.
    """
    texts = texts_of_forty()
    _understand(engine, list(itertools.islice(texts, BATCH)))
    alone = whole = 0.0
    for _ in range(BATCHES):
        alone += _spent(partial(engine.embed, list(itertools.islice(texts, BATCH))))
        whole += _spent(partial(_understand, engine, list(itertools.islice(texts, BATCH))))
    single = []
    for text in itertools.islice(texts, SINGLE):
        began = time.perf_counter()
        _understand(engine, [text])
        single.append(1000 * (time.perf_counter() - began))
    items = BATCH * BATCHES
    return {
        "embedding_alone_per_core_second": round(items / alone, 1),
        "model_bound_per_core_second": round(items / whole, 1),
        "ratio_model_bound": round(alone / whole, 2),
        "one_p50_ms": round(float(np.percentile(single, 50)), 1),
        "one_p95_ms": round(float(np.percentile(single, 95)), 1),
    }


def _understand(engine: Engine, texts: Sequence[str]) -> None:
    items = [Item(text=text) for text in texts]
    extracted = engine.extract(items)
    flat = [signal for signals in extracted for signal in signals]
    sources = [item for item, signals in zip(items, extracted, strict=True) for _ in signals]
    engine.interpret(sources, flat)
    engine.embed([signal.wording for signal in flat])


def _spent(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


def _measure_lookup(engine: Engine, workspace_id: UUID, url: str) -> dict[str, Any]:
    """How long the assignment's own look-up takes when each time one theme has changed since, as it does in life."""
    from tellback.platform.tenancy import in_workspace
    from tellback.themes.candidates import Candidates
    from tellback.themes.rules import Space
    from tellback.understanding.models import Signal

    model, space = engine.identity.embedding_model, Space(mean=engine.background)
    made = _make_themes(engine, workspace_id, url)
    took = []
    for vector in itertools.islice(made, LOOKUPS + 1):
        with in_workspace(workspace_id):
            signal = Signal(workspace_id=workspace_id, embedding=vector, embedding_model=model)
            began = time.perf_counter()
            candidates = Candidates.near([signal], model=model, space=space)
            took.append(1000 * (time.perf_counter() - began))
            candidates.join(0, vector)
            candidates.save(datetime.now(UTC))
    first, *later = took
    return {
        "themes_compared": THEMES,
        "lookup_first_ms": round(first, 1),
        "lookup_p50_ms": round(float(np.percentile(later, 50)), 2),
        "lookup_p95_ms": round(float(np.percentile(later, 95)), 2),
    }


def _make_themes(engine: Engine, workspace_id: UUID, url: str) -> Iterator[Any]:
    """Store the themes, then give vectors to look up, near to what they are about."""
    from tellback.platform.tenancy import in_workspace
    from tellback.themes.models import Theme, ThemeStatus

    vectors = engine.embed(list(itertools.islice(varied_texts(seed=7), SENTENCES)))
    chance = np.random.default_rng(0)
    pairs = chance.integers(SENTENCES, size=(THEMES + LOOKUPS + 1, 2))
    mixed = vectors[pairs[:, 0]] + 0.6 * vectors[pairs[:, 1]]
    mixed = (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)
    with in_workspace(workspace_id):
        Theme.objects.bulk_create(
            [
                Theme(
                    workspace_id=workspace_id,
                    title=f"Theme {number}",
                    summary=f"Theme {number}",
                    status=ThemeStatus.ACTIVE,
                    signal_count=5,
                    counted_signals=5,
                    is_stale=False,
                    centroid_embedding=vector,
                    centroid_model=engine.identity.embedding_model,
                )
                for number, vector in enumerate(mixed[:THEMES])
            ],
            batch_size=1_000,
        )
    # As the database does it by itself within a minute.
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE feedback_themes")
    yield from mixed[THEMES:]


if __name__ == "__main__":
    print_json(measure_parts(UUID(sys.argv[1])))
