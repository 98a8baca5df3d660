"""What one piece of feedback costs while the workspace grows: processor seconds and memory, for each ten thousand."""

import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tellback.cli.bench.intake import Stage, open_stage, running
from tellback.cli.bench.texts import varied_texts
from tellback.cli.output import say
from tellback.kernel.errors import Unavailable

#: Pieces of feedback sent in one request, and how many may wait: the worker never idles, and never has much ahead.
BATCH, AHEAD = 100, 1_500
PEOPLE = 5_000
WAITING = """
    SELECT count(*) FROM raw_feedback_items
    WHERE processing_state IN ('pending_context', 'ready_for_extraction', 'extracting', 'interpreting')
"""
THEMES = "SELECT count(*) FILTER (WHERE status = 'active'), count(*) FILTER (WHERE status = 'candidate') FROM feedback_themes"
#: How much dearer the last window may be than the first, and how much more memory the worker may have.
TARGET_COST, TARGET_MEMORY = 1.25, 1.15
PATIENCE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Window:
    """Some thousand items: what one cost in milliseconds of processor time, and what there was at their end."""

    items: int
    worker_ms: float
    database_ms: float
    megabytes: float
    themes: int
    forming: int

    @property
    def total_ms(self) -> float:
        """What one item cost altogether."""
        return self.worker_ms + self.database_ms


@dataclass(frozen=True, slots=True)
class _Spent:
    """Processor seconds so far."""

    worker: float
    database: float


def measure_curve(*, items: int, window: int) -> dict[str, Any]:
    """Send `items` as fast as one worker understands them and report what each `window` of them cost.

    Processor seconds are the worker's and the database server's own, so what else runs on the machine changes little;
    the web process, which takes the items, is not in them, its statements are. Needs `/proc`.
    """
    if not Path("/proc/self/stat").exists():
        raise Unavailable("Processor seconds of other processes are read from /proc, which this system does not have.")
    texts = varied_texts()
    with open_stage() as place, running(place.environment, "-m", "tellback.cli", "worker") as worker:
        server = _server_pid(place)
        client = httpx.Client(
            base_url=f"http://127.0.0.1:{place.port}",
            headers={"Authorization": f"Bearer {place.key}"},
            trust_env=False,
        )
        _send(client, islice(texts, BATCH), 0)
        with psycopg.connect(place.url, autocommit=True) as connection:
            _await(connection, 0)
            windows: list[Window] = []
            before = _spent(worker.pid, server)
            for sent in range(0, items, BATCH):
                _send(client, islice(texts, BATCH), sent)
                _await(connection, AHEAD)
                if (sent + BATCH) % window == 0:
                    _await(connection, 0)
                    after = _spent(worker.pid, server)
                    windows.append(_window(connection, sent + BATCH, window, before, after, worker.pid))
                    say(_in_words(windows[-1]))
                    before = after
    return _report(windows)


def _report(windows: list[Window]) -> dict[str, Any]:
    first, last = windows[0], windows[-1]
    cost, memory = last.total_ms / first.total_ms, last.megabytes / first.megabytes
    return {
        "windows": [asdict(one) for one in windows],
        "ratio_cost": round(cost, 2),
        "ratio_memory": round(memory, 2),
        "curve_target_met": cost <= TARGET_COST and memory <= TARGET_MEMORY,
    }


def _in_words(window: Window) -> str:
    return (
        f"{window.items:,} items: {window.worker_ms:.2f} ms of the worker and {window.database_ms:.2f} ms of the "
        f"database each, {window.megabytes:.0f} MB, {window.themes} themes and {window.forming} forming"
    )


def _send(client: httpx.Client, texts: Iterator[str], start: int) -> None:
    items = [
        {
            "idempotencyKey": str(uuid.uuid4()),
            "channel": "api",
            "category": "other",
            "content": text,
            "author": {"externalUserId": f"u{(start + number) * 7919 % PEOPLE}"},
            "occurredAt": datetime.now(UTC).isoformat(),
        }
        for number, text in enumerate(texts)
    ]
    response = client.post("/v2/feedback/batch", json={"items": items}, timeout=60)
    if response.status_code not in {202, 207}:
        raise Unavailable(f"The intake answered {response.status_code}: {response.text[:200]}")


def _await(connection: "psycopg.Connection[Any]", most: int) -> None:
    """Wait until at most `most` items wait."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        row = connection.execute(WAITING).fetchone()
        if row and row[0] <= most:
            return
        time.sleep(0.25)
    raise Unavailable(f"The worker did not get on within {PATIENCE_SECONDS:g} seconds.")


def _window(
    connection: "psycopg.Connection[Any]", items: int, size: int, before: _Spent, after: _Spent, worker: int
) -> Window:
    row = connection.execute(THEMES).fetchone()
    assert row
    return Window(
        items=items,
        worker_ms=round(1000 * (after.worker - before.worker) / size, 3),
        database_ms=round(1000 * (after.database - before.database) / size, 3),
        megabytes=round(_resident(worker), 1),
        themes=row[0],
        forming=row[1],
    )


def _server_pid(place: Stage) -> int:
    return int((place.folder / "postgres" / "postmaster.pid").read_text().split()[0])


def _spent(worker: int, server: int) -> _Spent:
    return _Spent(_processor_seconds(worker), _processor_seconds(server) + sum(map(_processor_seconds, _children(server))))


def _processor_seconds(pid: int) -> float:
    """What a process used, with those of its children that have ended; nothing for one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    # Fields 14 to 17 of proc(5): utime, stime, cutime, cstime.
    return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _resident(pid: int) -> float:
    """Memory that a process has, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024
