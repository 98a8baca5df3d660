"""Reads of workspaces, among them the look-ups that find a workspace in the first place."""

import json
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from tellback.kernel.errors import NotFound
from tellback.platform.tenancy import in_workspace
from tellback.workspaces.models import KeyKind, Role, User, Workspace
from tellback.workspaces.services import digest_of


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Whom a valid key speaks for."""

    key_id: UUID
    workspace_id: UUID
    kind: KeyKind
    origins: tuple[str, ...]
    rate_limit: int | None


@dataclass(frozen=True, slots=True)
class Membership:
    """One workspace that a login belongs to."""

    workspace_id: UUID
    principal_id: UUID
    role: Role


def get_workspace_id(slug: str) -> UUID:
    """The workspace with this slug. Raises `NotFound`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM tellback_workspace_ids() WHERE slug = %s", [slug])
        row = cursor.fetchone()
    if row is None:
        raise NotFound(f"There is no workspace “{slug}”. Start Tellback once: tellback up")
    return UUID(str(row[0]))


def find_key_holder(secret: str) -> KeyHolder | None:
    """Whom this key speaks for, or None when it is unknown or revoked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM tellback_find_api_key(%s)", [digest_of(secret)])
        row = cursor.fetchone()
    if row is None:
        return None
    key_id, workspace_id, kind, origins, rate_limit = row
    return KeyHolder(key_id, workspace_id, KeyKind(kind), tuple(origins_of(origins)), rate_limit)


def origins_of(stored: object) -> list[str]:
    """The origins of a key as the database gives them: a JSON list, parsed or as text."""
    value = json.loads(stored) if isinstance(stored, str) else stored
    return [str(origin) for origin in value] if isinstance(value, list) else []


def list_memberships(user: User) -> list[Membership]:
    """The workspaces that a login belongs to, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM tellback_workspaces_of_user(%s)", [user.id])
        return [Membership(row[0], row[1], Role(row[2])) for row in cursor.fetchall()]


def list_workspace_names(user: User) -> list[tuple[UUID, str]]:
    """The workspaces that a login belongs to, by id and name, oldest first."""
    found = []
    for membership in list_memberships(user):
        with in_workspace(membership.workspace_id):
            found.append((membership.workspace_id, Workspace.objects.get().name))
    return found
