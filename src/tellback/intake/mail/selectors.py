"""Reads for the people who set mail up: each connection's state, and what became of the mail that came."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tellback.connections.mail.providers import PROVIDERS, Provider
from tellback.connections.mail.rules import Ignored
from tellback.connections.mail.setup import MailSetup, open_secrets, read_setup
from tellback.intake.mail.replies import SOURCE_TYPE
from tellback.intake.models import FeedbackSource, MailOutcome, RawItem, ReceivedMail

#: Over how long mail is counted.
COUNTED = timedelta(days=30)
SHOWN = 30


@dataclass(frozen=True, slots=True)
class Tally:
    """How many mails came in of late, by what became of them."""

    accepted: int = 0
    follow_ups: int = 0
    ignored: int = 0
    refused: int = 0

    @property
    def words(self) -> str:
        """The figures as a sentence; nothing where none came."""
        parts = [
            ngettext("%d became feedback", "%d became feedback", self.accepted) % self.accepted,
            ngettext("%d was added to what somebody said", "%d were added to what somebody said", self.follow_ups)
            % self.follow_ups,
            ngettext("%d was ignored", "%d were ignored", self.ignored) % self.ignored,
            ngettext("%d could not be taken", "%d could not be taken", self.refused) % self.refused,
        ]
        counts = (self.accepted, self.follow_ups, self.ignored, self.refused)
        return ", ".join(part for part, count in zip(parts, counts, strict=True) if count)


@dataclass(frozen=True, slots=True)
class MailConnection:
    """A connection with how it stands. `provider` is None for a mailbox; `missing` are secrets that it waits for."""

    source: FeedbackSource
    setup: MailSetup
    provider: Provider | None
    missing: tuple[str, ...]
    tally: Tally

    @property
    def by(self) -> str:
        """Who hands its mail on."""
        if self.provider:
            return self.provider.name
        return _("Mailbox at %s") % self.setup.mailbox.host if self.setup.mailbox else ""

    @property
    def health(self) -> str:
        """The state, as the design system's pills know it."""
        if not self.source.enabled:
            return "archived"
        if self.source.last_error:
            return "failed"
        if self.missing:
            return "needs_review"
        return "active" if self.source.last_success_at else "new"

    @property
    def words(self) -> str:
        """The state in words."""
        return {
            "archived": _("Off"),
            "failed": _("Failing"),
            "needs_review": _("Not set up yet"),
            "active": _("Works"),
            "new": _("Waits for its first mail") if self.provider else _("Not looked into yet"),
        }[self.health]


@dataclass(frozen=True, slots=True)
class Came:
    """One mail that came in and what became of it. `item` is None where it became nothing, or that is gone."""

    at: datetime
    outcome: str
    words: str
    item: RawItem | None


def list_mail_connections(*, now: datetime) -> list[MailConnection]:
    """Every connection through which mail comes in, oldest first. Two queries."""
    sources = list(_sources())
    tallies = _tallies([source.id for source in sources], now)
    return [_connection(source, tallies.get(source.id, Tally())) for source in sources]


def find_mail_connection(source_id: UUID, *, now: datetime) -> MailConnection | None:
    """One connection, or None when there is none of this id any more."""
    source = _sources().filter(pk=source_id).first()
    return _connection(source, _tallies([source.id], now).get(source.id, Tally())) if source else None


def list_what_came(source: FeedbackSource) -> list[Came]:
    """The latest mails that a connection brought, newest first. Who sent an ignored one is not known any more."""
    rows = list(ReceivedMail.objects.filter(source=source).order_by("-id")[:SHOWN])
    items = RawItem.objects.in_bulk([row.raw_item_id for row in rows if row.raw_item_id])
    reasons = _reasons()
    return [
        Came(
            row.created_at,
            row.outcome,
            reasons.get(row.reason) or str(MailOutcome(row.outcome).label),
            items.get(row.raw_item_id) if row.raw_item_id else None,
        )
        for row in rows
    ]


def _reasons() -> dict[str, str]:
    return {
        Ignored.BOUNCE: _("A delivery report"),
        Ignored.OWN: _("Our own mail, come back"),
        Ignored.TEST: _("The test mail"),
        Ignored.AUTOMATIC: _("An automatic answer"),
        Ignored.LIST: _("Sent to many at once"),
        Ignored.SPAM: _("Spam, says who received it"),
        Ignored.EMPTY: _("Nothing was in it"),
    }


def _sources() -> QuerySet[FeedbackSource]:
    return (
        FeedbackSource.objects.filter(source_type=SOURCE_TYPE)
        .exclude(integration=None)
        .select_related("integration")
        .order_by("id")
    )


def _connection(source: FeedbackSource, tally: Tally) -> MailConnection:
    assert source.integration is not None
    setup = read_setup(source.integration)
    provider = PROVIDERS.get(setup.provider)
    missing = provider.missing(open_secrets(source.integration)) if provider else ()
    return MailConnection(source, setup, provider, missing, tally)


def _tallies(source_ids: list[UUID], now: datetime) -> dict[UUID, Tally]:
    rows = (
        ReceivedMail.objects.filter(source__in=source_ids, created_at__gte=now - COUNTED)
        .values("source_id")
        .annotate(
            accepted=Count("id", filter=Q(outcome=MailOutcome.ACCEPTED)),
            follow_ups=Count("id", filter=Q(outcome=MailOutcome.FOLLOW_UP)),
            ignored=Count("id", filter=Q(outcome=MailOutcome.IGNORED) & ~Q(reason=Ignored.TEST)),
            refused=Count("id", filter=Q(outcome__in=[MailOutcome.UNREADABLE, MailOutcome.TOO_LARGE])),
        )
    )
    return {row["source_id"]: Tally(row["accepted"], row["follow_ups"], row["ignored"], row["refused"]) for row in rows}
