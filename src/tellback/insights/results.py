"""Results as people and programs see them: looked up afresh, with their words marked. What is gone is not shown."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from tellback.boards.models import Post
from tellback.insights import rules
from tellback.insights.models import Kind, SearchEntry
from tellback.insights.rules import Excerpt, Mark
from tellback.insights.selectors import MOST, Asked, Hit, Hits, SearchFilter, find, marked
from tellback.intake.models import RawItem
from tellback.themes.models import Theme, ThemeStatus
from tellback.understanding.evidence import Piece
from tellback.understanding.models import Signal
from tellback.workspaces.models import Principal


@dataclass(frozen=True, slots=True)
class Found:
    """One result. `title` and `body` are excerpts of what was written, verbatim; feedback's title is its subject."""

    hit: Hit
    public_id: str
    title: Excerpt
    body: Excerpt
    path: str
    at: datetime
    person: Principal | None = None
    heard_through: str = ""
    pills: list[tuple[str, str]] = field(default_factory=list)
    people: int | None = None
    votes: int | None = None

    @property
    def kind(self) -> str:
        """Which kind it is."""
        return self.hit.key[0]

    @property
    def title_pieces(self) -> list[Piece]:
        """The title for a page."""
        return _pieces(self.title)

    @property
    def pieces(self) -> list[Piece]:
        """The body for a page."""
        return _pieces(self.body)


@dataclass(frozen=True, slots=True)
class Results:
    """What a search gives: some of what was found, how much that was, and whether meaning was compared."""

    found: list[Found]
    count: int
    meant: bool


def search(*, workspace_id: UUID, query: str, wanted: SearchFilter, limit: int) -> Results:
    """The best `limit` results (at most `MOST`). A bounded number of queries, whatever there is."""
    hits = find(workspace_id=workspace_id, query=query, wanted=wanted)
    limit = min(limit, MOST)
    # A few more than wanted: something may have gone since it was indexed.
    shown = [one for one in _look_up(hits, hits.hits[: limit + 10]) if one is not None]
    return Results(shown[:limit], len(hits.hits), hits.meant)


@dataclass(frozen=True, slots=True)
class _Sources:
    """What the results of one search are made of, by id."""

    items: dict[UUID, RawItem]
    signals: dict[UUID, Signal]
    themes: dict[UUID, Theme]
    posts: dict[UUID, Post]


def _look_up(hits: Hits, some: Sequence[Hit]) -> list[Found | None]:
    sources = _load(some)
    texts = [_texts(hit, sources) for hit in some]
    languages = dict(SearchEntry.objects.filter(id__in=[hit.key[1] for hit in some]).values_list("id", "language"))
    titles, bodies = _marked(hits.asked, some, texts, languages)
    return [
        _found(hit, sources, title, body) if text is not None else None
        for hit, text, title, body in zip(some, texts, titles, bodies, strict=True)
    ]


def _load(some: Sequence[Hit]) -> _Sources:
    ids: dict[str, list[UUID]] = {kind: [] for kind in Kind.values}
    for hit in some:
        ids[hit.key[0]].append(hit.key[1])
    near = [id for hit in some for id in hit.near_signals]
    signals = Signal.objects.select_related("raw_feedback_item__principal", "raw_feedback_item__source")
    return _Sources(
        items=RawItem.objects.select_related("principal", "source").in_bulk(ids[Kind.FEEDBACK]),
        signals=signals.in_bulk([*ids[Kind.SIGNAL], *near]),
        themes=Theme.objects.filter(status=ThemeStatus.ACTIVE).in_bulk(ids[Kind.THEME]),
        posts=Post.objects.select_related("board", "status").filter(canonical_post=None).in_bulk(ids[Kind.POST]),
    )


def _texts(hit: Hit, sources: _Sources) -> tuple[str, str] | None:
    """Title and body; None for what is gone or has no words any more."""
    kind, id = hit.key
    if kind == Kind.FEEDBACK and id in sources.items:
        return _of_item(sources.items[id])
    if kind == Kind.SIGNAL and id in sources.signals and sources.signals[id].summary:
        return _of_item(sources.signals[id].raw_feedback_item)
    if kind == Kind.THEME and id in sources.themes:
        return sources.themes[id].title, sources.themes[id].summary
    if kind == Kind.POST and id in sources.posts:
        return sources.posts[id].title, sources.posts[id].body
    return None


