"""Writes of telling people: subscriptions, acknowledgements, changelog, notifications.

Everything that reaches a person is unique by what it is about: a notification by (person, key), a mail by its key in
the outbox. Doing any of this twice tells nobody twice.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import connection, transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils.text import slugify

from tellback.boards.models import Post, PostStatusChange, Status, StatusCategory
from tellback.boards.services import items_behind, move_post
from tellback.effects.mail import Mail, send_mail
from tellback.effects.models import Effect
from tellback.effects.services import suppress
from tellback.intake.follow_ups import FOLLOW_UP
from tellback.intake.mail.replies import reply_headers
from tellback.intake.models import RawItem
from tellback.kernel.errors import Conflict, FieldError, Forbidden, Invalid
from tellback.kernel.ids import new_id
from tellback.loop import rules
from tellback.loop.models import (
    ChangelogEntry,
    ChangelogEntryPost,
    ChangelogRecipient,
    Notification,
    Subscription,
    SubscriptionReason,
)
from tellback.loop.selectors import recipients_of
from tellback.platform.jobs import Queue, defer
from tellback.platform.loop_config import get_loop_config
from tellback.platform.tenancy import current_workspace_id
from tellback.triage.models import Feedback
from tellback.understanding.models import Signal
from tellback.workspaces.loop_settings import get_workspace_config
from tellback.workspaces.merging import follow
from tellback.workspaces.models import Principal, PrincipalMerge, PrincipalType

UNSUBSCRIBE_SALT = "tellback.unsubscribe"
FAN_OUT = 100


@transaction.atomic
def subscribe(*, post: Post, principal: Principal, reason: SubscriptionReason) -> None:
    """Have a person hear about a post. Who has unsubscribed from it stays so; services hear nothing."""
    if principal.type == PrincipalType.SERVICE:
        return
    Subscription.objects.get_or_create(
        workspace_id=post.workspace_id, post=post, principal=principal, defaults={"reason": reason}
    )


@transaction.atomic
def follow_merge(*, merge: PrincipalMerge) -> None:
    """Move what a merged person hears about and was told to the kept one, or back when it was undone. Safe to repeat.

    Nobody hears of the same thing twice for it: where both were subscribed or told, the kept one's stays.
    """
    follow(merge=merge, model=Subscription, column="principal", unique_with=["post_id"])
    follow(merge=merge, model=ChangelogRecipient, column="principal", unique_with=["changelog_entry_id"])
    follow(merge=merge, model=Notification, column="principal", unique_with=["key"])


def subscribe_imported(*, post_ids: Sequence[UUID]) -> int:
    """Subscribe who wrote, voted for and commented on imported posts; returns how many people. Safe to repeat.

    Nobody is told. Who has unsubscribed stays so.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO post_subscriptions
                (id, workspace_id, post_id, principal_id, reason, notify_status_changes, created_at)
            SELECT gen_random_uuid(), said.workspace_id, said.post_id, said.principal_id, min(said.reason), true, now()
            FROM (
                SELECT workspace_id, id AS post_id, author_id AS principal_id, 'author' AS reason FROM post
                UNION ALL SELECT workspace_id, post_id, principal_id, 'vote' FROM vote
                UNION ALL SELECT workspace_id, post_id, author_id, 'comment' FROM comment
            ) said JOIN principal ON principal.id = said.principal_id AND principal.type = 'user'
            WHERE said.post_id = ANY(%s)
            GROUP BY said.workspace_id, said.post_id, said.principal_id
            ON CONFLICT DO NOTHING
            """,
            [list(post_ids)],
        )
        return int(cursor.rowcount)


@transaction.atomic
def subscribe_feedback_authors(*, post: Post) -> int:
    """Subscribe everybody whose feedback is behind a promoted post; returns how many people. Safe to repeat."""
    people = Principal.objects.filter(
        type=PrincipalType.USER,
        id__in=RawItem.objects.filter(id__in=items_behind(post=post)).values("principal_id"),
    )
    Subscription.objects.bulk_create(
        [
            Subscription(
                id=new_id(),
                workspace_id=post.workspace_id,
                post=post,
                principal=person,
                reason=SubscriptionReason.FEEDBACK_AUTHOR,
            )
            for person in people
        ],
        ignore_conflicts=True,
    )
    return len(people)


def configured_pacing() -> rules.Pacing:
    """What document 1's `notifications` say in the present workspace."""
    notifications = get_workspace_config(current_workspace_id()).notifications
    return rules.Pacing(
        delay=timedelta(minutes=notifications.delay_minutes), per_day=notifications.max_per_user_per_day
    )


