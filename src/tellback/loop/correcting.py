"""What authors put right on their receipt: what kind of thing they meant, that they did not mean it, or all of it.

Whoever holds the link is the author. What they put right holds for their own words, also when those are read again, and
teaches nothing about what other people say: a stranger must not be able to teach.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from tellback.boards.models import Post
from tellback.boards.services import items_behind
from tellback.intake.follow_ups import list_follow_ups
from tellback.intake.models import ItemState, RawItem
from tellback.intake.selectors import WAITING
from tellback.kernel.errors import Conflict, NotFound
from tellback.loop.authors import author_of, is_author
from tellback.loop.models import Subscription, SubscriptionReason
from tellback.loop.receipts import add_to
from tellback.themes.corrections import change_signal, dismiss_signal, undo_correction
from tellback.triage.models import Feedback, FeedbackStatus, StatusChange
from tellback.triage.rules import may_follow
from tellback.triage.services import change_status
from tellback.understanding.models import CorrectedField, Correction, Signal, SignalType


@dataclass(frozen=True, slots=True)
class Understood:
    """One thing that was understood in somebody's words, as they read it.

    `correction_id` is their own correction that holds now, if any; `is_meant` is False when it says that they did not
    mean this.
    """

    signal: Signal
    kind: str
    is_meant: bool
    correction_id: UUID | None


def name_kinds() -> dict[str, str]:
    """What each type of signal is called to the person who said it."""
    return {
        SignalType.BUG_REPORT: _("Something is broken"),
        SignalType.FEATURE_REQUEST: _("A wish"),
        SignalType.USABILITY_ISSUE: _("Hard to use"),
        SignalType.QUESTION: _("A question"),
        SignalType.PRAISE: _("Praise"),
        SignalType.COMPLAINT: _("A complaint"),
        SignalType.CHURN_RISK: _("A reason to leave"),
    }


def list_understood(item: RawItem) -> list[Understood]:
    """What was understood in an item, in its order. What the team took for no feedback is left out. Two queries."""
    kinds = name_kinds()
    held: dict[UUID | None, list[Correction]] = {}
    for correction in Correction.objects.filter(raw_feedback_item=item, undone_at=None).order_by("created_at", "id"):
        held.setdefault(correction.signal_id, []).append(correction)
    found = []
    for signal in Signal.objects.filter(raw_feedback_item=item).order_by("position"):
        about = held.get(signal.id, [])
        theirs = [one for one in about if is_author(one.corrected_by_principal_id, item)]
        dismissed = [one for one in about if one.field == CorrectedField.NOT_FEEDBACK]
        if dismissed and dismissed[-1] not in theirs:
            continue
        latest = dismissed[-1] if dismissed else theirs[-1] if theirs else None
        found.append(Understood(signal, kinds[signal.signal_type], not dismissed, latest.id if latest else None))
    return found


@transaction.atomic
def put_right(*, item: RawItem, signal_id: UUID, kind: str, text: str, key: UUID, now: datetime) -> None:
    """Say that something is of another kind, or in other words what was meant; the words are accepted as an addition.

    Where there are words, the team is asked to look at the signal. Raises `Conflict` when nothing is different,
    `NotFound` when it was understood anew since.
    """
    signal = _signal(item, signal_id)
    is_different = bool(kind) and kind != signal.signal_type
    if not is_different and not text.strip():
        raise Conflict(_("That is how we understood it already."))
    if is_different:
        _keep_to_themselves(
            change_signal(signal_id=signal.id, changes={CorrectedField.TYPE: kind}, actor=author_of(item), now=now)
        )
    if text.strip():
        add_to(item=item, text=text, key=key, now=now)
        Signal.objects.filter(pk=signal.pk).update(needs_review=True, updated_at=now)


@transaction.atomic
def take_out(*, item: RawItem, signal_id: UUID, now: datetime) -> None:
    """Say that this was not meant: it leaves its theme and is counted nowhere. Raises as `put_right`."""
    signal = _signal(item, signal_id)
    _keep_to_themselves([dismiss_signal(signal_id=signal.id, actor=author_of(item), now=now)])


@transaction.atomic
def take_back_correction(*, item: RawItem, correction_id: UUID, now: datetime) -> None:
    """Undo what the author put right. Raises `Conflict` when it changed since, `NotFound` for somebody else's."""
    found = Correction.objects.filter(pk=correction_id, raw_feedback_item=item).first()
    if found is None or not is_author(found.corrected_by_principal_id, item):
        raise NotFound(_("What this was about is not there any more."))
    undo_correction(correction_id=found.id, now=now)


