"""Storing what belongs to posts: votes, comments, moves, tags."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from tellback.boards.imports.people import learn_people, resolve_people
from tellback.boards.imports.places import Places
from tellback.boards.imports.rows import CommentRow, MoveRow, TaggingRow, TagRow, VoteRow
from tellback.boards.imports.votes import add_votes, find_things, imported, recount, things
from tellback.boards.models import Comment, ImportedThing, PostStatusChange, PostTag
from tellback.intake.importing.landing import ADDED, KNOWN, NOTHING_TO_JOIN, Delivery, Draft, Result
from tellback.intake.policy import get_policy
from tellback.kernel.ids import new_id
from tellback.workspaces.models import Principal


def store_votes(drafts: Sequence[Draft], delivery: Delivery) -> list[Result]:
    """Votes for posts that are here, each once."""
    rows: list[VoteRow] = [draft.content for draft in drafts]
    posts = things(find_things(delivery, "post", [row.post for row in rows]))
    people = resolve_people([row.voter for row in rows if row.post in posts], delivery)
    fresh = add_votes(rows, people, posts, delivery)
    recount({posts[row.post] for row in rows if row.key in fresh}, delivery)
    results = []
    for row in rows:
        results.append(NOTHING_TO_JOIN if row.post not in posts else ADDED if row.key in fresh else KNOWN)
        fresh.discard(row.key)
    return results


def store_comments(drafts: Sequence[Draft], delivery: Delivery) -> list[Result]:
    """Comments under posts that are here, each once; an answer is tied to what it answers when that came before it."""
    rows: list[CommentRow] = [draft.content for draft in drafts]
    posts = things(find_things(delivery, "post", [row.post for row in rows]))
    known = things(find_things(delivery, "comment", [key for row in rows for key in (row.key, row.parent)]))
    people = resolve_people([row.author for row in rows if row.post in posts], delivery)
    policy = get_policy(delivery.workspace_id)
    made: list[Comment] = []
    notes: list[ImportedThing] = []
    results = []
    for draft, row in zip(drafts, rows, strict=True):
        if row.post not in posts:
            results.append(NOTHING_TO_JOIN)
            continue
        results.append(KNOWN if row.key in known else ADDED)
        if row.key in known:
            continue
        comment = Comment(
            id=new_id(),
            workspace_id=delivery.workspace_id,
            post_id=posts[row.post],
            parent_id=known.get(row.parent),
            author=people.get(row.author),
            body=policy.redactor().redact(row.body),
            is_from_team=row.is_from_team,
            created_at=min(row.created or delivery.now, delivery.now),
        )
        made.append(comment)
        known[row.key] = comment.id
        notes.append(imported(delivery, "comment", row.key, comment.id, draft.number))
    Comment.objects.bulk_create(made)
    ImportedThing.objects.bulk_create(notes)
    recount({comment.post_id for comment in made}, delivery)
    return results


def store_moves(drafts: Sequence[Draft], delivery: Delivery) -> list[Result]:
    """When posts moved to which status, as history; the posts stay where their own rows say."""
    rows: list[MoveRow] = [draft.content for draft in drafts]
    places = Places.load(delivery)
    people = resolve_people([row.actor for row in rows], delivery)
    return _store_below_posts(
        drafts,
        delivery,
        "move",
        lambda row, post_id: PostStatusChange(
            id=new_id(),
            workspace_id=delivery.workspace_id,
            post_id=post_id,
            status=places.status(row.status),
            actor=people.get(row.actor),
            created_at=row.created or delivery.now,
        ),
    )


def store_taggings(drafts: Sequence[Draft], delivery: Delivery) -> list[Result]:
    """Tags on posts, where posts name them by id."""
    rows: list[TaggingRow] = [draft.content for draft in drafts]
    tags = things(find_things(delivery, "tag", [row.tag for row in rows]))
    posts = things(find_things(delivery, "post", [row.post for row in rows]))
    there = set(PostTag.objects.filter(post__in=posts.values()).values_list("post_id", "tag_id"))

    def make(row: TaggingRow, post_id: UUID) -> PostTag | None:
        tag_id = tags.get(row.tag)
        if tag_id is None or (post_id, tag_id) in there:
            return None
        there.add((post_id, tag_id))
        return PostTag(id=new_id(), workspace_id=delivery.workspace_id, post_id=post_id, tag_id=tag_id)

    return _store_below_posts(drafts, delivery, "tagging", make)


def _store_below_posts(drafts: Sequence[Draft], delivery: Delivery, kind: str, make: Any) -> list[Result]:
    rows = [draft.content for draft in drafts]
    posts = things(find_things(delivery, "post", [row.post for row in rows]))
    known = set(find_things(delivery, kind, [row.key for row in rows]))
    made, notes, results = [], [], []
    for draft, row in zip(drafts, rows, strict=True):
        if row.post not in posts:
            results.append(NOTHING_TO_JOIN)
            continue
        one = make(row, posts[row.post]) if row.key not in known else None
        results.append(ADDED if one else KNOWN)
        if one:
            known.add(row.key)
            made.append(one)
            notes.append(imported(delivery, kind, row.key, one.id, draft.number))
    if made:
        type(made[0]).objects.bulk_create(made)
    ImportedThing.objects.bulk_create(notes)
    return results


def store_people(drafts: Sequence[Draft], delivery: Delivery) -> list[Result]:
    """People become known; what was known of them stays."""
    rows = [draft.content for draft in drafts]
    before = Principal.objects.count()
    learn_people(rows, delivery)
    fresh = Principal.objects.count() - before
    return [ADDED] * fresh + [KNOWN] * (len(rows) - fresh)


def store_tags(drafts: Sequence[Draft], delivery: Delivery) -> list[Result]:
    """The names of tags that posts name by id."""
    rows: list[TagRow] = [draft.content for draft in drafts]
    known = find_things(delivery, "tag", [row.key for row in rows])
    places = Places.load(delivery)
    fresh = {row.key: row for row in rows if row.key not in known}
    ImportedThing.objects.bulk_create(
        imported(delivery, "tag", key, places.tag(row.name).id) for key, row in fresh.items()
    )
    return [KNOWN if row.key in known else ADDED for row in rows]
