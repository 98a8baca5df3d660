"""What understanding holds of a person: the signals found in what they said, and their quotes."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from tellback.intake.subjects.holders import Holding, Record, holds
from tellback.intake.subjects.subject import Subject
from tellback.understanding.learning.services import learn_soon
from tellback.understanding.models import Correction, Guidance, LearntHead, ModelAnswer, Signal


def _list(subject: Subject) -> Iterator[Record]:
    signals = Signal.objects.filter(raw_feedback_item__in=subject.item_ids).order_by("raw_feedback_item", "position")
    for signal in signals.select_related("raw_feedback_item").iterator():
        content = {
            "feedback": signal.raw_feedback_item.public_id,
            "type": signal.signal_type,
            "summary": signal.summary,
            "evidence": signal.evidence,
            "sentiment": signal.sentiment,
            "urgency": signal.urgency,
            "implicit_need": signal.implicit_need,
        }
        yield Record("signal", signal.public_id, content)


def _erase(subject: Subject, now: datetime) -> Mapping[str, int]:
    """They stay as what is counted: that there was a need, of which type, in which theme."""
    signals = Signal.objects.filter(raw_feedback_item__in=subject.item_ids)
    corrections = Correction.objects.filter(raw_feedback_item__in=subject.item_ids)
    # Made of what many said; both are made anew from what stays, the night's digest at the latest.
    LearntHead.objects.all().delete()
    Guidance.objects.all().delete()
    learn_soon(workspace_id=subject.workspace_id)
    return {
        # Remembered answers quote whom they are about, and are only a cache: all of them go.
        "remembered answers": ModelAnswer.objects.all().delete()[0],
        "corrections": corrections.update(
            previous_value=None,
            new_value="",
            reason=None,
            evidence_spans=[],
            embedding=None,
            embedding_model=None,
            undone_at=now,
        ),
        "signals": signals.update(
            summary="",
            evidence=[],
            evidence_spans=[],
            implicit_need=None,
            theme_reason=None,
            theme_decision=None,
            embedding=None,
            embedding_model=None,
            updated_at=now,
        ),
    }


def _forget(item_ids: Sequence[UUID]) -> None:
    Signal.objects.filter(raw_feedback_item__in=item_ids).delete()


holds(Holding("understanding", _list, _erase, forget=_forget))
