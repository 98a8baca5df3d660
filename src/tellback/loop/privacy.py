"""What the loop holds of a person: what they follow, and what they were told."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from tellback.intake.subjects.holders import Holding, Record, holds
from tellback.intake.subjects.scrubbing import Scrubber
from tellback.intake.subjects.subject import Subject
from tellback.loop.models import ChangelogRecipient, Notification, Subscription


def _list(subject: Subject) -> Iterator[Record]:
    for subscription in Subscription.objects.filter(principal__in=subject.principal_ids).select_related("post"):
        content = {
            "since": subscription.created_at.isoformat(),
            "post": subscription.post.public_id,
            "title": subscription.post.title,
            "reason": subscription.reason,
            "ended_at": subscription.unsubscribed_at.isoformat() if subscription.unsubscribed_at else None,
        }
        yield Record("subscription", subscription.public_id, content)
    for note in Notification.objects.filter(principal__in=subject.principal_ids).order_by("id"):
        content = {"at": note.created_at.isoformat(), "title": note.title, "body": note.body, "url": note.url}
        yield Record("notification", note.public_id, content)
    told = ChangelogRecipient.objects.filter(principal__in=subject.principal_ids).select_related("changelog_entry")
    for one in told.order_by("id"):
        content = {
            "entry": one.changelog_entry.title,
            "reason": one.reason,
            "told_at": one.told_at.isoformat() if one.told_at else None,
        }
        yield Record("told", one.public_id, content)


def _erase(subject: Subject, _now: datetime) -> Mapping[str, int]:
    """Whom a changelog entry told stays counted, without a name."""
    theirs = {"principal__in": subject.principal_ids}
    scrubber = Scrubber(subject)
    return {
        "subscriptions": Subscription.objects.filter(**theirs).delete()[0],
        "notifications": Notification.objects.filter(**theirs).delete()[0]
        + scrubber.rows("in_app_notifications", ["title", "body", "url", "key"]),
        "changelog entries": scrubber.rows("changelog_entry", ["title", "body"]),
    }


holds(Holding("loop", _list, _erase))
