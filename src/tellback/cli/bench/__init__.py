"""`tellback bench`: how fast this machine is at what Tellback does."""

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
