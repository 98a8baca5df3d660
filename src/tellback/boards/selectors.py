"""Reads of the public side: boards, posts, the roadmap, similar posts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _
from pgvector.django import CosineDistance

from tellback.boards.models import Board, Post, PostStatusChange, Status, Vote
from tellback.platform.tenancy import current_workspace_id
from tellback.platform.vectors import Embedding
from tellback.themes.models import Theme
from tellback.understanding.engine import find_meaning
from tellback.understanding.models import CorrectedField, Correction, Sentiment, Signal, SignalType, Urgency
from tellback.workspaces.models import Principal

PAGE = 25
#: How close in meaning a post must be to a theme to be shown beside it (design: candidates are 0.42 and more alike).
LIKE = 0.42
#: And to a text or another post, which are one voice each and so further from what is only akin to them.
LIKE_TEXT = 0.5
#: So much of what is being written is compared.
LONGEST_QUESTION = 500
SORTS = {"top": ("-vote_count", "-id"), "new": ("-id",), "updated": ("-status_changed_at", "-id")}


@dataclass(frozen=True, slots=True)
class PostFilter:
    """What a list of posts is narrowed to; every part is in the page's address."""

    board: Board | None = None
    status: str = ""
    search: str = ""
    sort: str = "top"
    page: int = 1


def list_posts(wanted: PostFilter) -> tuple[list[Post], bool]:
    """A page of posts that were not merged away, and whether there are more."""
    posts = _public_posts()
    if wanted.board:
        posts = posts.filter(board=wanted.board)
    if wanted.status:
        posts = posts.filter(status__slug=wanted.status)
    if wanted.search:
        posts = posts.filter(Q(title__icontains=wanted.search) | Q(body__icontains=wanted.search))
    start = (wanted.page - 1) * PAGE
    rows = list(posts.order_by(*SORTS.get(wanted.sort, SORTS["top"]))[start : start + PAGE + 1])
    return rows[:PAGE], len(rows) > PAGE


def _public_posts() -> QuerySet[Post]:
    return Post.objects.filter(canonical_post=None, board__is_public=True).select_related("board", "status")


def find_public_post(post_id: UUID) -> Post | None:
    """A post that everybody may see."""
    return _public_posts().filter(pk=post_id).select_related("board", "status", "author").first()


def voted_among(principal: Principal | None, posts: list[Post]) -> set[UUID]:
    """Which of these posts somebody voted for."""
    if principal is None:
        return set()
    return set(Vote.objects.filter(principal=principal, post__in=posts).values_list("post_id", flat=True))


def list_status_changes(post: Post) -> list[PostStatusChange]:
    """The moves of a post, oldest first."""
    return list(PostStatusChange.objects.filter(post=post).select_related("status").order_by("created_at"))


def similar_posts(text: str, *, theme: Theme | None = None, limit: int = 5) -> list[Post]:
    """Posts that a text may repeat: those that mean what the theme or the text means, then those that share its words.

    By words alone where nothing can tell now what the text means.
    """
    if not text.strip():
        return []
    if theme is not None:
        found = _alike(_public_posts(), theme.centroid_embedding, theme.centroid_model, limit=limit, least=LIKE)
    else:
        meaning = find_meaning(current_workspace_id(), text[:LONGEST_QUESTION])
        vector, model = (meaning.vector[0], meaning.model) if meaning else (None, None)
        found = _alike(_public_posts(), vector, model, limit=limit, least=LIKE_TEXT)
    known = {post.id for post in found}
    return [*found, *(post for post in _with_words_of(text, limit) if post.id not in known)][:limit]


def posts_like(post: Post, *, limit: int = 4) -> list[Post]:
    """Posts that mean what this one means, the most alike first; none while nobody has found out what it means."""
    others = Post.objects.filter(canonical_post=None).exclude(pk=post.pk).select_related("board", "status")
    return _alike(others, post.embedding, post.embedding_model, limit=limit, least=LIKE_TEXT)


