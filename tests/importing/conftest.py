"""Importing a file as the command does, in one call."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tellback.intake.importing.dates import DayOrder
from tellback.intake.importing.looking import look_at
from tellback.intake.importing.reading import open_file
from tellback.intake.importing.recognising import plan_import
from tellback.intake.importing.running import ImportReport, Refusal, Watcher, rehearse, run_import
from tellback.intake.importing.services import open_run
from tellback.workspaces.models import Workspace

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

Importer = Callable[..., ImportReport]


def nothing(report: ImportReport, refused: Sequence[Refusal]) -> None:
    """Watches and does nothing."""


@pytest.fixture
def import_file(workspace: Workspace) -> Importer:
    """Imports a file; takes what `plan_import` takes, and `watch` and `order`."""

    def run(path: Path, *, watch: Watcher = nothing, order: DayOrder | None = None, **options: Any) -> ImportReport:
        with open_file(path) as file:
            plan = plan_import(look=look_at(file), wanted=options.pop("wanted", {}), **options)
            plan = plan.decided(order) if order else plan
            opened = open_run(workspace_id=workspace.id, file=file, plan=plan, now=NOW)
            return run_import(run_id=opened.id, workspace_id=workspace.id, file=file, now=NOW, watch=watch)

    return run


@pytest.fixture
def rehearse_file(workspace: Workspace) -> Importer:
    """Rehearses the import of a file; takes what `plan_import` takes."""

    def run(path: Path, **options: Any) -> ImportReport:
        with open_file(path) as file:
            plan = plan_import(look=look_at(file), wanted=options.pop("wanted", {}), **options)
            return rehearse(workspace_id=workspace.id, file=file, plan=plan, now=NOW, watch=nothing)

    return run
