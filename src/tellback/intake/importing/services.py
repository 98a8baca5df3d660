"""Opening an import, stopping it, taking it back, and saving what its columns mean."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from tellback.intake.importing.feedback import SOURCE_TYPE
from tellback.intake.importing.landing import list_landers
from tellback.intake.importing.looking import Look
from tellback.intake.importing.plan import ImportPlan, plan_from_json
from tellback.intake.importing.reading import ImportFile
from tellback.intake.importing.recognising import surveyed
from tellback.intake.models import DeliveryMode, FeedbackSource, ImportMapping, ImportRun, ImportState
from tellback.intake.services import get_or_create_source
from tellback.kernel.errors import Conflict, Invalid
from tellback.platform.tenancy import in_workspace
from tellback.workspaces.models import Principal, Workspace
from tellback.workspaces.services import record_audit

UNDONE_AT_ONCE = 200
MAX_MAPPINGS = 100
#: An import in these states can be taken back.
CAN_UNDO = (ImportState.FINISHED, ImportState.STOPPED, ImportState.FAILED, ImportState.UNDOING)


@transaction.atomic
def open_run(*, workspace_id: UUID, file: ImportFile, plan: ImportPlan, now: datetime) -> ImportRun:
    """The unfinished run of this very file with this plan, else one that starts at the first row; it is running."""
    source = source_of(workspace_id, plan)
    stored = plan.as_json()
    run = (
        ImportRun.objects.select_for_update()
        .filter(source=source, file_digest=file.digest, state=ImportState.RUNNING, plan=stored, file_parts=0)
        .order_by("-id")
        .first()
    )
    return run or ImportRun.objects.create(
        workspace_id=workspace_id,
        source=source,
        file_name=file.name,
        file_digest=file.digest,
        file_size=file.size,
        plan=stored,
        state=ImportState.RUNNING,
        started_at=now,
        created_at=now,
    )


def source_of(workspace_id: UUID, plan: ImportPlan) -> FeedbackSource:
    """The source that an import's rows belong to, by its name; made when it is not there yet."""
    return get_or_create_source(
        workspace_id=workspace_id, source_type=SOURCE_TYPE, name=plan.source_name, delivery_mode=DeliveryMode.BATCH
    )


def undo_import(
    *,
    workspace_id: UUID,
    run_id: UUID,
    actor: Principal | None,
    now: datetime,
    may_go_on: Callable[[], bool] = lambda: True,
) -> Mapping[str, int]:
    """Take back what an import brought, in batches of a transaction each: what it added goes, what it changed says
    again what it said before. Safe to repeat, and goes on where it stood; ends early when it `may_go_on` no more.

    People whom it made known stay known. Raises `Conflict` for one that is running or taken back already.
    """
    with in_workspace(workspace_id):
        run = ImportRun.objects.select_for_update().get(id=run_id)
        begin_undo(run=run, actor=actor)
        taken = Counter[str](run.undone)
    for lander in list_landers():
        while True:
            with in_workspace(workspace_id):
                gone = lander.remove(run_id=run_id, limit=UNDONE_AT_ONCE, now=now)
                taken.update(gone)
                ImportRun.objects.filter(id=run_id).update(undone=dict(taken), tries=0)
            if not gone:
                break
            if not may_go_on():
                return dict(taken)
    with in_workspace(workspace_id):
        ImportRun.objects.filter(id=run_id).update(state=ImportState.UNDONE)
    return dict(taken)


def begin_undo(*, run: ImportRun, actor: Principal | None) -> None:
    """Say that an import is being taken back. Safe to repeat. Raises `Conflict` when it cannot be."""
    if run.state not in CAN_UNDO:
        raise Conflict("Only an import that has ended can be taken back, once.")
    if run.state != ImportState.UNDOING:
        run.state = ImportState.UNDOING
        run.save(update_fields=["state"])
        record_audit(
            workspace=run.workspace,
            actor=actor,
            action="import.undone",
            subject=run.public_id,
            details={"added": run.rows_added, "updated": run.rows_updated},
        )


@transaction.atomic
def stop_import(*, run: ImportRun, now: datetime) -> None:
    """End an import after the batch that is being stored. Safe to repeat."""
    ImportRun.objects.filter(id=run.id, state=ImportState.RUNNING).update(state=ImportState.STOPPED, finished_at=now)


def save_mapping(*, workspace: Workspace, name: str, plan: ImportPlan) -> ImportMapping:
    """Keep what a file's columns mean under a name, for files like it. The same name again replaces it.

    Raises `Invalid` for no name, and when there are too many.
    """
    name = " ".join(name.split())
    if not name or len(name) > 100:
        raise Invalid("Give the mapping a name of at most 100 characters.")
    if ImportMapping.objects.exclude(name=name).count() >= MAX_MAPPINGS:
        raise Invalid(f"There may be {MAX_MAPPINGS} saved mappings. Remove one first.")
    mapping, _ = ImportMapping.objects.update_or_create(
        workspace=workspace, name=name, defaults={"plan": plan.as_json()}
    )
    return mapping


def apply_mapping(*, mapping: ImportMapping, plan: ImportPlan, look: Look) -> ImportPlan:
    """The plan with what a saved mapping says of tables that have the columns it names."""
    saved = plan_from_json(mapping.plan)
    tables = []
    for place, table in enumerate(plan.tables):
        known = set(look.tables[place].columns)
        alike = next(
            (one for one in saved.tables if one.columns and set(one.columns.values()) <= known and one.kind), None
        )
        if alike is None:
            tables.append(table)
            continue
        fresh = surveyed(replace(alike, name=table.name), look.tables[place])
        decided = {field: alike.orders.get(field, now) if now.is_open else now for field, now in fresh.orders.items()}
        tables.append(replace(fresh, orders=decided))
    return replace(plan, tables=tuple(tables), channel=saved.channel, board=saved.board or plan.board)
