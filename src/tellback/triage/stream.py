"""What the stream can be narrowed to by how feedback is answered."""

from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext_lazy

from tellback.intake.selectors import StreamState, offer_state
from tellback.triage.models import Feedback
from tellback.triage.selectors import overdue


def _is_overdue(now: datetime) -> Q:
    return Q(id__in=Feedback.objects.filter(overdue(now)).values("raw_item_id"))


offer_state(StreamState("overdue", gettext_lazy("Answer overdue"), _is_overdue))
