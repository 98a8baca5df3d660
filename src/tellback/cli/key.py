"""`tellback key`: API keys and widget keys."""

from typing import Annotated, Any
from uuid import UUID

import typer

from tellback.cli.environment import ready
from tellback.cli.output import AsJson, print_json, print_rows, say

app = typer.Typer(help="Make, list and revoke API and widget keys.", no_args_is_help=True)

Workspace = Annotated[str, typer.Option("--workspace", "-w", help="Short name of the workspace.")]
COLUMNS = {
    "id": "Key",
    "kind": "Kind",
    "name": "Name",
    "prefix": "Begins with",
    "created": "Made",
    "revoked": "Revoked",
}


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What will use it, to recognise it by.")],
    *,
    widget: Annotated[
        bool, typer.Option("--widget", help="A public key for web pages, only to send feedback.")
    ] = False,
    origin: Annotated[list[str] | None, typer.Option(help="Site that may use a widget key; repeat for more.")] = None,
    rate_limit: Annotated[int | None, typer.Option(min=1, help="Requests a minute; the configured when empty.")] = None,
    workspace: Workspace = "default",
    as_json: AsJson = False,
) -> None:
    """Make a key. It is shown once and kept nowhere.

    Example: [bold]tellback key create "Support desk"[/]

    Example: [bold]tellback key create --widget --origin https://example.com "Home page"[/]
    """
    with ready():
        from tellback.platform.tenancy import in_workspace
        from tellback.workspaces.models import KeyKind
        from tellback.workspaces.models import Workspace as WorkspaceRow
        from tellback.workspaces.origins import parse_origin
        from tellback.workspaces.selectors import get_workspace_id
        from tellback.workspaces.services import issue_key

        with in_workspace(get_workspace_id(workspace)):
            issued = issue_key(
                workspace=WorkspaceRow.objects.get(),
                kind=KeyKind.WIDGET if widget else KeyKind.SECRET,
                name=name,
                origins=[parse_origin(one) for one in origin or []],
                rate_limit=rate_limit,
            )
            row = {**_row(issued.api_key), "key": issued.secret}
    if as_json:
        print_json(row)
    else:
        typer.echo(issued.secret)
        say("Keep it now: it is not shown again.")


@app.command("list")
def list_keys(workspace: Workspace = "default", as_json: AsJson = False) -> None:
    """All keys of a workspace, newest first. The keys themselves are not stored."""
    with ready():
        from tellback.platform.tenancy import in_workspace
        from tellback.workspaces.models import ApiKey
        from tellback.workspaces.selectors import get_workspace_id

        with in_workspace(get_workspace_id(workspace)):
            rows = [_row(key) for key in ApiKey.objects.order_by("-created_at")]
    print_rows(rows, columns=COLUMNS, empty="There are no keys. Make one: tellback key create NAME", as_json=as_json)


@app.command("revoke")
def revoke(
    key: Annotated[str, typer.Argument(help="Its id or its first characters, from: key list")],
    workspace: Workspace = "default",
    as_json: AsJson = False,
) -> None:
    """Stop accepting a key, within five seconds everywhere.

    Example: [bold]tellback key revoke tb_Rlh2x[/]
    """
    with ready():
        from django.utils import timezone

        from tellback.platform.tenancy import in_workspace
        from tellback.workspaces.selectors import get_workspace_id
        from tellback.workspaces.services import revoke_key

        with in_workspace(get_workspace_id(workspace)):
            found = _find(key)
            revoke_key(api_key=found, now=timezone.now())
            row = _row(found)
    if as_json:
        print_json(row)
    else:
        say(f"{row['name']} ({row['prefix']}…) is not accepted any more.")


def _find(text: str) -> Any:
    from tellback.kernel.errors import Invalid, NotFound
    from tellback.kernel.ids import parse_id
    from tellback.workspaces.models import ApiKey

    if text.startswith(("tb_", "pk_")) and len(text) >= 6:
        found = list(ApiKey.objects.filter(prefix__startswith=text[:10])[:2])
    else:
        key_id: UUID = parse_id("key", text)
        found = list(ApiKey.objects.filter(id=key_id))
    if len(found) > 1:
        raise Invalid(f"More than one key begins with {text}. Use the id from: tellback key list")
    if not found:
        raise NotFound(f"There is no key {text}. See: tellback key list")
    return found[0]


def _row(key: Any) -> dict[str, Any]:
    return {
        "id": key.public_id,
        "kind": key.get_kind_display(),
        "name": key.name,
        "prefix": key.prefix,
        "origins": key.origins,
        "rate_limit": key.rate_limit,
        "created": key.created_at.isoformat(timespec="seconds"),
        "revoked": key.revoked_at.isoformat(timespec="seconds") if key.revoked_at else None,
    }
