"""Running an import: batch by batch, each with the file's position in one transaction."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from uuid import UUID

from tellback.intake.accept import Outcome, Submission, accept_batch
from tellback.intake.importing.columns import map_columns
from tellback.intake.importing.rows import Defaults, submission_of
from tellback.intake.importing.table import Row, Table, inspect, rows
from tellback.intake.models import DeliveryMode, FeedbackSource, ImportRun
from tellback.intake.services import get_or_create_source
from tellback.kernel.errors import Invalid
from tellback.platform.tenancy import in_workspace

#: Rows per transaction, and so per job that follows.
BATCH = 100
KEPT_ERRORS = 1000


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """A file looked at, and what its columns were taken for."""

    table: Table
    columns: Mapping[str, str]
    source_name: str
    channel: str
    day_first: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not taken, and why. `row` 1 is the first after the header."""

    row: Row
    reason: str


@dataclass(slots=True)
class ImportReport:
    """How far an import is. `resumed_after` is the number of rows that an earlier, interrupted run had done."""

    read: int = 0
    added: int = 0
    known: int = 0
    refused: int = 0
    resumed_after: int = 0
    at: int = 0
    samples: list[Submission] = field(default_factory=list)


Watcher = Callable[[ImportReport, list[Refusal]], None]


def plan_import(
    *, path: Path, wanted: Mapping[str, str], source_name: str = "", channel: str = "", day_first: bool = False
) -> ImportPlan:
    """Look at the file and map its columns. Raises `Invalid` when it cannot be read or has no text column."""
    table = inspect(path)
    columns = map_columns(table.columns, wanted=wanted)
    return ImportPlan(
        table=table,
        columns=columns,
        source_name=source_name or path.stem,
        channel=channel or ("review" if "rating" in columns else "api"),
        day_first=day_first,
    )


def rehearse_import(*, plan: ImportPlan, now: datetime, watch: Watcher) -> ImportReport:
    """Read the whole file as an import would, storing nothing. `known` stays 0, since nothing is compared."""
    report = ImportReport()
    defaults = _defaults(plan, UUID(int=0), now)
    for batch in _batches(rows(plan.table)):
        taken, refused = _sort(batch, defaults)
        report.samples = (report.samples + taken)[:3]
        report.read, report.added = report.read + len(batch), report.added + len(taken)
        report.refused, report.at = report.refused + len(refused), batch[-1].at
        watch(report, refused)
    return report


def run_import(*, workspace_id: UUID, plan: ImportPlan, now: datetime, watch: Watcher) -> ImportReport:
    """Import the file in batches, calling `watch` after each one is stored.

    Every batch and the position behind it are one transaction, so a killed import goes on where it stood. Rows that
    the source already has are known and not stored again, so running a finished import once more adds nothing.
    """
    with in_workspace(workspace_id):
        run = _open_run(workspace_id, plan)
        defaults = _defaults(plan, run.source_id, now)
    report = ImportReport(run.rows_read, run.rows_added, run.rows_known, run.rows_refused, resumed_after=run.rows_read)
    for batch in _batches(rows(plan.table, after=run.rows_read)):
        taken, refused = _sort(batch, defaults)
        with in_workspace(workspace_id):
            answers = accept_batch(workspace_id=workspace_id, submissions=taken, now=now)
            added = sum(answer.outcome == Outcome.ACCEPTED for answer in answers)
            report.read, report.at = report.read + len(batch), batch[-1].at
            report.added, report.known = report.added + added, report.known + len(taken) - added
            report.refused += len(refused)
            _keep_position(run, report, refused)
        watch(report, refused)
    with in_workspace(workspace_id):
        run.finished_at = now
        run.save(update_fields=["finished_at"])
        FeedbackSource.objects.filter(id=run.source_id).update(last_synced_at=now, last_success_at=now)
    return report


def _open_run(workspace_id: UUID, plan: ImportPlan) -> ImportRun:
    """The unfinished run of this very file with these columns, else one that starts at the first row."""
    source = get_or_create_source(
        workspace_id=workspace_id, source_type="csv", name=plan.source_name, delivery_mode=DeliveryMode.BATCH
    )
    run, _ = ImportRun.objects.select_for_update().get_or_create(
        workspace_id=workspace_id,
        source=source,
        file_digest=plan.table.digest,
        defaults={"file_name": plan.table.path.name, "mapping": dict(plan.columns)},
    )
    if run.finished_at or run.mapping != dict(plan.columns):
        run.finished_at, run.mapping, run.errors = None, dict(plan.columns), []
        run.rows_read = run.rows_added = run.rows_known = run.rows_refused = 0
        run.save()
    return run


def _keep_position(run: ImportRun, report: ImportReport, refused: list[Refusal]) -> None:
    run.rows_read, run.rows_added, run.rows_known = report.read, report.added, report.known
    run.rows_refused = report.refused
    fields = ["rows_read", "rows_added", "rows_known", "rows_refused"]
    if refused and len(run.errors) < KEPT_ERRORS:
        run.errors = [*run.errors, *({"row": one.row.number, "message": one.reason} for one in refused)][:KEPT_ERRORS]
        fields.append("errors")
    run.save(update_fields=fields)


def _defaults(plan: ImportPlan, source_id: UUID, now: datetime) -> Defaults:
    return Defaults(source_id=source_id, columns=plan.columns, channel=plan.channel, now=now, day_first=plan.day_first)


def _batches(found: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(found, BATCH)):
        yield batch


def _sort(batch: list[Row], defaults: Defaults) -> tuple[list[Submission], list[Refusal]]:
    taken, refused = [], []
    for row in batch:
        try:
            taken.append(submission_of(row, defaults))
        except Invalid as error:
            refused.append(Refusal(row, error.detail))
    return taken, refused
