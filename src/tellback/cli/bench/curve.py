"""What one piece of feedback costs while the workspace grows: processor seconds and memory, for each ten thousand."""

import contextlib
import os
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tellback.cli.bench.copies import fill_up
from tellback.cli.bench.intake import Stage, open_stage, running
from tellback.cli.bench.texts import varied_texts
from tellback.cli.output import print_json, say
from tellback.kernel.errors import Unavailable

#: Pieces of feedback sent in one request, and how many may wait: the worker never idles, and never has much ahead.
BATCH, AHEAD = 100, 1_500
PEOPLE = 5_000
#: Items that load the model before anything is measured.
WARM_UP = 100
#: Items that are really understood before a workspace is filled with copies of them.
MODELS = 2_000
#: How full a workspace is, of all that is wanted, when a short window of so many items is sent.
SHARES, SHORT = (0.05, 0.25, 0.5, 0.75, 1.0), 1_200
WAITING = """
    SELECT count(*) FROM raw_feedback_items
    WHERE workspace_id = %s
        AND processing_state IN ('pending_context', 'ready_for_extraction', 'extracting', 'interpreting')
"""
THEMES = """
    SELECT count(*) FILTER (WHERE status = 'active'), count(*) FILTER (WHERE status = 'candidate') FROM feedback_themes
"""
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


