"""Writes of the search: making entries anew for what changed."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from tellback.boards.models import Post
from tellback.insights.languages import LIKELY, UNTOLD, configuration_of
from tellback.insights.models import Kind, SearchEntry, SearchStale, StaleKind
from tellback.intake.models import RawItem
from tellback.platform.tenancy import SETTING
from tellback.themes.models import Theme, ThemeStatus
from tellback.understanding.engine import language_of
from tellback.understanding.models import Signal

#: How many changes one transaction takes.
BATCH = 500
#: So much of a long text tells its language.
TELLING = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """What is written of one thing: its words by weight, the title first."""

    id: UUID
    kind: Kind
    raw_item_id: UUID | None
    at: datetime
    language: str
    facets: list[str]
    title: str = ""
    text: str = ""
    beside: str = ""


@transaction.atomic
def index_stale(*, limit: int = BATCH) -> int:
    """Make entries anew for what changed, oldest change first; returns how many changes that were. Safe to repeat.

    Two of these at once take different changes.
    """
    notes = list(SearchStale.objects.select_for_update(skip_locked=True).order_by("created_at", "id")[:limit])
    things: dict[str, set[UUID]] = defaultdict(set)
    for note in notes:
        things[note.kind].add(note.thing_id)
    entries = [
        *_items(things[StaleKind.ITEM]),
        *_themes(things[StaleKind.THEME]),
        *_posts(things[StaleKind.POST]),
    ]
    _write(entries)
    found = {entry.id for entry in entries}
    gone = (things[StaleKind.THEME] | things[StaleKind.POST]) - found
    SearchEntry.objects.filter(id__in=gone).delete()
    erased = things[StaleKind.ITEM] - {entry.raw_item_id for entry in entries}
    SearchEntry.objects.filter(raw_item_id__in=erased).delete()
    SearchStale.objects.filter(id__in=[note.id for note in notes]).delete()
    return len(notes)


def _items(ids: Iterable[UUID]) -> list[Entry]:
    """Feedback with its needs, where there are words.

    The items are held: who erases one meanwhile waits, and then takes away what is written here.
    """
    items = RawItem.objects.select_for_update(of=("self",), no_key=True).filter(id__in=list(ids))
    entries = []
    for item in items.select_related("principal").prefetch_related("signals").order_by("id"):
        if item.content.get("text"):
            signals = list(item.signals.all())
            entries += [_feedback(item, signals), *(_signal(item, one) for one in signals if one.summary)]
    return entries


def _feedback(item: RawItem, signals: Sequence[Signal]) -> Entry:
    subject, text = str(item.content.get("subject") or ""), str(item.content["text"])
    own = [facet for signal in signals for facet in _of_signal(signal)]
    return Entry(
        id=item.id,
        kind=Kind.FEEDBACK,
        raw_item_id=item.id,
        at=item.source_created_at,
        language=_language(f"{subject} {text}", item.content.get("language")),
        facets=list(dict.fromkeys([*_of_item(item), *own])),
        title=subject,
        text=text,
        # What was understood of it in other words than its own.
        beside=" ".join(f"{signal.summary} {signal.implicit_need or ''}" for signal in signals),
    )


def _signal(item: RawItem, signal: Signal) -> Entry:
    said = " … ".join(str(quote) for quote in signal.evidence)
    return Entry(
        id=signal.id,
        kind=Kind.SIGNAL,
        raw_item_id=item.id,
        at=item.source_created_at,
        language=_language(str(item.content["text"]), item.content.get("language")),
        facets=[*_of_item(item), *_of_signal(signal)],
        title=signal.summary,
        text=said,
        beside=signal.implicit_need or "",
    )


def _of_item(item: RawItem) -> list[str]:
    plan = item.principal.plan if item.principal else ""
    return facets(source=[item.source_type], plan=[plan])


def _of_signal(signal: Signal) -> list[str]:
    return facets(
        type=[signal.signal_type],
        sentiment=[signal.sentiment or ""],
        urgency=[signal.urgency or ""],
        board=[str(signal.board_id or "")],
    )


def _themes(ids: Iterable[UUID]) -> list[Entry]:
    themes = Theme.objects.filter(id__in=list(ids), status=ThemeStatus.ACTIVE).order_by("id")
    plans = _plans([theme.id for theme in themes])
    return [
        Entry(
            id=theme.id,
            kind=Kind.THEME,
            raw_item_id=None,
            at=theme.last_signal_at or theme.created_at,
            language=_language(f"{theme.title} {theme.summary}", None),
            facets=facets(
                board=[str(theme.board_id or "")],
                type=list(theme.type_distribution or ()),
                sentiment=list(theme.sentiment_distribution or ()),
                urgency=list(theme.urgency_distribution or ()),
                source=list(theme.source_distribution or ()),
                plan=plans[theme.id],
            ),
            title=theme.title,
            text=theme.summary,
        )
        for theme in themes
    ]


def _plans(theme_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """The plans of the people who spoke to each theme."""
    said = Signal.objects.filter(theme_id__in=theme_ids).exclude(raw_feedback_item__principal=None)
    found: dict[UUID, list[str]] = defaultdict(list)
    for theme_id, plan in said.values_list("theme_id", "raw_feedback_item__principal__plan").distinct():
        if theme_id and plan:
            found[theme_id].append(plan)
    return found


def _posts(ids: Iterable[UUID]) -> list[Entry]:
    posts = Post.objects.filter(id__in=list(ids), canonical_post=None).order_by("id")
    return [
        Entry(
            id=post.id,
            kind=Kind.POST,
            raw_item_id=None,
            at=post.created_at,
            language=_language(f"{post.title} {post.body}", None),
            facets=facets(board=[str(post.board_id)]),
            title=post.title,
            text=post.body,
            beside=post.official_response,
        )
        for post in posts
    ]


def facets(**values: Sequence[str]) -> list[str]:
    """What something can be narrowed to, as entries hold it; what is empty is left out."""
    return [f"{name}:{value}" for name, several in sorted(values.items()) for value in several if value]


def _language(text: str, stated: object) -> str:
    return configuration_of(language_of(text[:TELLING]), stated if isinstance(stated, str) else None)


_WORDS = " || ".join(
    [
        "setweight(to_tsvector({0}, n.title), 'A')",
        "setweight(to_tsvector({0}, n.text), 'B')",
        "to_tsvector({0}, n.beside)",
    ]
)
_MIXED = " || ".join(_WORDS.format(f"'{name}'::regconfig") for name in LIKELY)
_STORE = f"""
    INSERT INTO search_entry (id, created_at, workspace_id, kind, raw_item_id, at, language, facets, words)
    SELECT n.id, now(), nullif(current_setting('{SETTING}', true), '')::uuid, n.kind, n.raw_item_id, n.at, n.language,
           ARRAY (SELECT jsonb_array_elements_text(n.facets::jsonb)),
           CASE n.language WHEN '{UNTOLD}' THEN {_MIXED} ELSE {_WORDS.format("n.language::regconfig")} END
    FROM unnest(%s::uuid[], %s::text[], %s::uuid[], %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::text[],
                %s::text[]) AS n (id, kind, raw_item_id, at, language, facets, title, text, beside)
    ON CONFLICT (id) DO UPDATE SET at = excluded.at, language = excluded.language, facets = excluded.facets,
        words = excluded.words, created_at = excluded.created_at
"""  # noqa: S608 - put together from our own names alone


def _write(entries: Sequence[Entry]) -> None:
    ordered = sorted(entries, key=lambda entry: entry.id)
    columns: list[Any] = [
        [entry.id for entry in ordered],
        [entry.kind.value for entry in ordered],
        [entry.raw_item_id for entry in ordered],
        [entry.at for entry in ordered],
        [entry.language for entry in ordered],
        [json.dumps(entry.facets) for entry in ordered],
        [entry.title for entry in ordered],
        [entry.text for entry in ordered],
        [entry.beside for entry in ordered],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_STORE, columns)
