"""Telling authors how their feedback gets on: that it arrived, and that a post they wait for moved."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from tellback.boards.models import Post, PostStatusChange, StatusCategory
from tellback.intake.follow_ups import FOLLOW_UP
from tellback.loop import rules
from tellback.loop.models import Subscription
from tellback.loop.telling import (
    configured_pacing,
    line_of,
    mail_person,
    may_mail,
    notify_person,
    own_words,
    quote_of,
    receipt_url,
    said,
)
from tellback.platform.loop_config import get_loop_config
from tellback.triage.models import Feedback


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
    words = own_words([change.post], [subscription.principal_id for subscription in subscriptions])
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
                line=line_of(change.post_id, person),
                subject=f"{change.post.title}: {change.status.name.lower()}",
                template="moved",
                context={
                    "change": change,
                    "post": change.post,
                    "url": settings.BASE_URL + post_path(change.post),
                    **said(item),
                },
                about=item,
                due_at=now,
                now=now,
            )
    return told


def post_path(post: Post) -> str:
    """The public page of a post."""
    return f"/b/{post.board.slug}/{post.slug}-{post.id.hex}"
