"""How one person is told: a notice in the product, a mail with their own words, and whether they want any.

Everything that reaches a person is unique by what it is about: a notice by (person, key), a mail by its key in the
outbox. Doing any of this twice tells nobody twice.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string

from tellback.boards.models import Post
from tellback.effects.mail import Mail, send_mail
from tellback.effects.models import Effect
from tellback.effects.services import suppress
from tellback.intake.mail.replies import reply_headers
from tellback.intake.models import RawItem
from tellback.kernel.errors import Forbidden
from tellback.loop import rules
from tellback.loop.models import Notification
from tellback.platform.tenancy import current_workspace_id
from tellback.understanding.models import Signal
from tellback.workspaces.loop_settings import get_workspace_config
from tellback.workspaces.models import Principal

UNSUBSCRIBE_SALT = "tellback.unsubscribe"


def configured_pacing() -> rules.Pacing:
    """What document 1's `notifications` say in the present workspace."""
    notifications = get_workspace_config(current_workspace_id()).notifications
    return rules.Pacing(
        delay=timedelta(minutes=notifications.delay_minutes), per_day=notifications.max_per_user_per_day
    )


def may_mail(person: Principal, pacing: rules.Pacing, now: datetime) -> bool:
    """Whether somebody has an address, wants mail, and had less than their share of it today."""
    if not person.email or person.unsubscribed_at is not None:
        return False
    today = Effect.objects.filter(
        kind="mail", payload__to=person.email, created_at__gte=rules.start_of_day(now)
    ).count()
    return today < pacing.per_day


def notify_person(person: Principal, *, type: str, key: str, title: str, body: str, url: str) -> bool:
    """Tell somebody in the product; returns whether they had not been told under this key."""
    _, made = Notification.objects.get_or_create(
        principal=person,
        key=key,
        defaults={
            "workspace_id": person.workspace_id,
            "type": type,
            "title": title[:500],
            "body": body,
            "url": url,
        },
    )
    return made


def mail_person(
    person: Principal,
    *,
    key: str,
    subject: str,
    template: str,
    context: dict[str, object],
    due_at: datetime,
    now: datetime,
    line: str = "",
    about: RawItem | None = None,
    provider_template: str = "",
) -> None:
    """Put a mail to somebody into the outbox, once for each key, with the link that ends such mail."""
    stop = f"{settings.BASE_URL}/unsubscribe/{unsubscribe_token(person)}"
    known = {**context, "person": person, "unsubscribe": stop, "workspace": person.workspace, "subject": subject}
    send_mail(
        workspace_id=person.workspace_id,
        key=key,
        mail=Mail(
            to=person.email,
            subject=subject,
            text=render_to_string(f"loop/mail/{template}.txt", known).strip() + "\n",
            html=render_to_string(f"loop/mail/{template}.html", known),
            headers={
                "List-Unsubscribe": f"<{stop}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                "Auto-Submitted": "auto-generated",
                **reply_headers(workspace_id=person.workspace_id, item=about),
            },
            template=provider_template,
            values=_values(person, context, subject=subject, stop=stop) if provider_template else {},
        ),
        due_at=due_at,
        now=now,
        line=line,
    )


def _values(person: Principal, context: dict[str, object], *, subject: str, stop: str) -> dict[str, str]:
    """What a provider's template may say."""
    texts = {name: value for name, value in context.items() if isinstance(value, str)}
    names = {"name": person.display_name, "workspace": person.workspace.name}
    return {**texts, **names, "subject": subject, "unsubscribe": stop}


def line_of(post_id: UUID, person: Principal) -> str:
    """What a person hears about one post reaches them in the order in which it happened."""
    return f"post:{post_id}:{person.id}"


def quote_of(item: RawItem) -> str:
    """The person's own words, short enough for a mail."""
    text = " ".join(str(item.content.get("text", "")).split())
    return text if len(text) <= 280 else text[:279].rsplit(" ", 1)[0] + "…"


def receipt_url(item: RawItem) -> str:
    """The author's private link."""
    return f"{settings.BASE_URL}/r/{item.receipt_token}"


def own_words(posts: Sequence[Post], people: Sequence[UUID]) -> dict[UUID, RawItem]:
    """For each person the first thing they said about what the posts came from."""
    themes = [post.promoted_from_theme_id for post in posts if post.promoted_from_theme_id is not None]
    items = RawItem.objects.filter(
        principal_id__in=people,
        id__in=Signal.objects.filter(theme_id__in=themes).values("raw_feedback_item_id"),
    ).order_by("-source_created_at")
    return {item.principal_id: item for item in items if item.principal_id is not None}


def said(item: RawItem | None) -> dict[str, object]:
    """What a mail repeats of the person's own words, and their receipt; empty for somebody who only follows."""
    if item is None:
        return {"words": "", "said_at": None, "receipt": ""}
    return {"words": quote_of(item), "said_at": item.source_created_at, "receipt": receipt_url(item)}


def mark_read(*, person: Principal, now: datetime) -> int:
    """Mark everything a person was told as read; returns how many were not."""
    return Notification.objects.filter(principal=person, read_at=None).update(read_at=now)


@transaction.atomic
def unsubscribe(*, person: Principal, now: datetime) -> None:
    """Send this person no more mail, also none that waits. In-app notices and the receipt stay."""
    Principal.objects.filter(pk=person.pk, unsubscribed_at=None).update(unsubscribed_at=now)
    suppress(keys=Q(kind="mail", payload__to=person.email), now=now)


@transaction.atomic
def resubscribe(*, person: Principal) -> None:
    """Undo `unsubscribe` for what comes from now on."""
    Principal.objects.filter(pk=person.pk).update(unsubscribed_at=None)


def unsubscribe_token(person: Principal) -> str:
    """A signed token for the link at the foot of a mail; it works without signing in and does not end."""
    return signing.dumps([str(person.workspace_id), str(person.id)], salt=UNSUBSCRIBE_SALT)


def read_unsubscribe_token(token: str) -> tuple[UUID, UUID]:
    """The workspace and the person of a token. Raises `Forbidden` when it was edited."""
    try:
        workspace_id, principal_id = signing.loads(token, salt=UNSUBSCRIBE_SALT)
    except signing.BadSignature as error:
        raise Forbidden("This link is not complete. Copy it whole from the mail.") from error
    return UUID(workspace_id), UUID(principal_id)
