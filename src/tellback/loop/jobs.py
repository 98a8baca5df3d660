"""Entry points of the loop's jobs."""

from uuid import UUID

from django.utils import timezone

from tellback.boards.models import Post, PostStatusChange
from tellback.loop import answers, changelog, following, invitations, progress, telling, upkeep
from tellback.loop.models import ChangelogEntry, SubscriptionReason
from tellback.platform.jobs import Queue, defer, job
from tellback.platform.tenancy import current_workspace_id
from tellback.platform.upkeep import periodic
from tellback.triage.models import Feedback, StatusChange
from tellback.workspaces.identity import current_person
from tellback.workspaces.models import Principal, PrincipalMerge


@job("loop.acknowledge", queue=Queue.EFFECTS)
def acknowledge(*, feedback_ids: list[str]) -> None:
    """Tell the authors of this feedback that it arrived."""
    ids = [UUID(feedback_id) for feedback_id in feedback_ids]
    progress.acknowledge(feedback_ids=ids, pacing=telling.configured_pacing(), now=timezone.now())


@job("loop.invite", queue=Queue.EFFECTS)
def invite(*, member_id: str, actor_id: str, occasion: str) -> None:
    """Tell a new member of the team how to sign in; nobody when they have gone since."""
    member = Principal.objects.select_related("workspace").filter(id=member_id).first()
    if member:
        invitations.invite(
            member=member, actor=Principal.objects.get(id=actor_id), occasion=occasion, now=timezone.now()
        )


@job("loop.on_post_created", queue=Queue.EFFECTS)
def on_post_created(*, post_id: str) -> None:
    """Subscribe the author of a new post."""
    post = Post.objects.select_related("author").get(id=post_id)
    if post.author:
        following.subscribe(post=post, principal=post.author, reason=SubscriptionReason.AUTHOR)


@job("loop.subscribe_feedback_authors", queue=Queue.EFFECTS)
def subscribe_feedback_authors(*, post_id: str) -> None:
    """Subscribe everybody whose feedback is behind a promoted post, and who voted for such feedback."""
    post = Post.objects.get(id=post_id)
    following.subscribe_feedback_authors(post=post)
    answers.subscribe_voters(post=post)


@job("loop.subscribe_imported", queue=Queue.EFFECTS)
def subscribe_imported(*, post_ids: list[str]) -> None:
    """Subscribe the people of imported posts."""
    following.subscribe_imported(post_ids=[UUID(post_id) for post_id in post_ids])


@job("loop.on_vote", queue=Queue.EFFECTS)
def on_vote(*, post_id: str, principal_id: str) -> None:
    """Subscribe who voted."""
    _subscribe(post_id, principal_id, SubscriptionReason.VOTE)


@job("loop.on_comment", queue=Queue.EFFECTS)
def on_comment(*, post_id: str, principal_id: str) -> None:
    """Subscribe who commented."""
    _subscribe(post_id, principal_id, SubscriptionReason.COMMENT)


@job("loop.follow_merge", queue=Queue.INGEST)
def follow_merge(*, merge_id: str) -> None:
    """Move what a merged person is subscribed to and was told, or back."""
    following.follow_merge(merge=PrincipalMerge.objects.select_for_update().get(id=merge_id))


def _subscribe(post_id: str, principal_id: str, reason: SubscriptionReason) -> None:
    person = current_person(Principal.objects.get(id=principal_id))
    following.subscribe(post=Post.objects.get(id=post_id), principal=person, reason=reason)


@job("loop.on_feedback_moved", queue=Queue.EFFECTS)
def on_feedback_moved(*, change_id: str) -> None:
    """Tell those concerned that feedback moved."""
    change = StatusChange.objects.select_related("feedback__raw_item__principal").get(id=change_id)
    answers.tell_move(change=change, now=timezone.now())


@job("loop.on_feedback_answered", queue=Queue.EFFECTS)
def on_feedback_answered(*, feedback_id: str) -> None:
    """Tell whoever asked that they were answered."""
    feedback = Feedback.objects.select_related("raw_item__principal").get(id=feedback_id)
    answers.tell_answer(feedback=feedback, now=timezone.now())


@job("loop.on_feedback_vote", queue=Queue.EFFECTS)
def on_feedback_vote(*, feedback_id: str, principal_id: str) -> None:
    """Subscribe who voted for feedback to the posts that came of it."""
    person = current_person(Principal.objects.get(id=principal_id))
    answers.subscribe_voter(feedback=Feedback.objects.get(id=feedback_id), person=person)


@job("loop.on_post_moved", queue=Queue.EFFECTS)
def on_post_moved(*, change_id: str) -> None:
    """Tell the subscribers of a post that it moved."""
    change = PostStatusChange.objects.select_related("post__board", "status").get(id=change_id)
    progress.tell_about_move(change=change, now=timezone.now())


@job("loop.tell_recipients", queue=Queue.EFFECTS)
def tell_recipients(*, entry_id: str) -> None:
    """Tell the next recipients of a published entry, and leave a job for the rest."""
    entry = ChangelogEntry.objects.get(id=entry_id)
    if changelog.tell_recipients(entry=entry, now=timezone.now()):
        defer("loop.tell_recipients", queue=Queue.EFFECTS, workspace_id=current_workspace_id(), entry_id=entry_id)


@job("loop.forget_notifications", queue=Queue.MAINTENANCE)
def forget_notifications() -> None:
    """Drop what people were told inside the product long ago."""
    upkeep.forget_notifications(now=timezone.now())


periodic("43 3 * * *", "loop.forget_notifications", queue=Queue.MAINTENANCE)
