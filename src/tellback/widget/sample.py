"""The sample's website: Tidemark, an invented customer, with the widget in its pages and a server that signs."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt
from django.db.models import Q

from tellback.kernel.errors import Conflict
from tellback.loop.changelog import entry_path
from tellback.loop.models import ChangelogEntry, ChangelogRecipient, Notification, SubscriptionReason
from tellback.workspaces.models import (
    ApiKey,
    ExternalIdentity,
    KeyKind,
    Principal,
    WidgetKeyAlgorithm,
    WidgetSigningKey,
    Workspace,
)
from tellback.workspaces.services import issue_key
from tellback.workspaces.widget_identity.keys import issue_signing_key, key_of

NAME = "Sample site"
#: How the sample's people are named by the company they are customers of.
PREFIX = "tidemark:"
PEOPLE = 6
#: What shipped at Tidemark the day before yesterday, and who had asked for it.
NEWS_TITLE = "Start a job from a checklist"
NEWS_SLUG = "start-a-job-from-a-checklist-sample"
NEWS = (
    "A new job no longer begins with an empty page. Pick a checklist, and its steps, photos and parts are there.\n\n"
    "Your own checklists are under **Settings, Job sheets**. Each crew can have its own."
)
WHO_WAITED = ("hana", "sam", "ada")

logger = logging.getLogger(__name__)


def open_site(*, workspace: Workspace, origin: str, now: datetime) -> None:
    """Give the sample's website a widget key for its own origin, a signing key if there is room, and some news.

    Safe to repeat. The news is of the past: nobody is mailed about it.
    """
    if not ApiKey.objects.filter(name=NAME, kind=KeyKind.WIDGET, revoked_at=None).exists():
        issue_key(workspace=workspace, kind=KeyKind.WIDGET, name=NAME, origins=[origin])
    if not WidgetSigningKey.objects.filter(name=NAME, revoked_at=None).exists():
        try:
            issue_signing_key(workspace=workspace, name=NAME, algorithm=WidgetKeyAlgorithm.HS256)
        except Conflict:
            logger.info("Two signing keys are active, so the sample's website signs nobody in.")
    _ship_something(workspace, now=now)


def _ship_something(workspace: Workspace, *, now: datetime) -> None:
    told = ExternalIdentity.objects.filter(
        source_type="api", external_user_id__in=[PREFIX + name for name in WHO_WAITED]
    ).select_related("principal")
    if not told or ChangelogEntry.objects.filter(slug=NEWS_SLUG).exists():
        return
    at = now - timedelta(days=2)
    entry = ChangelogEntry.objects.create(
        workspace=workspace, title=NEWS_TITLE, slug=NEWS_SLUG, body=NEWS, published_at=at, recipients_frozen_at=at
    )
    for identity in told:
        person = identity.principal
        reason = SubscriptionReason.FEEDBACK_AUTHOR
        ChangelogRecipient.objects.create(
            workspace=workspace, changelog_entry=entry, principal=person, reason=reason, told_at=at
        )
        Notification.objects.create(
            workspace=workspace,
            principal=person,
            type="changelog_published",
            key=f"changelog:{entry.id}",
            title=f"Shipped: {entry.title}",
            body="You asked for this.",
            url=entry_path(entry),
            created_at=at,
        )


def close_site() -> None:
    """Take the sample's website away again."""
    ApiKey.objects.filter(name=NAME, kind=KeyKind.WIDGET).delete()
    WidgetSigningKey.objects.filter(name=NAME).delete()
    entries = ChangelogEntry.objects.filter(slug=NEWS_SLUG)
    Notification.objects.filter(key__in=[f"changelog:{entry.id}" for entry in entries]).delete()
    entries.delete()


def find_site_key() -> ApiKey | None:
    """The widget key of the sample's website, or None when the sample is not loaded."""
    return ApiKey.objects.filter(name=NAME, kind=KeyKind.WIDGET, revoked_at=None).exclude(public_key="").first()


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody of the sample who may visit its website."""

    key: str
    person: Principal
    waits_for_news: bool


def list_visitors() -> list[Visitor]:
    """Some of the sample's people, those first whom something shipped for."""
    identities = ExternalIdentity.objects.filter(source_type="api", external_user_id__startswith=PREFIX).select_related(
        "principal"
    )
    told = set(
        Notification.objects.filter(Q(type="changelog_published"), read_at=None).values_list("principal_id", flat=True)
    )
    visitors = [
        Visitor(one.external_user_id.removeprefix(PREFIX), one.principal, one.principal_id in told)
        for one in identities.order_by("external_user_id")
    ]
    return sorted(visitors, key=lambda visitor: not visitor.waits_for_news)[:PEOPLE]


def sign_token(*, workspace: Workspace, visitor: Visitor, now: datetime) -> str | None:
    """What the invented company's server would sign for its visitor; None when it has no signing key."""
    row = WidgetSigningKey.objects.filter(name=NAME, revoked_at=None).first()
    if row is None:
        return None
    claims = {
        "sub": PREFIX + visitor.key,
        "aud": workspace.public_id,
        "iat": now,
        "exp": now + timedelta(minutes=10),
        "email": visitor.person.email,
        "name": visitor.person.display_name,
    }
    return jwt.encode(claims, key_of(row).material, algorithm="HS256", headers={"kid": row.public_id})
