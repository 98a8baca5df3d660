"""The embedded server leaves nothing behind."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

LIFE = """
import shutil, sys
from pathlib import Path
from tellback.platform.postgres import start_embedded
folder = Path(sys.argv[1])
start_embedded(folder).stop()
shutil.rmtree(folder)
"""


def test_a_folder_that_was_removed_stays_removed_when_its_process_ends() -> None:
    # Not below pytest's own folder, which the account that the server runs as cannot enter.
    around = Path(tempfile.mkdtemp(prefix="tellback-embedded-"))
    around.chmod(0o755)
    try:
        subprocess.run([sys.executable, "-c", LIFE, str(around / "data")], check=True, timeout=100)
        assert not (around / "data").exists()
    finally:
        shutil.rmtree(around)
