"""How the answer to a piece of feedback stands, and what it repeats, for whichever page shows feedback."""

from typing import Any

from django import template
from django.utils import timezone

from tellback.intake.models import RawItem
from tellback.triage import rules
from tellback.triage.models import DuplicateSuggestion, Feedback, FeedbackStatus, Likeness, SuggestionState
from tellback.triage.response_times import answered
from tellback.triage.selectors import overdue

register = template.Library()


@register.inclusion_tag("triage/_answer_state.html")
def answer_state(item: RawItem) -> dict[str, object]:
    """Until when an answer to an item is owed, or that it is overdue or came late. Nothing when all is well.

    Costs no query when the item's `feedback` is prefetched.
    """
    feedback = getattr(item, "feedback", None)
    if feedback is None:
        return {}
    state = answered(
        due_at=feedback.response_due_at,
        responded_at=feedback.responded_at,
        is_open=feedback.status in rules.OPEN,
        now=timezone.now(),
    )
    return {"state": state.value, "due_at": feedback.response_due_at}


@register.inclusion_tag("triage/_same_as.html", takes_context=True)
def same_as(context: template.Context, item: RawItem) -> dict[str, Any]:
    """What a piece of feedback may repeat, with the buttons to decide; of what was decided, that it was.

    Costs no query when the item's `duplicate_suggestions` and `feedback` are prefetched.
    """
    suggestions = sorted(item.duplicate_suggestions.all(), key=_in_order)
    feedback = getattr(item, "feedback", None)
    is_duplicate = feedback is not None and feedback.status == FeedbackStatus.DUPLICATE
    wanted = SuggestionState.CONFIRMED if is_duplicate else SuggestionState.SUGGESTED
    return {
        "item": item,
        "suggestions": [one for one in suggestions if one.state == wanted],
        "dismissed": [one for one in suggestions if one.state == SuggestionState.DISMISSED],
        "is_duplicate": is_duplicate,
        "csrf_token": context.get("csrf_token"),
        "here": context["request"].get_full_path() if "request" in context else "",
    }


def _in_order(suggestion: DuplicateSuggestion) -> tuple[bool, float]:
    return suggestion.kind != Likeness.SAME_AGAIN, -suggestion.score


@register.simple_tag
def count_overdue() -> int:
    """How many answers are overdue."""
    return Feedback.objects.filter(overdue(timezone.now())).count()