def _alike(
    posts: QuerySet[Post], vector: Embedding | None, model: str | None, *, limit: int, least: float
) -> list[Post]:
    if vector is None:
        return []
    near = posts.filter(embedding_model=model).annotate(distance=CosineDistance("embedding", vector))
    return list(near.filter(distance__lte=1 - least).order_by("distance", "-vote_count")[:limit])


def _with_words_of(text: str, limit: int) -> list[Post]:
    words = [word for word in "".join(c if c.isalnum() else " " for c in text.lower()).split() if len(word) > 2]
    if not words:
        return []
    query = SearchQuery(" | ".join(dict.fromkeys(words[:24])), config="english", search_type="raw")
    vector = SearchVector("title", weight="A", config="english") + SearchVector("body", weight="C", config="english")
    return list(
        _public_posts()
        .annotate(rank=SearchRank(vector, query))
        .filter(rank__gt=0.15)
        .order_by("-rank", "-vote_count")[:limit]
    )


@dataclass(frozen=True, slots=True)
class RoadmapCard:
    """A post on the roadmap, with the theme behind it."""

    post: Post
    theme: Theme | None


@dataclass(frozen=True, slots=True)
class RoadmapColumn:
    """A status and its posts."""

    status: Status
    cards: list[RoadmapCard]


def get_roadmap(*, everything: bool) -> list[RoadmapColumn]:
    """The roadmap's columns in order; with `everything` also the statuses that the public does not see there."""
    statuses = Status.objects.order_by("position")
    shown = list(statuses if everything else statuses.filter(on_roadmap=True))
    posts = Post.objects.filter(canonical_post=None, status__in=shown).select_related("board", "promoted_from_theme")
    if not everything:
        posts = posts.filter(board__is_public=True)
    cards: dict[UUID, list[RoadmapCard]] = {}
    for post in posts.order_by("position", "-vote_count", "-id")[:600]:
        cards.setdefault(post.status_id, []).append(RoadmapCard(post, post.promoted_from_theme))
    return [RoadmapColumn(status, cards.get(status.id, [])) for status in shown]


def latest_change(post: Post) -> datetime:
    """When the post last moved, or was written."""
    return post.status_changed_at or post.created_at


@dataclass(frozen=True, slots=True)
class CorrectionRow:
    """One thing that a person put right, in words."""

    id: UUID
    field: str
    before: str
    after: str
    who: str
    reason: str
    at: datetime
    is_undone: bool


def list_corrections(signal: Signal) -> list[CorrectionRow]:
    """What people put right about a signal, the latest first."""
    changes = signal.corrections.exclude(new_value=F("previous_value"))
    found = list(changes.select_related("corrected_by_principal").order_by("-created_at", "-id"))
    named = _names_in(found)
    return [
        CorrectionRow(
            id=one.id,
            field=one.get_field_display(),
            before=_shown(one.field, one.previous_value, named),
            after=_("not feedback")
            if one.field == CorrectedField.NOT_FEEDBACK
            else _shown(one.field, one.new_value, named),
            who=str(one.corrected_by_principal),
            reason=one.reason or "",
            at=one.created_at,
            is_undone=one.undone_at is not None,
        )
        for one in found
    ]


def _names_in(corrections: Sequence[Correction]) -> dict[str, str]:
    """Themes and boards that corrections name, by id."""
    values = {str(value) for one in corrections for value in (one.previous_value, one.new_value) if value}
    ids = [value for value in values if len(value) == 36]
    titles = {str(pk): title for pk, title in Theme.objects.filter(id__in=ids).values_list("id", "title")}
    return titles | {str(pk): name for pk, name in Board.objects.filter(id__in=ids).values_list("id", "name")}


def _shown(field: str, value: object, named: dict[str, str]) -> str:
    labels = {
        CorrectedField.TYPE: SignalType.choices,
        CorrectedField.SENTIMENT: Sentiment.choices,
        CorrectedField.URGENCY: Urgency.choices,
    }.get(CorrectedField(field))
    if labels is not None:
        return str(dict(labels).get(str(value), ""))
    return named.get(str(value), "")