def _of_item(item: RawItem) -> tuple[str, str] | None:
    text = str(item.content.get("text") or "")
    return (str(item.content.get("subject") or ""), text) if text else None


def _marked(
    asked: Sequence[Asked],
    some: Sequence[Hit],
    texts: Sequence[tuple[str, str] | None],
    languages: dict[UUID, str],
) -> tuple[list[Excerpt], list[Excerpt]]:
    """The titles and the bodies, with the words of the query marked."""
    flat = [
        (languages.get(hit.key[1], ""), part)
        for hit, text in zip(some, texts, strict=True)
        for part in text or ("", "")
    ]
    label = _("What you searched for")
    marks = [
        rules.marks_in(shown, text, label=label)
        for shown, (_language, text) in zip(marked(asked, flat), flat, strict=True)
    ]
    whole = [Excerpt(text, tuple(found), False, False) for (_language, text), found in zip(flat, marks, strict=True)]
    return whole[::2], whole[1::2]


def _found(hit: Hit, sources: _Sources, title: Excerpt, body: Excerpt) -> Found:
    kind, id = hit.key
    marks = list(body.marks) or _evidence(hit, sources)
    body = rules.excerpt(body.text, marks)
    if kind == Kind.THEME:
        return _found_theme(hit, sources.themes[id], title, body)
    if kind == Kind.POST:
        return _found_post(hit, sources.posts[id], title, body)
    signal = sources.signals.get(id) if kind == Kind.SIGNAL else None
    item = signal.raw_feedback_item if signal else sources.items[id]
    near = [signal] if signal else [sources.signals[one] for one in hit.near_signals if one in sources.signals]
    types = {one.signal_type: one.get_signal_type_display() for one in near if one}
    return Found(
        hit=hit,
        public_id=signal.public_id if signal else item.public_id,
        title=title,
        body=body,
        path=reverse("signal", args=[signal.id]) if signal else reverse("raw-item", args=[item.id]),
        at=item.source_created_at,
        person=item.principal,
        heard_through=item.heard_through,
        pills=list(types.items()),
    )


def _evidence(hit: Hit, sources: _Sources) -> list[Mark]:
    """The quotes of the needs that lie near the question, where none of its words stands in the text."""
    ids = [hit.key[1]] if hit.key[0] == Kind.SIGNAL else hit.near_signals[:1]
    signals = [sources.signals[id] for id in ids if id in sources.signals]
    spans = [
        (span["start"], span["end"], one.get_signal_type_display()) for one in signals for span in one.evidence_spans
    ]
    return [Mark(start, end, label) for start, end, label in sorted(spans)]


def _found_theme(hit: Hit, theme: Theme, title: Excerpt, body: Excerpt) -> Found:
    return Found(
        hit=hit,
        public_id=theme.public_id,
        title=title,
        body=body,
        path=f"{reverse('insights')}?theme={theme.id}",
        at=theme.last_signal_at or theme.created_at,
        people=theme.unique_author_count,
    )


def _found_post(hit: Hit, post: Post, title: Excerpt, body: Excerpt) -> Found:
    return Found(
        hit=hit,
        public_id=post.public_id,
        title=title,
        body=body,
        path=reverse("admin-post", args=[post.id]),
        at=post.created_at,
        pills=[(post.status.category, post.status.name)],
        votes=post.vote_count,
    )


def _pieces(shown: Excerpt) -> list[Piece]:
    """An excerpt for a page: marked and unmarked pieces, and dots where it was cut."""
    pieces, last = [Piece("… ", None)] if shown.cut_before else [], 0
    for mark in shown.marks:
        if mark.start > last:
            pieces.append(Piece(shown.text[last : mark.start], None))
        if mark.end > max(mark.start, last):
            pieces.append(Piece(shown.text[max(mark.start, last) : mark.end], mark.label))
        last = max(last, mark.end)
    if last < len(shown.text):
        pieces.append(Piece(shown.text[last:], None))
    return [*pieces, Piece(" …", None)] if shown.cut_after else pieces
