"""Changes of themes as a whole: merge, split, gather, rename, put inside, archive. Each is recorded, and undoable.

Ids never change: a merged theme stays and points to its successor, and what hangs on it follows.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from tellback.kernel.errors import Conflict, FieldError, Invalid, NotFound
from tellback.kernel.ids import new_id
from tellback.platform.jobs import Queue, defer, defer_once
from tellback.themes.corrections import Said, recentre, record_moves, take_moves_back
from tellback.themes.models import ChangeKind, ChangeState, Theme, ThemeChange, ThemeStatus
from tellback.understanding.models import Signal
from tellback.workspaces.models import Principal

OPEN = (ThemeStatus.CANDIDATE, ThemeStatus.ACTIVE)
LONGEST_TITLE = 200
#: Feedback whose score is worked out by one job.
RESCORED_AT_ONCE = 500
#: How many merges a chain may have.
DEEPEST = 20


@transaction.atomic
def merge_themes(
    *, into: Theme, others: Sequence[Theme], actor: Principal | None, reason: str = "", now: datetime
) -> list[ThemeChange]:
    """Make themes one: their signals and posts follow to `into`, and they point to it from now on.

    Raises `Conflict` when one of them is merged already, `Invalid` when there is nothing to merge.
    """
    others = [theme for theme in others if theme.pk != into.pk]
    if not others:
        raise Invalid(_("Choose at least one other theme."), errors=[FieldError("/themes", "is missing")])
    changes = [
        ThemeChange(
            workspace_id=into.workspace_id, kind=ChangeKind.MERGE, theme=theme, into_theme=into, reason=_short(reason)
        )
        for theme in others
    ]
    for change in changes:
        carry_out(change, actor=actor, now=now)
    return changes


@transaction.atomic
def split_theme(
    *, theme: Theme, signal_ids: Iterable[UUID], title: str, actor: Principal | None, reason: str = "", now: datetime
) -> ThemeChange:
    """Make a theme of its own of some of a theme's signals. Raises `Invalid` for none or all of them, or no title."""
    chosen = Signal.objects.filter(theme_id=theme.pk, id__in=list(signal_ids)).values_list("id", flat=True)
    change = ThemeChange(
        workspace_id=theme.workspace_id,
        kind=ChangeKind.SPLIT,
        theme=theme,
        title=_titled(title),
        moves={str(signal_id): str(theme.pk) for signal_id in chosen},
        reason=_short(reason),
    )
    carry_out(change, actor=actor, now=now)
    return change


@transaction.atomic
def rename_theme(*, theme: Theme, title: str, actor: Principal | None, now: datetime) -> ThemeChange:
    """Give a theme a title that stays. Raises `Invalid` without one, `Conflict` when it has that title."""
    change = ThemeChange(workspace_id=theme.workspace_id, kind=ChangeKind.RENAME, theme=theme, title=_titled(title))
    carry_out(change, actor=actor, now=now)
    return change


@transaction.atomic
def nest_theme(*, theme: Theme, inside: Theme | None, actor: Principal | None, now: datetime) -> ThemeChange:
    """Put a theme inside a larger one, or take it out. Raises `Invalid` for a circle or a third level."""
    change = ThemeChange(workspace_id=theme.workspace_id, kind=ChangeKind.NEST, theme=theme, into_theme=inside)
    carry_out(change, actor=actor, now=now)
    return change


@transaction.atomic
def archive_theme(*, theme: Theme, actor: Principal | None, now: datetime) -> ThemeChange:
    """Put a theme away: it gathers no more signals and leaves the list; nothing is deleted."""
    change = ThemeChange(workspace_id=theme.workspace_id, kind=ChangeKind.ARCHIVE, theme=theme)
    carry_out(change, actor=actor, now=now)
    return change


@transaction.atomic
def restore_theme(*, theme: Theme, now: datetime) -> None:
    """Bring an archived theme back."""
    Theme.objects.filter(pk=theme.pk, status=ThemeStatus.ARCHIVED).update(
        status=ThemeStatus.ACTIVE, updated_at=now, is_stale=True
    )
    ThemeChange.objects.filter(theme=theme, kind=ChangeKind.ARCHIVE, state=ChangeState.DONE).update(
        state=ChangeState.UNDONE, undone_at=now
    )


