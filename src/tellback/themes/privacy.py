"""What themes hold of a person: nothing that is theirs, but titles and summaries that may quote them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Q

from tellback.intake.subjects.holders import Holding, Record, holds
from tellback.intake.subjects.scrubbing import Scrubber
from tellback.intake.subjects.subject import Subject
from tellback.platform.jobs import Queue, defer_once
from tellback.platform.tenancy import current_workspace_id
from tellback.themes.models import (
    UNDER_WAY,
    ChangeKind,
    ChangeState,
    Replay,
    ReplaySignal,
    Theme,
    ThemeChange,
    ThemeSpace,
    ThemeStatus,
)
from tellback.themes.replay.shadow import drop_shadow
from tellback.themes.services import recount_themes
from tellback.understanding.models import Signal

UNTITLED = "Erased"


def _list(subject: Subject) -> Iterator[Record]:
    ids = Signal.objects.filter(raw_feedback_item__in=subject.item_ids).values("theme_id")
    for theme in Theme.objects.filter(id__in=ids, status=ThemeStatus.ACTIVE).order_by("id"):
        yield Record("theme", theme.public_id, {"title": theme.title})


def _erase(subject: Subject, now: datetime) -> Mapping[str, int]:
    """Themes with words of theirs are put into other people's words, at once; better ones follow by a job."""
    touched = Signal.objects.filter(raw_feedback_item__in=subject.item_ids).exclude(theme_id=None)
    ids = [one for one in touched.values_list("theme_id", flat=True).distinct() if one]
    gone = list(touched.exclude(embedding=None).values_list("embedding", flat=True))
    if gone:
        ThemeSpace.objects.filter(last_embedding__in=gone).update(last_embedding=None)
    for theme in Theme.objects.select_for_update().filter(id__in=ids).order_by("id"):
        _reword(theme, subject, now)
    if ids:
        defer_once("themes.refresh", queue=Queue.AI, workspace_id=subject.workspace_id)
    scrubber = Scrubber(subject)
    return {
        "replay_signals": _forget_shadow(subject.item_ids, now),
        "themes": len(ids) + scrubber.rows("feedback_themes", ["title", "summary"]),
        "theme_changes": _forget_words(ids) + scrubber.rows("feedback_theme_changes", ["title", "reason"]),
    }


def _forget_shadow(item_ids: Sequence[UUID], now: datetime) -> int:
    """A shadow with words of theirs goes whole: its titles and centres are made of them too. It can be made again."""
    held = ReplaySignal.objects.filter(raw_feedback_item__in=item_ids)
    count = held.count()
    for replay in Replay.objects.select_for_update().filter(id__in=held.values("replay"), state__in=UNDER_WAY):
        drop_shadow(replay, now=now)
    return count


def _forget_words(theme_ids: Sequence[UUID]) -> int:
    """Titles that a theme had, or was to get, may be their words: only what moved where is kept."""
    touched = ThemeChange.objects.filter(Q(theme_id__in=theme_ids) | Q(into_theme_id__in=theme_ids))
    worded = touched.filter(Q(kind=ChangeKind.RENAME) | Q(state=ChangeState.PROPOSED))
    forgotten, _per_model = worded.delete()
    return forgotten + touched.update(title="", reason="")


def _reword(theme: Theme, subject: Subject, now: datetime) -> None:
    others = Signal.objects.filter(theme_id=theme.id).exclude(raw_feedback_item__in=subject.item_ids)
    said = others.exclude(summary="").order_by("created_at", "id").values_list("summary", flat=True).first()
    theme.summary = said or ""
    if not theme.title_is_manual:
        theme.title = said or UNTITLED
    theme.centroid_embedding = _centre(theme.id, subject.item_ids)
    theme.described_at_count, theme.is_stale, theme.updated_at = 0, True, now
    if theme.centroid_embedding is None and theme.status in {ThemeStatus.ACTIVE, ThemeStatus.CANDIDATE}:
        theme.status = ThemeStatus.ARCHIVED
    theme.save()


def _centre(theme_id: UUID, without: tuple[UUID, ...]) -> object:
    """The mean of what is left, or None: what was erased must not be read back from the centre."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT avg(embedding)::text FROM feedback_signals WHERE theme_id = %s AND raw_feedback_item_id <> ALL(%s)",
            [theme_id, list(without)],
        )
        found = cursor.fetchone()[0]
    return [float(part) for part in found.strip("[]").split(",")] if found else None


def _forget(item_ids: Sequence[UUID]) -> None:
    ReplaySignal.objects.filter(raw_feedback_item__in=item_ids).delete()
    recount_themes(workspace_id=current_workspace_id(), item_ids=item_ids)


holds(Holding("themes", _list, _erase, forget=_forget))
