"""The `tellback` command: its sub-commands, and how errors reach a person."""

import importlib
import importlib.util
import logging
import os
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from tellback.kernel.errors import Invalid, NotFound, TellbackError

if TYPE_CHECKING:
    from typer._click import Command, Context, HelpFormatter

OK, FAILED, USAGE, CHECK_FAILED, PARTLY_DONE = range(5)


@dataclass(frozen=True, slots=True)
class Entry:
    """One command or group of commands: where it lives and what the overview says of it."""

    module: str
    attribute: str
    help: str
    panel: str


START, WORK, ADMIN, MEASURE = "Run", "Feedback", "Look after it", "Measure"

#: Named here, and imported only when used, so that help and a wrong word answer at once.
ENTRIES: dict[str, Entry] = {
    "up": Entry("tellback.cli.up", "up", "Start everything on this machine. Ctrl-C stops it all.", START),
    "web": Entry("tellback.cli.web", "web", "Serve the pages, the API and the intake.", START),
    "worker": Entry("tellback.cli.worker", "worker", "Do the jobs: understand feedback, deliver mail.", START),
    "consume": Entry("tellback.cli.consume", "consume", "Store what the edge handed to a broker.", START),
    "migrate": Entry("tellback.cli.migrate", "migrate", "Bring the database up to date.", START),
    "import": Entry("tellback.cli.importing", "app", "Bring feedback in from a file.", WORK),
    "search": Entry("tellback.cli.search", "search", "Search feedback, needs, themes and posts.", WORK),
    "demo": Entry("tellback.cli.demo", "app", "Fill the workspace with sample feedback, or take it out.", WORK),
    "doctor": Entry("tellback.cli.doctor", "doctor", "Check this installation and say how to mend it.", ADMIN),
    "config": Entry("tellback.cli.config", "app", "Show and check the settings.", ADMIN),
    "jobs": Entry("tellback.cli.jobs", "app", "See jobs, and retry or discard those that failed.", ADMIN),
    "secret": Entry("tellback.cli.secret", "app", "Change the secret key or the vault key without loss.", ADMIN),
    "key": Entry("tellback.cli.key", "app", "Make, list and revoke API and widget keys.", ADMIN),
    "user": Entry("tellback.cli.user", "app", "Let people in.", ADMIN),
    "privacy": Entry("tellback.cli.privacy", "app", "Export or erase a person; erase again after a restore.", ADMIN),
    "replay": Entry("tellback.cli.replay", "app", "Derive signals and themes anew; adopt or discard it.", WORK),
    "themes": Entry("tellback.cli.themes", "app", "Look for what would make the themes better.", WORK),
    "eval": Entry("tellback.cli.eval", "app", "Measure how well feedback is understood.", MEASURE),
    "bench": Entry("tellback.cli.bench", "app", "Measure speed on this machine.", MEASURE),
}


class LazyGroup(TyperGroup):
    """A group whose commands are imported when they are called, not when the program starts."""

    describing = False

    def list_commands(self, ctx: "Context") -> list[str]:  # noqa: ARG002 - the signature of the base
        """The commands of this installation, in the order of the overview."""
        return [name for name, entry in ENTRIES.items() if importlib.util.find_spec(entry.module)]

    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":
        """The command; for the overview only its description."""
        entry = ENTRIES.get(cmd_name)
        if entry is None or not importlib.util.find_spec(entry.module):
            return None
        if self.describing or ctx.resilient_parsing:
            return TyperCommand(cmd_name, help=entry.help, rich_help_panel=entry.panel)
        return _load(cmd_name, entry)

    def format_help(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """The overview."""
        self.describing = True
        super().format_help(ctx, formatter)


def _load(name: str, entry: Entry) -> "Command":
    loaded: Any = getattr(importlib.import_module(entry.module), entry.attribute)
    if isinstance(loaded, typer.Typer):
        return typer.main.get_command(loaded)
    single = typer.Typer(context_settings=HELP_OPTIONS, rich_markup_mode="rich", add_completion=False)
    single.command(name)(loaded)
    return typer.main.get_command(single)


HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    name="tellback",
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings=HELP_OPTIONS,
)


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Feedback in, tellback out: self-hosted feedback that answers every person who spoke.

    [bold]tellback up --demo[/] is the quickest look. [bold]tellback COMMAND --help[/] explains a command.

    Every command that reports takes [bold]--json[/]. Exit codes: 0 done, 1 failed, 2 wrong use, 3 a check found
    something, 4 partly done.
    """
    if debug:
        os.environ["TELLBACK_DEBUG"] = "1"


def exit_code(error: TellbackError) -> int:
    """2 for what the person typed, 1 for what failed."""
    return USAGE if isinstance(error, Invalid | NotFound) else FAILED


def run() -> None:
    """Run the command; a person sees one sentence, never a traceback (but with --debug)."""
    try:
        _run()
    finally:
        # Only commands that run such work import it: the others start sooner.
        endings = sys.modules.get("tellback.platform.endings")
        if endings is not None and endings.is_anything_left():
            _end_at_once(sys.exc_info()[1])


def _end_at_once(ended: BaseException | None) -> None:
    """End as that says, without waiting for what does not heed being cancelled."""
    code = ended.code if isinstance(ended, SystemExit) else int(ended is not None)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def _run() -> None:
    try:
        app()
    except TellbackError as error:
        if os.environ.get("TELLBACK_DEBUG"):
            raise
        _say(f"tellback: {error.detail}")
        for field in error.errors:
            _say(f"  {field.pointer}: {field.detail}")
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if os.environ.get("TELLBACK_DEBUG"):
            raise
        _say(f"tellback: this failed unexpectedly ({_first_line(error)}). {_keep_traceback(error)}")
        sys.exit(FAILED)


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:300]}" if text else type(error).__name__


def _keep_traceback(error: Exception) -> str:
    """Write the traceback beside the data; returns the sentence that says where it is."""
    path = Path(os.environ.get("TELLBACK_DATA_DIR", "var")) / "last-error.log"
    try:
        path.write_text("".join(traceback.format_exception(error)))
    except OSError:
        return "Run it again as “tellback --debug …” to see where."
    return f"The details are in {path}."
