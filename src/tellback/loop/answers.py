"""Telling people what became of their feedback: the answer that the team wrote, and each move that concerns them."""

from datetime import datetime
from hashlib import sha256

from django.conf import settings
from django.db import transaction

from tellback.boards.models import Post
from tellback.boards.services import items_behind
from tellback.intake.models import RawItem
from tellback.loop.following import subscribe
from tellback.loop.models import SubscriptionReason
from tellback.loop.telling import configured_pacing, mail_person, may_mail, notify_person, quote_of, receipt_url
from tellback.triage.models import Feedback, FeedbackStatus, FeedbackVote, StatusChange
from tellback.triage.votes import list_votes
from tellback.understanding.models import Signal
from tellback.workspaces.models import Principal, PrincipalType

#: What somebody reads of a move, in the product and as the subject of a mail.
TITLES = {
    FeedbackStatus.ACKNOWLEDGED: "We have read your feedback",
    FeedbackStatus.PLANNED: "What you asked for is planned",
    FeedbackStatus.IN_PROGRESS: "We are working on what you asked for",
    FeedbackStatus.COMPLETED: "What you asked for is done",
    FeedbackStatus.DECLINED: "We decided about what you asked for",
}


@transaction.atomic
def tell_answer(*, feedback: Feedback, now: datetime) -> bool:
    """Tell whoever asked that they were answered; returns whether that is news. Safe to repeat.

    An answer is written by a person for a person, so it does not count against how much somebody is told in a day.
    """
    item, person = feedback.raw_item, feedback.raw_item.principal
    answer = feedback.public_response
    if person is None or not answer:
        return False
    key = f"answered:{feedback.id}:{sha256(answer.encode()).hexdigest()[:16]}"
    is_news = notify_person(
        person, type="feedback_answered", key=key, title="We answered your feedback", body=answer, url=_path(item)
    )
    if person.email and person.unsubscribed_at is None:
        mail_person(
            person,
            key=f"{key}:{person.id}",
            line=_line(feedback, person),
            subject="An answer to your feedback",
            template="answered",
            context={"words": quote_of(item), "answer": answer, "receipt": receipt_url(item)},
            about=item,
            due_at=now,
            now=now,
        )
    return is_news


@transaction.atomic
def tell_move(*, change: StatusChange, now: datetime) -> int:
    """Tell its author, and everybody who voted for it, that feedback moved; returns how many. Safe to repeat.

    Having been read is told in the product only: their mail said already that it arrived. Whoever voted reads of it
    without a way to what its author wrote elsewhere.
    """
    feedback = change.feedback
    title = TITLES.get(FeedbackStatus(change.status))
    if title is None or feedback.raw_item.silent:
        return 0
    author = feedback.raw_item.principal
    people = {vote.principal_id: vote.principal for vote in list_votes(feedback)}
    if author is not None:
        people[author.id] = author
    told = 0
    for person in people.values():
        if person.id == change.actor_id or person.type == PrincipalType.SERVICE:
            continue
        told += _tell(person, change, title, is_author=author is not None and person.id == author.id, now=now)
    return told


def _tell(person: Principal, change: StatusChange, title: str, *, is_author: bool, now: datetime) -> bool:
    feedback = change.feedback
    is_news = notify_person(
        person,
        type="feedback_moved",
        key=f"feedback_moved:{change.id}",
        title=title,
        body=change.note,
        url=_path(feedback.raw_item) if is_author else "",
    )
    if change.status != FeedbackStatus.ACKNOWLEDGED and may_mail(person, configured_pacing(), now):
        mail_person(
            person,
            key=f"feedback_moved:{change.id}:{person.id}",
            line=_line(feedback, person),
            subject=title,
            template="feedback_moved",
            context={
                "title": title,
                "words": quote_of(feedback.raw_item) if is_author else feedback.summary,
                "is_author": is_author,
                "note": change.note,
                "receipt": receipt_url(feedback.raw_item) if is_author else "",
            },
            about=feedback.raw_item if is_author else None,
            due_at=now,
            now=now,
        )
    return is_news


@transaction.atomic
def subscribe_voter(*, feedback: Feedback, person: Principal) -> None:
    """Have somebody who voted for feedback hear about the posts that came of it. Safe to repeat."""
    themes = Signal.objects.filter(raw_feedback_item=feedback.raw_item_id).exclude(theme_id=None).values("theme_id")
    for post in Post.objects.filter(promoted_from_theme__in=themes):
        subscribe(post=post, principal=person, reason=SubscriptionReason.VOTE)


@transaction.atomic
def subscribe_voters(*, post: Post) -> None:
    """Have everybody who voted for the feedback behind a promoted post hear about it. Safe to repeat."""
    behind = FeedbackVote.objects.filter(feedback__raw_item__in=items_behind(post=post))
    for person in Principal.objects.filter(id__in=behind.values("principal_id")).order_by("id"):
        subscribe(post=post, principal=person, reason=SubscriptionReason.VOTE)


def _path(item: RawItem) -> str:
    return receipt_url(item).removeprefix(settings.BASE_URL)


def _line(feedback: Feedback, person: Principal) -> str:
    """What a person hears about one piece of feedback reaches them in the order in which it happened."""
    return f"feedback:{feedback.id}:{person.id}"
