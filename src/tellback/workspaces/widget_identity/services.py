"""Checking a widget token against the workspace's keys, and whom it means."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q

from tellback.kernel.errors import Invalid, Unauthenticated
from tellback.kernel.ids import parse_id
from tellback.workspaces.identity import Author, resolve_author
from tellback.workspaces.models import ExternalIdentity, Principal, SpentWidgetToken, WidgetSigningKey, Workspace
from tellback.workspaces.widget_identity.keys import key_of
from tellback.workspaces.widget_identity.tokens import LEEWAY, Claims, key_id_of, malformed, read_token

#: A signed `sub` is the id that the customer's server sends with an API key too, so it is the same person's. What
#: anybody may claim with the public widget key is kept apart from it.
SIGNED = "api"


@dataclass(frozen=True, slots=True)
class WidgetIdentity:
    """Who a customer's server says somebody is. `external_user_id` is their own id of the person."""

    external_user_id: str
    email: str
    name: str
    company: str
    plan: str
    expires_at: datetime


@transaction.atomic
def verify_widget_token(*, token: str, workspace: Workspace, now: datetime) -> WidgetIdentity:
    """The identity in a token that one of the workspace's active keys signed for this workspace.

    A token with a `jti` counts once: shown again, it is refused. One without may be shown until it expires. Raises
    `Unauthenticated` with a code for everything else, whatever the token holds.
    """
    row = _find_key(key_id_of(token))
    if row is None:
        raise Unauthenticated(
            "The token's kid names no active signing key of this workspace. See Settings, Widget.",
            code="widget-token-key",
        )
    claims = read_token(token, key=key_of(row), audience=workspace.public_id, now=now)
    _check_email(claims)
    if claims.jti is not None:
        _spend(claims.jti, workspace=workspace, claims=claims, now=now)
    WidgetSigningKey.objects.filter(
        Q(last_used_at=None) | Q(last_used_at__lt=now - timedelta(minutes=1)), pk=row.pk
    ).update(last_used_at=now)
    return WidgetIdentity(
        external_user_id=claims.sub,
        email=claims.email.lower(),
        name=claims.name,
        company=claims.company,
        plan=claims.plan,
        expires_at=datetime.fromtimestamp(claims.exp, UTC),
    )


def _find_key(kid: str) -> WidgetSigningKey | None:
    try:
        key_id = parse_id(WidgetSigningKey.id_prefix, kid)
    except Invalid:
        return None
    return WidgetSigningKey.objects.filter(pk=key_id, revoked_at=None).first()


def _check_email(claims: Claims) -> None:
    if not claims.email:
        return
    try:
        validate_email(claims.email)
    except ValidationError:
        raise malformed("has a claim email that is no address") from None


def _spend(jti: str, *, workspace: Workspace, claims: Claims, now: datetime) -> None:
    SpentWidgetToken.objects.filter(expires_at__lt=now - LEEWAY).delete()
    digest = hashlib.sha256(jti.encode()).hexdigest()
    _, fresh = SpentWidgetToken.objects.get_or_create(
        workspace=workspace, digest=digest, defaults={"expires_at": datetime.fromtimestamp(claims.exp, UTC)}
    )
    if not fresh:
        raise Unauthenticated("A token with this jti was used already. Sign a new one.", code="widget-token-reused")


def identify(*, identity: WidgetIdentity, workspace: Workspace) -> Principal:
    """The person of a verified identity: by the signed id, else by e-mail, else somebody new. Safe to repeat."""
    linked = ExternalIdentity.objects.filter(source_type=SIGNED, external_user_id=identity.external_user_id)
    email = "" if linked.exists() else identity.email
    author = Author(
        source_type=SIGNED,
        external_user_id=identity.external_user_id,
        email=email,
        name=identity.name,
        company=identity.company,
        plan=identity.plan,
    )
    person = resolve_author(workspace_id=workspace.id, author=author)
    assert person is not None, "a token names a subject"
    if identity.email and not person.email and not Principal.objects.filter(email__iexact=identity.email).exists():
        person.email = identity.email
        person.save(update_fields=["email", "updated_at"])
    return person
