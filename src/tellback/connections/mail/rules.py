"""Which mail is nobody's feedback: answers of machines, delivery reports, mailing lists, our own, spam. Pure.

Sources: RFC 3834 (Auto-Submitted), RFC 2076 (Precedence), RFC 2919 (List-Id), RFC 3462 and 3464 (reports), and what
mail programs of the field send.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tellback.connections.mail.message import IncomingMail

_MACHINES = ("mailer-daemon@", "mailer_daemon@", "postmaster@", "microsoftexchange")
_ANSWERING = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply-from", "x-mail-autoreply")


#: How answers of absent people begin, where their server does not say that it wrote them.
_ABSENT = re.compile(
    r"(?:out of (?:the )?office|automatic reply|auto(?:matic)?[- ]?(?:reply|response)|abwesenheits(?:notiz|nachricht)|"
    r"automatische antwort|réponse automatique|absence du bureau|respuesta automática|fuera de la oficina|"
    r"risposta automatica|fuori ufficio|automatisch(?:e)? antwoord|afwezig|resposta automática|autosvar|"
    r"automatiskt svar|automaattinen vastaus|odpowiedź automatyczna|automatická odpov[eě]ď|автоответ|"
    r"otomatik yanıt|自動応答|自動返信|不在通知|自动回复|自動回覆|자동 회신|부재중)\b\s*(?:[:：,–-]|$)",
    re.IGNORECASE,
)


class Ignored(StrEnum):
    """Why a mail is not taken in."""

    BOUNCE = "bounce"
    OWN = "own"
    TEST = "test"
    AUTOMATIC = "automatic"
    LIST = "list"
    SPAM = "spam"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class OurMail:
    """What our own mail is known by: addresses it leaves from, the domain of its ids, and a header it carries."""

    addresses: frozenset[str]
    id_domain: str
    header: str
    id_prefix: str = "effect_"

    def is_ours(self, mail: IncomingMail) -> bool:
        """Whether this is a mail of ours that came back."""
        local, _, domain = mail.message_id.partition("@")
        return (
            mail.sender_email.lower() in self.addresses
            or self.header.lower() in mail.headers
            or (domain.lower() == self.id_domain.lower() and local.startswith(self.id_prefix))
        )


def why_ignored(mail: IncomingMail, *, ours: OurMail, lists: tuple[str, ...] = ()) -> Ignored | None:
    """The first reason not to take a mail in, or None. Mail of the `lists` named is taken as if it came directly."""
    if is_bounce(mail):
        return Ignored.BOUNCE
    if ours.is_ours(mail):
        return Ignored.OWN
    if is_automatic(mail.headers) or mail.invites or _ABSENT.match(mail.subject):
        return Ignored.AUTOMATIC
    if is_from_list(mail.headers, welcome=lists):
        return Ignored.LIST
    if mail.checks.spam:
        return Ignored.SPAM
    return None if mail.text or mail.subject or mail.files else Ignored.EMPTY


def is_bounce(mail: IncomingMail) -> bool:
    """A delivery report, a receipt, or anything from the null sender, whom nobody may answer."""
    return (
        mail.envelope_sender == ""
        or mail.content_type == "multipart/report"
        or "x-failed-recipients" in mail.headers
        or mail.sender_email.lower().startswith(_MACHINES)
    )


def is_automatic(headers: Mapping[str, str]) -> bool:
    """An answer that no person wrote."""
    submitted = headers.get("auto-submitted", "no").partition(";")[0].strip().lower()
    suppressed = headers.get("x-auto-response-suppress", "none").strip().lower()
    return (
        submitted not in {"", "no"}
        or suppressed not in {"", "none"}
        or _precedence(headers) in {"auto_reply", "auto-reply"}
        or any(name in headers for name in _ANSWERING)
    )


def is_from_list(headers: Mapping[str, str], *, welcome: tuple[str, ...]) -> bool:
    """Something sent to many at once."""
    stated = headers.get("list-id", "").lower()
    if stated and any(one.lower() in stated for one in welcome):
        return False
    many = any(name in headers for name in ("list-id", "list-post", "list-unsubscribe", "mailing-list"))
    return many or _precedence(headers) in {"bulk", "list", "junk"}


def _precedence(headers: Mapping[str, str]) -> str:
    return headers.get("precedence", "").strip().lower()
