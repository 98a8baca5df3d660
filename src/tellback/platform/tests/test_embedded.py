"""The embedded server leaves nothing behind."""

import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tellback.platform.postgres import start_embedded

LIFE = """
import shutil, sys
from pathlib import Path
from tellback.platform.postgres import start_embedded
folder = Path(sys.argv[1])
start_embedded(folder).stop()
shutil.rmtree(folder)
"""


@pytest.fixture
def around() -> Iterator[Path]:
    """Not below pytest's own folder, which the account that the server runs as cannot enter."""
    made = Path(tempfile.mkdtemp(prefix="tellback-embedded-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def test_a_folder_that_was_removed_stays_removed_when_its_process_ends(around: Path) -> None:
    subprocess.run([sys.executable, "-c", LIFE, str(around / "data")], check=True, timeout=100)
    assert not (around / "data").exists()


def test_it_is_stopped_when_nobody_is_left_also_when_the_last_is_just_leaving(around: Path) -> None:
    server = start_embedded(around / "data")
    other = psycopg.connect(server.url)
    server.stop_unless_used()
    assert server.is_alive(), "somebody works with it"
    threading.Timer(0.3, other.close).start()
    server.stop_unless_used()
    assert not server.is_alive()
