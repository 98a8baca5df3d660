"""Storing votes, each once, and counting them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from uuid import UUID

from django.db import connection, transaction
from procrastinate.exceptions import AlreadyEnqueued

from tellback.boards.imports.people import People
from tellback.boards.imports.rows import VoteRow
from tellback.boards.models import ImportedThing, Vote
from tellback.intake.importing.landing import Delivery
from tellback.kernel.ids import new_id
from tellback.platform.jobs import IN_SPARE_TIME, Queue, defer, defer_once


def find_things(delivery: Delivery, kind: str, keys: Iterable[str]) -> dict[str, ImportedThing]:
    """What this source has brought before, by its key there."""
    found = ImportedThing.objects.filter(source=delivery.source_id, kind=kind, key__in={key for key in keys if key})
    return {thing.key: thing for thing in found}


def things(found: Mapping[str, ImportedThing]) -> dict[str, UUID]:
    """Their ids here, by their key there."""
    return {key: thing.thing_id for key, thing in found.items()}


def imported(delivery: Delivery, kind: str, key: str, thing_id: UUID, row: int = 0) -> ImportedThing:
    """The note that this run brought a thing."""
    return ImportedThing(
        workspace_id=delivery.workspace_id,
        source_id=delivery.source_id,
        run_id=delivery.run_id,
        kind=kind,
        key=key,
        thing_id=thing_id,
        digest="",
        row=row,
        said_by=delivery.run_id,
    )


def add_votes(rows: Sequence[VoteRow], people: People, posts: Mapping[str, UUID], delivery: Delivery) -> set[str]:
    """Store votes for these posts (by key) that are not there; returns the keys of those that are new."""
    wanted: dict[tuple[UUID, UUID], tuple[VoteRow, Vote]] = {}
    for row in rows:
        voter, post_id = people.get(row.voter), posts.get(row.post)
        if voter is None or post_id is None or (post_id, voter.id) in wanted:
            continue
        at = min(row.created or delivery.now, delivery.now)
        vote = Vote(id=new_id(), workspace_id=delivery.workspace_id, post_id=post_id, principal=voter, created_at=at)
        wanted[post_id, voter.id] = (row, vote)
    there = set(
        Vote.objects.filter(post__in={one for one, _ in wanted}, principal__in={two for _, two in wanted}).values_list(
            "post_id", "principal_id"
        )
    )
    fresh = [pair for place, pair in wanted.items() if place not in there]
    Vote.objects.bulk_create([vote for _, vote in fresh])
    known = find_things(delivery, "vote", [row.key for row, _ in fresh])
    ImportedThing.objects.filter(id__in=[thing.id for thing in known.values()]).delete()
    ImportedThing.objects.bulk_create(imported(delivery, "vote", row.key, vote.id) for row, vote in fresh)
    return {row.key for row, _ in fresh}


def recount(post_ids: Iterable[UUID], delivery: Delivery) -> None:
    """Have each post's figures be its rows again, with the votes that it had elsewhere and whose voters are not known.

    Then its people are subscribed, silently, and its meaning is found out.
    """
    ids = sorted(set(post_ids))
    if not ids:
        return
    count_anew(ids)
    _subscribe([str(post_id) for post_id in ids], delivery)
    defer_once("boards.embed_posts", queue=Queue.AI, workspace_id=delivery.workspace_id)


def _subscribe(post_ids: list[str], delivery: Delivery) -> None:
    """Once for all batches about the same posts, however many of them come before a worker has time."""
    waiting = f"subscribe:{hashlib.sha256(''.join(post_ids).encode()).hexdigest()}"
    with suppress(AlreadyEnqueued), transaction.atomic():
        defer(
            "loop.subscribe_imported",
            queue=Queue.EFFECTS,
            workspace_id=delivery.workspace_id,
            queueing_lock=waiting,
            priority=IN_SPARE_TIME,
            post_ids=post_ids,
        )


def count_anew(post_ids: Sequence[UUID]) -> None:
    """Votes and comments of these posts, counted."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH counted AS (
                SELECT p.id,
                    (SELECT count(*) FROM vote v WHERE v.post_id = p.id) AS votes,
                    (SELECT count(*) FROM comment c WHERE c.post_id = p.id) AS comments,
                    (SELECT max(t.stated_votes) FROM imported_thing t WHERE t.thing_id = p.id AND t.kind = 'post')
                        AS stated,
                    (SELECT count(*) FROM vote v JOIN imported_thing t ON t.thing_id = v.id AND t.kind = 'vote'
                        WHERE v.post_id = p.id) AS brought
                FROM post p WHERE p.id = ANY(%s)
            )
            UPDATE post SET comment_count = counted.comments,
                carried_votes = greatest(0, coalesce(stated, 0) - brought),
                vote_count = votes + greatest(0, coalesce(stated, 0) - brought)
            FROM counted WHERE counted.id = post.id
            """,
            [list(post_ids)],
        )
