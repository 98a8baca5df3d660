"""Taking a shadow over: signals item by item in short transactions, then the themes' words. Steps may be repeated."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import numpy as np
from django.utils.translation import gettext as _

from tellback.intake.models import ItemState, RawItem
from tellback.platform.bulk import update_rows
from tellback.platform.jobs import Queue, defer, defer_once
from tellback.themes.candidates import OPEN
from tellback.themes.corrections import recentre
from tellback.themes.models import Replay, ReplaySignal, ReplayState, ReplayTheme, Theme, ThemeSpace, ThemeStatus
from tellback.themes.precedents import Precedents
from tellback.themes.replay.grouping import space_of
from tellback.themes.replay.shadow import CONTENT, Pair, as_signal, fill, next_items, pair_up, successors
from tellback.understanding.models import Signal, SignalState

WRITTEN = (
    *CONTENT, "board_id", "theme_id", "embedding", "embedding_model", "embedding_updated_at", "position",
    "processing_state", "updated_at",
)  # fmt: skip
#: Positions are moved out of the way by this much, since no two signals of an item may share one at any instant.
ASIDE = 10_000


def adopt_some(replay: Replay, *, most: int, now: datetime) -> None:
    """Replace the signals of the next items by the shadow's; after the last, finish. One transaction, the caller's.

    A signal that says the same words keeps its id, so that corrections, changes of themes and links stay with it. What
    people put right since the shadow was made holds too.
    """
    items = next_items(replay, most=most)
    if not items:
        _finish(replay, now)
        return
    free = RawItem.objects.select_for_update(of=("self",)).filter(
        id__in=[item.id for item in items], processing_state=ItemState.COMPLETED
    )
    ids = sorted(free.values_list("id", flat=True))
    _replace(replay, ids, now)
    replay.cursor, replay.done_count = items[-1].id, replay.done_count + len(items)
    if ids:
        texts = [str(item_id) for item_id in ids]
        defer("triage.rescore", queue=Queue.INGEST, workspace_id=replay.workspace_id, item_ids=texts)


def _replace(replay: Replay, item_ids: Sequence[UUID], now: datetime) -> None:
    pairs = [pair for some in pair_up(replay, item_ids).values() for pair in some]
    themes = _real_themes(replay, pairs, now)
    precedents = Precedents.load(model=replay.embedding_model, item_ids=item_ids)
    space = space_of(replay)
    touched = {pair.before.theme_id for pair in pairs if pair.before}
    gone = [pair.before.id for pair in pairs if pair.before and pair.after is None]
    kept: list[Signal] = []
    made: list[Signal] = []
    for pair in pairs:
        if pair.after is None:
            continue
        signal = fill(pair.before, pair.after, now) if pair.before else as_signal(pair.after, now)
        signal.position, signal.processing_state = pair.after.position, SignalState.COMPLETED
        shadow = pair.after.shadow_theme_id
        signal.theme_id = themes.get(shadow) if shadow else None
        same = signal.embedding_model == replay.embedding_model
        precedents.hold(signal, np.asarray(signal.embedding, dtype=np.float32) if same else None, space)
        touched.add(signal.theme_id)
        (kept if pair.before else made).append(signal)
    Signal.objects.filter(id__in=gone).delete()
    _write(kept, made)
    precedents.save()
    for theme_id in sorted(theme for theme in touched if theme):
        recentre(theme_id, now=now)


def _write(kept: Sequence[Signal], made: Sequence[Signal]) -> None:
    places = [signal.position for signal in kept]
    for signal in kept:
        signal.position += ASIDE
    update_rows(kept, ["position"])
    for signal, place in zip(kept, places, strict=True):
        signal.position = place
    update_rows(kept, WRITTEN)
    Signal.objects.bulk_create(made)


def _real_themes(replay: Replay, pairs: Iterable[Pair], now: datetime) -> dict[UUID, UUID]:
    """The theme that each shadow theme of these signals is: as it was, what it was merged into since, or made now."""
    wanted: dict[UUID, ReplaySignal] = {}
    for pair in pairs:
        if pair.after is not None and pair.after.shadow_theme_id:
            wanted.setdefault(pair.after.shadow_theme_id, pair.after)
    shadows = list(replay.themes.filter(id__in=wanted).order_by("number"))
    today = successors(shadow.theme_id for shadow in shadows if shadow.theme_id)
    found = {}
    for shadow in shadows:
        if shadow.theme_id is None:
            found[shadow.id] = _make(replay, shadow, wanted[shadow.id], now)
        elif shadow.theme_id in today:
            found[shadow.id] = today[shadow.theme_id].id
    return found


def _make(replay: Replay, shadow: ReplayTheme, first: ReplaySignal, now: datetime) -> UUID:
    made = Theme.objects.create(
        workspace_id=replay.workspace_id,
        title=shadow.title,
        summary=shadow.summary,
        board_id=UUID(first.content["board_id"]) if first.content["board_id"] else None,
        status=ThemeStatus.ACTIVE if shadow.signal_count > 1 else ThemeStatus.CANDIDATE,
        described_at_count=shadow.signal_count if shadow.signal_count > 1 else 0,
        described_by=replay.model if shadow.signal_count > 1 else "",
        centroid_embedding=shadow.centroid_embedding,
        centroid_model=replay.embedding_model,
        centroid_updated_at=now,
    )
    shadow.theme = made
    shadow.save(update_fields=["theme"])
    return made.id


def _finish(replay: Replay, now: datetime) -> None:
    """The words of themes, their centres where the vectors are of another model now, and the end of the shadow."""
    shadows = list(replay.themes.exclude(theme=None).exclude(summary="").order_by("number"))
    themes = {theme.id: theme for theme in Theme.objects.select_for_update().filter(status__in=OPEN).order_by("id")}
    worded = []
    for shadow in shadows:
        theme = themes.get(shadow.theme_id) if shadow.theme_id else None
        if theme is None:
            continue
        theme.summary = shadow.summary
        theme.title = theme.title if theme.title_is_manual or not shadow.title else shadow.title
        theme.described_at_count, theme.described_by = theme.signal_count, replay.model
        theme.is_stale, theme.updated_at = True, now
        worded.append(theme)
    update_rows(worded, ["title", "summary", "described_at_count", "described_by", "is_stale", "updated_at"])
    ids = replay.themes.exclude(theme=None).values("theme")
    grown = Theme.objects.filter(id__in=ids, status=ThemeStatus.CANDIDATE, signal_count__gt=1)
    grown.update(status=ThemeStatus.ACTIVE, is_stale=True)
    _change_model(replay, themes.values(), now)
    replay.signals.all().delete()
    replay.themes.all().delete()
    replay.state, replay.cursor = ReplayState.ADOPTED, None
    defer_once("themes.refresh", queue=Queue.AI, workspace_id=replay.workspace_id)
    defer_once("boards.follow_themes", queue=Queue.EFFECTS, workspace_id=replay.workspace_id)


def _change_model(replay: Replay, themes: Iterable[Theme], now: datetime) -> None:
    """Where themes had centres in vectors of another model, give them centres in the replay's."""
    others = sorted(theme.id for theme in themes if theme.centroid_model != replay.embedding_model)
    own = Signal.objects.filter(theme_id__in=others, embedding_model=replay.embedding_model)
    changing = sorted({theme_id for theme_id in own.values_list("theme_id", flat=True) if theme_id})
    Theme.objects.filter(id__in=changing).update(centroid_model=replay.embedding_model)
    waiting = Signal.objects.filter(theme_id__in=changing).exclude(embedding=None)
    waiting.exclude(embedding_model=replay.embedding_model).update(
        theme_id=None, theme_similarity=None, theme_reason=_("It waits for its vector by the language model")
    )
    for theme_id in changing:
        recentre(theme_id, now=now)
    space = space_of(replay)
    ThemeSpace.objects.get_or_create(
        workspace_id=replay.workspace_id,
        embedding_model=replay.embedding_model,
        defaults={
            "mean_embedding": space.mean, "signal_count": space.count, "pair_count": space.pairs,
            "pair_mean": space.pair_mean, "pair_m2": space.pair_m2,
        },
    )  # fmt: skip
