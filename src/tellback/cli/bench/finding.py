"""Finding measured: a search, and the look-up of what a piece of feedback repeats, among very many."""

import json
import os
import platform
import subprocess
import sys
from typing import Any

import numpy as np

from tellback.cli.bench.filling import fill
from tellback.cli.bench.intake import open_database
from tellback.cli.output import print_json, say
from tellback.kernel.errors import Unavailable

TARGET_P95_MS = 150.0


def measure_finding(*, items: int) -> dict[str, Any]:
    """Fill a database with `items` pieces of feedback and look for things in it. Nothing else runs."""
    with open_database() as (url, _folder, environment, made):
        sample = _finder(environment, "embed")
        say(f"Making {items:,} pieces of feedback …")
        fill(
            url,
            workspace_id=made["workspace_id"],
            source_id=made["source_id"],
            items=items,
            model=sample["model"],
            centres=np.array(sample["vectors"], dtype=np.float32),
        )
        say("Searching …")
        found = _finder(environment, "measure")
    return {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "items": items,
        **found,
        "target_met": max(found["page_p95_ms"], found["search_p95_ms"]) <= TARGET_P95_MS,
    }


def print_report(report: dict[str, Any], *, as_json: bool) -> None:
    """The figures, as a sentence each for people."""
    if as_json:
        print_json(report)
        return
    say(
        f"Among {report['items']:,} pieces of feedback a search takes {report['search_p50_ms']} ms in the middle and "
        f"{report['search_p95_ms']} ms at the 95th percentile, with its page {report['page_p50_ms']} and "
        f"{report['page_p95_ms']} ms. What one item repeats is found in {report['letters_ms']} ms by letters and "
        f"{report['meaning_ms']} ms by meaning. {report['machine']}."
    )


def _finder(environment: dict[str, str], what: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tellback.cli.bench.finders", what],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise Unavailable(f"The measurement ended with code {done.returncode}.")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