@transaction.atomic
def withdraw(*, item: RawItem, now: datetime) -> None:
    """Have nobody act on an item any more, nor on what its author added: nothing in it counts, and mails about it end.

    The words stay until they are erased. Raises `Conflict` for what is still being read, or has been decided.
    """
    first, more = _feedback(item), [(one, _feedback(one)) for one in list_follow_ups(item)]
    being_read = [one for one, feedback in more if feedback is None or one.processing_state in WAITING]
    if first is None or not can_withdraw(item, FeedbackStatus(first.status)) or being_read:
        raise Conflict(_("This cannot be withdrawn now. You can still erase it."))
    _withdraw_one(item, first, now)
    for one, feedback in more:
        if feedback is not None and can_withdraw(one, FeedbackStatus(feedback.status)):
            _withdraw_one(one, feedback, now)


def _withdraw_one(item: RawItem, feedback: Feedback, now: datetime) -> None:
    note = _("Its author withdrew it.")
    change_status(feedback=feedback, status=FeedbackStatus.DECLINED, actor=author_of(item), note=note, now=now)
    _stop_telling(item, now)
    for one in list_understood(item):
        if one.is_meant:
            take_out(item=item, signal_id=one.signal.id, now=now)


@transaction.atomic
def bring_back(*, item: RawItem, now: datetime) -> None:
    """Undo a withdrawal: what was understood counts again. Raises `Conflict` for an item that is not withdrawn."""
    if not is_withdrawn(item):
        raise Conflict(_("This was not withdrawn."))
    for one in [item, *list_follow_ups(item)]:
        feedback, change = _feedback(one), _last_change(one)
        if feedback is not None and change is not None and is_withdrawn(one):
            _bring_back_one(one, feedback, change.created_at, now)


def _bring_back_one(item: RawItem, feedback: Feedback, withdrawn_at: datetime, now: datetime) -> None:
    note = _("Its author brought it back.")
    change_status(feedback=feedback, status=FeedbackStatus.IN_REVIEW, actor=author_of(item), note=note, now=now)
    since = Correction.objects.filter(raw_feedback_item=item, created_at__gte=withdrawn_at)
    of_withdrawal = set(since.values_list("id", flat=True))
    for one in list_understood(item):
        if not one.is_meant and one.correction_id in of_withdrawal:
            undo_correction(correction_id=one.correction_id, now=now)
    Subscription.objects.filter(
        principal=item.principal_id, reason=SubscriptionReason.FEEDBACK_AUTHOR, unsubscribed_at=withdrawn_at
    ).update(unsubscribed_at=None)


def can_withdraw(item: RawItem, status: FeedbackStatus) -> bool:
    """Whether an item was understood, and nothing was decided about it that a withdrawal would come too late for."""
    return item.processing_state == ItemState.COMPLETED and may_follow(status, FeedbackStatus.DECLINED)


def is_withdrawn(item: RawItem) -> bool:
    """Whether its author withdrew it, and it was not taken up again since."""
    last = _last_change(item)
    return last is not None and last.status == FeedbackStatus.DECLINED and is_author(last.actor_id, item)


def _feedback(item: RawItem) -> Feedback | None:
    return Feedback.objects.filter(raw_item=item).first()


def _signal(item: RawItem, signal_id: UUID) -> Signal:
    signal = Signal.objects.filter(pk=signal_id, raw_feedback_item=item).first()
    if signal is None:
        raise NotFound(_("We have read it again since. Look whether it is right now."))
    return signal


def _keep_to_themselves(corrections: list[Correction]) -> None:
    """Without the meaning of the words a correction is no precedent for what others say."""
    ids = [correction.id for correction in corrections]
    Correction.objects.filter(id__in=ids).update(embedding=None, embedding_model=None)


def _last_change(item: RawItem) -> StatusChange | None:
    return StatusChange.objects.filter(feedback__raw_item=item).order_by("-created_at", "-id").first()


def _stop_telling(item: RawItem, now: datetime) -> None:
    """End what the author hears because of an item, where nothing else that they said is behind the post."""
    if item.principal_id is None:
        return
    themes = Signal.objects.filter(raw_feedback_item=item).exclude(theme_id=None).values("theme_id")
    for post in Post.objects.filter(promoted_from_theme__in=themes):
        others = RawItem.objects.filter(id__in=items_behind(post=post), principal=item.principal_id).exclude(pk=item.pk)
        if not others.exists():
            Subscription.objects.filter(
                post=post,
                principal=item.principal_id,
                reason=SubscriptionReason.FEEDBACK_AUTHOR,
                unsubscribed_at=None,
            ).update(unsubscribed_at=now)
