"""Upkeep: every night it proposes what would make the themes better. It moves nothing; a person decides, or a setting.

What people said before is kept to: signals they placed are not moved, themes they told apart are not joined, and what
they declined is not proposed again.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pgvector.django import CosineDistance

from tellback.kernel.errors import Conflict, Invalid
from tellback.platform.jobs import Queue, defer_once
from tellback.sdk.engine import Engine
from tellback.themes import rules
from tellback.themes.changes import OPEN, carry_out
from tellback.themes.models import ChangeKind, ChangeState, Theme, ThemeChange, ThemeSpace, ThemeStatus
from tellback.themes.regrouping import Regrouping, regroup
from tellback.themes.services import load_space
from tellback.understanding.models import CorrectedField, Correction, Signal
from tellback.workspaces.models import Principal, Workspace

#: Signals that are compared in one night, and of one theme: the latest of each.
COMPARED = 20_000
OF_ONE_THEME = 300
#: A theme that nobody spoke to for so long, and that was never promoted, may be put away.
QUIET_FOR = timedelta(days=180)
PROPOSED_AT_ONCE = 60


#: What the workspace's settings call it.
SETTING = "themes"


def accepts_itself(workspace: Workspace) -> bool:
    """Whether proposals of this workspace are carried out without asking."""
    return bool((workspace.settings.get(SETTING) or {}).get("accepts_itself"))


@transaction.atomic
def set_accepts_itself(*, workspace_id: UUID, accepts: bool) -> None:
    """Set whether proposals are carried out without asking."""
    workspace = Workspace.objects.select_for_update().get(pk=workspace_id)
    kept = workspace.settings.get(SETTING) or {}
    workspace.settings = {**workspace.settings, SETTING: {**kept, "accepts_itself": accepts}}
    workspace.save(update_fields=["settings", "updated_at"])


@dataclass(frozen=True, slots=True)
class _Known:
    """The open themes with a sample of their signals, row by row."""

    themes: list[Theme]
    signal_ids: list[UUID]
    rows: list[int]
    vectors: rules.Matrix
    space: rules.Space

    def in_public(self, row: int) -> dict[str, str]:
        return {str(self.signal_ids[row]): str(self.themes[self.rows[row]].pk)}


@transaction.atomic
def propose_changes(*, workspace_id: UUID, engine: Engine, now: datetime) -> list[ThemeChange]:
    """Work out what would make the themes better, and store it as proposals. Safe to repeat.

    A proposal that still holds keeps its id; one that does not is removed. Better titles are proposed when a theme is
    put into words (`services.refresh_themes`), not here.
    """
    known = _load(engine)
    found = [] if known is None else list(_regroupings(known))
    found += _quiet_themes(now)
    wanted = {_key(change): change for change in found}
    standing = ThemeChange.objects.select_for_update().filter(state=ChangeState.PROPOSED)
    for old in standing.exclude(kind=ChangeKind.RENAME).order_by("id"):
        if wanted.pop(_key(old), None) is None:
            old.delete()
    refused = ThemeChange.objects.filter(state__in=[ChangeState.DECLINED, ChangeState.UNDONE])
    said_no = {_key(old) for old in refused}
    fresh = [change for key, change in wanted.items() if key not in said_no]
    for change in fresh:
        change.workspace_id, change.state = workspace_id, ChangeState.PROPOSED
        change.proposed_by, change.created_at = engine.identity.model, now
    ThemeChange.objects.bulk_create(fresh)
    return list(ThemeChange.objects.filter(state=ChangeState.PROPOSED).order_by("created_at", "id"))


def accept_proposal(*, change: ThemeChange, actor: Principal | None, now: datetime) -> ThemeChange:
    """Do what is proposed. Raises `Conflict` when it was decided already or its themes are not as they were."""
    with transaction.atomic():
        change = ThemeChange.objects.select_for_update().get(pk=change.pk)
        if change.state != ChangeState.PROPOSED:
            raise Conflict(_("This was decided already."))
        carry_out(change, actor=actor, now=now)
    return change


@transaction.atomic
def decline_proposal(*, change: ThemeChange, actor: Principal | None, now: datetime) -> None:
    """Say no: it is not proposed again. Raises `Conflict` when it was decided already."""
    decided = ThemeChange.objects.filter(pk=change.pk, state=ChangeState.PROPOSED).update(
        state=ChangeState.DECLINED, actor=actor, decided_at=now
    )
    if not decided:
        raise Conflict(_("This was decided already."))


def accept_all(*, proposals: Sequence[ThemeChange], now: datetime) -> int:
    """Do what is proposed, for workspaces that want no questions; what no longer fits is left. Returns how many."""
    done = 0
    for change in proposals:
        try:
            accept_proposal(change=change, actor=None, now=now)
        except (Conflict, Invalid):
            continue
        done += 1
    return done


@transaction.atomic
def count_all_anew(*, workspace_id: UUID) -> int:
    """Have every shown theme counted anew, for strength fades, and plans and revenue change; returns how many."""
    count = Theme.objects.filter(status=ThemeStatus.ACTIVE).update(is_stale=True)
    defer_once("themes.refresh", queue=Queue.AI, workspace_id=workspace_id)
    return count


def _key(change: ThemeChange) -> tuple[str, str, str, str]:
    """What makes two proposals the same: signals that came since do not make it another one."""
    pair = sorted(str(one) for one in (change.theme_id, change.into_theme_id) if one)
    if change.kind == ChangeKind.MERGE:
        return change.kind, pair[0], pair[-1], ""
    into = "" if change.before.get("founded") else str(change.into_theme_id or "")
    first = "" if into else min(change.moves, default="")
    return change.kind, str(change.theme_id), into, first


def _load(engine: Engine) -> _Known | None:
    model = engine.identity.embedding_model
    stored = ThemeSpace.objects.filter(embedding_model=model).first()
    themes = list(Theme.objects.filter(status__in=OPEN, centroid_model=model).order_by("id"))
    if stored is None or not themes:
        return None
    numbers = {theme.pk: number for number, theme in enumerate(themes)}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id FROM (
                SELECT id, row_number() OVER (PARTITION BY theme_id ORDER BY id DESC) AS nth FROM feedback_signals
                WHERE theme_id = ANY(%s) AND embedding_model = %s AND embedding IS NOT NULL AND note = ''
            ) AS latest WHERE nth <= %s ORDER BY id DESC LIMIT %s
            """,
            [list(numbers), model, OF_ONE_THEME, COMPARED],
        )
        ids = [row[0] for row in cursor.fetchall()]
    signals = list(Signal.objects.filter(id__in=ids).order_by("id").values_list("id", "theme_id", "embedding"))
    if not signals:
        return None
    return _Known(
        themes=themes,
        signal_ids=[signal_id for signal_id, _theme, _vector in signals],
        rows=[numbers[theme_id] for _signal, theme_id, _vector in signals if theme_id],
        vectors=np.array([vector for _signal, _theme, vector in signals], dtype=np.float32),
        space=load_space(stored),
    )


