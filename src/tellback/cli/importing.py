"""`tellback import`: feedback, and posts with votes and comments, from a file."""

import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from tellback.cli.environment import ready
from tellback.cli.output import AsJson, print_json, say
from tellback.kernel.errors import Invalid

if TYPE_CHECKING:
    from tellback.intake.importing.looking import Look
    from tellback.intake.importing.plan import ImportPlan
    from tellback.intake.importing.reading import ImportFile
    from tellback.intake.importing.running import ImportReport, Refusal

app = typer.Typer()
SHOWN_REFUSALS = 5
PARTLY_DONE = 4

Watch = Callable[["ImportReport", "Sequence[Refusal]"], None]


@app.command("import")
def import_file(  # noqa: PLR0917 - typer's options
    file: Annotated[Path, typer.Argument(help="CSV, XLSX, JSON, JSON lines, or a zip of these.")],
    maps: Annotated[
        list[str] | None,
        typer.Option("--map", help="field=COLUMN where the header is not understood; repeat for more."),
    ] = None,
    kind: Annotated[str, typer.Option("--as", help="feedback or posts, where the file does not say.")] = "",
    mapping: Annotated[str, typer.Option(help="Read the columns as was saved under this name.")] = "",
    save_mapping: Annotated[str, typer.Option(help="Save what the columns mean under this name.")] = "",
    source: Annotated[str, typer.Option(help="Name of the source; the file's name when empty.")] = "",
    channel: Annotated[str, typer.Option(help="in-app, support, review, community or api.")] = "",
    board: Annotated[str, typer.Option(help="The board of posts that name none; the first when empty.")] = "",
    day_first: Annotated[bool, typer.Option("--day-first", help="Read 3/4/2026 as 3 April.")] = False,
    month_first: Annotated[bool, typer.Option("--month-first", help="Read 3/4/2026 as 4 March.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check everything, store nothing.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take the last import of this file back.")] = False,
    errors: Annotated[Path | None, typer.Option(help="Where refused rows go; FILE.errors.csv when empty.")] = None,
    workspace: Annotated[str, typer.Option("--workspace", "-w", help="Short name of the workspace.")] = "default",
    as_json: AsJson = False,
) -> None:
    """Bring feedback, or posts with votes and comments, in from a file. Files of many tools are known by their headers.

    A stopped import goes on where it stood, a second run adds nothing and brings what has changed. Nobody is mailed.

    Example: [bold]tellback import reviews.csv --dry-run[/]

    Example: [bold]tellback import export.xlsx --map text=Beschreibung --map date=Datum --day-first[/]
    """
    wishes = _Wishes(
        dict(_pair(one) for one in maps or []), kind, mapping, source, channel, board, day_first, month_first
    )
    with ready():
        from tellback.intake.importing.looking import look_at
        from tellback.intake.importing.reading import open_file
        from tellback.workspaces.selectors import get_workspace_id

        workspace_id = get_workspace_id(workspace)
        began = time.monotonic()
        with open_file(file) as opened:
            if undo:
                _undo(opened, workspace_id=workspace_id, as_json=as_json)
                return
            plan = _plan(look_at(opened), wishes, workspace_id)
            if save_mapping:
                _save(save_mapping, plan, workspace_id)
            refused_to = errors or file.with_name(f"{file.stem}.errors.csv")
            report, kept = _run(opened, plan, workspace_id, refused_to=refused_to, dry_run=dry_run, quiet=as_json)
        _tell(opened, plan, report, kept, dry_run=dry_run, seconds=time.monotonic() - began, as_json=as_json)
    if report.refused:
        raise typer.Exit(PARTLY_DONE)


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What the person said of the file."""

    columns: dict[str, str]
    kind: str
    mapping: str
    source: str
    channel: str
    board: str
    day_first: bool
    month_first: bool


def _plan(look: "Look", wishes: _Wishes, workspace_id: UUID) -> "ImportPlan":
    """What the file means by its headers, by a saved mapping and by what the person said."""
    from tellback.intake.importing.dates import DayOrder
    from tellback.intake.importing.plan import CHANNELS
    from tellback.intake.importing.recognising import plan_import

    if wishes.channel and wishes.channel not in CHANNELS:
        raise Invalid(f"There is no channel “{wishes.channel}”. Channels are: {', '.join(sorted(CHANNELS))}.")
    if wishes.day_first and wishes.month_first:
        raise Invalid("Say either --day-first or --month-first.")
    if wishes.mapping and wishes.columns:
        raise Invalid("Say either --mapping or --map.")
    plan = plan_import(
        look=look,
        wanted=wishes.columns,
        kind=_kind(wishes.kind),
        source_name=wishes.source,
        channel=wishes.channel,
        board=wishes.board,
    )
    if wishes.mapping:
        plan = _mapped(plan, look, wishes.mapping, workspace_id)
    _require_complete(plan, look)
    if wishes.day_first or wishes.month_first:
        plan = plan.decided(DayOrder.DAY_FIRST if wishes.day_first else DayOrder.MONTH_FIRST)
    return plan


def _mapped(plan: "ImportPlan", look: "Look", name: str, workspace_id: UUID) -> "ImportPlan":
    from tellback.intake.importing.services import apply_mapping
    from tellback.intake.models import ImportMapping
    from tellback.platform.tenancy import in_workspace

    with in_workspace(workspace_id):
        found = ImportMapping.objects.filter(name=name).first()
        if found is None:
            names = ", ".join(ImportMapping.objects.order_by("name").values_list("name", flat=True)) or "none"
            raise Invalid(f"There is no mapping “{name}”. Saved are: {names}.")
        return apply_mapping(mapping=found, plan=plan, look=look)


def _save(name: str, plan: "ImportPlan", workspace_id: UUID) -> None:
    from tellback.intake.importing.services import save_mapping
    from tellback.platform.tenancy import in_workspace
    from tellback.workspaces.models import Workspace

    with in_workspace(workspace_id):
        save_mapping(workspace=Workspace.objects.get(id=workspace_id), name=name, plan=plan)


def _require_complete(plan: "ImportPlan", look: "Look") -> None:
    from tellback.intake.importing.recognising import require_complete

    try:
        require_complete(plan, look=look)
    except Invalid as missing:
        raise Invalid(f"{missing.detail} Say which one it is with --map field=COLUMN.") from missing


def _kind(said: str) -> Any:
    from tellback.intake.importing.fields import Kind

    if said and said not in {Kind.FEEDBACK, Kind.POSTS}:
        raise Invalid(f"Rows can be feedback or posts; “{said}” is neither.")
    return Kind(said) if said else None


def _pair(text: str) -> tuple[str, str]:
    field, _, column = text.partition("=")
    if not field or not column:
        raise Invalid(f"Write --map as field=COLUMN, for instance --map text=Comment; “{text}” is not that.")
    return field.strip(), column.strip()


def _run(
    file: "ImportFile", plan: "ImportPlan", workspace_id: UUID, *, refused_to: Path, dry_run: bool, quiet: bool
) -> tuple["ImportReport", Path | None]:
    from tellback.intake.importing.running import rehearse, run_import
    from tellback.intake.importing.services import open_run
    from tellback.platform.tenancy import in_workspace

    now = datetime.now(UTC)
    with _progress(file, quiet=quiet) as advance:
        if dry_run:
            return rehearse(workspace_id=workspace_id, file=file, plan=plan, now=now, watch=advance), None
        with in_workspace(workspace_id):
            run = open_run(workspace_id=workspace_id, file=file, plan=plan, now=now)
        report = run_import(run_id=run.id, workspace_id=workspace_id, file=file, now=now, watch=advance)
    with in_workspace(workspace_id):
        return report, _keep_refused(file, run.id, refused_to) if report.refused else None


def _keep_refused(file: "ImportFile", run_id: Any, path: Path) -> Path:
    """Write the refused rows, whole or not at all; rows of several tables as a zip."""
    from tellback.intake.importing.errors_file import write_refused

    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".tellback-", delete=False) as part:
        write_refused(file=file, run_id=run_id, into=part)
    with Path(part.name).open("rb") as written:
        is_zip = written.read(2) == b"PK"
    target = path.with_suffix(".zip") if is_zip else path
    Path(part.name).replace(target)
    target.chmod(0o600)
    return target


def _undo(file: "ImportFile", *, workspace_id: Any, as_json: bool) -> None:
    from tellback.intake.importing.services import CAN_UNDO, undo_import
    from tellback.intake.models import ImportRun
    from tellback.platform.tenancy import in_workspace

    with in_workspace(workspace_id):
        run = ImportRun.objects.filter(file_digest=file.digest, state__in=CAN_UNDO).order_by("-id").first()
    if run is None:
        raise Invalid(f"No import of {file.name} can be taken back.")
    taken = undo_import(workspace_id=workspace_id, run_id=run.id, actor=None, now=datetime.now(UTC))
    if as_json:
        print_json({"file": str(file.path), "undone": taken})
        return
    said = ", ".join(f"{count:,} {kind}" for kind, count in taken.items()) or "nothing"
    typer.echo(f"Taken back: {said}.")


@contextlib.contextmanager
def _progress(file: "ImportFile", *, quiet: bool) -> Iterator[Watch]:
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
        task = progress.add_task(file.name, total=1.0)

        def advance(report: "ImportReport", refused: "Sequence[Refusal]") -> None:
            nonlocal shown
            progress.update(task, completed=report.share, description=f"{report.read:,} rows")
            for refusal in refused[: max(0, SHOWN_REFUSALS - shown)] if not quiet else []:
                console.print(f"Row {refusal.row.number} {refusal.result.reason}.")
            shown += len(refused)

        yield advance


def _tell(
    file: "ImportFile",
    plan: "ImportPlan",
    report: "ImportReport",
    kept: Path | None,
    *,
    dry_run: bool,
    seconds: float,
    as_json: bool,
) -> None:
    if as_json:
        print_json(_document(file, plan, report, kept, dry_run=dry_run, seconds=seconds))
        return
    _tell_meaning(plan)
    if report.resumed_after:
        say(f"Went on after row {report.resumed_after:,}, where the last import was stopped.")
    if dry_run:
        for sample in report.samples:
            say("  " + " · ".join(part[:100] for part in sample.shown.values() if part))
        typer.echo(
            f"{_rows(report.read)} read: {report.added:,} to add, {report.updated:,} to change, {report.known:,} known "
            f"already, {report.refused:,} to refuse. Nothing was stored."
        )
    else:
        typer.echo(
            f"{report.added:,} added, {report.updated:,} changed, {report.known:,} known already, "
            f"{report.refused:,} refused" + (f", {report.left_out:,} left out." if report.left_out else ".")
        )
    if report.refused:
        for reason, count in sorted(report.reasons.items(), key=lambda one: -one[1]):
            say(f"  {count:,}: {reason}")
        if kept:
            say(f"Refused rows and why: {kept}.")


def _tell_meaning(plan: "ImportPlan") -> None:
    from tellback.intake.importing.fields import Kind
    from tellback.intake.importing.recognising import FORMAT_OF

    known = FORMAT_OF.get(plan.format)
    if known:
        say(f"This is a file of {known.name}." + (f" {known.note}" if known.note else ""))
    for table in plan.tables:
        if table.kind == Kind.NONE:
            say(f"{table.name}: not imported.")
            continue
        columns = ", ".join(f"{field} from “{column}”" for field, column in table.columns.items())
        say(f"{table.name}: {_rows(table.rows)} of {table.kind}; {columns}.")


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _document(
    file: "ImportFile", plan: "ImportPlan", report: "ImportReport", kept: Path | None, *, dry_run: bool, seconds: float
) -> dict[str, Any]:
    return {
        "file": str(file.path),
        "format": plan.format or None,
        "tables": [
            {
                "name": table.name,
                "kind": table.kind.value,
                "rows": table.rows,
                "encoding": found.encoding,
                "delimiter": found.delimiter,
                "columns": dict(table.columns),
                "dates": {field: order.value for field, order in table.orders.items()},
            }
            for table, found in zip(plan.tables, file.tables, strict=True)
        ],
        "left_out_files": list(file.left_out),
        "source": plan.source_name,
        "dry_run": dry_run,
        "read": report.read,
        "added": report.added,
        "updated": report.updated,
        "known": report.known,
        "left_out": report.left_out,
        "refused": report.refused,
        "resumed_after": report.resumed_after,
        "refused_rows": str(kept) if kept else None,
        "seconds": round(seconds, 2),
    }
