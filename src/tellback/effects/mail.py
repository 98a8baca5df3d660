"""Mail as an effect: what it looks like in the outbox, and how it leaves.

Without a mail server, mail is kept in the development mailbox, where it can be read.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from tellback.effects.models import Effect, KeptMail
from tellback.effects.services import delivers, enqueue
from tellback.kernel.ids import parse_id
from tellback.platform.tenancy import in_workspace, list_workspace_ids

EFFECT_HEADER = "X-Tellback-Effect"


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one person."""

    to: str
    subject: str
    text: str
    html: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    #: A template of the mail provider, used instead of subject and text where mail leaves through one; and its values.
    template: str = ""
    values: dict[str, str] = field(default_factory=dict)


def send_mail(*, workspace_id: UUID, key: str, mail: Mail, due_at: datetime, now: datetime, line: str = "") -> Effect:
    """Put a mail into the outbox, once for each key, after those before it in its line."""
    return enqueue(
        workspace_id=workspace_id, kind="mail", key=key, payload=asdict(mail), due_at=due_at, now=now, line=line
    )


@delivers("mail")
def deliver_mail(effect: Effect) -> None:
    """Hand the mail to the configured backend. Its Message-ID is the effect's, so a repeated one is recognisable."""
    payload: dict[str, Any] = effect.payload
    domain = settings.MAIL_DOMAIN
    message = EmailMultiAlternatives(
        subject=" ".join(str(payload["subject"]).split()),
        body=payload["text"],
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[payload["to"]],
        headers={
            "Message-ID": f"<{effect.public_id}@{domain}>",
            EFFECT_HEADER: effect.public_id,
            **payload.get("headers", {}),
        },
    )
    if payload.get("template") and settings.MAIL_TEMPLATES:
        # An empty subject and body leave both to the template, for every provider that has templates.
        message.subject = message.body = ""
        message.template_id = payload["template"]  # type: ignore[attr-defined]
        message.merge_global_data = payload["values"]  # type: ignore[attr-defined]
    elif payload.get("html"):
        message.attach_alternative(payload["html"], "text/html")
    message.workspace_id = effect.workspace_id  # type: ignore[attr-defined]
    get_connection().send_messages([message])


class KeepingBackend(BaseEmailBackend):
    """Keeps mail in the database instead of sending it. Mail of nobody's workspace goes to the first one's mailbox."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Keep each message; one with the same effect is kept once."""
        for message in email_messages:
            workspace_id = getattr(message, "workspace_id", None) or list_workspace_ids()[0]
            with in_workspace(workspace_id):
                _keep(workspace_id, message)
        return len(email_messages)


def _keep(workspace_id: UUID, message: EmailMessage) -> None:
    html = next((str(part[0]) for part in getattr(message, "alternatives", []) if part[1] == "text/html"), "")
    effect_id = message.extra_headers.get("Message-ID", "").strip("<>").partition("@")[0]
    effect = None
    if effect_id.startswith("effect_"):
        effect = Effect.objects.filter(id=parse_id("effect", effect_id)).first()
    fields = {
        "to": ", ".join(message.to),
        "sender": message.from_email,
        "subject": str(message.subject),
        "text": str(message.body),
        "html": html,
        "headers": dict(message.extra_headers),
    }
    if effect is None:
        KeptMail.objects.create(workspace_id=workspace_id, **fields)
    else:
        KeptMail.objects.get_or_create(workspace_id=workspace_id, effect=effect, defaults=fields)
