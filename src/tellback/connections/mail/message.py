"""What a mail says, once it is read: the shape that every way in gives and everything after it takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

PASS, FAIL, NONE = "pass", "fail", "none"


@dataclass(frozen=True, slots=True)
class SenderChecks:
    """What whoever received the mail found out about its sender; each is "" where nobody said.

    `spam` is True only when the provider takes it for spam.
    """

    spf: str = ""
    dkim: str = ""
    dmarc: str = ""
    spam: bool = False

    @property
    def contradict_sender(self) -> bool:
        """Whether the checks say that the mail is not from whom it says. A forwarded mail fails SPF alone."""
        if self.dmarc:
            return self.dmarc == FAIL
        return self.spf == FAIL and self.dkim in {FAIL, NONE}

    def as_record(self) -> dict[str, str]:
        """What was said, for the item's context."""
        said = {"spf": self.spf, "dkim": self.dkim, "dmarc": self.dmarc}
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True, slots=True)
class MailFile:
    """A file in a mail, as it was sent."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class IncomingMail:
    """One mail. Nothing in it is trusted; texts are free of control characters and of bounded length.

    `invites` is True for an entry of a calendar. `envelope_sender` is None where the way in does not tell it, and ""
    for the null sender. `headers` are the first of each name, lower-cased. `references` are the ids it answers,
    nearest first.
    """

    sender_email: str
    sender_name: str
    subject: str
    text: str
    message_id: str = ""
    references: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    sent_at: datetime | None = None
    content_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)
    envelope_sender: str | None = None
    checks: SenderChecks = SenderChecks()
    invites: bool = False
    files: tuple[MailFile, ...] = ()
    left_out: tuple[str, ...] = ()
