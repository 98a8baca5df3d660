"""How the answer to a piece of feedback stands, for whichever page shows feedback."""

from django import template
from django.utils import timezone

from tellback.intake.models import RawItem
from tellback.triage import rules
from tellback.triage.models import Feedback
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


@register.simple_tag
def count_overdue() -> int:
    """How many answers are overdue."""
    return Feedback.objects.filter(overdue(timezone.now())).count()
