"""Feedback that repeats an earlier one: found when it has been understood, suggested, and decided by a person.

Nothing is marked by itself. A pair that somebody told apart is never suggested again.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from django.db import connection, transaction
from django.utils.translation import gettext as _

from tellback.intake.follow_ups import FOLLOW_UP
from tellback.intake.models import RawItem
from tellback.kernel.errors import Conflict
from tellback.triage.models import (
    DuplicateSuggestion,
    Feedback,
    FeedbackPrint,
    FeedbackStatus,
    FeedbackVote,
    Likeness,
    SuggestionState,
)
from tellback.triage.services import change_status
from tellback.triage.votes import take_vote_back
from tellback.triage.workflow import hold, mark_duplicate, take_up
from tellback.understanding.bands import bands_of
from tellback.understanding.duplicates import (
    SAME_AGAIN,
    SAME_MEANING,
    meaning_score,
    shingles,
    text_similarity,
)
from tellback.understanding.models import Signal, SignalType
from tellback.understanding.nearest import nearest_signals
from tellback.workspaces.models import Principal

#: How many by letters, and how many signals by meaning, an item is compared with.
BY_LETTERS, BY_MEANING = 5, 5
#: How many suggestions one item gets.
MOST = 3


@transaction.atomic
def find_duplicates(*, item_ids: Sequence[UUID]) -> int:
    """Suggest, for each of these items, the earlier ones that it repeats; returns how many there are now.

    Safe to repeat: what people decided stays. Three look-ups for the whole batch, whatever its size.
    """
    items = [item for item in RawItem.objects.filter(id__in=item_ids).order_by("id") if _text(item)]
    _keep_prints(items)
    by_letters, by_meaning = _by_letters(items), _by_meaning([item.id for item in items])
    near = [found for one in (by_letters, by_meaning) for found in one.values()]
    others = RawItem.objects.in_bulk({other for found in near for other in found})
    suggestions = [one for item in items for one in _suggest(item, by_letters[item.id], by_meaning[item.id], others)]
    waiting = DuplicateSuggestion.objects.filter(raw_item__in=item_ids, state=SuggestionState.SUGGESTED)
    waiting.delete()
    DuplicateSuggestion.objects.bulk_create(suggestions, ignore_conflicts=True)
    return waiting.count()


def _text(item: RawItem) -> str:
    return str(item.content.get("text", ""))


def _keep_prints(items: Sequence[RawItem]) -> None:
    prints = [
        FeedbackPrint(id=item.id, workspace_id=item.workspace_id, bands=bands, created_at=item.created_at)
        for item in items
        if (bands := bands_of(_text(item)))
    ]
    FeedbackPrint.objects.bulk_create(
        prints, update_conflicts=True, unique_fields=["id"], update_fields=["bands", "created_at"]
    )


def _by_letters(items: Sequence[RawItem]) -> defaultdict[UUID, set[UUID]]:
    found: defaultdict[UUID, set[UUID]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT item, earlier FROM tellback_prints_like(%s, %s)", [[item.id for item in items], BY_LETTERS]
        )
        for item_id, earlier in cursor.fetchall():
            found[item_id].add(earlier)
    return found


def _by_meaning(item_ids: Sequence[UUID]) -> defaultdict[UUID, dict[UUID, float]]:
    """Other items, each with the cosine to it.

    By those signals that are about something: two people who say thanks do not mean the same.
    """
    signals = Signal.objects.filter(raw_feedback_item__in=item_ids).exclude(embedding=None).exclude(theme_id=None)
    by_model: dict[str, list[Signal]] = defaultdict(list)
    for signal in signals.exclude(signal_type=SignalType.PRAISE).order_by("id"):
        by_model[signal.embedding_model or ""].append(signal)
    found: defaultdict[UUID, dict[UUID, float]] = defaultdict(dict)
    for model, some in by_model.items():
        vectors = np.array([signal.embedding for signal in some], dtype=np.float32)
        # Its own signals are the nearest of all.
        for signal, near in zip(some, nearest_signals(vectors, model=model, limit=BY_MEANING + 2), strict=True):
            own = found[signal.raw_feedback_item_id]
            for one in near:
                if one.item_id != signal.raw_feedback_item_id:
                    own[one.item_id] = max(one.cosine, own.get(one.item_id, 0.0))
    return found


def _suggest(
    item: RawItem, by_letters: set[UUID], by_meaning: dict[UUID, float], others: dict[UUID, RawItem]
) -> list[DuplicateSuggestion]:
    runs = shingles(_text(item))
    found: list[tuple[Likeness, float, RawItem]] = []
    for other in (others[id] for id in by_letters | by_meaning.keys()):
        if not _came_before(other, item) or not _text(other) or _is_of_one_conversation(item, other):
            continue
        letters = text_similarity(runs, shingles(_text(other))) if other.id in by_letters else 0.0
        cosine = by_meaning.get(other.id)
        meaning = meaning_score(_text(item), _text(other), cosine=cosine) if cosine else 0.0
        if letters >= SAME_AGAIN:
            found.append((Likeness.SAME_AGAIN, min(letters, 1.0), other))
        elif meaning >= SAME_MEANING:
            found.append((Likeness.SAME_MEANING, min(meaning, 1.0), other))
    found.sort(key=lambda one: (one[0] != Likeness.SAME_AGAIN, -one[1], one[2].created_at, one[2].id))
    return [
        DuplicateSuggestion(
            workspace_id=item.workspace_id, raw_item=item, earlier=other, kind=kind, score=round(score, 4)
        )
        for kind, score, other in found[:MOST]
    ]


def _came_before(other: RawItem, item: RawItem) -> bool:
    return (other.created_at, other.id) < (item.created_at, item.id)


def _is_of_one_conversation(item: RawItem, other: RawItem) -> bool:
    first = {one.context_envelope.get(FOLLOW_UP) or one.public_id for one in (item, other)}
    return len(first) == 1


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a suggestion: the two records, as they stand now."""

    feedback: Feedback
    of: Feedback