@transaction.atomic
def acknowledge(*, feedback_ids: Sequence[UUID], pacing: rules.Pacing, now: datetime) -> int:
    """Tell authors that their feedback arrived, with the receipt, after a delay; returns how many mails were put up.

    At most `pacing.per_day` notifications a person and day; nobody who unsubscribed. Who adds to what they said has
    been told before.
    """
    count = 0
    rows = Feedback.objects.filter(id__in=feedback_ids).select_related("raw_item__principal").order_by("id")
    for feedback in rows:
        item, person = feedback.raw_item, feedback.raw_item.principal
        if item.silent or FOLLOW_UP in item.context_envelope:
            continue
        if person is None or not may_mail(person, pacing, now):
            continue
        context = {"words": quote_of(item), "receipt": receipt_url(item), "person": person}
        mail_person(
            person,
            key=f"acknowledged:{feedback.id}",
            subject="We got your feedback",
            template="acknowledged",
            provider_template=get_loop_config().notifications.template_id or "",
            context=context,
            about=item,
            due_at=now + pacing.delay,
            now=now,
        )
        count += 1
    return count


def may_mail(person: Principal, pacing: rules.Pacing, now: datetime) -> bool:
    """Whether somebody has an address, wants mail, and had less than their share of it today."""
    if not person.email or person.unsubscribed_at is not None:
        return False
    today = Effect.objects.filter(
        kind="mail", payload__to=person.email, created_at__gte=rules.start_of_day(now)
    ).count()
    return today < pacing.per_day


def quote_of(item: RawItem) -> str:
    """The person's own words, short enough for a mail."""
    text = " ".join(str(item.content.get("text", "")).split())
    return text if len(text) <= 280 else text[:279].rsplit(" ", 1)[0] + "…"


def receipt_url(item: RawItem) -> str:
    """The author's private link."""
    return f"{settings.BASE_URL}/r/{item.receipt_token}"


@transaction.atomic
def tell_about_move(*, change: PostStatusChange, now: datetime) -> int:
    """Tell the subscribers of a post that it moved; returns how many. Shipping is told by the changelog instead."""
    if change.status.category in {StatusCategory.OPEN, StatusCategory.COMPLETE}:
        return 0
    subscriptions = Subscription.objects.filter(
        post=change.post, notify_status_changes=True, unsubscribed_at=None
    ).select_related("principal")
    pacing = configured_pacing()
    told = 0
    words = _own_words([change.post], [subscription.principal_id for subscription in subscriptions])
    for subscription in subscriptions:
        person = subscription.principal
        if person.id == change.actor_id:
            continue
        item = words.get(person.id)
        told += notify_person(
            person,
            type="post_status_changed",
            key=f"moved:{change.id}",
            title=f"“{change.post.title}” is now {change.status.name.lower()}",
            body=change.note,
            url=post_path(change.post),
        )
        if may_mail(person, pacing, now):
            mail_person(
                person,
                key=f"moved:{change.id}:{person.id}",
                line=_line(change.post_id, person),
                subject=f"{change.post.title}: {change.status.name.lower()}",
                template="moved",
                context={
                    "change": change,
                    "post": change.post,
                    "url": settings.BASE_URL + post_path(change.post),
                    **_said(item),
                },
                about=item,
                due_at=now,
                now=now,
            )
    return told


def post_path(post: Post) -> str:
    """The public page of a post."""
    return f"/b/{post.board.slug}/{post.slug}-{post.id.hex}"


@transaction.atomic
def save_entry(
    *,
    workspace_id: UUID,
    entry: ChangelogEntry | None,
    title: str,
    body: str,
    posts: Sequence[Post],
    author: Principal,
    now: datetime,
) -> ChangelogEntry:
    """Write a draft, or change it. Raises `Invalid` without a title, `Conflict` once it is published."""
    title = " ".join(title.split())
    if not title:
        raise Invalid("Give the entry a title.", errors=[FieldError("/title", "is missing")])
    if entry is None:
        entry = ChangelogEntry(workspace_id=workspace_id, author=author, created_at=now)
        entry.slug = f"{slugify(title)[:180] or 'entry'}-{entry.id.hex[-6:]}"
    elif entry.published_at is not None:
        raise Conflict("This entry has been published; what people were told stays as it was.")
    entry.title, entry.body = title[:200], body.strip()
    entry.save()
    ChangelogEntryPost.objects.filter(changelog_entry=entry).exclude(post__in=posts).delete()
    for post in posts:
        ChangelogEntryPost.objects.get_or_create(workspace_id=workspace_id, changelog_entry=entry, post=post)
    return entry


