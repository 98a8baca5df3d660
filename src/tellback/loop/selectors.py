"""Reads of the loop: who will be told, and what a receipt shows."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from tellback.boards.models import Post
from tellback.intake.attachments.links import public_path
from tellback.intake.models import Attachment, RawItem
from tellback.loop import rules
from tellback.loop.authors import is_author
from tellback.loop.models import ChangelogEntry, Subscription, SubscriptionReason
from tellback.themes.models import Theme, ThemeStatus
from tellback.triage.models import Feedback, FeedbackStatus, StatusChange
from tellback.triage.rules import TOLD_TO_AUTHOR
from tellback.understanding.evidence import Piece, mark_evidence
from tellback.understanding.models import CorrectedField, Correction, Signal
from tellback.workspaces.models import Principal


def recipients_of(entry: ChangelogEntry) -> list[rules.Recipient]:
    """Everybody who would be told if the entry were published now, each once."""
    subscriptions = Subscription.objects.filter(
        post__changelog_entries__changelog_entry=entry, notify_status_changes=True, unsubscribed_at=None
    )
    if entry.author_id:
        subscriptions = subscriptions.exclude(principal_id=entry.author_id)
    return rules.one_each(subscriptions.values_list("principal_id", "reason"))


@dataclass(frozen=True, slots=True)
class PostReach:
    """How many people wait for a post, and how many of them gave the feedback behind it."""

    post: Post
    subscribers: int
    feedback_authors: int


def reach_of(posts: QuerySet[Post]) -> list[PostReach]:
    """The reach of each post, widest first."""
    active = Q(subscriptions__unsubscribed_at=None, subscriptions__notify_status_changes=True)
    authors = active & Q(subscriptions__reason=SubscriptionReason.FEEDBACK_AUTHOR)
    rows = posts.select_related("board", "status").annotate(
        waiting=Count("subscriptions", filter=active, distinct=True),
        spoke=Count("subscriptions", filter=authors, distinct=True),
    )
    return sorted((PostReach(row, row.waiting, row.spoke) for row in rows), key=lambda reach: -reach.subscribers)


def find_receipt(token: str) -> tuple[UUID, UUID] | None:
    """The raw item and workspace of a receipt, or None."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, workspace_id FROM tellback_find_receipt(%s)", [token])
        row = cursor.fetchone()
    return (row[0], row[1]) if row else None


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the receipt's timeline."""

    at: datetime
    title: str
    note: str


@dataclass(frozen=True, slots=True)
class SharedTheme:
    """What the person has in common with others: never who they are."""

    title: str
    others: int
    post: Post | None


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that came along, at an address that holds for an hour."""

    file: Attachment
    path: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """An author's private view of one raw item."""

    item: RawItem
    pieces: list[Piece]
    files: list[SentFile]
    steps: list[Step]
    themes: list[SharedTheme]
    status: str
    response: str
    person: Principal | None


STEP_TITLES = {
    FeedbackStatus.ACKNOWLEDGED: "We have read it",
    FeedbackStatus.PLANNED: "It is planned",
    FeedbackStatus.IN_PROGRESS: "We are working on it",
    FeedbackStatus.COMPLETED: "It has shipped",
    FeedbackStatus.DECLINED: "We decided not to do this",
}


def get_receipt(item: RawItem) -> Receipt:
    """What its author may see of an item."""
    dismissed = Correction.objects.filter(field=CorrectedField.NOT_FEEDBACK, undone_at=None, signal=OuterRef("pk"))
    meant = Signal.objects.filter(~Exists(dismissed), raw_feedback_item=item)
    signals = list(meant.order_by("position"))
    feedback = Feedback.objects.filter(raw_item=item).first()
    return Receipt(
        item=item,
        pieces=mark_evidence(str(item.content.get("text", "")), signals),
        files=[SentFile(file, public_path(file)) for file in item.attachments.order_by("position")],
        steps=_steps(item, feedback),
        themes=_shared(signals),
        status=feedback.status if feedback else FeedbackStatus.NEW,
        response=(feedback.public_response or "") if feedback else "",
        person=item.principal,
    )


def _steps(item: RawItem, feedback: Feedback | None) -> list[Step]:
    arrived = [Step(item.created_at, _("We received it"), "")]
    if item.processed_at:
        arrived.append(Step(item.processed_at, _("We understood it"), ""))
    changes = StatusChange.objects.filter(feedback=feedback).order_by("id") if feedback else []
    since = [step for change in changes if (step := _step(change, item))]
    # What a withdrawal took out is no step of its own.
    corrections = Correction.objects.filter(raw_feedback_item=item, undone_at=None).exclude(
        created_at__in=[step.at for step in since]
    )
    since += [
        Step(correction.created_at, _("You put right how we understood it"), "")
        for correction in corrections
        if is_author(correction.corrected_by_principal_id, item)
    ]
    # What was put right in one go is one step.
    told_once = {(step.at, step.title): step for step in since}
    return [*arrived, *sorted(told_once.values(), key=lambda step: step.at)]


def _step(change: StatusChange, item: RawItem) -> Step | None:
    if is_author(change.actor_id, item):
        withdrew = change.status == FeedbackStatus.DECLINED
        return Step(change.created_at, _("You withdrew it") if withdrew else _("You brought it back"), "")
    if change.status not in TOLD_TO_AUTHOR:
        return None
    return Step(change.created_at, STEP_TITLES[FeedbackStatus(change.status)], change.note)


def _shared(signals: list[Signal]) -> list[SharedTheme]:
    ids = {signal.theme_id for signal in signals if signal.theme_id}
    themes = Theme.objects.filter(id__in=ids, status=ThemeStatus.ACTIVE).order_by("-unique_author_count")
    posts = Post.objects.select_related("board", "status").in_bulk(
        [theme.promoted_to_post_id for theme in themes if theme.promoted_to_post_id]
    )
    return [
        SharedTheme(
            theme.title,
            max(theme.unique_author_count - 1, 0),
            posts.get(theme.promoted_to_post_id) if theme.promoted_to_post_id else None,
        )
        for theme in themes
    ]
