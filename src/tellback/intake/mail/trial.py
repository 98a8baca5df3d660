"""Proving that mail comes in: one is sent to the connection's address, the whole way round, and looked out for.

It is our own mail, so it is never taken for feedback; which effect sent it says which connection it was sent to prove.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from tellback.connections.mail.message import IncomingMail
from tellback.connections.mail.rules import Ignored
from tellback.connections.mail.setup import read_setup
from tellback.effects.mail import EFFECT_HEADER, Mail, send_mail
from tellback.effects.models import Effect, EffectState
from tellback.intake.models import FeedbackSource, ReceivedMail
from tellback.kernel.errors import Invalid, TellbackError
from tellback.kernel.ids import new_id, parse_id
from tellback.platform.rate_limits import take

#: After this a test mail is called late. It still counts when it comes.
PATIENCE = timedelta(minutes=10)
PER_MINUTE = 4
_KEEPING = "tellback.effects.mail.KeepingBackend"

State = Literal["none", "leaving", "unsent", "travelling", "late", "back"]


@dataclass(frozen=True, slots=True)
class Trial:
    """The last test of a connection. `took` is in seconds, `problem` why the mail could not be sent."""

    state: State
    sent_at: datetime | None = None
    back_at: datetime | None = None
    problem: str = ""

    @property
    def took(self) -> int:
        """How long the mail was on its way, in whole seconds, at least one."""
        if self.sent_at is None or self.back_at is None:
            return 0
        return max(1, round((self.back_at - self.sent_at).total_seconds()))

    @property
    def goes_on(self) -> bool:
        """Whether looking again soon may show something else."""
        return self.state in {"leaving", "travelling"}


def can_send() -> bool:
    """Whether mail leaves this installation; without a mail server it is kept, and nothing can come back."""
    return bool(settings.EMAIL_BACKEND != _KEEPING)


def start_trial(*, source: FeedbackSource, now: datetime) -> None:
    """Send a mail to the connection's address.

    Raises `Invalid` where no mail leaves, `TooMany` for more than a few in a minute.
    """
    if source.integration is None or not can_send():
        raise Invalid(_("This installation keeps its mail instead of sending it, so it cannot write to itself."))
    take(workspace_id=source.workspace_id, subject=f"mail-trial:{source.id}", per_minute=PER_MINUTE)
    mail = Mail(
        to=read_setup(source.integration).address,
        subject=_("Test: does mail come in?"),
        text=_("Tellback sent this to find out whether mail to this address reaches it. Nobody needs to do anything.")
        + "\n",
        headers={"Auto-Submitted": "auto-generated"},
    )
    send_mail(workspace_id=source.workspace_id, key=f"{_key(source.id)}{new_id()}", mail=mail, due_at=now, now=now)


def read_trial(*, source: FeedbackSource, now: datetime) -> Trial:
    """How the last test of a connection stands."""
    effect = Effect.objects.filter(key__startswith=_key(source.id)).order_by("-id").first()
    if effect is None:
        return Trial("none")
    back = ReceivedMail.objects.filter(source=source, reason=Ignored.TEST, created_at__gte=effect.created_at)
    first = back.order_by("id").first()
    if first is not None:
        return Trial("back", effect.created_at, first.created_at)
    if effect.state == EffectState.DEAD or effect.last_error:
        return Trial("unsent", effect.created_at, problem=effect.last_error or "")
    if now - effect.created_at > PATIENCE:
        return Trial("late", effect.created_at)
    return Trial("travelling" if effect.state == EffectState.DELIVERED else "leaving", effect.created_at)


def is_trial(mail: IncomingMail, *, source: FeedbackSource) -> bool:
    """Whether this is a mail that was sent to prove this connection."""
    named = {mail.headers.get(EFFECT_HEADER.lower(), ""), mail.message_id.partition("@")[0]}
    ids = [found for found in map(_effect_id, named) if found]
    return bool(ids) and Effect.objects.filter(id__in=ids, key__startswith=_key(source.id)).exists()


def _effect_id(stated: str) -> UUID | None:
    try:
        return parse_id(Effect.id_prefix, stated.strip())
    except (TellbackError, ValueError):
        return None


def _key(source_id: UUID) -> str:
    return f"mail-trial:{source_id}:"
