"""How commands report: a table for people, JSON for programs; results on stdout, everything else on stderr."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Report as JSON on stdout.")]


def print_json(document: object) -> None:
    """One JSON document on stdout, readable and stable in its order."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n")


def print_rows(rows: Sequence[Mapping[str, Any]], *, columns: Mapping[str, str], empty: str, as_json: bool) -> None:
    """Rows as a table with these columns (field -> heading), or as a JSON list with all their fields."""
    if as_json:
        print_json([dict(row) for row in rows])
        return
    if not rows:
        say(empty)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in columns.values():
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*("" if row.get(field) is None else str(row[field]) for field in columns))
    Console(highlight=False, markup=False).print(table)


def say(text: str) -> None:
    """A sentence for the person, on stderr, so that it never mixes with results."""
    sys.stderr.write(text + "\n")