@transaction.atomic
def carry_out(change: ThemeChange, *, actor: Principal | None, now: datetime) -> None:
    """Do what a change says, and store it as done. Raises `Conflict` when the themes are no longer as it found them."""
    _lock(change)
    for one in (change.theme, change.into_theme):
        if one is not None and one.status not in OPEN:
            raise Conflict(_("“%s” is not open any more.") % one.title)
    change.actor = actor
    change.before = {"status": change.theme.status}
    _ACTS[ChangeKind(change.kind)](change, now)
    change.state, change.decided_at = ChangeState.DONE, now
    change.save()


@transaction.atomic
def undo_change(*, change: ThemeChange, now: datetime) -> Theme:
    """Take a change back; what people moved elsewhere since stays there. Returns the theme to look at.

    Raises `Conflict` when it was taken back already, or when a later change has to be taken back first.
    """
    change = ThemeChange.objects.select_for_update().get(pk=change.pk)
    if change.state != ChangeState.DONE:
        raise Conflict(_("This was taken back already."))
    _lock(change)
    for one in (change.into_theme, change.theme if change.kind != ChangeKind.MERGE else None):
        if one is not None and one.status == ThemeStatus.MERGED:
            raise Conflict(_("“%s” was merged since. Take that back first.") % one.title)
    _UNDO[ChangeKind(change.kind)](change, now)
    change.state, change.undone_at = ChangeState.UNDONE, now
    change.save(update_fields=["state", "undone_at"])
    return change.theme


def successor_of(theme: Theme) -> Theme:
    """What a theme was merged into in the end, or the theme itself."""
    for _step in range(DEEPEST):
        if theme.merged_into_theme is None:
            break
        theme = theme.merged_into_theme
    return theme


def _lock(change: ThemeChange) -> None:
    """Load the themes of a change as they are, their rows locked in the order in which everybody locks them."""
    wanted = {one for one in (change.theme_id, change.into_theme_id) if one}
    moved = {UUID(theme_id) for theme_id in change.moves.values()}
    rows = {row.pk: row for row in Theme.objects.select_for_update().filter(pk__in=wanted | moved).order_by("id")}
    if not wanted <= set(rows):
        raise NotFound(_("This theme does not exist."))
    change.theme = rows[change.theme_id]
    change.into_theme = rows[change.into_theme_id] if change.into_theme_id else None


def _merge(change: ThemeChange, now: datetime) -> None:
    theme, into = change.theme, change.into_theme
    assert into
    own = Signal.objects.filter(theme_id=theme.pk).values_list("id", flat=True)
    change.moves = {str(signal_id): str(theme.pk) for signal_id in own}
    change.before["parent"] = str(theme.parent_theme_id) if theme.parent_theme_id else None
    change.before["children"] = [str(child) for child in theme.children.values_list("id", flat=True)]
    change.before["brought_post"] = bool(theme.promoted_to_post_id) and into.promoted_to_post_id is None
    _move(change.moves, into.pk, now)
    if into.parent_theme_id == theme.pk:
        Theme.objects.filter(pk=into.pk).update(parent_theme=None)
        into.parent_theme = None
    theme.children.exclude(pk=into.pk).update(parent_theme=into.parent_theme_id or into.pk)
    if change.before["brought_post"]:
        Theme.objects.filter(pk=into.pk).update(
            promoted_to_post_id=theme.promoted_to_post_id, promoted_at=theme.promoted_at
        )
    _become(theme, into, now)
    Theme.objects.filter(pk=into.pk, status=ThemeStatus.CANDIDATE, signal_count__gt=1).update(status=ThemeStatus.ACTIVE)
    defer_once("boards.follow_themes", queue=Queue.EFFECTS, workspace_id=theme.workspace_id)


def _undo_merge(change: ThemeChange, now: datetime) -> None:
    theme, into = change.theme, change.into_theme
    assert into
    Theme.objects.filter(pk=theme.pk).update(
        status=change.before["status"], merged_into_theme=None, parent_theme=change.before["parent"], updated_at=now
    )
    Theme.objects.filter(pk__in=change.before["children"]).exclude(pk=theme.pk).update(parent_theme=theme)
    _move_back(change.moves, into.pk, now)
    if change.before["brought_post"]:
        Theme.objects.filter(pk=into.pk, promoted_to_post_id=theme.promoted_to_post_id).update(
            promoted_to_post_id=None, promoted_at=None
        )
    defer_once("boards.follow_themes", queue=Queue.EFFECTS, workspace_id=theme.workspace_id)


