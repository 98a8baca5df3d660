"""The `tellback` command: its sub-commands, and how errors reach a person."""

import os
import sys
from typing import Annotated

import typer
from rich.console import Console

from tellback.cli import migrate, up, web, worker
from tellback.kernel.errors import Invalid, NotFound, TellbackError

app = typer.Typer(
    name="tellback",
    help="Feedback in, tellback out. Start with: tellback up --demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up")(up.up)
app.command("web")(web.web)
app.command("worker")(worker.worker)
app.command("migrate")(migrate.migrate)

errors = Console(stderr=True, highlight=False)


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Options of every command."""
    if debug:
        os.environ["TELLBACK_DEBUG"] = "1"


def exit_code(error: TellbackError) -> int:
    """2 for what the person typed, 1 for what failed."""
    return 2 if isinstance(error, Invalid | NotFound) else 1


def run() -> None:
    """Run the command; a person sees one sentence, never a traceback (but with --debug)."""
    try:
        app()
    except TellbackError as error:
        if os.environ.get("TELLBACK_DEBUG"):
            raise
        errors.print(f"[bold red]tellback:[/] {error.detail}", markup=True)
        for field in error.errors:
            errors.print(f"  {field.pointer}: {field.detail}", markup=False)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if os.environ.get("TELLBACK_DEBUG"):
            raise
        errors.print(f"[bold red]tellback:[/] this failed unexpectedly ({type(error).__name__}: {error}).", markup=True)
        errors.print("Run it again with: tellback --debug …", markup=False)
        sys.exit(1)
