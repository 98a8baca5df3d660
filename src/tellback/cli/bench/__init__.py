"""`tellback bench`: how fast this machine is at what Tellback does."""

from pathlib import Path
from typing import Annotated

import typer

from tellback.cli.output import AsJson

app = typer.Typer(help="Measure speed on this machine.", no_args_is_help=True)


@app.callback()
def measures() -> None:
    """Measure speed on this machine, in a database of its own that is removed afterwards."""


@app.command("intake")
def intake(
    seconds: Annotated[float, typer.Option(min=1, help="How long each measurement lasts.")] = 5.0,
    as_json: AsJson = False,
) -> None:
    """Durable accepted requests a second, beside pgbench storing one equal row per transaction.

    Example: [bold]tellback bench intake --json[/]
    """
    from tellback.cli.bench.intake import measure_intake, print_report

    print_report(measure_intake(seconds=seconds), as_json=as_json)


@app.command("pipeline")
def pipeline(  # noqa: PLR0917 - each is an option of the command
    items: Annotated[int, typer.Option(min=50, help="How many pieces of feedback are sent at once.")] = 2000,
    seconds: Annotated[float, typer.Option(min=1, help="How long twenty a second arrive afterwards.")] = 20.0,
    curve: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, help="Measure what one costs while the workspace grows to --items, and draw it to this SVG."
        ),
    ] = None,
    fill: Annotated[
        bool,
        typer.Option(
            "--fill",
            help="With --curve: fill the workspace up with copies between a few short windows; minutes, not hours.",
        ),
    ] = False,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Worker processes, with --curve.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Pieces of feedback understood and themed a second, and how long one takes while twenty a second arrive.

    With --curve instead what each costs, in processor time of the worker and the database, from the first to the last
    of --items; 200,000 take an hour or more.

    Examples:

    [bold]tellback bench pipeline --items 500 --json[/]

    [bold]tellback bench pipeline --items 200000 --curve pipeline-cost.svg[/]
    """
    if curve is not None:
        from tellback.cli.bench.curve import measure_curve, print_curve

        print_curve(measure_curve(items=items, workers=workers, fill=fill), curve, as_json=as_json)
        return
    from tellback.cli.bench.pipeline import measure_pipeline, print_report

    print_report(measure_pipeline(items=items, seconds=seconds), as_json=as_json)


@app.command("search")
def search(
    items: Annotated[int, typer.Option(min=1_000, help="How many pieces of feedback there are.")] = 100_000,
    as_json: AsJson = False,
) -> None:
    """How long a search takes among very many pieces of feedback, and the look-up of what one repeats.

    Example: [bold]tellback bench search --items 20000 --json[/]
    """
    from tellback.cli.bench.finding import measure_finding, print_report

    print_report(measure_finding(items=items), as_json=as_json)


@app.command("import")
def import_(
    rows: Annotated[int, typer.Option(min=1_000, help="Rows of the large file; the small one has a tenth.")] = 100_000,
    as_json: AsJson = False,
) -> None:
    """Rows imported a second from a large CSV, and the memory that takes beside a file a tenth of its size.

    Example: [bold]tellback bench import --rows 20000 --json[/]
    """
    from tellback.cli.bench.importing import measure_import, print_report

    print_report(measure_import(rows=rows), as_json=as_json)
