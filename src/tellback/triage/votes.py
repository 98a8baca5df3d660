"""Votes on feedback: a "me too" counts somebody once and lets them hear what becomes of it."""

from django.db import transaction
from django.db.models import F

from tellback.platform.jobs import Queue, defer
from tellback.triage.models import Feedback, FeedbackVote
from tellback.workspaces.merging import follow
from tellback.workspaces.models import Principal, PrincipalMerge


@transaction.atomic
def vote(*, feedback: Feedback, principal: Principal) -> bool:
    """Count somebody once, and subscribe them to the posts that came of it; returns whether their vote is new."""
    _, made = FeedbackVote.objects.get_or_create(
        workspace_id=feedback.workspace_id, feedback=feedback, principal=principal
    )
    if made:
        Feedback.objects.filter(pk=feedback.pk).update(vote_count=F("vote_count") + 1)
        defer(
            "loop.on_feedback_vote",
            queue=Queue.EFFECTS,
            workspace_id=feedback.workspace_id,
            feedback_id=str(feedback.id),
            principal_id=str(principal.id),
        )
    feedback.refresh_from_db(fields=["vote_count"])
    return made


@transaction.atomic
def take_vote_back(*, feedback: Feedback, principal: Principal) -> bool:
    """Count somebody no more; returns whether they were counted."""
    deleted, _ = FeedbackVote.objects.filter(feedback=feedback, principal=principal).delete()
    if deleted:
        Feedback.objects.filter(pk=feedback.pk).update(vote_count=F("vote_count") - 1)
        feedback.refresh_from_db(fields=["vote_count"])
    return bool(deleted)


def list_votes(feedback: Feedback) -> list[FeedbackVote]:
    """Who voted for a piece of feedback, in that order."""
    return list(feedback.votes.select_related("principal").order_by("id"))


@transaction.atomic
def follow_merge(*, merge: PrincipalMerge) -> None:
    """Move a merged person's votes to the kept one, or back when it was undone. Safe to repeat.

    One person has one vote: a second one is set aside, and each figure is its votes again.
    """
    moved = follow(merge=merge, model=FeedbackVote, column="principal", unique_with=["feedback_id"])
    ids = {vote.feedback_id for vote in moved}
    for feedback in Feedback.objects.filter(id__in=ids).select_for_update().order_by("id"):
        Feedback.objects.filter(pk=feedback.pk).update(vote_count=feedback.votes.count())
