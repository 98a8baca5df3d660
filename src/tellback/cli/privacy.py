"""`tellback privacy`: what a person may ask for, and the ledger of erasures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tellback.cli.environment import ready
from tellback.cli.output import AsJson, print_json, print_rows, say
from tellback.kernel.errors import Conflict, Invalid, NotFound

if TYPE_CHECKING:
    from tellback.workspaces.models import Principal

app = typer.Typer(help="Export or erase a person, and erase again after a restore.", no_args_is_help=True)

Workspace = Annotated[str, typer.Option("--workspace", "-w", help="Short name of the workspace.")]
Who = Annotated[str, typer.Argument(help="Their e-mail address, or their id (principal_…).", show_default=False)]
COLUMNS = {"at": "When", "kind": "What", "because": "Why", "emptied": "Rows emptied", "id": "Id"}


@app.command("export")
def export(
    who: Who,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; named after them if empty.")
    ] = None,
    workspace: Workspace = "default",
    as_json: AsJson = False,
) -> None:
    """Write everything about one person to a zip file: data.json, and index.html to read.

    Example: [bold]tellback privacy export ada@example.com[/]
    """
    with ready(), _acting_in(workspace):
        from django.utils import timezone

        from tellback.intake.subjects.exporting import export_person

        person = _find(who)
        path = output or Path(f"{person.public_id}.zip")
        try:
            with path.open("xb") as file:
                count = export_person(person=person, actor=None, into=file, now=timezone.now())
        except FileExistsError:
            raise Conflict(f"{path} is there already. Name another file with --output.") from None
        except OSError as error:
            raise Invalid(f"Cannot write {path} ({error.strerror}).") from None
    if as_json:
        print_json({"file": str(path), "records": count})
    else:
        say(f"{count} records are in {path}.")


@app.command("erase")
def erase(
    who: Who,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    workspace: Workspace = "default",
    as_json: AsJson = False,
) -> None:
    """Erase one person everywhere, for good. What is counted stays counted."""
    with ready(), _acting_in(workspace):
        from django.utils import timezone

        from tellback.intake.subjects.erasing import erase_person

        person = _find(who)
        if not yes and not typer.confirm(f"Erase {person} for good? This cannot be undone.", err=True):
            raise Conflict("Nothing was erased.")
        erasure = erase_person(person=person, actor=None, now=timezone.now())
    if as_json:
        print_json({"id": erasure.public_id, "counts": erasure.counts})
        return
    emptied = ", ".join(f"{count} {kind}" for kind, count in erasure.counts.items())
    say(f"Erased: {emptied}. Purge copies with: tellback privacy replay-ledger, after restoring one.")


@app.command("list")
def list_erasures(workspace: Workspace = "default", as_json: AsJson = False) -> None:
    """The erasures of a workspace, newest first: when and why, not whom."""
    with ready(), _acting_in(workspace):
        from tellback.intake.models import Erasure

        rows = [
            {
                "id": erasure.public_id,
                "at": erasure.created_at.isoformat(timespec="seconds"),
                "kind": erasure.kind,
                "because": erasure.because,
                "emptied": sum(erasure.counts.values()),
                "counts": erasure.counts,
            }
            for erasure in Erasure.objects.order_by("-created_at")[:1000]
        ]
    print_rows(rows, columns=COLUMNS, empty="Nobody was erased yet.", as_json=as_json)


@app.command("replay-ledger")
def replay(
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="The ledger; the installation's own if empty.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Erase again whom and what the ledger remembers. Run it after restoring a backup, before anybody else enters.

    It needs the same secret key as when they were erased. Safe to repeat.
    """
    with ready():
        from django.conf import settings
        from django.utils import timezone

        from tellback.intake.subjects.erasing import replay_ledger

        path = file or Path(settings.ERASURE_LEDGER)
        if file and not file.exists():
            raise NotFound(f"There is no ledger at {file}.")
        counts = dict(replay_ledger(path=path, now=timezone.now()))
    if as_json:
        print_json({"ledger": str(path), **counts})
    else:
        say(f"{counts['entries']} erasures read; {counts['people']} people and {counts['items']} items erased again.")


def _acting_in(slug: str) -> Any:
    from tellback.platform.tenancy import in_workspace
    from tellback.workspaces.selectors import get_workspace_id

    return in_workspace(get_workspace_id(slug))


def _find(who: str) -> "Principal":
    from tellback.kernel.ids import parse_id
    from tellback.workspaces.models import Principal

    if "@" in who:
        person = Principal.objects.filter(email__iexact=who).first()
    else:
        person = Principal.objects.filter(pk=parse_id(Principal.id_prefix, who)).first()
    if person is None:
        raise NotFound(f"Nobody here is known as “{who}”.")
    return person
