"""Looking into mailboxes: what is new is taken in mail by mail, and how far one came is stored with each.

A worker that dies goes on at the next mail; one whose server forgot its uids reads again and knows what it has seen.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from imapclient import IMAPClient
from procrastinate.exceptions import AlreadyEnqueued

from tellback.connections.mail.checks import checks_of_header
from tellback.connections.mail.mailbox import (
    AT_ONCE,
    Letter,
    Position,
    list_new,
    look,
    mark_seen,
    open_mailbox,
    read_letters,
)
from tellback.connections.mail.mime import parse_bytes, read_message
from tellback.connections.mail.setup import Mailbox, MailSetup, read_setup
from tellback.intake.mail.replies import SOURCE_TYPE
from tellback.intake.mail.services import note_refused, note_trouble, note_works, take_mail
from tellback.intake.mail.setting_up import forget_access, secret_of
from tellback.intake.models import DeliveryMode, FeedbackSource, MailOutcome, ReceivedMail
from tellback.kernel.errors import Invalid, TellbackError, Unavailable
from tellback.platform.jobs import Queue, defer
from tellback.platform.tenancy import in_workspace

logger = logging.getLogger(__name__)

#: How long is known what became of a mail.
REMEMBERED = timedelta(days=90)
#: How often a mail is tried that brings something down, before it is passed over and counted.
TRIES = 3


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where reading stands. `since` bounds what is read again after the server's uids changed."""

    position: Position
    since: date | None = None
    failing_uid: int = 0
    failures: int = 0

    def as_text(self) -> str:
        """As it is stored."""
        return json.dumps(
            {
                "validity": self.position.validity,
                "uid": self.position.last_uid,
                "since": self.since.isoformat() if self.since else None,
                "failing": [self.failing_uid, self.failures],
            }
        )


def read_cursor(text: str | None) -> Cursor | None:
    """The stored cursor, or None before the first look."""
    if not text:
        return None
    stored = json.loads(text)
    since = date.fromisoformat(stored["since"]) if stored.get("since") else None
    return Cursor(Position(stored["validity"], stored["uid"]), since, *stored.get("failing", (0, 0)))


def defer_polls(*, workspace_id: UUID) -> None:
    """Put up a look into every mailbox of the present workspace that is switched on."""
    boxes = FeedbackSource.objects.filter(
        source_type=SOURCE_TYPE, delivery_mode=DeliveryMode.POLL, enabled=True
    ).exclude(integration=None)
    for source_id in boxes.values_list("id", flat=True):
        defer_poll(workspace_id=workspace_id, source_id=source_id)


def defer_poll(*, workspace_id: UUID, source_id: UUID) -> None:
    """Put up a look into one mailbox, unless one waits already. Two looks into one never overlap."""
    lock = f"mailbox:{source_id}"
    try:
        with transaction.atomic():
            defer(
                "intake.poll_mailbox",
                queue=Queue.INGEST,
                workspace_id=workspace_id,
                queueing_lock=lock,
                lock=lock,
                source_id=str(source_id),
            )
    except AlreadyEnqueued:
        return


def poll(*, workspace_id: UUID, source_id: UUID, now: Callable[[], datetime]) -> bool:
    """Take in what is new in a mailbox; returns whether there is more. What is wrong is noted at the source.

    Safe to repeat at any point. Outside of any transaction: each mail is one.
    """
    with in_workspace(workspace_id):
        source = FeedbackSource.objects.select_related("integration").filter(pk=source_id, enabled=True).first()
        if source is None or source.integration is None:
            return False
        setup = read_setup(source.integration)
    try:
        if setup.mailbox is None:
            return False
        secret = secret_of(source.integration, setup.mailbox, now=now())
        with open_mailbox(setup.mailbox, secret=secret) as client:
            more = _Reading(source, setup, setup.mailbox, client, now).read()
    except TellbackError as error:
        if isinstance(error, Invalid) and setup.mailbox and setup.mailbox.oauth:
            forget_access(source.integration)
        with in_workspace(workspace_id):
            note_trouble(source=source, problem=error.detail)
        return False
    with in_workspace(workspace_id):
        note_works(source=source, now=now())
    return more


@dataclass
class _Reading:
    """One look into a mailbox that is open."""

    source: FeedbackSource
    setup: MailSetup
    mailbox: Mailbox
    client: IMAPClient
    now: Callable[[], datetime]

    def read(self) -> bool:
        cursor = self._start()
        new = list_new(self.client, cursor.position, since=cursor.since)
        for letter in read_letters(self.client, new[:AT_ONCE]):
            cursor = self._take(letter, cursor)
            if self.mailbox.mark_seen:
                mark_seen(self.client, letter.uid)
        if new:
            self._keep(self._behind(cursor, new[:AT_ONCE][-1]))
        return len(new) > AT_ONCE

    def _start(self) -> Cursor:
        looked = look(self.client, self.mailbox)
        stored = read_cursor(self.source.cursor)
        if stored and stored.position.validity == looked.position.validity:
            return stored
        everything = self.mailbox.take_existing
        if stored is None and not everything:
            cursor = Cursor(looked.position)
        else:
            since = None if everything else (self.source.created_at - timedelta(days=1)).date()
            cursor = Cursor(Position(looked.position.validity, 0), since)
        self._keep(cursor)
        return cursor

    def _take(self, letter: Letter, cursor: Cursor) -> Cursor:
        behind = self._behind(cursor, letter.uid)
        delivery = f"imap:{self.mailbox.folder}:{cursor.position.validity}:{letter.uid}"
        try:
            with in_workspace(self.source.workspace_id):
                self._store(letter, delivery)
                self._save(behind)
        except TellbackError:
            raise
        except Exception as error:
            logger.exception("A mail of %s could not be taken in", self.source.public_id)
            times = cursor.failures + 1 if cursor.failing_uid == letter.uid else 1
            if times < TRIES:
                self._keep(Cursor(cursor.position, cursor.since, letter.uid, times))
                raise Unavailable("A mail could not be taken in and is tried again.") from error
            self._pass_over(delivery, behind)
        return behind

    def _store(self, letter: Letter, delivery: str) -> None:
        if letter.raw is None:
            note_refused(source=self.source, delivery=delivery, outcome=MailOutcome.TOO_LARGE, now=self.now())
            return
        try:
            message = parse_bytes(letter.raw)
        except ValueError:
            note_refused(source=self.source, delivery=delivery, outcome=MailOutcome.UNREADABLE, now=self.now())
            return
        checks = checks_of_header(message, server=self.setup.auth_server)
        take_mail(source=self.source, mail=read_message(message, checks=checks), delivery=delivery, now=self.now())

    def _pass_over(self, delivery: str, behind: Cursor) -> None:
        with in_workspace(self.source.workspace_id):
            note_refused(source=self.source, delivery=delivery, outcome=MailOutcome.UNREADABLE, now=self.now())
            self._save(behind)

    def _behind(self, cursor: Cursor, uid: int) -> Cursor:
        return Cursor(Position(cursor.position.validity, uid), cursor.since)

    def _keep(self, cursor: Cursor) -> None:
        with in_workspace(self.source.workspace_id):
            self._save(cursor)

    def _save(self, cursor: Cursor) -> None:
        FeedbackSource.objects.filter(pk=self.source.pk).update(cursor=cursor.as_text())


def forget_old(*, now: datetime) -> int:
    """Drop the notes of mails that came long ago; returns how many. Their feedback stays, and still counts once."""
    return ReceivedMail.objects.filter(created_at__lt=now - REMEMBERED).delete()[0]