def _split(change: ThemeChange, now: datetime) -> None:
    theme, into = change.theme, change.into_theme
    still = {UUID(one) for one in change.moves}
    leaving = Signal.objects.filter(id__in=still, theme_id=theme.pk)
    change.moves = {str(signal_id): str(theme.pk) for signal_id in leaving.values_list("id", flat=True)}
    if not change.moves:
        raise Invalid(
            _("Choose the signals that are about something else."), errors=[FieldError("/signals", "is missing")]
        )
    if not Signal.objects.filter(theme_id=theme.pk).exclude(id__in=still).exists():
        raise Invalid(_("At least one signal has to stay."), errors=[FieldError("/signals", "are all of them")])
    change.before["founded"] = into is None
    if into is None:
        into = _found(theme, change.title, now)
        change.into_theme = into
    if change.actor is not None:
        said = Said(change.actor, change.reason, now)
        record_moves(signal_ids=[UUID(one) for one in change.moves], theme_id=into.pk, said=said)
    _move(change.moves, into.pk, now)


def _gather(change: ThemeChange, now: datetime) -> None:
    """Signals that stood alone join `theme`, unless they have found a place since."""
    theme = change.theme
    alone = Signal.objects.filter(id__in=[UUID(one) for one in change.moves])
    there = {str(signal_id): str(theme_id) for signal_id, theme_id in alone.values_list("id", "theme_id")}
    change.moves = {one: origin for one, origin in change.moves.items() if there.get(one) == origin}
    if not change.moves:
        raise Conflict(_("These signals have found a place since."))
    _move(change.moves, theme.pk, now)
    emptied = Theme.objects.filter(pk__in={UUID(one) for one in change.moves.values()} - {theme.pk}, signal_count=0)
    for one in emptied:
        _become(one, theme, now)
    if theme.status == ThemeStatus.CANDIDATE:
        Theme.objects.filter(pk=theme.pk).update(status=ThemeStatus.ACTIVE)


def _undo_moves(change: ThemeChange, now: datetime) -> None:
    """Of a split or a gathering. A theme that was made by it, and is empty now, leads to the one it was made of."""
    theme, into = change.theme, change.into_theme
    gained = into if change.kind == ChangeKind.SPLIT else theme
    assert gained
    origins = {UUID(one) for one in change.moves.values()} - {gained.pk}
    Theme.objects.filter(pk__in=origins, status=ThemeStatus.MERGED, merged_into_theme=gained).update(
        status=change.before["status"] if change.kind == ChangeKind.SPLIT else ThemeStatus.CANDIDATE,
        merged_into_theme=None,
        updated_at=now,
    )
    moves = dict(change.moves)
    if change.kind == ChangeKind.SPLIT and change.decided_at:
        read_again = take_moves_back(theme_id=gained.pk, said_at=change.decided_at, now=now)
        moves |= {str(signal_id): str(theme.pk) for signal_id in read_again}
    _move_back(moves, gained.pk, now)
    if change.kind == ChangeKind.GATHER and change.before["status"] == ThemeStatus.CANDIDATE:
        Theme.objects.filter(pk=theme.pk, signal_count__lte=1).update(status=ThemeStatus.CANDIDATE)
    if change.before.get("founded") and not Signal.objects.filter(theme_id=gained.pk).exists():
        _become(gained, theme, now)


def _rename(change: ThemeChange, now: datetime) -> None:
    theme = change.theme
    if theme.title == change.title:
        raise Conflict(_("It has this title already."))
    change.before |= {"title": theme.title, "title_is_manual": theme.title_is_manual}
    Theme.objects.filter(pk=theme.pk).update(title=change.title, title_is_manual=True, updated_at=now)


def _undo_rename(change: ThemeChange, now: datetime) -> None:
    theme = change.theme
    if theme.title != change.title:
        raise Conflict(_("It was given another title since. Take that back first."))
    Theme.objects.filter(pk=theme.pk).update(
        title=change.before["title"], title_is_manual=change.before["title_is_manual"], updated_at=now
    )


