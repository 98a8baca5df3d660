"""Writes of the public side: boards, posts, votes, comments, moves, and promoting a theme."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.text import slugify

from tellback.boards.models import (
    Board,
    Comment,
    Post,
    PostStatusChange,
    PostTag,
    Status,
    StatusCategory,
    Tag,
    Vote,
)
from tellback.kernel.errors import Conflict, FieldError, Invalid
from tellback.platform.bulk import update_rows
from tellback.platform.jobs import Queue, defer, defer_once
from tellback.sdk.engine import Engine
from tellback.themes.changes import successor_of
from tellback.themes.models import Theme, ThemeStatus
from tellback.triage.services import move_with_post
from tellback.understanding.models import Signal
from tellback.workspaces.merging import follow
from tellback.workspaces.models import Principal, PrincipalMerge, Workspace

DEFAULT_STATUSES = (
    ("Open", StatusCategory.OPEN, False),
    ("Under review", StatusCategory.UNDER_REVIEW, True),
    ("Planned", StatusCategory.PLANNED, True),
    ("In progress", StatusCategory.IN_PROGRESS, True),
    ("Complete", StatusCategory.COMPLETE, True),
    ("Closed", StatusCategory.CLOSED, False),
)

EMBEDDED_AT_ONCE = 200
#: Characters of a post's text that say what it means.
MEANT = 300


@transaction.atomic
def ensure_defaults(*, workspace: Workspace) -> None:
    """Give a workspace its first board and its statuses. Safe to repeat; what people changed stays."""
    if not Board.objects.exists():
        Board.objects.create(
            workspace=workspace, name="Product", slug="product", description="Ideas and problems, in the open"
        )
    if not Status.objects.exists():
        Status.objects.bulk_create(
            Status(
                workspace=workspace,
                name=name,
                slug=slugify(name),
                category=category,
                position=position,
                on_roadmap=on_roadmap,
                is_default=category == StatusCategory.OPEN,
            )
            for position, (name, category, on_roadmap) in enumerate(DEFAULT_STATUSES)
        )


@transaction.atomic
def create_post(
    *,
    workspace_id: UUID,
    board: Board,
    title: str,
    body: str,
    author: Principal | None,
    tags: Sequence[str],
    now: datetime,
) -> Post:
    """A new post in the default status; its author votes for it and hears about it.

    Raises `Invalid` when the title is missing or too long.
    """
    title = " ".join(title.split())
    if not title:
        raise Invalid("Give the post a title.", errors=[FieldError("/title", "is missing")])
    if len(title) > 200:
        raise Invalid("The title is too long.", errors=[FieldError("/title", "may have 200 characters")])
    post = Post.objects.create(
        workspace_id=workspace_id,
        board=board,
        status=Status.objects.get(is_default=True),
        author=author,
        title=title,
        slug=slugify(title)[:200] or "post",
        body=body.strip(),
        created_at=now,
    )
    for name in dict.fromkeys(tag.strip() for tag in tags if tag.strip()):
        tag, _ = Tag.objects.get_or_create(
            workspace_id=workspace_id, slug=slugify(name)[:60] or "tag", defaults={"name": name[:60]}
        )
        PostTag.objects.create(workspace_id=workspace_id, post=post, tag=tag)
    defer("loop.on_post_created", queue=Queue.EFFECTS, workspace_id=workspace_id, post_id=str(post.id))
    defer_once("boards.embed_posts", queue=Queue.AI, workspace_id=workspace_id)
    defer_once("insights.index", queue=Queue.INGEST, workspace_id=workspace_id)
    return post


@transaction.atomic
def embed_posts(*, engine: Engine) -> int:
    """Give posts that this engine's sentence model has not seen their embedding; returns how many. Safe to repeat."""
    model = engine.identity.embedding_model
    posts = list(
        Post.objects.select_for_update(skip_locked=True)
        .exclude(embedding_model=model, embedding__isnull=False)
        .order_by("-id")[:EMBEDDED_AT_ONCE]
    )
    # The first lines say what a post is about; quotes and stories follow.
    vectors = engine.embed([f"{post.title}. {post.body[:MEANT]}" for post in posts])
    for post, vector in zip(posts, vectors, strict=True):
        post.embedding, post.embedding_model = vector, model
    update_rows(posts, ["embedding", "embedding_model"])
    return len(posts)


@transaction.atomic
def promote_theme(
    *, theme: Theme, board: Board, title: str, body: str, tags: Sequence[str], actor: Principal, now: datetime
) -> Post:
    """Make a post of a theme. Everybody whose feedback is behind it will hear what becomes of it.

    The promoting person is the author. Raises `Conflict` when the theme has been promoted already.
    """
    theme = Theme.objects.select_for_update().get(pk=theme.pk)
    if theme.promoted_to_post_id is not None:
        raise Conflict("This theme has been promoted already.")
    if theme.status != ThemeStatus.ACTIVE:
        raise Conflict("Only an active theme can be promoted.")
    post = create_post(
        workspace_id=theme.workspace_id, board=board, title=title, body=body, author=actor, tags=tags, now=now
    )
    post.promoted_from_theme = theme
    post.save(update_fields=["promoted_from_theme"])
    theme.promoted_to_post_id, theme.promoted_at, theme.board_id = post.id, now, board.id
    theme.save(update_fields=["promoted_to_post_id", "promoted_at", "board_id", "updated_at"])
    defer(
        "loop.subscribe_feedback_authors",
        queue=Queue.EFFECTS,
        workspace_id=theme.workspace_id,
        post_id=str(post.id),
    )
    return post