def _regroupings(known: _Known) -> Iterator[ThemeChange]:
    sizes = Counter(known.rows)
    found = regroup(
        known.vectors,
        known.rows,
        known.space,
        alone={number for number, count in sizes.items() if count == 1},
        kept=_placed_by_people(known),
        apart=_told_apart(known),
    )
    for one in found:
        change = _proposal(one, known)
        if change is not None:
            yield change


def _placed_by_people(known: _Known) -> set[int]:
    placed = set(
        Correction.objects.filter(
            field=CorrectedField.THEME, undone_at=None, signal_id__in=known.signal_ids
        ).values_list("signal_id", flat=True)
    )
    return {row for row, signal_id in enumerate(known.signal_ids) if signal_id in placed}


def _told_apart(known: _Known) -> set[tuple[int, int]]:
    """Pairs of themes between which people moved signals, or whose merge they declined or took back."""
    numbers = {str(theme.pk): number for number, theme in enumerate(known.themes)}
    moved = Correction.objects.filter(field=CorrectedField.THEME, undone_at=None)
    pairs = [(str(one), str(other)) for one, other in moved.values_list("previous_value", "new_value")]
    refused = ThemeChange.objects.filter(
        kind=ChangeKind.MERGE, state__in=[ChangeState.DECLINED, ChangeState.UNDONE]
    ).values_list("theme_id", "into_theme_id")
    split = ThemeChange.objects.filter(kind=ChangeKind.SPLIT, state=ChangeState.DONE).values_list(
        "theme_id", "into_theme_id"
    )
    pairs += [(str(one), str(other)) for one, other in [*refused, *split]]
    return {
        (min(numbers[one], numbers[other]), max(numbers[one], numbers[other]))
        for one, other in pairs
        if one in numbers and other in numbers
    }


