"""A migrated server to start from. Migrating takes seconds, so it is done once for each set of migrations."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tellback.platform.postgres import start_embedded
from tellback.platform.schema import grant_to_app, prepare_database

HOME = Path(__file__).parents[2]
KEPT = HOME / ".cache" / "tests"


def copy_migrated(folder: Path) -> None:
    """Lay a stopped server into `folder`: with the databases `tellback` and `migrated`, both migrated and empty.

    It is made when there is none yet for the migrations as they are; several processes may ask at once.
    """
    KEPT.mkdir(parents=True, exist_ok=True)
    kept = KEPT / f"postgres-{_fingerprint()}"
    with (KEPT / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            for old in KEPT.glob("postgres-*"):
                shutil.rmtree(old, ignore_errors=True)
            _make(kept)
        # It keeps the owner: as root, the server runs as an account of its own.
        subprocess.run(["cp", "-a", str(kept), str(folder / "postgres")], check=True)


def _fingerprint() -> str:
    """Changes with whatever the migrated databases are made of."""
    digest = hashlib.sha256()
    for path in sorted(_sources()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _sources() -> Iterator[Path]:
    platform = HOME / "src" / "tellback" / "platform"
    yield from (HOME / "src").rglob("migrations/*.py")
    yield from (HOME / "requirements" / "all.txt", platform / "schema.py", platform / "postgres.py", Path(__file__))


def _make(kept: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="tellback-pg-"))
    server = start_embedded(folder)
    try:
        with psycopg.connect(server.url) as owner:
            prepare_database(owner)
        environment = {**os.environ, "DATABASE_URL": server.url, "TELLBACK_DB_AS_OWNER": "1"}
        subprocess.run([sys.executable, "-m", "django", "migrate", "--verbosity", "0"], env=environment, check=True)
        with psycopg.connect(server.url) as owner:
            grant_to_app(owner)
        with psycopg.connect(server.url.replace("/tellback?", "/postgres?"), autocommit=True) as owner:
            owner.execute("CREATE DATABASE migrated TEMPLATE tellback")
        server.stop()
        making = kept.with_suffix(".making")
        shutil.rmtree(making, ignore_errors=True)
        subprocess.run(["cp", "-a", str(server.folder), str(making)], check=True)
        making.rename(kept)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