@transaction.atomic
def publish_entry(*, entry: ChangelogEntry, actor: Principal, now: datetime) -> int:
    """Publish an entry: its posts are complete, and everybody who waits for them is told, once each.

    Who is told is settled at this moment. Returns how many. Raises `Conflict` when it is published already.
    """
    entry = ChangelogEntry.objects.select_for_update().get(pk=entry.pk)
    if entry.published_at is not None:
        raise Conflict("This entry has been published already.")
    recipients = recipients_of(entry)
    ChangelogRecipient.objects.bulk_create(
        ChangelogRecipient(
            workspace_id=entry.workspace_id,
            changelog_entry=entry,
            principal_id=recipient.principal_id,
            reason=recipient.reason,
        )
        for recipient in recipients
    )
    entry.published_at = entry.recipients_frozen_at = now
    entry.save(update_fields=["published_at", "recipients_frozen_at", "updated_at"])
    complete = Status.objects.filter(category=StatusCategory.COMPLETE).order_by("position").first()
    for link in entry.entry_posts.select_related("post"):
        if complete is not None:
            move_post(post=link.post, status=complete, note=f"Shipped: {entry.title}", actor=actor, now=now)
    defer("loop.tell_recipients", queue=Queue.EFFECTS, workspace_id=entry.workspace_id, entry_id=str(entry.id))
    return len(recipients)


@transaction.atomic
def tell_recipients(*, entry: ChangelogEntry, now: datetime) -> int:
    """Tell the next hundred who were not told yet, by mail and in the product; returns how many. Safe to repeat."""
    waiting = list(
        ChangelogRecipient.objects.select_for_update(skip_locked=True)
        .filter(changelog_entry=entry, told_at=None)
        .select_related("principal")
        .order_by("id")[:FAN_OUT]
    )
    post_id = entry.entry_posts.order_by("id").values_list("post_id", flat=True).first()
    posts = [link.post for link in entry.entry_posts.select_related("post")]
    words = _own_words(posts, [recipient.principal_id for recipient in waiting])
    for recipient in waiting:
        person = recipient.principal
        item = words.get(person.id)
        notify_person(
            person,
            type="changelog_published",
            key=f"changelog:{entry.id}",
            title=f"Shipped: {entry.title}",
            body="You asked for this." if recipient.reason == SubscriptionReason.FEEDBACK_AUTHOR else "",
            url=entry_path(entry),
        )
        if person.email and person.unsubscribed_at is None:
            mail_person(
                person,
                key=f"changelog:{entry.id}:{person.id}",
                line=_line(post_id, person) if post_id else "",
                subject=f"Shipped: {entry.title}",
                template="shipped",
                context={
                    "entry": entry,
                    **_said(item),
                    "url": settings.BASE_URL + entry_path(entry),
                    "reason": SubscriptionReason(recipient.reason).label.lower(),
                },
                about=item,
                due_at=now,
                now=now,
            )
        recipient.told_at = now
    ChangelogRecipient.objects.bulk_update(waiting, ["told_at"])
    return len(waiting)


def entry_path(entry: ChangelogEntry) -> str:
    """The public page of a changelog entry."""
    return f"/changelog/{entry.slug}"


def _own_words(posts: Sequence[Post], people: Sequence[UUID]) -> dict[UUID, RawItem]:
    """For each person the first thing they said about what the posts came from."""
    themes = [post.promoted_from_theme_id for post in posts if post.promoted_from_theme_id is not None]
    items = RawItem.objects.filter(
        principal_id__in=people,
        id__in=Signal.objects.filter(theme_id__in=themes).values("raw_feedback_item_id"),
    ).order_by("-source_created_at")
    return {item.principal_id: item for item in items if item.principal_id is not None}


def _said(item: RawItem | None) -> dict[str, object]:
    """What a mail repeats of the person's own words, and their receipt; empty for somebody who only follows."""
    if item is None:
        return {"words": "", "said_at": None, "receipt": ""}
    return {"words": quote_of(item), "said_at": item.source_created_at, "receipt": receipt_url(item)}


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


def _line(post_id: UUID, person: Principal) -> str:
    """What a person hears about one post reaches them in the order in which it happened."""
    return f"post:{post_id}:{person.id}"


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


@transaction.atomic
def unsubscribe(*, person: Principal, now: datetime) -> None:
    """Send this person no more mail, also none that waits. In-app notices and the receipt stay."""
    Principal.objects.filter(pk=person.pk, unsubscribed_at=None).update(unsubscribed_at=now)
    suppress(keys=Q(kind="mail", payload__to=person.email), now=now)


@transaction.atomic
def resubscribe(*, person: Principal) -> None:
    """Undo `unsubscribe` for what comes from now on."""
    Principal.objects.filter(pk=person.pk).update(unsubscribed_at=None)


def mark_read(*, person: Principal, now: datetime) -> int:
    """Mark everything a person was told as read; returns how many were not."""
    return Notification.objects.filter(principal=person, read_at=None).update(read_at=now)