@transaction.atomic
def confirm_duplicate(*, suggestion: DuplicateSuggestion, actor: Principal, now: datetime) -> Decided:
    """Mark it as a duplicate, of what the earlier one is itself a duplicate of where it is one. Safe to repeat.

    Raises `Conflict` where its status does not allow it, or where the other one became a duplicate of it meanwhile.
    """
    hold([suggestion.raw_item_id, suggestion.earlier_id])
    feedback, of = take_up(suggestion.raw_item_id), take_up(suggestion.earlier_id)
    while of.duplicate_of is not None:
        of = of.duplicate_of
    if of.id == feedback.id:
        raise Conflict(_("The earlier one is marked as a duplicate of this one."))
    before = set(FeedbackVote.objects.filter(feedback=of).values_list("principal_id", flat=True))
    mark_duplicate(feedback=feedback, of=of, actor=actor, note="", now=now)
    after = FeedbackVote.objects.filter(feedback=of).exclude(principal__in=before)
    suggestion.counted = [str(one) for one in after.values_list("principal_id", flat=True)]
    _decide(suggestion, SuggestionState.CONFIRMED, actor, now)
    return Decided(feedback, of)


@transaction.atomic
def dismiss_duplicate(*, suggestion: DuplicateSuggestion, actor: Principal, now: datetime) -> None:
    """Say that the two are not the same: they are not suggested again. Safe to repeat.

    Raises `Conflict` for one that is confirmed; that is taken back first.
    """
    if suggestion.state == SuggestionState.CONFIRMED:
        raise Conflict(_("This is marked as a duplicate. Take that back first."))
    _decide(suggestion, SuggestionState.DISMISSED, actor, now)


@transaction.atomic
def undo_decision(*, suggestion: DuplicateSuggestion, actor: Principal, now: datetime) -> None:
    """Take a decision back: what was told apart is suggested again; what was a duplicate is in review again.

    Voices that were counted for it at the other one are counted there no more. Safe to repeat.
    """
    if suggestion.state == SuggestionState.CONFIRMED:
        hold([suggestion.raw_item_id, suggestion.earlier_id])
        feedback = take_up(suggestion.raw_item_id)
        of = feedback.duplicate_of
        if feedback.status == FeedbackStatus.DUPLICATE:
            change_status(feedback=feedback, status=FeedbackStatus.IN_REVIEW, actor=actor, note="", now=now)
        for person in Principal.objects.filter(id__in=suggestion.counted):
            if of is not None:
                take_vote_back(feedback=of, principal=person)
        suggestion.counted = []
    _decide(suggestion, SuggestionState.SUGGESTED, actor, now)


def _decide(suggestion: DuplicateSuggestion, state: SuggestionState, actor: Principal, now: datetime) -> None:
    suggestion.state, suggestion.decided_by, suggestion.decided_at = state, actor, now
    suggestion.save(update_fields=["state", "decided_by", "decided_at", "counted"])


def forget_likeness(item_ids: Sequence[UUID]) -> int:
    """Let go of all that was noted of how these items are like others; returns how many suggestions went."""
    FeedbackPrint.objects.filter(id__in=item_ids).delete()
    suggestions = DuplicateSuggestion.objects.filter(raw_item__in=item_ids)
    return suggestions.delete()[0] + DuplicateSuggestion.objects.filter(earlier__in=item_ids).delete()[0]
