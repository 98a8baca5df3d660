"""Compares each payload version with what was published of it: `python -m tellback.intake.schemas.check [--publish]`.

What is published is the file `published/feedback-<version>.json` beside this one. Without `--publish` nothing is
written; with it, compatible changes are added to the files, and breaking ones are refused all the same.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tellback.intake.schemas import VERSIONS
from tellback.intake.schemas.compatibility import breaking_changes

FOLDER = Path(__file__).parent / "published"


def findings(schemas: Mapping[str, Mapping[str, Any]], *, folder: Path) -> dict[str, list[str]]:
    """What is wrong with each version, by version: breaking changes, or that it is not published as it stands."""
    published = {path.stem.removeprefix("feedback-"): path for path in folder.glob("feedback-*.json")}
    found: dict[str, list[str]] = {}
    for version in sorted({*published, *schemas}):
        if version not in schemas:
            found[version] = ["was published and is gone. Keep it in VERSIONS; retire it there when it must end."]
        elif version in published:
            known = json.loads(published[version].read_text(encoding="utf-8"))
            found[version] = breaking_changes(published=known, proposed=schemas[version])
        else:
            found[version] = []
    return found


def unpublished(schemas: Mapping[str, Mapping[str, Any]], *, folder: Path) -> list[str]:
    """The versions whose file is not what they are now."""
    return [version for version, schema in schemas.items() if _read(folder / _name(version)) != written(schema)]


def publish(schemas: Mapping[str, Mapping[str, Any]], *, folder: Path) -> None:
    """Write each version's file."""
    folder.mkdir(exist_ok=True)
    for version, schema in schemas.items():
        (folder / _name(version)).write_text(written(schema), encoding="utf-8")


def written(schema: Mapping[str, Any]) -> str:
    """A schema as its file has it."""
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def main(arguments: Sequence[str]) -> int:
    """0 when every version takes what it took and is published as it is, else 1, with a line for each finding."""
    schemas = {version: about.schema() for version, about in VERSIONS.items()}
    found = findings(schemas, folder=FOLDER)
    lines = [f"{version} {finding}" for version, several in found.items() for finding in several]
    if not lines and "--publish" in arguments:
        publish(schemas, folder=FOLDER)
    elif not lines:
        lines = [
            f"{version} has grown. Publish it with: make schemas" for version in unpublished(schemas, folder=FOLDER)
        ]
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 1 if lines else 0


def _name(version: str) -> str:
    return f"feedback-{version}.json"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
