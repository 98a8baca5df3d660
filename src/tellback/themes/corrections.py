"""What people put right about signals. It changes the signal at once; `precedents` keeps to it from then on."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from tellback.kernel.errors import Conflict, FieldError, Invalid, NotFound
from tellback.kernel.ids import new_id
from tellback.platform.jobs import Queue, defer, defer_once
from tellback.themes.models import Theme, ThemeStatus
from tellback.understanding.learning.services import CLASSES, learn_soon
from tellback.understanding.models import (
    CorrectedField,
    Correction,
    Sentiment,
    Signal,
    SignalState,
    SignalType,
    Urgency,
)
from tellback.workspaces.models import Principal

LONGEST_REASON = 1000
CHOICES: dict[str, Sequence[str]] = {
    CorrectedField.TYPE: SignalType.values,
    CorrectedField.SENTIMENT: Sentiment.values,
    CorrectedField.URGENCY: Urgency.values,
}
#: Columns of a signal that corrections touch.
TOUCHED = (
    "theme_id", "theme_similarity", "theme_reason", "needs_review", "signal_type", "sentiment", "urgency", "board_id",
    "processing_state",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """Who put something right, why, and when."""

    by: Principal
    why: str
    at: datetime
    is_check: bool = False


@transaction.atomic
def move_signal(*, signal_id: UUID, theme_id: UUID, actor: Principal, reason: str = "", now: datetime) -> Correction:
    """Put a signal into another theme. Raises `Conflict` when it is there already, `NotFound` for no such theme."""
    theme = _open_theme(theme_id)
    return _correct(signal_id, {CorrectedField.THEME: str(theme.id)}, Said(actor, reason, now))[0]


@transaction.atomic
def move_signal_to_new_theme(
    *, signal_id: UUID, title: str, actor: Principal, reason: str = "", now: datetime
) -> Correction:
    """Put a signal into a theme of its own with this title. Raises `Invalid` without one."""
    title = " ".join(title.split())[:200]
    if not title:
        raise Invalid(_("Give the new theme a title."), errors=[FieldError("/title", "is missing")])
    signal = _locked(signal_id)
    theme = Theme.objects.create(
        id=new_id(),
        workspace_id=signal.workspace_id,
        title=title,
        title_is_manual=True,
        summary=signal.summary,
        status=ThemeStatus.ACTIVE,
        centroid_embedding=signal.embedding,
        centroid_model=signal.embedding_model,
        centroid_updated_at=now,
        board_id=signal.board_id,
    )
    return _correct(signal_id, {CorrectedField.THEME: str(theme.id)}, Said(actor, reason, now))[0]


@transaction.atomic
def change_signal(
    *, signal_id: UUID, changes: dict[str, str], actor: Principal, reason: str = "", now: datetime
) -> list[Correction]:
    """Put right what a signal is: `signal_type`, `sentiment`, `urgency`, `board_id` (an id, or empty for none).

    What is the same already is left out. Raises `Conflict` when nothing is different, `Invalid` for a value that does
    not exist.
    """
    _check_choices(changes, allowed={*CHOICES, CorrectedField.BOARD})
    return _correct(signal_id, changes, Said(actor, reason, now))


@transaction.atomic
def dismiss_signal(*, signal_id: UUID, actor: Principal, reason: str = "", now: datetime) -> Correction:
    """Say that it is no feedback: it leaves its theme and is not counted there. The raw item stays as it is."""
    return _correct(signal_id, {CorrectedField.NOT_FEEDBACK: True}, Said(actor, reason, now))[0]


@transaction.atomic
def check_signal(
    *, signal_id: UUID, answers: dict[str, str], actor: Principal, reason: str = "", now: datetime
) -> list[Correction]:
    """Say what a signal is that was drawn at random: `signal_type` and `sentiment`, right or put right.

    What is the same as it stands is kept too: it is what accuracy is measured by. Raises `Invalid` for a value that
    does not exist, `Conflict` when this person was asked about it before.
    """
    _check_choices(answers, allowed={CorrectedField.TYPE, CorrectedField.SENTIMENT})
    before = Correction.objects.filter(signal_id=signal_id, is_check=True, corrected_by_principal=actor, undone_at=None)
    if before.exists():
        raise Conflict(_("You have said so already. Here is another one."))
    return _correct(signal_id, answers, Said(actor, reason, now, is_check=True))


@transaction.atomic
def confirm_signal(*, signal_id: UUID, now: datetime) -> None:
    """Say that an unsure signal is where it belongs."""
    signal = _locked(signal_id)
    Signal.objects.filter(pk=signal.pk).update(needs_review=False, updated_at=now)
    _recount(signal, signal.theme_id, now)


@transaction.atomic
def undo_correction(*, correction_id: UUID, now: datetime) -> Signal:
    """Take a correction back. Raises `Conflict` when it was, or when a later one changed the same thing."""
    correction = Correction.objects.select_for_update().filter(pk=correction_id).first()
    if correction is None or correction.signal_id is None:
        raise NotFound(_("What this was about is not there any more."))
    later = Correction.objects.filter(
        signal_id=correction.signal_id, field=correction.field, undone_at=None, created_at__gt=correction.created_at
    )
    if correction.undone_at is not None or later.exists():
        raise Conflict(_("It was taken back already, or changed again since."))
    signal = _locked(correction.signal_id)
    before = signal.theme_id
    if correction.field == CorrectedField.NOT_FEEDBACK:
        write_value(signal, CorrectedField.THEME, correction.previous_value, reason="")
    else:
        write_value(signal, correction.field, correction.previous_value, reason="")
    signal.save(update_fields=[*TOUCHED, "updated_at"])
    correction.undone_at = now
    correction.save(update_fields=["undone_at"])
    _recount(signal, before, now)
    if correction.field in CLASSES:
        learn_soon(workspace_id=signal.workspace_id)
    return signal


def record_moves(*, signal_ids: Sequence[UUID], theme_id: UUID, said: Said) -> None:
    """Keep that a person put these signals, which stay as they are here, into the theme."""
    signals = Signal.objects.filter(id__in=signal_ids).exclude(theme_id=theme_id).order_by("id")
    Correction.objects.bulk_create(
        _record(signal, CorrectedField.THEME, str(signal.theme_id) if signal.theme_id else None, str(theme_id), said)
        for signal in signals.iterator(chunk_size=500)
    )


def take_moves_back(*, theme_id: UUID, said_at: datetime, now: datetime) -> list[UUID]:
    """Forget that signals were put into the theme then; returns those that stand for them today."""
    moves = Correction.objects.filter(
        field=CorrectedField.THEME, new_value=str(theme_id), created_at=said_at, undone_at=None
    )
    signal_ids = [signal_id for signal_id in moves.values_list("signal_id", flat=True) if signal_id]
    moves.update(undone_at=now)
    return signal_ids


def _check_choices(values: dict[str, str], *, allowed: Collection[str]) -> None:
    for name, value in values.items():
        known = CHOICES.get(name)
        if name not in allowed or (known is not None and value not in known):
            raise Invalid(
                _("That cannot be chosen here."), errors=[FieldError(f"/{name}", "is not one of the choices")]
            )


def _open_theme(theme_id: UUID) -> Theme:
    """The theme, or what it was merged into."""
    theme = Theme.objects.filter(pk=theme_id).first()
    for _step in range(20):
        if theme is None or theme.merged_into_theme_id is None:
            break
        theme = Theme.objects.filter(pk=theme.merged_into_theme_id).first()
    if theme is None:
        raise NotFound(_("This theme does not exist."))
    return theme


def _locked(signal_id: UUID) -> Signal:
    signal = Signal.objects.select_for_update().filter(pk=signal_id).first()
    if signal is None:
        raise NotFound(_("This signal does not exist any more; its item may have been read again."))
    return signal


def _correct(signal_id: UUID, changes: dict[str, Any], said: Said) -> list[Correction]:
    signal = _locked(signal_id)
    before = signal.theme_id
    corrections = []
    for name, value in changes.items():
        previous = before if name == CorrectedField.NOT_FEEDBACK else getattr(signal, name)
        previous = str(previous) if isinstance(previous, UUID) else previous
        if not said.is_check and (previous == value or (not previous and not value)):
            continue
        corrections.append(_record(signal, name, previous, value, said))
        write_value(signal, name, value, reason=_("%s put it right") % said.by)
    if not corrections:
        raise Conflict(_("It is like that already."))
    signal.save(update_fields=[*TOUCHED, "updated_at"])
    Correction.objects.bulk_create(corrections)
    _recount(signal, before, said.at)
    if CLASSES.keys() & changes.keys():
        learn_soon(workspace_id=signal.workspace_id)
    return corrections


def _record(signal: Signal, name: str, previous: object, value: object, said: Said) -> Correction:
    of_extraction = name in {CorrectedField.TYPE, CorrectedField.NOT_FEEDBACK}
    return Correction(
        workspace_id=signal.workspace_id,
        raw_feedback_item_id=signal.raw_feedback_item_id,
        signal=signal,
        corrected_by_principal=said.by,
        field=name,
        previous_value=previous,
        new_value=value,
        reason=" ".join(said.why.split())[:LONGEST_REASON] or None,
        evidence_spans=signal.evidence_spans,
        embedding=signal.embedding,
        embedding_model=signal.embedding_model,
        model=signal.extraction_model if of_extraction else signal.interpretation_model,
        prompt_version=(signal.extraction_prompt_version if of_extraction else signal.interpretation_prompt_version),
        is_check=said.is_check,
        created_at=said.at,
    )


def write_value(signal: Signal, name: str, value: Any, *, reason: str) -> None:
    """Set what a correction of the field `name` says on a signal, without storing it."""
    if name == CorrectedField.NOT_FEEDBACK:
        signal.theme_id, signal.theme_reason = None, reason
    elif name in {CorrectedField.THEME, CorrectedField.BOARD}:
        setattr(signal, name, UUID(value) if value else None)
        if name == CorrectedField.THEME:
            signal.theme_reason = reason or None
    else:
        setattr(signal, name, value)
    if name in {CorrectedField.THEME, CorrectedField.NOT_FEEDBACK}:
        signal.theme_similarity, signal.needs_review = None, False
        signal.processing_state = SignalState.COMPLETED


def _recount(signal: Signal, before: UUID | None, now: datetime) -> None:
    """Give the theme that it left and the one it is in now their centres and figures, and its feedback its score."""
    for theme_id in sorted(theme for theme in {before, signal.theme_id} if theme):
        recentre(theme_id, now=now)
    defer_once("themes.refresh", queue=Queue.AI, workspace_id=signal.workspace_id)
    item_ids = [str(signal.raw_feedback_item_id)]
    defer("triage.rescore", queue=Queue.INGEST, workspace_id=signal.workspace_id, item_ids=item_ids)


def recentre(theme_id: UUID, *, now: datetime) -> None:
    """Compute a theme's centre and size from its signals. One that lost its last signal is archived.

    Vectors of another model than the centre's do not count towards it: they lie elsewhere, and may be of another size.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH own AS (
                SELECT avg(s.embedding) FILTER (WHERE s.embedding_model = t.centroid_model) AS centre, count(*) AS size
                FROM feedback_signals s JOIN feedback_themes t ON t.id = s.theme_id WHERE t.id = %(id)s
            )
            UPDATE feedback_themes SET
                centroid_embedding = coalesce(own.centre, centroid_embedding), signal_count = own.size,
                centroid_updated_at = %(now)s, updated_at = %(now)s, is_stale = true,
                status = CASE
                    WHEN own.size = 0 AND status IN ('active', 'candidate') THEN 'archived'
                    WHEN own.size > 0 AND status = 'archived' AND signal_count = 0 THEN 'active'
                    ELSE status END
            FROM own WHERE feedback_themes.id = %(id)s
            """,
            {"id": theme_id, "now": now},
        )
