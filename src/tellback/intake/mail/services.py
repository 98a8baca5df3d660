"""Taking a mail in: once, as new feedback or as a follow-up, or not at all and counted."""

from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parseaddr
from typing import Any
from uuid import UUID

from django.conf import settings

from tellback.connections.mail.message import IncomingMail
from tellback.connections.mail.rules import Ignored, OurMail, why_ignored
from tellback.connections.mail.setup import MailSetup, read_setup
from tellback.effects.mail import EFFECT_HEADER
from tellback.intake.accept import Outcome, Submission, accept_batch, fingerprint
from tellback.intake.attachments.cleaning import Upload
from tellback.intake.attachments.services import discard_files, take_files
from tellback.intake.follow_ups import FOLLOW_UP
from tellback.intake.mail.replies import SOURCE_TYPE, find_answered, thread_digest
from tellback.intake.mail.trial import is_trial
from tellback.intake.models import FeedbackSource, MailOutcome, RawItem, ReceivedMail

CHANNEL = "support"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a mail. `raw_item_id` is the item that holds its words."""

    outcome: MailOutcome
    raw_item_id: UUID | None = None


def take_mail(*, source: FeedbackSource, mail: IncomingMail, delivery: str, now: datetime) -> Taken | None:
    """Take a mail in, within the caller's transaction; None for one that was looked at before.

    The same mail counts once for a source, by what names it and by `delivery`, which names how it came. Files that are
    taken are kept; for each that is not, the item says why. Raises `Unavailable` when there is no room for files.
    """
    assert source.integration is not None
    delivery, digest = fingerprint(delivery.encode()), digest_of(mail)
    known = ReceivedMail.objects.filter(source=source, delivery=delivery) | ReceivedMail.objects.filter(
        source=source, digest=digest
    )
    if known.exists():
        return None
    setup = read_setup(source.integration)
    reason = why_ignored(mail, ours=our_mail(setup), lists=setup.lists)
    if reason == Ignored.OWN and is_trial(mail, source=source):
        reason = Ignored.TEST
    note = ReceivedMail(
        workspace_id=source.workspace_id,
        source=source,
        digest=digest,
        delivery=delivery,
        thread=thread_digest(mail.message_id),
        outcome=MailOutcome.IGNORED,
        reason=reason or "",
        created_at=now,
    )
    taken = Taken(MailOutcome.IGNORED) if reason else _accept(source, mail, digest, now)
    note.outcome, note.raw_item_id = taken.outcome, taken.raw_item_id
    ReceivedMail.objects.bulk_create([note], ignore_conflicts=True)
    return taken


def note_refused(*, source: FeedbackSource, delivery: str, outcome: MailOutcome, now: datetime) -> None:
    """Count a mail that could not be looked into. The same one counts once."""
    named = fingerprint(delivery.encode())
    note = ReceivedMail(
        workspace_id=source.workspace_id,
        source=source,
        digest=named,
        delivery=named,
        outcome=outcome,
        created_at=now,
    )
    ReceivedMail.objects.bulk_create([note], ignore_conflicts=True)


def note_works(*, source: FeedbackSource, now: datetime) -> None:
    """Say that mail came in, or that the mailbox could be looked into."""
    FeedbackSource.objects.filter(pk=source.pk).update(last_success_at=now, last_error=None, error_count=0)


def note_trouble(*, source: FeedbackSource, problem: str) -> None:
    """Say in a sentence why no mail comes in. It stays until some does."""
    source.refresh_from_db(fields=["error_count"])
    FeedbackSource.objects.filter(pk=source.pk).update(
        last_error=problem[:500], error_count=min(source.error_count + 1, 1_000_000)
    )


def digest_of(mail: IncomingMail) -> str:
    """What names a mail: its Message-ID, with its sender and date since some programs use an id twice."""
    sent = mail.sent_at.isoformat() if mail.sent_at else ""
    named = [mail.message_id, mail.sender_email.lower(), sent]
    if not mail.message_id:
        named += [mail.subject, mail.text]
    return fingerprint("\n".join(named).encode())


def our_mail(setup: MailSetup) -> OurMail:
    """By what mail of this installation is known."""
    addresses = {parseaddr(settings.DEFAULT_FROM_EMAIL)[1].lower(), setup.address.lower()}
    return OurMail(frozenset(addresses), settings.MAIL_DOMAIN, EFFECT_HEADER)


def _accept(source: FeedbackSource, mail: IncomingMail, digest: str, now: datetime) -> Taken:
    answered = find_answered(mail, source=source)
    uploads = [Upload(file.name, file.content) for file in mail.files]
    kept, refused = take_files(workspace_id=source.workspace_id, uploads=uploads)
    try:
        submission = _submission(source, mail, digest, answered, now=now)
        submission = replace(submission, files=kept, context=_context(mail, answered, [*mail.left_out, *refused]))
        accepted = accept_batch(workspace_id=source.workspace_id, submissions=[submission], now=now)[0]
    except BaseException:
        discard_files(kept)
        raise
    if accepted.outcome != Outcome.ACCEPTED:
        discard_files(kept)
    return Taken(MailOutcome.FOLLOW_UP if answered else MailOutcome.ACCEPTED, accepted.raw_item_id)


def _submission(
    source: FeedbackSource, mail: IncomingMail, digest: str, answered: RawItem | None, *, now: datetime
) -> Submission:
    return Submission(
        source_id=source.id,
        source_type=SOURCE_TYPE,
        channel=CHANNEL,
        category=answered.category if answered else "other",
        severity=answered.severity if answered else "medium",
        text=mail.text or mail.subject or "A file without words.",
        subject="" if answered else mail.subject,
        source_created_at=mail.sent_at or now,
        external_id=digest,
        author=_author(mail, answered),
        dedupe_key=digest,
    )


def _context(mail: IncomingMail, answered: RawItem | None, left_out: list[str]) -> dict[str, Any]:
    about: dict[str, Any] = {"senderChecks": mail.checks.as_record(), "leftOut": left_out}
    context: dict[str, Any] = {"metadata": {"mail": {name: value for name, value in about.items() if value}}}
    return {**context, FOLLOW_UP: answered.public_id} if answered else context


def _author(mail: IncomingMail, answered: RawItem | None) -> dict[str, Any]:
    """Whom a mail is from, as far as it may be believed: nobody, when its sender's checks say that it is not."""
    if mail.checks.contradict_sender or not mail.sender_email:
        return {}
    email = mail.sender_email.lower()
    person = answered.principal if answered else None
    if answered and person and person.email.lower() == email:
        return {**answered.author, "principalId": str(person.id)}
    return {"email": email, "name": mail.sender_name} if mail.sender_name else {"email": email}
