"""The import measured: rows a second from a large file, and whether its memory grows with it."""

import csv
import itertools
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tellback.cli.bench.intake import open_database
from tellback.cli.demo.dataset import read_items
from tellback.cli.output import print_json, say
from tellback.kernel.errors import Unavailable

TARGET_PER_SECOND = 1_500.0
#: How much more memory the large file may take than one of a tenth of its size.
TARGET_MEMORY = 1.15
WORDS = 31  # about 40 tokens
HEADER = ("id", "text", "email", "name", "company", "stars", "tags", "status", "created at", "Country")
START = datetime(2024, 1, 1, 8, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the command: what it reported, and the most memory that its process had, in MB."""

    report: dict[str, Any]
    megabytes: float

    @property
    def per_second(self) -> float:
        """Rows read a second, from the first to the last."""
        return float(self.report["read"]) / max(float(self.report["seconds"]), 0.01)


def measure_import(*, rows: int) -> dict[str, Any]:
    """Import a tenth of `rows`, then all of them, then the same file again, each by the command. No worker runs."""
    with open_database() as (_url, folder, environment, _made):
        small, large = folder / "small.csv", folder / "large.csv"
        _write(small, rows // 10)
        _write(large, rows)
        say(f"Importing {rows // 10:,} rows …")
        first = _import(environment, small)
        say(f"Importing {rows:,} rows …")
        whole = _import(environment, large)
        say("Importing the same file again …")
        again = _import(environment, large)
    missing = rows - whole.report["added"]
    growth = whole.megabytes / first.megabytes
    return {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "rows": rows,
        "missing": missing,
        "added_twice": again.report["added"],
        "rows_per_second": round(whole.per_second),
        "again_per_second": round(again.per_second),
        "megabytes_small": round(first.megabytes),
        "megabytes": round(whole.megabytes),
        "ratio_target": round(whole.per_second / TARGET_PER_SECOND, 2),
        "ratio_memory": round(growth, 2),
        "target_met": (
            whole.per_second >= TARGET_PER_SECOND and growth <= TARGET_MEMORY and missing == again.report["added"] == 0
        ),
    }


def print_report(report: dict[str, Any], *, as_json: bool) -> None:
    """The figures, as a sentence each for people."""
    if as_json:
        print_json(report)
        return
    say(
        f"{report['rows']:,} rows at {report['rows_per_second']:,} a second, {report['missing']} missing; the same "
        f"file again at {report['again_per_second']:,} a second, {report['added_twice']} added twice. Memory "
        f"{report['megabytes']} MB, {report['megabytes_small']} MB for a tenth of the rows. {report['machine']}."
    )


def _write(path: Path, rows: int) -> None:
    """Rows as tools export them, each with an author, a date, stars, tags, a status and a column that is not known."""
    texts = _texts()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(rows):
            person = number % 5_000
            writer.writerow(
                [
                    f"{path.stem}-{number}",
                    f"{next(texts)} ({number})",
                    f"person{person}@example.com",
                    f"Person {person}",
                    f"Company {person % 300}",
                    number % 5 + 1,
                    "export, speed" if number % 3 else "billing",
                    "open" if number % 4 else "solved",
                    (START + timedelta(minutes=7 * number)).isoformat(),
                    "DE" if number % 2 else "PT",
                ]
            )


def _texts() -> Iterator[str]:
    """Endless texts of about forty tokens, made of the sample's sentences."""
    words = itertools.cycle(word for item in read_items() for word in item.text.split())
    while True:
        yield " ".join(itertools.islice(words, WORDS))


def _import(environment: dict[str, str], path: Path) -> Run:
    process = subprocess.Popen(
        [sys.executable, "-m", "tellback.cli", "import", str(path), "--source", "Bench", "--json"],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    said = process.stdout.read()
    # Only `wait4` tells the most memory that this one process ever had.
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Unavailable(f"The import ended with code {process.returncode}.")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Run(json.loads(said), used.ru_maxrss / unit)
