"""Reads labelled files, and says in one sentence what is wrong with one that cannot be read."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tellback.kernel.errors import Invalid, NotFound

#: What a report holds: figures by metric name, and who was measured.
Report = dict[str, float | int | str | dict[str, float]]


def read_table(path: Path, *, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a CSV file. Raises `NotFound` without the file, `Invalid` without these columns or without rows."""
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in columns if name not in (reader.fieldnames or [])]
        if missing:
            raise Invalid(f"{path.name} has no column {', '.join(missing)}; it needs {', '.join(columns)}.")
        rows = list(reader)
    if not rows:
        raise Invalid(f"{path.name} has no rows.")
    return rows


def read_lines(path: Path, *, keys: Sequence[str]) -> list[dict[str, Any]]:
    """The objects of a JSON lines file. Raises like `read_table`, naming the line."""
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise Invalid(f"{path.name}, line {number}, is not JSON: {error.msg}.") from error
        if not isinstance(row, dict) or any(key not in row for key in keys):
            raise Invalid(f"{path.name}, line {number}, needs {', '.join(keys)}.")
        rows.append(row)
    if not rows:
        raise Invalid(f"{path.name} has no rows.")
    return rows
