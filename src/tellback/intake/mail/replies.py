"""Answers to our mails: what a mail of ours carries, and which feedback an incoming one is about."""

from uuid import UUID

from django.conf import settings

from tellback.connections.mail.message import IncomingMail
from tellback.connections.mail.setup import read_setup
from tellback.effects.reply_tokens import find_tokens, make_token, read_token
from tellback.intake.accept import fingerprint
from tellback.intake.follow_ups import root_of
from tellback.intake.models import FeedbackSource, RawItem, ReceivedMail

SOURCE_TYPE = "email"


def reply_headers(*, workspace_id: UUID, item: RawItem | None) -> dict[str, str]:
    """Headers that bring an answer to one of our mails back to where mail comes in, and to what it is about.

    Empty where no mail comes in. The token stands in Reply-To where the mail server takes name+anything, and in
    References, which mail programs hand on in an answer.
    """
    source = (
        FeedbackSource.objects.filter(source_type=SOURCE_TYPE, enabled=True)
        .exclude(integration=None)
        .select_related("integration")
        .order_by("id")
        .first()
    )
    if source is None or source.integration is None:
        return {}
    setup = read_setup(source.integration)
    if item is None:
        return {"Reply-To": setup.address}
    token = make_token(workspace_id=workspace_id, subject_id=item.id)
    local, _, domain = setup.address.rpartition("@")
    fits = setup.plus_addressing and len(local) + 1 + len(token) <= 64
    return {
        "Reply-To": f"{local}+{token}@{domain}" if fits else setup.address,
        "References": f"<{token}.reply@{settings.MAIL_DOMAIN}>",
    }


def thread_digest(message_id: str) -> str:
    """By what a mail is found again when it is answered."""
    return fingerprint(b"mail:" + message_id.encode()) if message_id else ""


def find_answered(mail: IncomingMail, *, source: FeedbackSource) -> RawItem | None:
    """The feedback that a mail goes on about, or None for something new.

    Either it carries a token of ours, or it answers a mail of the same sender. A token that was not made here, and a
    mail whose sender's checks failed, prove nothing. What was erased is not gone on about.
    """
    return _by_token(mail, source.workspace_id) or _by_thread(mail, source)


def _by_token(mail: IncomingMail, workspace_id: UUID) -> RawItem | None:
    for token in find_tokens(" ".join([*mail.recipients, *mail.references])):
        subject_id = read_token(token, workspace_id=workspace_id)
        item = RawItem.objects.filter(pk=subject_id).first() if subject_id else None
        if item is not None and "erased" not in item.content:
            return root_of(item)
    return None


def _by_thread(mail: IncomingMail, source: FeedbackSource) -> RawItem | None:
    if not mail.references or not mail.sender_email or mail.checks.contradict_sender:
        return None
    threads = [thread_digest(one) for one in mail.references]
    known = ReceivedMail.objects.filter(source=source, thread__in=threads).exclude(raw_item_id=None).order_by("-id")
    for item in RawItem.objects.filter(id__in=known.values("raw_item_id")).order_by("-id")[:10]:
        same = str(item.author.get("email", "")).lower() == mail.sender_email.lower()
        if same and "erased" not in item.content:
            return root_of(item)
    return None
