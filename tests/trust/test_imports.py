"""Imports in processes that are killed: whole, once, with each refused row told once (trust.md, OPS-10, INP-10)."""

import csv
import json
import random
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from tests.harness.processes import Installation, Queues, wait_until

pytestmark = pytest.mark.trust

SEED = 1071
ROWS, BAD = 20_000, 40
EMPTY = "TRUNCATE import_run, raw_feedback_items CASCADE"


def write_file(path: Path, rows: int) -> set[int]:
    """A file with some rows that nobody can take; returns their numbers."""
    chance = random.Random(SEED)
    bad = set(chance.sample(range(1, rows + 1), BAD))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "email", "date"])
        for number in range(1, rows + 1):
            text = "" if number in bad else f"Number {number} is said here."
            writer.writerow([f"row-{number}", text, f"p{number % 700}@example.com", "2026-03-04"])
    return bad


def rows_read(queues: Queues) -> int:
    return int(queues.rows("SELECT coalesce(max(rows_read), 0) FROM import_run")[0][0])


def not_once(queues: Queues, wanted: set[int]) -> set[str]:
    """Those of these rows that are not stored exactly once, and those that should not be stored at all."""
    counts = Counter(key for (key,) in queues.rows("SELECT external_id FROM raw_feedback_items"))
    names = {f"row-{number}" for number in wanted}
    return {name for name in names if counts[name] != 1} | (set(counts) - names)


def refused_of(path: Path) -> list[int]:
    """The rows that a file of refused rows names."""
    with path.open(encoding="utf-8", newline="") as file:
        return [int(row["row"]) for row in csv.DictReader(file)]


@pytest.mark.timeout(180)
def test_an_import_that_is_killed_thrice_goes_on_and_is_whole(
    home_with_workspace: Installation, queues: Queues, tmp_path: Path
) -> None:
    queues.rows(EMPTY)
    path = tmp_path / "export.csv"
    bad = write_file(path, ROWS)
    chance = random.Random(SEED)
    for end in (4_000, 9_000, 14_000):
        process = home_with_workspace.start("import", str(path), "--json")
        until = chance.randrange(end - 3_000, end)
        wait_until(lambda until=until: rows_read(queues) >= until, seconds=60, what=f"{until} rows, seed {SEED}")  # type: ignore[misc]
        process.kill()
        process.wait()
        assert rows_read(queues) < ROWS, SEED
    done = home_with_workspace.run("import", str(path), "--json")
    assert done.returncode == 4, done.stderr
    report = json.loads(done.stdout)
    assert (report["added"], report["refused"], report["known"]) == (ROWS - BAD, BAD, 0), SEED
    assert report["resumed_after"] >= 11_000
    assert not_once(queues, set(range(1, ROWS + 1)) - bad) == set(), SEED
    assert refused_of(tmp_path / "export.errors.csv") == sorted(bad), SEED
    lost = not_once(queues, set(range(1, ROWS + 1)))
    assert lost == {f"row-{number}" for number in bad}, "the control: rows that are not there are found"


MAKE_RUN = """
import sys
from datetime import datetime, UTC
from tellback.cli.environment import ready
with ready():
    from tellback.intake.importing import desk
    from tellback.platform.tenancy import in_workspace
    from tellback.workspaces.models import Workspace
    from tellback.workspaces.selectors import get_workspace_id
    now = datetime.now(UTC)
    with in_workspace(get_workspace_id("default")), open(sys.argv[1], "rb") as file:
        workspace = Workspace.objects.get(slug="default")
        run = desk.receive_file(workspace=workspace, name="export.csv", content=file, actor=None, now=now)
        desk.start_import(run=run, actor=None, now=now)
"""


@pytest.mark.timeout(180)
def test_an_import_of_the_page_outlives_its_workers(
    home_with_workspace: Installation, queues: Queues, tmp_path: Path
) -> None:
    queues.rows(EMPTY)
    path, rows = tmp_path / "export.csv", 6_000
    bad = write_file(path, rows)
    made = home_with_workspace.run_python(MAKE_RUN, str(path))
    assert made.returncode == 0, made.stderr
    for end in (1_000, 2_600, 4_200):
        worker = home_with_workspace.start("worker", "--queues", "feedback-ingest,feedback-maintenance")
        wait_until(lambda end=end: rows_read(queues) >= end, seconds=60, what=f"{end} rows")  # type: ignore[misc]
        worker.kill()
        worker.wait()
    home_with_workspace.start("worker", "--queues", "feedback-ingest,feedback-maintenance")
    wait_until(
        lambda: queues.rows("SELECT 1 FROM import_run WHERE state = 'finished'"), seconds=60, what="the import to end"
    )
    counted = queues.rows("SELECT rows_added, rows_known, rows_refused FROM import_run")
    assert counted == [(rows - BAD, 0, BAD)]
    assert not_once(queues, set(range(1, rows + 1)) - bad) == set()
    told = queues.rows("SELECT row FROM import_refusal ORDER BY row")
    assert [row for (row,) in told] == sorted(bad)


def test_a_zip_bomb_is_refused_in_one_sentence(home_with_workspace: Installation, tmp_path: Path) -> None:
    """What it costs, and that harmless files pass, is tested beside the reading of files."""
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.csv", "text\n" + "Said again. " * (6 << 20))
    done = home_with_workspace.run("import", str(path))
    assert done.returncode == 2
    assert done.stderr == "tellback: bomb.zip would unpack to far more than it is. It is not read.\n"
