"""Writes of the changelog: a draft, its publication, and telling everybody who waits for what shipped."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.text import slugify

from tellback.boards.models import Post, Status, StatusCategory
from tellback.boards.services import move_post
from tellback.kernel.errors import Conflict, FieldError, Invalid
from tellback.loop.models import ChangelogEntry, ChangelogEntryPost, ChangelogRecipient, SubscriptionReason
from tellback.loop.selectors import recipients_of
from tellback.loop.telling import line_of, mail_person, notify_person, own_words, said
from tellback.platform.jobs import Queue, defer
from tellback.workspaces.models import Principal

FAN_OUT = 100


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
    words = own_words(posts, [recipient.principal_id for recipient in waiting])
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
                line=line_of(post_id, person) if post_id else "",
                subject=f"Shipped: {entry.title}",
                template="shipped",
                context={
                    "entry": entry,
                    **said(item),
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
