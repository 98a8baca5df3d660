"""`tellback user`: letting people in."""

import secrets
from enum import StrEnum
from typing import Annotated, Any

import typer

from tellback.cli.environment import ready
from tellback.cli.output import AsJson, print_json, print_rows, say
from tellback.kernel.errors import Conflict, Invalid, NotFound

app = typer.Typer(help="Let people in.", no_args_is_help=True)

Workspace = Annotated[str, typer.Option("--workspace", "-w", help="Short name of the workspace.")]
COLUMNS = {"email": "E-mail", "name": "Name", "role": "Role", "id": "Id"}


class StaffRole(StrEnum):
    """What somebody who signs in may do, from least to most."""

    CONTRIBUTOR = "contributor"
    ADMIN = "admin"
    OWNER = "owner"


RoleOption = Annotated[StaffRole, typer.Option("--role", "-r", help="What they may do.")]


@app.command("create")
def create(
    email: Annotated[str, typer.Argument(help="Address they sign in with.")],
    name: Annotated[str, typer.Option(help="What to call them.")] = "",
    role: RoleOption = StaffRole.CONTRIBUTOR,
    workspace: Workspace = "default",
    as_json: AsJson = False,
) -> None:
    """Make a login and let it into the workspace. The password is shown once.

    Example: [bold]tellback user create ana@example.com --name Ana --role admin[/]
    """
    if "@" not in email:
        raise Invalid(f"“{email}” is not an e-mail address.")
    password = secrets.token_urlsafe(12)
    with ready() as options:
        from django.contrib.auth.base_user import BaseUserManager

        from tellback.workspaces.entry import entry_path
        from tellback.workspaces.models import User

        address = BaseUserManager.normalize_email(email).lower()
        if User.objects.filter(email=address).exists():
            raise Conflict(f"{address} has a login already. To let them in here: tellback user grant {address}")
        with _acting_in(workspace):
            user = User.objects.create_user(address, password, name=name)
            row = _let_in(user, role)
        base_url = (options.base_url or f"http://{options.host}:{options.port}").rstrip("/")
        link = base_url + entry_path(user=user)
    if as_json:
        print_json({**row, "password": password, "link": link})
        return
    say(f"{address} may sign in as {role}. The password and the link (works once) are shown only now.")
    typer.echo(f"password  {password}\nlink      {link}")


@app.command("grant")
def grant(
    email: Annotated[str, typer.Argument(help="Address of an existing login.")],
    role: RoleOption = StaffRole.CONTRIBUTOR,
    workspace: Workspace = "default",
    as_json: AsJson = False,
) -> None:
    """Let an existing login into a workspace, or change what it may do there."""
    with ready():
        from tellback.workspaces.models import User

        user = User.objects.filter(email=email.lower()).first()
        if user is None:
            raise NotFound(f"{email} has no login. Make one: tellback user create {email}")
        with _acting_in(workspace):
            row = _let_in(user, role)
    if as_json:
        print_json(row)
    else:
        say(f"{row['email']} is now {role} in {workspace}.")


@app.command("sign-out")
def sign_out(email: Annotated[str, typer.Argument(help="Address they sign in with.")]) -> None:
    """End every session of a login, in all its workspaces, and its unused sign-in links.

    Example: [bold]tellback user sign-out ana@example.com[/]
    """
    with ready():
        from django.db import transaction

        from tellback.workspaces.models import User
        from tellback.workspaces.services import end_sessions

        user = User.objects.filter(email=email.lower()).first()
        if user is None:
            raise NotFound(f"{email} has no login.")
        with transaction.atomic():
            end_sessions(user=user)
    say(f"{user.email} is signed out everywhere.")


@app.command("list")
def list_users(workspace: Workspace = "default", as_json: AsJson = False) -> None:
    """Everybody who can sign in to a workspace."""
    with ready():
        from tellback.workspaces.models import Principal

        with _acting_in(workspace):
            people = Principal.objects.filter(user__isnull=False).select_related("user").order_by("created_at")
            rows = [_row(person) for person in people]
    print_rows(rows, columns=COLUMNS, empty="Nobody can sign in yet.", as_json=as_json)


def _acting_in(slug: str) -> Any:
    from tellback.platform.tenancy import in_workspace
    from tellback.workspaces.selectors import get_workspace_id

    return in_workspace(get_workspace_id(slug))


def _let_in(user: Any, role: StaffRole) -> dict[str, Any]:
    from tellback.workspaces.models import Role, Workspace
    from tellback.workspaces.services import add_member

    return _row(add_member(workspace=Workspace.objects.get(), user=user, role=Role(role.value)))


def _row(person: Any) -> dict[str, Any]:
    return {"id": person.public_id, "email": person.user.email, "name": person.display_name, "role": person.role}
