"""What the loop keeps of what people were told inside the product, and for how long."""

from datetime import datetime, timedelta

from django.db.models import Q

from tellback.loop.models import Notification

#: How long a notice stays: after it was read, and when nobody ever reads it.
READ_KEPT, UNREAD_KEPT = timedelta(days=90), timedelta(days=365)


def forget_notifications(*, now: datetime) -> int:
    """Drop notices that were read three months ago, and those that nobody read in a year; returns how many.

    What they were about is on its own page: the post, the changelog, the receipt.
    """
    read = Q(read_at__lt=now - READ_KEPT)
    unread = Q(read_at=None, created_at__lt=now - UNREAD_KEPT)
    return Notification.objects.filter(read | unread).delete()[0]
