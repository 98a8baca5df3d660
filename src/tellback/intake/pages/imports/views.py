"""The import page: what came in from files, bringing one, and one import from its draft to its undo."""

import tempfile
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import PurePath
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, F, Func, Min, TextField, Value
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from tellback.intake.importing import desk
from tellback.intake.importing.errors_file import write_refused
from tellback.intake.importing.fields import Kind
from tellback.intake.importing.formats import FORMATS
from tellback.intake.importing.keeping import KEPT_FOR, get_look, open_kept
from tellback.intake.importing.limits import MAX_UPLOAD
from tellback.intake.importing.plan import plan_from_json
from tellback.intake.importing.recognising import FORMAT_OF
from tellback.intake.importing.services import CAN_UNDO, save_mapping, stop_import
from tellback.intake.models import IMPORT_AT_WORK, ImportMapping, ImportRefusal, ImportRun, ImportState
from tellback.intake.pages.imports import words
from tellback.intake.pages.imports.draft import read_plan, view_draft
from tellback.intake.pages.sending import send_file
from tellback.kernel.errors import NotFound, TellbackError
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.models import Role

LISTED, REASONS = 50, 20
#: Formats whose name nobody would look for.
NAMELESS = {"boards", "ideas", "intercom-outbound"}
#: Seconds that an import must have run before what is left can be told.
TELLING_AFTER = 4


@require_role(Role.ADMIN)
def imports(request: TenantRequest) -> HttpResponse:
    """Bring a file, and see what became of those before."""
    problem = ""
    if request.method == "POST":
        file = request.FILES.get("file")
        try:
            if file is None:
                return _imports(request, _("Choose a file first."), status=422)
            run = desk.receive_file(
                workspace=request.workspace,
                name=file.name or "",
                content=file.chunks(),
                actor=request.principal,
                now=timezone.now(),
            )
            return redirect("import", run.id)
        except TellbackError as refused:
            problem = refused.detail
    return _imports(request, problem, status=422 if problem else 200)


def _imports(request: TenantRequest, problem: str, *, status: int) -> HttpResponse:
    runs = ImportRun.objects.select_related("started_by").order_by("-created_at")[:LISTED]
    context = {
        "tab": "imports",
        "problem": problem,
        "rows": [
            (run, words.STATES[ImportState(run.state)], FORMAT_OF.get(run.plan.get("format", ""))) for run in runs
        ],
        "formats": [one.name for one in FORMATS if one.key not in NAMELESS],
        "megabytes": MAX_UPLOAD >> 20,
    }
    return render(request, "intake/imports.html", context, status=status)


@require_role(Role.ADMIN)
def one_import(request: TenantRequest, run_id: UUID) -> HttpResponse:
    """One import, whatever it is at; and what a person does with it."""
    run = get_object_or_404(ImportRun.objects.select_related("workspace", "source", "started_by"), pk=run_id)
    problem = ""
    if request.method == "POST":
        try:
            if gone := _ACTIONS.get(request.POST.get("do", ""), _change)(request, run):
                return gone
        except TellbackError as refused:
            problem = refused.detail
        run.refresh_from_db()
    template = "intake/_import.html" if request.headers.get("HX-Request") else "intake/import.html"
    status = 422 if problem and not request.headers.get("HX-Request") else 200
    context = {**_view(run, problem), "is_changing": request.method == "POST"}
    return render(request, template, context, status=status)


def _view(run: ImportRun, problem: str) -> dict[str, object]:
    now = timezone.now()
    plan = plan_from_json(run.plan) if run.plan else None
    context: dict[str, object] = {
        "tab": "imports",
        "run": run,
        "problem": problem or run.problem,
        "state": words.STATES[ImportState(run.state)],
        "format": FORMAT_OF.get(plan.format) if plan else None,
        "is_at_work": run.state in IMPORT_AT_WORK,
        "kinds": _kinds(run),
        "total": sum(table.rows for table in plan.tables if table.kind != Kind.NONE) if plan else 0,
        "can_undo": run.state in CAN_UNDO and run.state != ImportState.UNDOING,
        "can_go_on": run.state in desk.CAN_GO_ON and run.file_parts > 0 and bool(run.plan),
        "kept_until": run.created_at + KEPT_FOR,
        "left": _time_left(run),
        "undone_share": min(1.0, sum(run.undone.values()) / max(run.rows_added + run.rows_updated, 1)),
        "undone": [(words.TAKEN_BACK.get(kind, kind), count) for kind, count in run.undone.items()],
    }
    if run.state == ImportState.DRAFT and plan:
        try:
            look = get_look(run)
        except NotFound:
            return {**context, "is_gone": True}
        return {**context, "draft": view_draft(run=run, plan=plan, look=look, now=now)}
    return {**context, "refused": _reasons(run, is_left_out=False), "left_out": _reasons(run, is_left_out=True)}


def _kinds(run: ImportRun) -> set[Kind]:
    """The kinds of rows that an import brings."""
    return {table.kind for table in plan_from_json(run.plan).tables} - {Kind.NONE} if run.plan else set()


