"""Whether what people moved stays where they put it, through upkeep and replay: measured with the real product."""

import json
from pathlib import Path
from typing import Any

from tellback.cli.bench.intake import command, open_database, running
from tellback.cli.bench.pipeline import await_all
from tellback.cli.output import say

MOVES = 50


def measure_moves(path: Path, *, moves: int = MOVES, seed: int = 0) -> dict[str, Any]:
    """Import a file of `text` and `label`, move signals to where their label says, then let everything loose on them.

    `kept_by_upkeep` is how many of the moved signals are where they were put (or where that theme was merged into)
    after every proposal of upkeep was carried out, `kept_by_replay` after a replay was adopted and upkeep carried out
    once more. Half of them are moved to another theme that was there, half to a new one. Takes about a minute for
    3,000 texts, on a database of its own that is removed.
    """
    with open_database() as (url, _folder, environment, _made):
        say("Importing …")
        command(environment, "-m", "tellback.cli", "import", str(path), "--source", "Moves", "--json")
        say("Understanding …")
        with running(environment, "-m", "tellback.cli", "worker"):
            await_all(url)
        say("Moving signals, then upkeep, replay and upkeep again …")
        said = command(environment, "-m", "tellback.cli.bench.moving", str(path), str(moves), str(seed))
    report: dict[str, Any] = json.loads(said)
    return report
