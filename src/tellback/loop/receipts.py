"""What an author may do on their receipt: add to what they said, leave an address, take it back.

Whoever holds the link is the author; there is no other proof, so nothing here shows or changes anything of another
person.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from tellback.boards.models import Post
from tellback.intake.accept import Submission, accept_batch
from tellback.intake.follow_ups import FOLLOW_UP, list_follow_ups
from tellback.intake.models import RawItem
from tellback.intake.subjects.erasing import erase_item
from tellback.kernel.errors import Conflict, FieldError, Invalid
from tellback.loop.following import subscribe
from tellback.loop.models import SubscriptionReason
from tellback.understanding.models import Signal
from tellback.workspaces.identity import Author, resolve_author

LONGEST = 2000


@transaction.atomic
def add_to(*, item: RawItem, text: str, key: UUID, now: datetime) -> None:
    """Accept more words of the same author, tied to what they said first. The same `key` again adds nothing.

    Raises `Invalid` for no words or too many, `Conflict` when the first words are gone.
    """
    text = text.strip()
    if not text or len(text) > LONGEST or "\x00" in text:
        problem = f"must be between 1 and {LONGEST} characters"
        raise Invalid("Write what you want to add.", errors=[FieldError("/text", problem)])
    if "erased" in item.content:
        raise Conflict("This feedback was erased, so nothing can be added to it.")
    author = {**item.author, "principalId": str(item.principal_id)} if item.principal_id else item.author
    submission = Submission(
        source_id=item.source_id,
        source_type=item.source_type,
        channel=item.channel,
        category=item.category,
        severity=item.severity,
        text=text,
        source_created_at=now,
        author=author,
        context={FOLLOW_UP: item.public_id},
        dedupe_key=f"follow-up:{item.id}:{key}",
    )
    accept_batch(workspace_id=item.workspace_id, submissions=[submission], now=now)


@transaction.atomic
def leave_address(*, item: RawItem, email: str) -> None:
    """Have the author of an item that named no address hear what becomes of it, by mail.

    Raises `Conflict` when there is an address already: a link that was passed on must not redirect somebody's mail.
    """
    item = RawItem.objects.select_for_update().get(pk=item.pk)
    person = item.principal
    if person is not None and person.email:
        raise Conflict("We have an address for this feedback already.")
    found = resolve_author(
        workspace_id=item.workspace_id, author=Author(source_type=item.source_type, email=email, vouched=False)
    )
    assert found is not None
    theirs = [item.pk, *(more.pk for more in list_follow_ups(item))]
    RawItem.objects.filter(pk__in=theirs, principal=None).update(principal=found)
    themes = Signal.objects.filter(raw_feedback_item=item).exclude(theme_id=None).values("theme_id")
    for post in Post.objects.filter(promoted_from_theme__in=themes):
        subscribe(post=post, principal=found, reason=SubscriptionReason.FEEDBACK_AUTHOR)


def take_back(*, item: RawItem, now: datetime) -> None:
    """Erase what the author said, and what they added to it. Safe to repeat."""
    for one in [*list_follow_ups(item), item]:
        erase_item(item=one, because="withdrawn", now=now)
