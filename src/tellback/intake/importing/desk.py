"""What people do with an import on its page: bring a file, say what it means, rehearse, start, stop, take back."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime

from django.db import transaction
from procrastinate.exceptions import AlreadyEnqueued

from tellback.intake.importing.keeping import discard_parts, drop_file, get_look, keep, keep_look, open_kept
from tellback.intake.importing.looking import Look, look_at
from tellback.intake.importing.plan import ImportPlan, plan_from_json
from tellback.intake.importing.recognising import guess_text, plan_import, require_complete, series_of
from tellback.intake.importing.services import apply_mapping, begin_undo, source_of
from tellback.intake.models import ImportMapping, ImportRun, ImportState
from tellback.kernel.errors import Conflict, Invalid, TellbackError
from tellback.kernel.ids import new_id
from tellback.platform.jobs import Queue, defer
from tellback.workspaces.models import Principal, Workspace
from tellback.workspaces.services import record_audit

#: Up to this many bytes a file is looked at while its sender waits.
AT_ONCE = 8 << 20
MAX_NAME = 200
#: Earlier imports among which one of a like file is looked for.
LOOKED_BACK = 200
CAN_GO_ON = (ImportState.STOPPED, ImportState.FAILED)


def receive_file(
    *, workspace: Workspace, name: str, content: Iterable[bytes], actor: Principal | None, now: datetime
) -> ImportRun:
    """Take a file in: an import that has not started, with what its columns seem to mean.

    A large file is looked at by a job; its import is then `checking` and has no plan yet. Raises `Invalid` for a file
    that is none of ours; then nothing of it is kept.
    """
    run_id, name = new_id(), _clean(name)
    kept = keep(workspace_id=workspace.id, run_id=run_id, name=name, content=content)
    run = ImportRun(
        id=run_id,
        workspace=workspace,
        file_name=name,
        file_digest=kept.digest,
        file_size=kept.size,
        file_parts=kept.parts,
        state=ImportState.CHECKING,
        started_by=actor,
        created_at=now,
    )
    try:
        with transaction.atomic():
            run.save(force_insert=True)
            if kept.size <= AT_ONCE:
                look_through(run=run)
            else:
                put_up(run)
    except TellbackError:
        discard_parts(run)
        raise
    return run


def _clean(name: str) -> str:
    """A file's name without a path and without signs that nobody sees."""
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(sign for sign in last if sign.isprintable()).strip()
    return shown[:MAX_NAME] or "file"


def look_through(*, run: ImportRun) -> None:
    """Look the file through, and propose what it means. The import is a draft afterwards.

    What was saved for files with these headers is preferred. Raises `Invalid` for a file that cannot be imported.
    """
    with open_kept(run) as file:
        look = look_at(file)
    keep_look(run, look)
    plan = guess_text(plan_import(look=look, wanted={}, source_name=_source_of_series(run)), look=look)
    mapping = find_mapping(look)
    run.plan = (apply_mapping(mapping=mapping, plan=plan, look=look) if mapping else plan).as_json()
    run.state, run.tries = ImportState.DRAFT, 0
    run.save(update_fields=["plan", "state", "tries"])


def _source_of_series(run: ImportRun) -> str:
    """The source of the last import of a file like this one, say of another month; empty when there is none."""
    series = series_of(run.file_name)
    for before in ImportRun.objects.exclude(source=None).select_related("source").order_by("-id")[:LOOKED_BACK]:
        if before.source and series and series_of(before.file_name) == series:
            return before.source.name
    return ""


def find_mapping(look: Look) -> ImportMapping | None:
    """The mapping that was saved last for a file whose every table has the columns it names."""
    tables = [set(table.columns) for table in look.tables]
    for mapping in ImportMapping.objects.order_by("-created_at"):
        saved = [set(table.columns.values()) for table in plan_from_json(mapping.plan).tables if table.columns]
        if saved and all(any(columns <= table for table in tables) for columns in saved):
            return mapping
    return None


def set_plan(*, run: ImportRun, plan: ImportPlan) -> None:
    """Say what a file means. Raises `Conflict` when its import has started."""
    _require(run, ImportState.DRAFT)
    run.plan, run.checked = plan.as_json(), None
    run.save(update_fields=["plan", "checked"])