def _nest(change: ThemeChange, now: datetime) -> None:
    theme, into = change.theme, change.into_theme
    change.before["parent"] = str(theme.parent_theme_id) if theme.parent_theme_id else None
    if theme.parent_theme_id == (into.pk if into else None):
        raise Conflict(_("It is there already."))
    if into is not None and (into.pk == theme.pk or into.parent_theme_id or theme.children.exists()):
        raise Invalid(_("Themes go one level deep: choose one that is not inside another, for one that holds none."))
    Theme.objects.filter(pk=theme.pk).update(parent_theme=into, updated_at=now)


def _undo_nest(change: ThemeChange, now: datetime) -> None:
    Theme.objects.filter(pk=change.theme_id).update(parent_theme=change.before["parent"], updated_at=now)


def _archive(change: ThemeChange, now: datetime) -> None:
    Theme.objects.filter(pk=change.theme_id).update(status=ThemeStatus.ARCHIVED, updated_at=now)


def _undo_archive(change: ThemeChange, now: datetime) -> None:
    Theme.objects.filter(pk=change.theme_id, status=ThemeStatus.ARCHIVED).update(
        status=change.before["status"], updated_at=now, is_stale=True
    )


_ACTS = {
    ChangeKind.MERGE: _merge,
    ChangeKind.SPLIT: _split,
    ChangeKind.GATHER: _gather,
    ChangeKind.RENAME: _rename,
    ChangeKind.NEST: _nest,
    ChangeKind.ARCHIVE: _archive,
}
_UNDO = {
    ChangeKind.MERGE: _undo_merge,
    ChangeKind.SPLIT: _undo_moves,
    ChangeKind.GATHER: _undo_moves,
    ChangeKind.RENAME: _undo_rename,
    ChangeKind.NEST: _undo_nest,
    ChangeKind.ARCHIVE: _undo_archive,
}


def _found(theme: Theme, title: str, now: datetime) -> Theme:
    return Theme.objects.create(
        id=new_id(),
        workspace_id=theme.workspace_id,
        title=title,
        title_is_manual=True,
        summary=title,
        status=ThemeStatus.ACTIVE,
        centroid_embedding=theme.centroid_embedding,
        centroid_model=theme.centroid_model,
        centroid_updated_at=now,
        board_id=theme.board_id,
        parent_theme_id=theme.parent_theme_id,
    )


def _become(theme: Theme, into: Theme, now: datetime) -> None:
    Theme.objects.filter(pk=theme.pk).update(
        status=ThemeStatus.MERGED, merged_into_theme=into, parent_theme=None, updated_at=now
    )


def _move(moves: Mapping[str, str], into: UUID, now: datetime) -> None:
    """Put signals into one theme, with everything that is counted from them."""
    ids = [UUID(one) for one in moves]
    Signal.objects.filter(id__in=ids).update(theme_id=into, theme_similarity=None, needs_review=False, updated_at=now)
    _settle(ids, {UUID(theme_id) for theme_id in moves.values()} | {into}, now)


def _move_back(moves: Mapping[str, str], gone_to: UUID, now: datetime) -> None:
    origins: dict[str, list[UUID]] = defaultdict(list)
    for signal_id, theme_id in moves.items():
        origins[theme_id].append(UUID(signal_id))
    for theme_id, ids in origins.items():
        Signal.objects.filter(id__in=ids, theme_id=gone_to).update(theme_id=UUID(theme_id), updated_at=now)
    _settle([UUID(one) for one in moves], {UUID(theme_id) for theme_id in origins} | {gone_to}, now)


def _settle(signal_ids: Sequence[UUID], theme_ids: Iterable[UUID], now: datetime) -> None:
    for theme_id in sorted(theme_ids):
        recentre(theme_id, now=now)
    items = Signal.objects.filter(id__in=signal_ids).values_list("workspace_id", "raw_feedback_item_id").distinct()
    found = sorted({(workspace, str(item)) for workspace, item in items})
    if not found:
        return
    workspace_id = found[0][0]
    defer_once("themes.refresh", queue=Queue.AI, workspace_id=workspace_id)
    for start in range(0, len(found), RESCORED_AT_ONCE):
        some = [item for _workspace, item in found[start : start + RESCORED_AT_ONCE]]
        defer("triage.rescore", queue=Queue.INGEST, workspace_id=workspace_id, item_ids=some)


def _titled(title: str) -> str:
    title = " ".join(title.split())[:LONGEST_TITLE]
    if not title:
        raise Invalid(_("Give it a title."), errors=[FieldError("/title", "is missing")])
    return title


def _short(text: str) -> str:
    return " ".join(text.split())[:1000]
