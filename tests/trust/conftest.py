"""An installation for the tests that break processes: a database of its own on the tests' server."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.harness.processes import Installation, Queues

QUICK = """
processing:
  retry_policy:
    max_attempts: 3
    backoff_ms: 300
"""
TABLES = """
    CREATE TABLE IF NOT EXISTS harness_run (key text, pid int, at timestamptz DEFAULT clock_timestamp());
    CREATE TABLE IF NOT EXISTS harness_effect (key text, at timestamptz DEFAULT clock_timestamp());
    GRANT SELECT, INSERT ON harness_run, harness_effect TO tellback_app;
"""


@pytest.fixture(scope="module")
def queues(database_url: str) -> Iterator[Queues]:
    """The queue of a fresh, migrated database."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE harness TEMPLATE migrated")
    url = database_url.replace("/tellback?", "/harness?")
    assert url != database_url
    yield Queues(url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP DATABASE harness WITH (FORCE)")


@pytest.fixture(scope="module")
def migrated(queues: Queues, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation on that database, with quick retries and an eye for dead workers."""
    folder: Path = tmp_path_factory.mktemp("installation")
    (folder / "loop.yaml").write_text(QUICK)
    (folder / "orders").mkdir()
    installation = Installation(
        environment={
            "DATABASE_URL": queues.url,
            "TELLBACK_DATA_DIR": str(folder / "data"),
            "TELLBACK_CONFIG": str(folder / "loop.yaml"),
            "TELLBACK_WORKER_SILENCE": "1.5",
            "TELLBACK_WORKER_GRACE": "2",
            "DJANGO_SETTINGS_MODULE": "tests.harness.settings",
            "HARNESS_ORDERS": str(folder / "orders"),
        },
        log=folder / "log",
    )
    queues.rows(TABLES)
    yield installation
    installation.end()


@pytest.fixture
def installation(migrated: Installation, queues: Queues) -> Iterator[Installation]:
    """The installation with empty queues, and no process left running after the test."""
    queues.rows("DELETE FROM procrastinate_jobs")
    queues.rows("TRUNCATE harness_run, harness_effect")
    yield migrated
    migrated.end()


MAKE_WORKSPACE = "import django; django.setup(); from tellback.cli.bootstrap import ensure_installation as e; e()"


@pytest.fixture
def home_with_workspace(installation: Installation) -> Installation:
    """The installation with its default workspace."""
    made = installation.run_python(MAKE_WORKSPACE)
    assert made.returncode == 0, made.stderr
    return installation