def use_mapping(*, run: ImportRun, mapping: ImportMapping) -> None:
    """Say what a file means by what was saved. Raises `Conflict` when its import has started."""
    set_plan(run=run, plan=apply_mapping(mapping=mapping, plan=plan_from_json(run.plan), look=get_look(run)))


def start_rehearsal(*, run: ImportRun) -> None:
    """Have a job read the whole file and count what the import would do.

    Raises `Conflict` when it has started, and `Invalid` for open dates or columns that are missing.
    """
    _require(run, ImportState.DRAFT)
    _require_ready(run)
    run.state, run.done_share, run.tries, run.problem = ImportState.CHECKING, 0, 0, ""
    run.save(update_fields=["state", "done_share", "tries", "problem"])
    put_up(run)


def start_import(*, run: ImportRun, actor: Principal | None, now: datetime) -> None:
    """Have jobs import the file.

    Raises `Conflict` when it has started, and `Invalid` for dates that are open or columns that are missing.
    """
    _require(run, ImportState.DRAFT)
    plan = _require_ready(run)
    run.source = source_of(run.workspace_id, plan)
    run.state, run.started_at, run.done_share, run.tries, run.problem = ImportState.RUNNING, now, 0, 0, ""
    run.started_by = actor
    run.save(update_fields=["source", "state", "started_at", "started_by", "done_share", "tries", "problem"])
    record_audit(
        workspace=run.workspace,
        actor=actor,
        action="import.started",
        subject=run.public_id,
        details={"rows": plan.rows, "format": plan.format},
    )
    put_up(run)


def go_on(*, run: ImportRun) -> None:
    """Go on with an import that was stopped or failed, behind the last row that is stored. Raises `Conflict`."""
    _require(run, *CAN_GO_ON)
    if not run.file_parts:
        raise Conflict("The file is no longer kept. Upload it again; what came in already is not added twice.")
    run.state, run.finished_at, run.tries, run.problem = ImportState.RUNNING, None, 0, ""
    run.save(update_fields=["state", "finished_at", "tries", "problem"])
    put_up(run)


def start_undo(*, run: ImportRun, actor: Principal | None) -> None:
    """Have jobs take an import back. Raises `Conflict` for one that is running, or taken back already."""
    begin_undo(run=run, actor=actor)
    put_up(run)


def discard(*, run: ImportRun) -> None:
    """Forget an import that never started, with its file. Raises `Conflict` when it has."""
    _require(run, ImportState.DRAFT)
    drop_file(run)
    run.delete()


def put_up(run: ImportRun) -> None:
    """Have a job go on with an import, unless one waits already. Jobs of one import run one after the other."""
    one = f"import:{run.id}"
    with suppress(AlreadyEnqueued), transaction.atomic():
        defer(
            "intake.advance_import",
            queue=Queue.INGEST,
            workspace_id=run.workspace_id,
            queueing_lock=one,
            lock=one,
            run_id=str(run.id),
        )


def require_decided(plan: ImportPlan) -> None:
    """Raise `Invalid` while a column of dates can be read two ways."""
    for table, name in plan.open_dates:
        raise Invalid(
            f"Say first what the dates in “{table.columns[name]}” mean: {table.examples.get(name, '')} can be read two "
            "ways."
        )


def _require_ready(run: ImportRun) -> ImportPlan:
    plan = plan_from_json(run.plan)
    require_complete(plan, look=get_look(run))
    require_decided(plan)
    return plan


def wanted_columns(said: Mapping[str, str], *, before: Mapping[str, str]) -> dict[str, str]:
    """Field -> column, from column -> field as a form says it.

    A column that has just been given a field takes it from the one that had it `before` (field -> column). Raises
    `Invalid` when two columns have just been given the same.
    """
    wanted: dict[str, str] = {}
    for column, name in said.items():
        if not name or before.get(name) == column:
            continue
        if name in wanted:
            raise Invalid(f"“{wanted[name]}” and “{column}” cannot both mean the same. Choose one of them.")
        wanted[name] = column
    kept = {name: column for name, column in before.items() if said.get(column) == name}
    return {**kept, **wanted}


def _require(run: ImportRun, *states: ImportState) -> None:
    now = ImportRun.objects.select_for_update().only("state").get(id=run.id)
    if now.state not in states:
        raise Conflict(f"This import is {now.get_state_display().lower()} by now.")
