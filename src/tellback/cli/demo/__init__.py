"""`tellback demo`: the sample workspace of Tidemark, an invented scheduling app for field-service crews."""

from typing import Annotated

import typer

from tellback.cli.environment import ready

app = typer.Typer(help="Fill the workspace with sample feedback, and take it out again.", no_args_is_help=True)


@app.command("load")
def load(
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing unless it fails.")] = False,
) -> None:
    """Send the sample feedback through the public API of the running Tellback, as ordinary clients would."""
    with ready() as options:
        from tellback.cli.demo.load import load_sample

        count = load_sample(base_url=(options.base_url or f"http://{options.host}:{options.port}").rstrip("/"))
    if not quiet:
        typer.echo(f"{count} pieces of feedback were sent." if count else "The sample was there already.")


@app.command("purge")
def purge(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove exactly what `demo load` brought, and what was made of it."""
    if not yes:
        typer.confirm("Remove all sample feedback, with its themes, posts and people?", abort=True)
    with ready():
        from tellback.cli.demo.load import purge_sample

        typer.echo(f"{purge_sample()} pieces of feedback were removed.")
