"""Taking back what an import brought to the boards."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tellback.boards.imports.posts import CHANGED
from tellback.boards.imports.votes import count_anew
from tellback.boards.models import Comment, ImportedThing, Post, PostStatusChange, PostTag, Vote
from tellback.platform.bulk import update_rows

#: What hangs on posts goes before them.
BELOW_POSTS: Mapping[str, Any] = {"tagging": PostTag, "move": PostStatusChange, "comment": Comment, "vote": Vote}
NAMES = {"tagging": "tags", "move": "moves", "comment": "comments", "vote": "votes"}


def remove_imported(*, run_id: UUID, limit: int, now: datetime) -> Mapping[str, int]:
    """Up to `limit` things of a run, by kind: votes, comments and moves, then posts.

    A post that other people have voted for or commented on since stays. One that the run changed says again what it
    said before.
    """
    restored = _restore(run_id, limit, now)
    if restored:
        return {"restored posts": restored}
    for kind in BELOW_POSTS:
        if found := _take(run_id, kind, limit):
            return {NAMES[kind]: _remove_below(kind, found)}
    if found := _take(run_id, "post", limit):
        return _remove_posts(found)
    ImportedThing.objects.filter(run_id=run_id).delete()
    return {}


def _take(run_id: UUID, kind: str, limit: int) -> list[UUID]:
    """The ids here of some things of the run; the notes of them go."""
    found = list(ImportedThing.objects.filter(run_id=run_id, kind=kind).order_by("-id")[:limit])
    ImportedThing.objects.filter(id__in=[one.id for one in found]).delete()
    return [one.thing_id for one in found]


def _remove_below(kind: str, ids: Sequence[UUID]) -> int:
    rows = BELOW_POSTS[kind].objects.filter(id__in=ids)
    posts = list(set(rows.values_list("post_id", flat=True)))
    count: int = rows.count()
    rows.delete()
    count_anew(posts)
    return count


def _remove_posts(ids: Sequence[UUID]) -> Mapping[str, int]:
    lively = set(Vote.objects.filter(post__in=ids).values_list("post_id", flat=True))
    lively |= set(Comment.objects.filter(post__in=ids).values_list("post_id", flat=True))
    gone = [post_id for post_id in ids if post_id not in lively]
    Post.objects.filter(id__in=gone).delete()
    count_anew(list(lively))
    counts = {"posts": len(gone), "posts kept": len(lively)}
    return {name: count for name, count in counts.items() if count}


def _restore(run_id: UUID, limit: int, now: datetime) -> int:
    changed = list(
        ImportedThing.objects.filter(kind="post", said_by=run_id).exclude(before=None).exclude(run_id=run_id)[:limit]
    )
    posts = Post.objects.select_for_update().in_bulk([thing.thing_id for thing in changed])
    for thing in changed:
        before = thing.before or {}
        post = posts.get(thing.thing_id)
        if post is not None:
            for name in CHANGED:
                setattr(post, name, UUID(before[name]) if name.endswith("_id") else before[name])
            post.embedding_model, post.updated_at = None, now
        thing.digest, thing.stated_votes = before["digest"], before["stated_votes"]
        thing.before, thing.said_by = None, thing.run_id
    update_rows(
        list(posts.values()),
        ["title", "body", "board", "status", "official_response", "embedding_model", "updated_at"],
    )
    update_rows(changed, ["digest", "stated_votes", "before", "said_by"])
    count_anew(list(posts))
    return len(changed)
