"""The jobs of an import: each goes on for a while and puts up the next, so that no import holds a worker for long."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from tellback.intake.importing.desk import look_through, put_up
from tellback.intake.importing.keeping import drop_file, open_kept
from tellback.intake.importing.plan import plan_from_json
from tellback.intake.importing.running import ImportReport, Paused, Refusal, rehearse, run_import
from tellback.intake.importing.services import undo_import
from tellback.intake.models import IMPORT_AT_WORK, ImportRun, ImportState
from tellback.kernel.errors import Conflict, Invalid, NotFound
from tellback.platform.tenancy import in_workspace

#: Seconds after which a job puts up the next one.
TURN = 20.0
#: Jobs in a row that may end without getting any further.
MAX_TRIES = 5
STUCK = (
    "The import did not get any further, five times in a row. What came in stays; look into the log of the worker, and "
    "go on when the cause is gone."
)


def advance_import(*, workspace_id: UUID, run_id: UUID, now: datetime, turn: float = TURN) -> None:
    """Do the next part of what an import is at, and put up a job for the rest. Safe to repeat from any point.

    What is wrong with the file ends the import as `failed`, with a sentence; what is wrong elsewhere is raised, to be
    tried again.
    """
    run = _begin(workspace_id, run_id, now)
    if run is None:
        return
    try:
        more = _go_on(run, now, time.monotonic() + turn)
    except Conflict:
        # Somebody stopped it, or another process is at it.
        return
    except (Invalid, NotFound) as refused:
        with in_workspace(workspace_id):
            _fail(run, refused.detail, now)
        return
    if more:
        with in_workspace(workspace_id):
            put_up(run)


def put_up_unfinished() -> None:
    """Put up a job for every import that something should be working on; their jobs may have been lost."""
    for run in ImportRun.objects.filter(state__in=IMPORT_AT_WORK, file_parts__gt=0):
        put_up(run)


def _begin(workspace_id: UUID, run_id: UUID, now: datetime) -> ImportRun | None:
    """The import, if there is something to do; counts this try until it gets further."""
    with in_workspace(workspace_id):
        run = ImportRun.objects.select_for_update().filter(id=run_id, state__in=IMPORT_AT_WORK).first()
        if run is None:
            return None
        if run.tries >= MAX_TRIES:
            _fail(run, STUCK, now)
            return None
        run.tries += 1
        run.save(update_fields=["tries"])
        return run


def _go_on(run: ImportRun, now: datetime, until: float) -> bool:
    """Whether more is left to do."""
    if run.state == ImportState.UNDOING:
        return _undo(run, now, until)
    if run.state == ImportState.RUNNING:
        return _import(run, now, until)
    if not run.plan:
        with in_workspace(run.workspace_id):
            look_through(run=run)
        return False
    _rehearse(run, now)
    return False


def _undo(run: ImportRun, now: datetime, until: float) -> bool:
    undo_import(
        workspace_id=run.workspace_id, run_id=run.id, actor=None, now=now, may_go_on=lambda: time.monotonic() < until
    )
    with in_workspace(run.workspace_id):
        left = ImportRun.objects.select_for_update().get(id=run.id)
        if left.state == ImportState.UNDONE:
            drop_file(left)
        return left.state == ImportState.UNDOING


def _import(run: ImportRun, now: datetime, until: float) -> bool:
    def watch(report: ImportReport, refused: Sequence[Refusal]) -> None:  # noqa: ARG001 - a watcher's signature
        if time.monotonic() > until:
            raise Paused

    with open_kept(run) as file:
        try:
            report = run_import(run_id=run.id, workspace_id=run.workspace_id, file=file, now=now, watch=watch)
        except Paused:
            return True
    if not report.refused:
        with in_workspace(run.workspace_id):
            drop_file(ImportRun.objects.select_for_update().get(id=run.id))
    return False


def _rehearse(run: ImportRun, now: datetime) -> None:
    told = time.monotonic()

    def watch(report: ImportReport, refused: Sequence[Refusal]) -> None:  # noqa: ARG001 - a watcher's signature
        nonlocal told
        if time.monotonic() - told > 1:
            told = time.monotonic()
            with in_workspace(run.workspace_id):
                _checking(run).update(done_share=report.share)

    plan = plan_from_json(run.plan)
    with open_kept(run) as file:
        report = rehearse(workspace_id=run.workspace_id, file=file, plan=plan, now=now, watch=watch)
    counts = {name: value for name, value in asdict(report).items() if isinstance(value, int)}
    reasons = sorted(report.reasons.items(), key=lambda one: -one[1])[:50]
    with in_workspace(run.workspace_id):
        _checking(run).update(
            state=ImportState.DRAFT, checked={**counts, "reasons": reasons}, done_share=0, tries=0, problem=""
        )


def _checking(run: ImportRun) -> QuerySet[ImportRun]:
    return ImportRun.objects.filter(id=run.id, state=ImportState.CHECKING)


def _fail(run: ImportRun, problem: str, now: datetime) -> None:
    """End it, saying why. A file that cannot even be looked at is let go of."""
    state = ImportState.DRAFT if run.state == ImportState.CHECKING and run.plan else ImportState.FAILED
    ImportRun.objects.filter(id=run.id, state=run.state).update(
        state=state, problem=problem[:500], finished_at=now if state == ImportState.FAILED else None, tries=0
    )
    if not run.plan:
        drop_file(ImportRun.objects.select_for_update().get(id=run.id))
