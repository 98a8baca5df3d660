"""What boards hold of a person: their posts, comments and votes."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from tellback.boards.models import Comment, ImportedThing, Post, Vote
from tellback.intake.subjects.holders import Holding, Record, holds
from tellback.intake.subjects.scrubbing import Scrubber
from tellback.intake.subjects.subject import Subject
from tellback.understanding.models import Signal

UNTITLED = "Erased"


def _list(subject: Subject) -> Iterator[Record]:
    for post in Post.objects.filter(author__in=subject.principal_ids).select_related("board", "status").order_by("id"):
        content = {
            "at": post.created_at.isoformat(),
            "board": post.board.name,
            "status": post.status.name,
            "title": post.title,
            "body": post.body,
            "votes": post.vote_count,
        }
        yield Record("post", post.public_id, content)
    for comment in Comment.objects.filter(author__in=subject.principal_ids).select_related("post").order_by("id"):
        content = {"at": comment.created_at.isoformat(), "post": comment.post.public_id, "body": comment.body}
        yield Record("comment", comment.public_id, content)
    for vote in Vote.objects.filter(principal__in=subject.principal_ids).select_related("post").order_by("id"):
        content = {"at": vote.created_at.isoformat(), "post": vote.post.public_id, "title": vote.post.title}
        yield Record("vote", vote.public_id, content)


def _erase(subject: Subject, now: datetime) -> Mapping[str, int]:
    """Posts and comments lose their words. Votes stay counted: they are those of a person without a name."""
    posts = list(Post.objects.select_for_update().filter(author__in=subject.principal_ids))
    for post in posts:
        _empty(post, now)
    comments = Comment.objects.filter(author__in=subject.principal_ids)
    scrubber = Scrubber(subject)
    return {
        "posts": len(posts) + _reword_promoted(subject, now) + _scrub_posts(scrubber),
        "comments": comments.update(body="", updated_at=now) + scrubber.rows("comment", ["body"]),
        "earlier posts": _forget_earlier(posts) + scrubber.rows("imported_thing", ["before"]),
        "post notes": scrubber.rows("post_status_change", ["note"]),
        "votes": Vote.objects.filter(principal__in=subject.principal_ids).count(),
    }


def _forget_earlier(posts: list[Post]) -> int:
    """What their posts said before an import changed them."""
    earlier = ImportedThing.objects.filter(kind="post", thing_id__in=[post.id for post in posts])
    return earlier.exclude(before=None).update(before=None)


def _empty(post: Post, now: datetime) -> None:
    post.title, post.body, post.official_response = UNTITLED, "", ""
    post.slug, post.embedding, post.updated_at = f"erased-{post.id.hex}", None, now
    post.save(update_fields=["title", "body", "official_response", "slug", "embedding", "updated_at"])


def _reword_promoted(subject: Subject, now: datetime) -> int:
    """A post promoted from a theme of theirs may carry that theme's title, in their words: it takes somebody else's."""
    ids = Signal.objects.filter(raw_feedback_item__in=subject.item_ids).exclude(theme_id=None).values("theme_id")
    said = " ".join(subject.sayings).casefold()
    changed = 0
    for post in Post.objects.select_for_update().filter(promoted_from_theme__in=ids):
        if post.title.casefold().strip(" .!?…") in said:
            others = Signal.objects.filter(theme_id=post.promoted_from_theme_id).exclude(summary="")
            other = others.exclude(raw_feedback_item__in=subject.item_ids).order_by("id").first()
            post.title = other.summary[:200] if other else UNTITLED
            post.slug, post.embedding, post.updated_at = f"post-{post.id.hex}", None, now
            post.save(update_fields=["title", "slug", "embedding", "updated_at"])
            changed += 1
    return changed


def _scrub_posts(scrubber: Scrubber) -> int:
    return scrubber.rows("post", ["title", "body", "official_response"])


holds(Holding("boards", _list, _erase))
