"""The pipeline measured: from accepted to themed, in bulk and as feedback trickles in."""

import itertools
import os
import platform
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg

from tellback.cli.bench.intake import Stage, open_stage, running
from tellback.cli.bench.reading import NEEDED, measure_reading, say_reading
from tellback.cli.demo.dataset import read_items
from tellback.cli.environment import read_options
from tellback.cli.output import print_json, say
from tellback.engines.local import load_local_engine
from tellback.kernel.errors import Unavailable

WORDS = 31  # about 40 tokens
TARGET_PER_SECOND = 100.0
TARGET_SECONDS = 2.0
ARRIVING_PER_SECOND = 20
PATIENCE_SECONDS = 300.0


def measure_pipeline(*, items: int, seconds: float) -> dict[str, Any]:
    """The engine alone; then `items` at once and twenty a second for `seconds`, with one web and one worker process."""
    texts = _texts()
    say("Measuring the local engine alone …")
    reading = _reading(list(itertools.islice(texts, NEEDED)))
    with open_stage() as place, running(place.environment, "-m", "tellback.cli", "worker"):
        client = httpx.Client(
            base_url=f"http://127.0.0.1:{place.port}",
            headers={"Authorization": f"Bearer {place.key}"},
            trust_env=False,
        )
        say("Warming the model up …")
        _send(client, itertools.islice(texts, 20), at_once=4)
        _await_all(place)
        say(f"Sending {items} items at once …")
        began = time.monotonic()
        _send(client, itertools.islice(texts, items), at_once=8)
        _await_all(place)
        bulk = items / (time.monotonic() - began)
        say(f"Sending {ARRIVING_PER_SECOND} a second for {seconds:g} s …")
        since = datetime.now(UTC)
        _trickle(client, texts, seconds)
        _await_all(place)
        half, most, worst, failed = _latencies(place, since)
    return reading | {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "items": items,
        "items_per_second": round(bulk, 1),
        "arriving_per_second": ARRIVING_PER_SECOND,
        "themed_p50_s": half,
        "themed_p95_s": most,
        "themed_max_s": worst,
        "failed": failed,
        "target_met": bulk >= TARGET_PER_SECOND and most <= TARGET_SECONDS and not failed,
    }


def print_report(report: dict[str, Any], *, as_json: bool) -> None:
    """The figures, as a sentence each for people."""
    if as_json:
        print_json(report)
        return
    say_reading(report)
    say(
        f"In bulk {report['items_per_second']} items/s to completion. At {ARRIVING_PER_SECOND} a second, half are "
        f"themed after {report['themed_p50_s']} s, 95% after {report['themed_p95_s']} s, the last after "
        f"{report['themed_max_s']} s; {report['failed']} failed. {report['machine']}."
    )


def _reading(texts: list[str]) -> dict[str, Any]:
    options = read_options()
    engine = load_local_engine(cache_dir=options.data_dir / "models", model_dir=options.model_dir)
    return measure_reading(texts, engine=engine)


def _texts() -> Iterator[str]:
    """Endless texts of about forty tokens, made of the sample's sentences."""
    words = itertools.cycle(word for item in read_items() for word in item.text.split())
    while True:
        yield " ".join(itertools.islice(words, WORDS))


def _send(client: httpx.Client, texts: Iterator[str], *, at_once: int) -> None:
    with ThreadPoolExecutor(at_once) as clients:
        list(clients.map(lambda text: _post(client, text), texts))


def _post(client: httpx.Client, text: str) -> None:
    body = {
        "idempotencyKey": str(uuid.uuid4()),
        "userId": f"u{hash(text) % 400}",
        "channel": "api",
        "category": "other",
        "content": text,
        "timestamp": datetime.now(UTC).isoformat(),
    }
    response = client.post("/v1/feedback", json=body)
    if response.status_code != 202:
        raise Unavailable(f"The intake answered {response.status_code}: {response.text[:200]}")


def _trickle(client: httpx.Client, texts: Iterator[str], seconds: float) -> None:
    began = time.monotonic()
    for number in range(int(seconds * ARRIVING_PER_SECOND)):
        time.sleep(max(began + number / ARRIVING_PER_SECOND - time.monotonic(), 0))
        _post(client, next(texts))


def _await_all(place: Stage) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    with psycopg.connect(place.url, autocommit=True) as connection:
        while time.monotonic() < deadline:
            row = connection.execute(
                "SELECT count(*) FROM raw_feedback_items WHERE processing_state NOT IN ('completed', 'failed')"
            ).fetchone()
            if row and not row[0]:
                return
            time.sleep(0.02)
    raise Unavailable(f"Not everything was understood within {PATIENCE_SECONDS:g} seconds.")


def _latencies(place: Stage, since: datetime) -> tuple[float, float, float, int]:
    with psycopg.connect(place.url) as connection:
        row = connection.execute(
            """
            SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY took),
                   percentile_cont(0.95) WITHIN GROUP (ORDER BY took),
                   max(took), count(*) FILTER (WHERE processing_state = 'failed')
            FROM (SELECT extract(epoch FROM processed_at - created_at)::float AS took, processing_state
                  FROM raw_feedback_items WHERE created_at >= %s) AS arrived
            """,
            [since],
        ).fetchone()
    assert row is not None
    return round(row[0], 3), round(row[1], 3), round(row[2], 3), int(row[3])
