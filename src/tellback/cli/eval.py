"""`tellback eval`: how well feedback is understood, on labelled files and by the workspace's own people."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from tellback.cli.environment import read_options, ready
from tellback.cli.output import AsJson, print_rows
from tellback.engines.local import load_local_engine

if TYPE_CHECKING:
    from tellback.understanding.learning.selectors import FieldReport

app = typer.Typer(help="Measure how well feedback is understood.", no_args_is_help=True)
console = Console(highlight=False)

File = Annotated[Path, typer.Argument(help="CSV or JSON lines with the columns of its kind.", show_default=False)]

#: Each kind: the module and the function that measures it, and what it needs.
KINDS: dict[str, tuple[str, str, str]] = {
    "intent": ("tellback.understanding.evaluation", "evaluate_intent", "id, split, text, stars, label"),
    "issues": ("tellback.understanding.evaluation", "evaluate_issues", "id, repo, title, body, label"),
    "sentiment": ("tellback.understanding.evaluation", "evaluate_sentiment", "id, text, label"),
    "corrections": (
        "tellback.understanding.evaluation",
        "evaluate_corrections",
        "text, label, split, stars",
    ),
    "duplicates": ("tellback.understanding.evaluation", "evaluate_duplicates", "id, a, b, duplicate"),
    "signals": ("tellback.understanding.evaluation", "evaluate_signals", "id, text, signals[start,end,quote,label]"),
    "pii": ("tellback.understanding.evaluation", "evaluate_pii", "id, text, spans[start,end,type]"),
    "themes": ("tellback.themes.evaluation", "evaluate_themes", "id, text, label"),
    "stream": ("tellback.themes.evaluation", "evaluate_stream", "id, text, label, in stream order"),
}


def _measure(kind: str, file: Path) -> dict[str, Any]:
    import importlib

    module, name, _columns = KINDS[kind]
    function: Callable[..., dict[str, Any]] = getattr(importlib.import_module(module), name)
    if kind == "pii":
        return dict(function(file))
    options = read_options()
    engine = load_local_engine(cache_dir=options.data_dir / "models", model_dir=options.model_dir, threads=2)
    return dict(function(file, engine=engine))


def _show(kind: str, figures: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(figures))
        return
    table = Table("figure", "value", title=f"tellback eval {kind}", title_justify="left")
    for name, value in figures.items():
        shown = f"{value:.3f}" if isinstance(value, float) else json.dumps(value) if isinstance(value, dict) else value
        table.add_row(name, str(shown))
    console.print(table)


def _command(kind: str) -> Callable[..., None]:
    def measure(file: File, as_json: AsJson = False) -> None:
        _show(kind, _measure(kind, file), as_json=as_json)

    measure.__doc__ = f"Measure {kind}. Reads the columns {KINDS[kind][2]}."
    return measure


for _kind in KINDS:
    app.command(_kind)(_command(_kind))


@app.command("moves")
def moves(file: File, as_json: AsJson = False) -> None:
    """Measure whether what people move stays there, through upkeep and replay. Reads the columns text, label."""
    from tellback.cli.bench.moves import measure_moves

    _show("moves", measure_moves(file), as_json=as_json)


@app.command("workspace")
def workspace(
    slug: Annotated[str, typer.Option("--workspace", help="The workspace’s short name.")] = "default",
    as_json: AsJson = False,
) -> None:
    """Measure understanding by what the workspace's own people judged in the last twelve weeks.

    For type and feeling: how often it was right among signals drawn at random, with the interval in which the true
    figure lies 19 times out of 20; the same kind by kind for everything that was judged; how often two people differed;
    and whether it has got worse.

    Example: [bold]tellback eval workspace --json[/]
    """
    with ready():
        from django.utils import timezone

        from tellback.platform.tenancy import in_workspace
        from tellback.understanding.learning.selectors import read_report
        from tellback.workspaces.selectors import get_workspace_id

        with in_workspace(get_workspace_id(slug)):
            fields = read_report(today=timezone.now().date()).fields
    rows = [row for field in fields for row in figures_of(field)]
    columns = {"figure": "figure", "share": "%", "low": "from", "high": "to", "hits": "hits", "of": "of"}
    print_rows(rows, columns=columns, empty="Nobody has judged anything yet.", as_json=as_json)


def figures_of(field: "FieldReport") -> list[dict[str, Any]]:
    """The report of one field, a figure a row; `share`, `low` and `high` are percentages."""
    worse = " (worse than before)" if field.has_drifted else ""
    named = [(f"drawn at random{worse}", field.checked), ("everything judged", field.everything)]
    named += [(f"said to be {line.label.lower()}", line) for line in field.lines]
    named.append(("two people differed", field.disagreement))
    named += [(f"week of {monday}", line) for monday, line in field.measured]
    return [
        {
            "field": field.name,
            "figure": f"{field.label}: {name}",
            "share": line.value,
            "low": line.low,
            "high": line.high,
            "hits": line.hits,
            "of": line.of,
        }
        for name, line in named
        if line.of
    ]