def measure_curve(*, items: int, workers: int = 1, window: int = 10_000, fill: bool = False) -> dict[str, Any]:
    """Send `items` as fast as these workers understand them and report what each `window` of them cost.

    With `fill` the workspace is filled up with copies to five sizes in turn, and a short window is sent at each.
    Processor seconds are the workers' and the database server's own, so what else runs on the machine changes little;
    the web process, which takes the items, is not in them, its statements are. Needs `/proc`.
    """
    if not Path("/proc/self/stat").exists():
        raise Unavailable("Processor seconds of other processes are read from /proc, which this system does not have.")
    window = min(window, max(items // 4 // BATCH, 1) * BATCH)
    window = min(window, SHORT) if fill else window
    sizes = [round(share * items) for share in SHARES] if fill else list(range(0, items, window))
    with open_stage() as place, contextlib.ExitStack() as stack:
        command = "-m", "tellback.cli", "worker"
        started = [stack.enter_context(running(place.environment, *command)) for _ in range(workers)]
        flow = _Flow(place, [process.pid for process in started], stack.enter_context(_connected(place)))
        flow.send(MODELS if fill else WARM_UP)
        windows = []
        for size in sizes:
            if fill:
                say(f"Filling the workspace up to {size:,} items …")
                fill_up(flow.connection, items=size)
            windows.append(flow.measure(size + window, window))
            say(_in_words(windows[-1]))
    return _report(windows)


@contextlib.contextmanager
def _connected(place: Stage) -> Iterator["psycopg.Connection[Any]"]:
    with psycopg.connect(place.url, autocommit=True) as connection:
        yield connection


class _Flow:
    """Items sent to a stage, never many more than its workers have done."""

    def __init__(self, place: Stage, workers: Sequence[int], connection: "psycopg.Connection[Any]") -> None:
        self.place, self.workers, self.connection = place, workers, connection
        self.server = int((place.folder / "postgres" / "postmaster.pid").read_text().split()[0])
        self.texts, self.sent = varied_texts(), 0
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{place.port}",
            headers={"Authorization": f"Bearer {place.key}"},
            trust_env=False,
            timeout=PATIENCE_SECONDS,
        )

    def measure(self, items: int, size: int) -> Window:
        """Send so many more and wait until all are themed; `items` is how many there are then."""
        before = self._spent()
        self.send(size)
        after = self._spent()
        row = self.connection.execute(THEMES).fetchone()
        assert row
        return Window(
            items=items,
            worker_ms=round(1000 * (after.worker - before.worker) / size, 3),
            database_ms=round(1000 * (after.database - before.database) / size, 3),
            megabytes=round(max(map(_resident, self.workers)), 1),
            themes=row[0],
            forming=row[1],
        )

    def send(self, count: int) -> None:
        """Send so many and wait until all are themed."""
        for _ in range(0, count, BATCH):
            self._send_batch()
            self._await(AHEAD)
        self._await(0)

    def _send_batch(self) -> None:
        items = [
            {
                "idempotencyKey": str(uuid.uuid4()),
                "channel": "api",
                "category": "other",
                "content": text,
                "author": {"externalUserId": f"u{(self.sent + number) * 7919 % PEOPLE}"},
                "occurredAt": datetime.now(UTC).isoformat(),
            }
            for number, text in enumerate(islice(self.texts, BATCH))
        ]
        response = self.client.post("/v2/feedback/batch", json={"items": items})
        if response.status_code not in {202, 207}:
            raise Unavailable(f"The intake answered {response.status_code}: {response.text[:200]}")
        self.sent += BATCH

    def _await(self, most: int) -> None:
        """Wait until at most `most` items wait."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            row = self.connection.execute(WAITING, [self.place.workspace_id]).fetchone()
            if row and row[0] <= most:
                return
            time.sleep(0.5)
        raise Unavailable(f"The workers did not get on within {PATIENCE_SECONDS:g} seconds.")

    def _spent(self) -> _Spent:
        database = _processor_seconds(self.server) + sum(map(_processor_seconds, _children(self.server)))
        return _Spent(sum(map(_processor_seconds, self.workers)), database)


def _report(windows: list[Window]) -> dict[str, Any]:
    first, last = windows[0], windows[-1]
    cost, memory = last.total_ms / first.total_ms, last.megabytes / first.megabytes
    return {
        "windows": [asdict(one) for one in windows],
        "ratio_cost": round(cost, 2),
        "ratio_memory": round(memory, 2),
        "curve_target_met": cost <= TARGET_COST and memory <= TARGET_MEMORY,
    }


def print_curve(report: dict[str, Any], path: Path, *, as_json: bool) -> None:
    """Draw the windows to a file, and say what came out."""
    path.write_text(draw([Window(**one) for one in report["windows"]]), encoding="utf-8")
    if as_json:
        print_json(report)
        return
    say(
        f"The last window cost {report['ratio_cost']} times as much an item as the first, and the worker had "
        f"{report['ratio_memory']} times the memory. Drawn to {path}."
    )


#: The drawing, in its own units: two plots beside each other, each with room for its labels.
WIDE, HIGH, LEFT, TOP, PLOT_WIDE, PLOT_HIGH = 860, 300, 60, 48, 330, 190


def draw(windows: Sequence[Window]) -> str:
    """The windows as an SVG: what one item costs, of the worker and of the database, and the worker's memory."""
    worker = [one.worker_ms for one in windows]
    database = [one.database_ms for one in windows]
    items = [one.items for one in windows]
    parts = [
        _plot(0, "Processor time for each item, ms", items, {"worker": worker, "database": database}),
        _plot(PLOT_WIDE + 90, "Memory of the worker, MB", items, {"worker": [one.megabytes for one in windows]}),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" font-family="system-ui, sans-serif" '
        f'font-size="12" role="img"><title>What one piece of feedback costs while the workspace grows</title>'
        f'<rect width="{WIDE}" height="{HIGH}" fill="#fcfbf8"/>{"".join(parts)}</svg>\n'
    )


COLOURS = {"worker": "#1c6b4f", "database": "#8a6d1c"}


def _plot(offset: int, title: str, items: Sequence[int], lines: Mapping[str, Sequence[float]]) -> str:
    top, most = 1.15 * max(max(values) for values in lines.values()), items[-1]
    left, bottom = LEFT + offset, TOP + PLOT_HIGH
    drawn = [
        f'<text x="{left}" y="{TOP - 18}" font-weight="600" fill="#26241f">{title}</text>',
        f'<path d="M{left} {TOP}V{bottom}H{left + PLOT_WIDE}" fill="none" stroke="#b9b4a7"/>',
        *(
            f'<text x="{left - 8}" y="{bottom - share * PLOT_HIGH + 4:.1f}" text-anchor="end" fill="#5d594f">'
            f"{share * top:.3g}</text>"
            for share in (0, 0.5, 1)
        ),
        *(
            f'<text x="{left + share * PLOT_WIDE:.1f}" y="{bottom + 18}" text-anchor="middle" fill="#5d594f">'
            f"{round(share * most):,}</text>"
            for share in (0, 0.5, 1)
        ),
        f'<text x="{left + PLOT_WIDE / 2}" y="{bottom + 36}" text-anchor="middle" fill="#5d594f">items</text>',
    ]
    for name, values in lines.items():
        points = [
            f"{left + count / most * PLOT_WIDE:.1f},{bottom - value / top * PLOT_HIGH:.1f}"
            for count, value in zip(items, values, strict=True)
        ]
        end = bottom - values[-1] / top * PLOT_HIGH
        drawn.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{COLOURS[name]}" stroke-width="2"/>')
        drawn.append(
            f'<text x="{left + PLOT_WIDE}" y="{end - 8:.1f}" text-anchor="end" fill="{COLOURS[name]}">{name}</text>'
        )
    return "".join(drawn)


def _in_words(window: Window) -> str:
    return (
        f"{window.items:,} items: {window.worker_ms:.2f} ms of the worker and {window.database_ms:.2f} ms of the "
        f"database each, {window.megabytes:.0f} MB, {window.themes} themes and {window.forming} forming"
    )


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
