"""Writes of who hears about a post, and why."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection, transaction

from tellback.boards.models import Post
from tellback.boards.services import items_behind
from tellback.intake.models import RawItem
from tellback.kernel.ids import new_id
from tellback.loop.models import ChangelogRecipient, Notification, Subscription, SubscriptionReason
from tellback.workspaces.merging import follow
from tellback.workspaces.models import Principal, PrincipalMerge, PrincipalType


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
