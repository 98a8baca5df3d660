"""`tellback import`: feedback from a file."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tellback.cli.environment import ready
from tellback.cli.output import AsJson, print_json, say
from tellback.kernel.errors import Invalid

if TYPE_CHECKING:
    from tellback.intake.importing.services import ImportPlan, ImportReport, Refusal

app = typer.Typer()
SHOWN_REFUSALS = 5
PARTLY_DONE = 4

Watch = Callable[["ImportReport", "list[Refusal]"], None]


@app.command("import")
def import_file(  # noqa: PLR0917 - typer's options
    file: Annotated[Path, typer.Argument(help="A table as text: commas, semicolons, tabs; UTF-8, UTF-16, 1252.")],
    maps: Annotated[
        list[str] | None,
        typer.Option("--map", help="field=COLUMN where the header is not understood; repeat for more."),
    ] = None,
    source: Annotated[str, typer.Option(help="Name of the source; the file's name when empty.")] = "",
    channel: Annotated[str, typer.Option(help="in-app, support, review, community or api.")] = "",
    day_first: Annotated[bool, typer.Option("--day-first", help="Read 3/4/2026 as 3 April.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check everything, store nothing.")] = False,
    errors: Annotated[Path | None, typer.Option(help="Where refused rows go; FILE.errors.csv when empty.")] = None,
    workspace: Annotated[str, typer.Option("--workspace", "-w", help="Short name of the workspace.")] = "default",
    as_json: AsJson = False,
) -> None:
    """Bring feedback in from a CSV file. The columns are found by their names; what is not known is kept beside.

    A stopped import goes on where it stood, and a second run adds nothing. Nobody is mailed about imported feedback.

    Example: [bold]tellback import reviews.csv --dry-run[/]

    Example: [bold]tellback import export.csv --map text=Beschreibung --map date=Datum[/]
    """
    wanted = dict(_pair(one) for one in maps or [])
    with ready():
        from tellback.intake.importing.rows import CHANNELS
        from tellback.intake.importing.services import plan_import

        if channel and channel not in CHANNELS:
            raise Invalid(f"There is no channel “{channel}”. Channels are: {', '.join(sorted(CHANNELS))}.")
        plan = plan_import(path=file, wanted=wanted, source_name=source, channel=channel, day_first=day_first)
        refused_to = errors or file.with_name(f"{file.stem}.errors.csv")
        began = time.monotonic()
        report = _run(plan, workspace=workspace, refused_to=refused_to, dry_run=dry_run, quiet=as_json)
    _tell(plan, report, refused_to, dry_run=dry_run, seconds=time.monotonic() - began, as_json=as_json)
    if report.refused:
        raise typer.Exit(PARTLY_DONE)


def _pair(text: str) -> tuple[str, str]:
    field, _, column = text.partition("=")
    if not field or not column:
        raise Invalid(f"Write --map as field=COLUMN, for instance --map text=Comment; “{text}” is not that.")
    return field.strip(), column.strip()


def _run(plan: "ImportPlan", *, workspace: str, refused_to: Path, dry_run: bool, quiet: bool) -> "ImportReport":
    from tellback.intake.importing.services import rehearse_import, run_import
    from tellback.workspaces.selectors import get_workspace_id

    now = datetime.now(UTC)
    with _progress(plan, quiet=quiet) as advance:
        if dry_run:
            return rehearse_import(plan=plan, now=now, watch=advance)
        with _refusals(plan, refused_to) as keep:

            def watch(report: "ImportReport", refused: "list[Refusal]") -> None:
                keep(refused)
                advance(report, refused)

            return run_import(workspace_id=get_workspace_id(workspace), plan=plan, now=now, watch=watch)


@contextlib.contextmanager
def _progress(plan: "ImportPlan", *, quiet: bool) -> Iterator[Watch]:
    """A bar on a terminal, and the first refused rows with their reasons."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, highlight=False, markup=False)
    shown = 0
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=quiet or not sys.stderr.isatty(),
        transient=True,
    ) as progress:
        task = progress.add_task(plan.table.path.name, total=plan.table.size)

        def advance(report: "ImportReport", refused: "list[Refusal]") -> None:
            nonlocal shown
            progress.update(task, completed=report.at, description=f"{report.read:,} rows")
            for refusal in refused[: max(0, SHOWN_REFUSALS - shown)] if not quiet else []:
                console.print(f"Row {refusal.row.number} {refusal.reason}.")
            shown += len(refused)

        yield advance


@contextlib.contextmanager
def _refusals(plan: "ImportPlan", path: Path) -> Iterator[Callable[["list[Refusal]"], None]]:
    """Appends refused rows to a file that can be mended and imported; no file when nothing is refused."""
    from tellback.intake.importing.refused import RefusedFile

    with contextlib.ExitStack() as stack:
        opened: list[RefusedFile] = []

        def keep(refused: "list[Refusal]") -> None:
            if refused and not opened:
                is_new = not path.exists() or not path.stat().st_size
                file = stack.enter_context(path.open("a", encoding="utf-8", newline=""))
                opened.append(RefusedFile(file, plan.table.columns))
                if is_new:
                    opened[0].write_header()
            for one in refused:
                opened[0].write(one.row.cells, reason=one.reason, number=one.row.number)

        yield keep


def _tell(
    plan: "ImportPlan", report: "ImportReport", refused_to: Path, *, dry_run: bool, seconds: float, as_json: bool
) -> None:
    kept = str(refused_to) if report.refused and not dry_run else None
    if as_json:
        document = {
            "file": str(plan.table.path),
            "encoding": plan.table.encoding,
            "delimiter": plan.table.delimiter,
            "columns": dict(plan.columns),
            "source": plan.source_name,
            "dry_run": dry_run,
            "read": report.read,
            "added": report.added,
            "known": report.known,
            "refused": report.refused,
            "resumed_after": report.resumed_after,
            "refused_rows": kept,
            "seconds": round(seconds, 2),
        }
        print_json(document)
        return
    say("Columns: " + ", ".join(f"{field} from “{column}”" for field, column in plan.columns.items()) + ".")
    if report.resumed_after:
        say(f"Went on after row {report.resumed_after:,}, where the last import was stopped.")
    if dry_run:
        for sample in report.samples:
            say(f"  {sample.source_created_at:%Y-%m-%d}  {sample.text[:100]}")
        typer.echo(f"{report.added:,} of {report.read:,} rows can be imported; nothing was stored.")
    else:
        typer.echo(f"{report.added:,} added, {report.known:,} known already, {report.refused:,} refused.")
    if report.refused:
        say(f"Refused rows and why: {kept}." if kept else f"{report.refused:,} rows would be refused.")
