"""An installation of Tellback in processes of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parents[2]
Process = subprocess.Popen[str]


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(done: Callable[[], Any], *, seconds: float, what: str) -> Any:
    """The first true answer of `done`. Fails the test, naming `what`, when there is none in time.

    Minutes in which a virtual machine stood still are no time that the product had: a look counts for three seconds
    at most.
    """
    waited, before = 0.0, time.monotonic()
    while waited < seconds:
        answer = done()
        if answer:
            return answer
        time.sleep(0.05)
        now = time.monotonic()
        waited, before = waited + min(now - before, 3), now
    raise AssertionError(f"not within {seconds:g} s: {what}")


def lasting(seconds: float, *, full: float) -> float:
    """Seconds that a test keeps a fault up or allows: in the suite, or `full` ones with TELLBACK_FULL_LENGTH."""
    return full if os.environ.get("TELLBACK_FULL_LENGTH") else seconds


@dataclass
class Installation:
    """How to start this installation's processes. `environment` is added to a bare one."""

    environment: dict[str, str]
    log: Path
    processes: list[Process] = field(default_factory=list)

    def start(self, *arguments: str, **more: str) -> Process:
        """Start `tellback …` in a process group of its own; its messages go to the log."""
        with self.log.open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tellback.cli", *arguments],
                env={**self._environment(), **more},
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def run(self, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run `tellback …` to its end."""
        return self._run(["-m", "tellback.cli", *arguments], more)

    def run_python(self, code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run Python in the environment of this installation's processes."""
        return self._run(["-c", code, *arguments], {"TELLBACK_MADE_KEY": "signs nothing here"})

    def _run(self, arguments: list[str], more: dict[str, str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *arguments],
            env={**self._environment(), **more},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def end(self) -> None:
        """Kill what is left."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TELLBACK_", "DJANGO_"))}
        kept.pop("DATABASE_URL", None)
        return {**kept, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", **self.environment}


@dataclass
class Queues:
    """The queue database of an installation, seen from outside."""

    url: str
    workspace_id: str = "00000000-0000-7000-8000-000000000001"

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What a query gives, as the owner of the database."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), list(parameters))
            return cursor.fetchall() if cursor.description else []

    def put(self, name: str, queue: str, **arguments: str) -> int:
        """Write a job and return its id."""
        import json

        written = json.dumps({"workspace_id": self.workspace_id, **arguments})
        return int(
            self.rows(
                "INSERT INTO procrastinate_jobs (task_name, queue_name, args, priority) VALUES (%s, %s, %s, 0) "
                "RETURNING id",
                [name, queue, written],
            )[0][0]
        )

    def job(self, job_id: int) -> tuple[str, int]:
        """Status and attempts of a job."""
        status, attempts = self.rows("SELECT status::text, attempts FROM procrastinate_jobs WHERE id = %s", [job_id])[0]
        return status, attempts

    def runs(self, key: str) -> int:
        """How often jobs with this key began."""
        return int(self.rows("SELECT count(*) FROM harness_run WHERE key = %s", [key])[0][0])

    def effects(self, key: str) -> int:
        """How often they took effect."""
        return int(self.rows("SELECT count(*) FROM harness_effect WHERE key = %s", [key])[0][0])

    def unfinished(self) -> int:
        """Jobs of the harness that still wait or run."""
        return int(
            self.rows(
                "SELECT count(*) FROM procrastinate_jobs WHERE task_name LIKE 'harness.%%' "
                "AND status IN ('todo', 'doing')"
            )[0][0]
        )


@contextmanager
def supervised(installation: Installation, count: int) -> Iterator[list[Process]]:
    """So many workers, each started again as soon as it has died; the list is kept up to date by a thread."""
    import threading

    workers = [installation.start("worker") for _ in range(count)]
    ending = threading.Event()

    def watch() -> None:
        while not ending.wait(0.1):
            for place, worker in enumerate(workers):
                if worker.poll() is not None:
                    workers[place] = installation.start("worker")

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield workers
    finally:
        ending.set()
        watcher.join()
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        for worker in workers:
            worker.wait(30)
