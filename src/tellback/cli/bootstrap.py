"""What a new installation starts with: a workspace, an owner, two keys."""

import secrets
from dataclasses import dataclass
from uuid import UUID

from tellback.boards.services import ensure_defaults
from tellback.intake.services import ensure_default_sources
from tellback.platform.tenancy import in_workspace, list_workspace_ids
from tellback.workspaces.models import KeyKind, Role, User, Workspace
from tellback.workspaces.services import add_member, create_workspace, issue_key

OWNER_EMAIL = "owner@tellback.localhost"


@dataclass(frozen=True, slots=True)
class Installation:
    """The default workspace and its owner. Secrets are there only when they have just been made."""

    workspace_id: UUID
    owner: User
    password: str | None = None
    api_key: str | None = None
    widget_key: str | None = None


def ensure_installation() -> Installation:
    """The default workspace, made with an owner and keys when there is none yet."""
    known = list_workspace_ids()
    if known:
        with in_workspace(known[0]):
            workspace = Workspace.objects.get()
            ensure_default_sources(workspace=workspace)
            ensure_defaults(workspace=workspace)
        return Installation(known[0], User.objects.order_by("created_at")[0])
    workspace = create_workspace(name="Tellback", slug="default")
    password = secrets.token_urlsafe(9)
    with in_workspace(workspace.id):
        owner = User.objects.filter(email=OWNER_EMAIL).first() or User.objects.create_superuser(
            OWNER_EMAIL, password, name="Owner"
        )
        add_member(workspace=workspace, user=owner, role=Role.OWNER)
        ensure_default_sources(workspace=workspace)
        ensure_defaults(workspace=workspace)
        api_key = issue_key(workspace=workspace, kind=KeyKind.SECRET, name="First API key")
        widget_key = issue_key(workspace=workspace, kind=KeyKind.WIDGET, name="First widget key")
    return Installation(workspace.id, owner, password, api_key.secret, widget_key.secret)