def _reasons(run: ImportRun, *, is_left_out: bool) -> list[Mapping[str, object]]:
    """Why rows did not come in, the most frequent reason first, with the first row of each."""
    # What stands behind a colon, and every number, is the row's own.
    general = Func(
        Func(F("reason"), Value(":"), Value(1), function="split_part"),
        Value(r"\d[\d,]*"),
        Value("…"),
        Value("g"),
        function="regexp_replace",
        output_field=TextField(),
    )
    found = ImportRefusal.objects.filter(run=run, is_left_out=is_left_out).annotate(general=general)
    grouped = found.values("general").annotate(count=Count("id"), first=Min("row"))
    return [dict(one) for one in grouped.order_by("-count", "first")[:REASONS]]


def _time_left(run: ImportRun) -> timedelta | None:
    """About how long an import will still take."""
    if run.state != ImportState.RUNNING or not run.started_at or not 0.02 < run.done_share < 1:
        return None
    taken = timezone.now() - run.started_at
    if taken.total_seconds() < TELLING_AFTER:
        return None
    return taken * ((1 - run.done_share) / run.done_share)


def _change(request: TenantRequest, run: ImportRun) -> HttpResponse | None:
    """Say what the columns mean; the page that follows shows it."""
    plan = plan_from_json(run.plan) if run.plan else None
    if plan:
        desk.set_plan(run=run, plan=read_plan(plan=plan, look=get_look(run), said=request.POST.dict()))
    return None if request.headers.get("HX-Request") else redirect("import", run.id)


def _rehearse(request: TenantRequest, run: ImportRun) -> HttpResponse | None:
    _change(request, run)
    desk.start_rehearsal(run=run)
    return redirect("import", run.id)


def _start(request: TenantRequest, run: ImportRun) -> HttpResponse | None:
    _change(request, run)
    desk.start_import(run=run, actor=request.principal, now=timezone.now())
    return redirect("import", run.id)


def _stop(_request: TenantRequest, run: ImportRun) -> HttpResponse | None:
    stop_import(run=run, now=timezone.now())
    return redirect("import", run.id)


def _go_on(_request: TenantRequest, run: ImportRun) -> HttpResponse | None:
    desk.go_on(run=run)
    return redirect("import", run.id)


def _discard(request: TenantRequest, run: ImportRun) -> HttpResponse | None:
    desk.discard(run=run)
    messages.success(request, _("“%s” is forgotten; nothing of it came in.") % run.file_name)
    return redirect("imports")


def _save(request: TenantRequest, run: ImportRun) -> HttpResponse | None:
    name = request.POST.get("mapping", "")
    mapping = save_mapping(workspace=request.workspace, name=name, plan=plan_from_json(run.plan))
    messages.success(request, _("Files with these columns are read like this from now on: “%s”.") % mapping.name)
    return redirect("import", run.id)


def _use(request: TenantRequest, run: ImportRun) -> HttpResponse | None:
    desk.use_mapping(run=run, mapping=get_object_or_404(ImportMapping, name=request.POST.get("mapping", "")))
    return redirect("import", run.id)


def _forget(request: TenantRequest, run: ImportRun) -> HttpResponse | None:
    ImportMapping.objects.filter(name=request.POST.get("mapping", "")).delete()
    return redirect("import", run.id)


_ACTIONS: Mapping[str, Callable[[TenantRequest, ImportRun], HttpResponse | None]] = {
    "plan": _change,
    "rehearse": _rehearse,
    "start": _start,
    "stop": _stop,
    "go-on": _go_on,
    "discard": _discard,
    "save": _save,
    "use": _use,
    "forget": _forget,
}


@require_role(Role.ADMIN)
def undo(request: TenantRequest, run_id: UUID) -> HttpResponse:
    """What taking an import back does, and the button that does it."""
    run = get_object_or_404(ImportRun.objects.select_related("workspace", "source"), pk=run_id)
    if request.method == "POST":
        try:
            desk.start_undo(run=run, actor=request.principal)
        except TellbackError as refused:
            messages.error(request, refused.detail)
        return redirect("import", run.id)
    context = {"tab": "imports", "run": run, "kinds": _kinds(run), "can_undo": run.state in CAN_UNDO}
    return render(request, "intake/undo_import.html", context)


@require_safe
@require_role(Role.ADMIN)
def refused_rows(request: TenantRequest, run_id: UUID) -> HttpResponseBase:
    """The rows that did not come in, as a file that can be mended and brought again."""
    run = get_object_or_404(ImportRun, pk=run_id)
    if not run.file_parts:
        messages.error(request, _("The file is no longer kept. Upload it again; what came in is not added twice."))
        return redirect("import", run.id)
    written = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it is sent
    with open_kept(run) as file:
        write_refused(file=file, run_id=run.id, into=written)
    written.seek(0)
    is_zip = written.read(2) == b"PK"
    stem = PurePath(run.file_name).stem
    return send_file(
        request,
        written,
        name=f"{stem}.errors.{'zip' if is_zip else 'csv'}",
        content_type="application/zip" if is_zip else "text/csv; charset=utf-8",
    )