def _proposal(found: Regrouping, known: _Known) -> ThemeChange | None:
    moves = {key: value for row in found.members for key, value in known.in_public(row).items()}
    count = len(found.members)
    into = None if found.into is None else known.themes[found.into]
    first = known.themes[found.sources[0]]
    if found.kind == "merge":
        assert into
        first, into = _smaller_first(first, into)
        reason = _("Most of “%(theme)s” is said like “%(into)s”.") % {"theme": first.title, "into": into.title}
        return ThemeChange(kind=ChangeKind.MERGE, theme=first, into_theme=into, reason=reason)
    if found.kind == "split":
        moves |= _beyond_the_sample(found, known)
        count = len(moves)
        reason = (
            ngettext("%d signal of it is about something else.", "%d signals of it are about something else.", count)
            % count
        )
        title = "" if into else _shortest(found, known)
        return ThemeChange(kind=ChangeKind.SPLIT, theme=first, into_theme=into, moves=moves, reason=reason, title=title)
    target = into or first
    moves = {signal_id: origin for signal_id, origin in moves.items() if origin != str(target.pk)}
    reason = (
        ngettext("%d signal stands alone, and is like it.", "%d signals stand alone, and are alike.", count) % count
    )
    return ThemeChange(kind=ChangeKind.GATHER, theme=target, moves=moves, reason=reason)


def _beyond_the_sample(found: Regrouping, known: _Known) -> dict[str, str]:
    """Of a theme larger than what was compared of it, the other signals that are nearer to the part that leaves.

    What people placed stays.
    """
    theme = known.themes[found.sources[0]]
    own = [row for row, number in enumerate(known.rows) if number == found.sources[0]]
    if theme.signal_count <= len(own):
        return {}
    staying = sorted(set(own) - set(found.members))
    part, rest = (known.vectors[rows].mean(axis=0) for rows in (list(found.members), staying))
    compared = [known.signal_ids[row] for row in own]
    placed = Correction.objects.filter(field=CorrectedField.THEME, undone_at=None, signal=OuterRef("pk"))
    nearer = (
        Signal.objects.filter(theme_id=theme.pk, embedding_model=theme.centroid_model, note="")
        .exclude(id__in=compared)
        .exclude(Exists(placed))
        .alias(to_part=CosineDistance("embedding", part), to_rest=CosineDistance("embedding", rest))
        .filter(to_part__lt=F("to_rest"))
    )
    return {str(signal_id): str(theme.pk) for signal_id in nearer.order_by("id").values_list("id", flat=True)}


def _smaller_first(one: Theme, other: Theme) -> tuple[Theme, Theme]:
    """Which goes into which: a promoted theme stays, else the larger, else the older."""
    ranked = sorted((one, other), key=lambda theme: (theme.promoted_to_post_id is not None, theme.signal_count))
    return ranked[0], ranked[1]


def _shortest(found: Regrouping, known: _Known) -> str:
    """What a new theme is called until a person or the engine says better: the shortest of its sentences."""
    ids = [known.signal_ids[row] for row in found.members]
    said = Signal.objects.filter(id__in=ids).exclude(summary="").values_list("summary", flat=True)
    return min(said, key=lambda words: (len(words), words), default="")[:200].rstrip(".")


def _quiet_themes(now: datetime) -> list[ThemeChange]:
    quiet = Theme.objects.filter(
        status__in=OPEN, promoted_to_post_id=None, last_signal_at__lt=now - QUIET_FOR, children=None
    )
    return [
        ThemeChange(
            kind=ChangeKind.ARCHIVE, theme=theme, reason=_("Nobody spoke of it for %d days.") % (now - heard).days
        )
        for theme in quiet.order_by("last_signal_at", "id")[:PROPOSED_AT_ONCE]
        if (heard := theme.last_signal_at)
    ]
