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

from tellback.cli.bench.intake import Stage, measure_inside, open_stage, running
from tellback.cli.demo.dataset import read_items
from tellback.cli.output import print_json, say
from tellback.kernel.errors import Unavailable

WORDS = 31  # about 40 tokens
TARGET_PER_SECOND = 100.0
TARGET_SECONDS = 2.0
#: Of one core, of the model-bound part; for one item; and for finding a theme among ten thousand.
TARGET_MODEL, TARGET_ONE_MS, TARGET_LOOKUP_MS = 200.0, 25.0, 5.0
ARRIVING_PER_SECOND = 20
PATIENCE_SECONDS = 300.0


def measure_pipeline(*, items: int, seconds: float) -> dict[str, Any]:
    """Send `items` at once and then twenty a second for `seconds`, with one web and one worker process.

    Then, with nothing else of ours running, what the model and the look-up of themes cost by themselves.
    """
    report = _measure_flow(items=items, seconds=seconds)
    say("Measuring the model and the look-up among 10,000 themes …")
    parts = measure_inside("tellback.cli.bench.parts")
    met = {
        "model_target_met": parts["model_bound_per_core_second"] >= TARGET_MODEL
        and parts["one_p95_ms"] <= TARGET_ONE_MS,
        "lookup_target_met": parts["lookup_p95_ms"] <= TARGET_LOOKUP_MS,
    }
    return report | parts | met


def _measure_flow(*, items: int, seconds: float) -> dict[str, Any]:
    texts = texts_of_forty()
    with open_stage() as place, running(place.environment, "-m", "tellback.cli", "worker"):
        client = httpx.Client(
            base_url=f"http://127.0.0.1:{place.port}",
            headers={"Authorization": f"Bearer {place.key}"},
            trust_env=False,
        )
        say("Warming the model up …")
        _send(client, itertools.islice(texts, 20), at_once=4)
        await_all(place.url)
        say(f"Sending {items} items at once …")
        began = time.monotonic()
        _send(client, itertools.islice(texts, items), at_once=8)
        await_all(place.url)
        bulk = items / (time.monotonic() - began)
        say(f"Sending {ARRIVING_PER_SECOND} a second for {seconds:g} s …")
        since = datetime.now(UTC)
        _trickle(client, texts, seconds)
        await_all(place.url)
        half, most, worst, failed = _latencies(place, since)
    return {
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
    say(
        f"In bulk {report['items_per_second']} items/s to completion. At {ARRIVING_PER_SECOND} a second, half are "
        f"themed after {report['themed_p50_s']} s, 95% after {report['themed_p95_s']} s, the last after "
        f"{report['themed_max_s']} s; {report['failed']} failed. {report['machine']}."
    )
    say(
        f"One core: {report['embedding_alone_per_core_second']} items/s embedded and nothing else, "
        f"{report['model_bound_per_core_second']} items/s with all that the model takes part in; one item alone in "
        f"{report['one_p50_ms']} ms, 95% in {report['one_p95_ms']} ms."
    )
    say(
        f"A theme among {report['themes_compared']:,} is found in {report['lookup_p50_ms']} ms, 95% in "
        f"{report['lookup_p95_ms']} ms; the first look takes {report['lookup_first_ms']} ms."
    )


def texts_of_forty() -> Iterator[str]:
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


def await_all(url: str) -> None:
    """Wait until everything is understood. Raises `Unavailable` when that takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with psycopg.connect(url, autocommit=True) as connection:
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
