"""Writes of workspaces: making one, letting people in, issuing keys."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import models

from tellback.kernel.errors import Conflict, Forbidden, Invalid
from tellback.kernel.ids import new_id
from tellback.platform.jobs import Queue, defer
from tellback.platform.tenancy import in_workspace
from tellback.workspaces.identity import current_person
from tellback.workspaces.models import ApiKey, AuditEntry, KeyKind, Principal, Role, User, Workspace

KEY_PREFIXES = {KeyKind.SECRET: "tb_", KeyKind.WIDGET: "pk_"}


def create_workspace(*, name: str, slug: str) -> Workspace:
    """A new, empty workspace. The slug must be free."""
    workspace_id = new_id()
    with in_workspace(workspace_id):
        return Workspace.objects.create(id=workspace_id, name=name, slug=slug)


def add_member(*, workspace: Workspace, user: User, role: Role) -> Principal:
    """Let a login into the workspace with this role; an existing person with the same address is the same person.

    Whoever could do something else here before is signed out everywhere.
    """
    known = Principal.objects.filter(workspace=workspace, email__iexact=user.email).first()
    principal = (
        Principal.objects.filter(workspace=workspace, user=user).first()
        or (current_person(known) if known else None)
        or Principal(workspace=workspace, email=user.email, display_name=user.name)
    )
    changes = principal.user_id == user.pk and principal.role != role
    principal.user, principal.role = user, role
    principal.save()
    if changes:
        end_sessions(user=user)
    return principal


def change_role(*, member: Principal, role: Role, actor: Principal) -> Principal:
    """Give somebody of the team another role; `Role.USER` takes them out of it and keeps what they said.

    They are signed out everywhere, so that no open page goes on with what they could do before. Only an owner makes or
    unmakes owners, and the last owner stays. Raises `Forbidden` and `Conflict`.
    """
    owners = list(Principal.objects.select_for_update().filter(role=Role.OWNER, workspace_id=member.workspace_id))
    if Role.OWNER in (member.role, role) and actor.role != Role.OWNER:
        raise Forbidden("Only an owner may make somebody an owner, or change what an owner may do.")
    if owners == [member] and role != Role.OWNER:
        raise Conflict("A workspace needs an owner. Make somebody else an owner first.")
    changes = member.role != role
    member.role = role
    member.save(update_fields=["role", "updated_at"])
    if changes and member.user:
        end_sessions(user=member.user)
    return member


def end_sessions(*, user: User) -> None:
    """Sign somebody out everywhere, in each of their workspaces, and end the sign-in links that they have not used."""
    User.objects.filter(pk=user.pk).update(session_epoch=models.F("session_epoch") + 1)
    user.refresh_from_db(fields=["session_epoch"])


def request_invitation(*, member: Principal, actor: Principal) -> None:
    """Have them told by mail that they are in the team and how to sign in, once this transaction has committed."""
    defer(
        "loop.invite",
        queue=Queue.EFFECTS,
        workspace_id=member.workspace_id,
        member_id=str(member.id),
        actor_id=str(actor.id),
        occasion=str(new_id()),
    )


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A fresh key. The `secret` of an API key is shown to a person once and kept nowhere."""

    api_key: ApiKey
    secret: str


def issue_key(
    *,
    workspace: Workspace,
    kind: KeyKind,
    name: str,
    origins: Sequence[str] = (),
    rate_limit: int | None = None,
    created_by: Principal | None = None,
) -> IssuedKey:
    """A new key with 192 random bits. `rate_limit` is in requests a minute, None for the configured default."""
    if not name.strip():
        raise Invalid("Give the key a name, so that you know later what uses it.")
    secret = KEY_PREFIXES[kind] + secrets.token_urlsafe(24)
    api_key = ApiKey.objects.create(
        workspace=workspace,
        kind=kind,
        name=name.strip(),
        prefix=secret[:10],
        digest=digest_of(secret),
        public_key=secret if kind == KeyKind.WIDGET else "",
        origins=list(origins),
        rate_limit=rate_limit,
        created_by=created_by,
    )
    return IssuedKey(api_key, secret)


def digest_of(secret: str) -> str:
    """What is stored of a key: SHA-256, hex. Enough, since the key itself has 192 random bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def set_origins(*, api_key: ApiKey, origins: Sequence[str]) -> None:
    """Say on which sites a widget key may be used (see `workspaces.origins`); none allows all."""
    api_key.origins = list(origins)
    api_key.save(update_fields=["origins"])


def revoke_key(*, api_key: ApiKey, now: datetime) -> None:
    """Stop accepting the key. Processes that cache keys follow within five seconds."""
    api_key.revoked_at = api_key.revoked_at or now
    api_key.save(update_fields=["revoked_at"])


def record_audit(
    *,
    workspace: Workspace,
    actor: Principal | None,
    action: str,
    subject: str = "",
    details: dict[str, object],
) -> None:
    """Append to the audit trail of the workspace."""
    AuditEntry.objects.create(workspace=workspace, actor=actor, action=action, subject=subject, details=details)
