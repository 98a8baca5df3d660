"""What the outbox keeps of what has left: that it did, for good; what it said, for thirty days."""

from datetime import datetime, timedelta

from tellback.effects.models import Effect, EffectState, KeptMail

KEPT = timedelta(days=30)
FORGOTTEN = {"forgotten": True}
_GONE = [EffectState.DELIVERED, EffectState.SUPPRESSED, EffectState.DEAD]


def forget_contents(*, now: datetime) -> int:
    """Empty effects that were settled thirty days ago, and the development mailbox of that time; returns how many.

    Their keys stay, so that nothing is ever sent a second time.
    """
    before = now - KEPT
    settled = Effect.objects.filter(state__in=_GONE, due_at__lt=before).exclude(delivered_at__gte=before)
    emptied = settled.exclude(payload=FORGOTTEN).update(payload=FORGOTTEN, last_error=None)
    return emptied + KeptMail.objects.filter(created_at__lt=before).delete()[0]