@transaction.atomic
def follow_themes() -> int:
    """Have each promoted post stand for what its theme was merged into, or for itself again; returns how many moved.

    Safe to repeat.
    """
    promoted = Theme.objects.exclude(promoted_to_post_id=None).select_related("merged_into_theme").order_by("-id")
    origins = {theme.promoted_to_post_id: successor_of(theme) for theme in promoted if theme.promoted_to_post_id}
    posts = [
        post
        for post in Post.objects.select_for_update().filter(id__in=origins).order_by("id")
        if post.promoted_from_theme_id != origins[post.id].pk
    ]
    for post in posts:
        post.promoted_from_theme = origins[post.id]
    Post.objects.bulk_update(posts, ["promoted_from_theme"])
    return len(posts)


@transaction.atomic
def move_post(
    *, post: Post, status: Status, note: str, actor: Principal | None, now: datetime
) -> PostStatusChange | None:
    """Move a post to a status, and the feedback behind it along. None when it is there already."""
    post = Post.objects.select_for_update().get(pk=post.pk)
    if post.status_id == status.id:
        return None
    change = PostStatusChange.objects.create(
        workspace_id=post.workspace_id,
        post=post,
        previous_id=post.status_id,
        status=status,
        actor=actor,
        note=note.strip(),
        created_at=now,
    )
    Post.objects.filter(pk=post.pk).update(status=status, status_changed_at=now, updated_at=now)
    move_with_post(
        item_ids=items_behind(post=post), post_category=status.category, actor=actor, note=note.strip(), now=now
    )
    defer(
        "loop.on_post_moved",
        queue=Queue.EFFECTS,
        workspace_id=post.workspace_id,
        lock=f"post:{post.id}",
        change_id=str(change.id),
    )
    return change


def items_behind(*, post: Post) -> list[UUID]:
    """The raw items whose signals are in the theme that the post was promoted from."""
    if post.promoted_from_theme_id is None:
        return []
    return list(
        Signal.objects.filter(theme_id=post.promoted_from_theme_id)
        .values_list("raw_feedback_item_id", flat=True)
        .distinct()
    )


@transaction.atomic
def vote(*, post: Post, principal: Principal) -> bool:
    """Count one person's vote once; returns whether it is new. Any number of clicks are one vote."""
    _, made = Vote.objects.get_or_create(workspace_id=post.workspace_id, post=post, principal=principal)
    if made:
        Post.objects.filter(pk=post.pk).update(vote_count=F("vote_count") + 1)
        defer(
            "loop.on_vote",
            queue=Queue.EFFECTS,
            workspace_id=post.workspace_id,
            post_id=str(post.id),
            principal_id=str(principal.id),
        )
    return made


@transaction.atomic
def take_vote_back(*, post: Post, principal: Principal) -> bool:
    """Take one person's vote back; returns whether there was one."""
    deleted, _ = Vote.objects.filter(post=post, principal=principal).delete()
    if deleted:
        Post.objects.filter(pk=post.pk).update(vote_count=F("vote_count") - 1)
    return bool(deleted)


@transaction.atomic
def follow_merge(*, merge: PrincipalMerge) -> None:
    """Move what a merged person wrote and voted for to the kept one, or back when it was undone. Safe to repeat.

    One person has one vote: a second one is set aside, and each post's figure is its votes again.
    """
    follow(merge=merge, model=Post, column="author")
    follow(merge=merge, model=Comment, column="author")
    votes = follow(merge=merge, model=Vote, column="principal", unique_with=["post_id"])
    for post in Post.objects.filter(id__in={vote.post_id for vote in votes}).select_for_update().order_by("id"):
        votes_now = Vote.objects.filter(post=post).count() + post.carried_votes
        Post.objects.filter(pk=post.pk).update(vote_count=votes_now)


@transaction.atomic
def comment(*, post: Post, author: Principal, body: str, is_from_team: bool, now: datetime) -> Comment:
    """Add a comment under a post. Raises `Invalid` when it says nothing."""
    if not body.strip():
        raise Invalid("Write something first.", errors=[FieldError("/body", "is empty")])
    made = Comment.objects.create(
        workspace_id=post.workspace_id,
        post=post,
        author=author,
        body=body.strip()[:10_000],
        is_from_team=is_from_team,
        created_at=now,
    )
    Post.objects.filter(pk=post.pk).update(comment_count=F("comment_count") + 1)
    defer(
        "loop.on_comment",
        queue=Queue.EFFECTS,
        workspace_id=post.workspace_id,
        post_id=str(post.id),
        principal_id=str(author.id),
    )
    return made
