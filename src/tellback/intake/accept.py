"""The one door: everything that comes in passes `prepare` and one database function.

`prepare` takes private data out and makes the row; `tellback_accept` (a migration) stores the rows of one workspace,
their idempotency keys and the job that follows, in one statement. It is run by `accept_batch` on Django's connection,
inside the caller's transaction, and by the edge as a transaction of its own. Either all of it is there or nothing is.
"""

import base64
import functools
import hashlib
import hmac
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connection

from tellback.intake.attachments.services import KeptFile
from tellback.intake.policy import DEFAULT, Policy, get_policy
from tellback.intake.redaction import Redactor
from tellback.intake.vault.services import seal_removed
from tellback.kernel.ids import new_id
from tellback.platform.digests import digest_key, keyed_digest
from tellback.platform.sealing import WrongSeal

logger = logging.getLogger(__name__)

ACCEPT_SQL = "SELECT n, id, receipt_token, outcome FROM tellback_accept(%s::uuid, %s::jsonb)"
#: The same for rows with files, or with sealed originals, which it stores too.
ACCEPT_MORE_SQL = ACCEPT_SQL.replace("tellback_accept(", "tellback_accept_sealed(")
#: A sender's clock may be this far ahead; later times are taken for a wrong clock.
CLOCK_LEEWAY = timedelta(minutes=10)
EARLIEST = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


class Outcome(StrEnum):
    """What became of a submission."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A key under which a request counts once, for as long as `window`, for one credential (`scope`)."""

    scope: str
    key: str
    fingerprint: str
    window: timedelta


@dataclass(frozen=True, slots=True)
class Submission:
    """One thing to accept, valid in form. Either `idempotency` or `dedupe_key` says when it is the same again."""

    source_id: UUID
    source_type: str
    channel: str
    text: str
    source_created_at: datetime
    category: str = "other"
    severity: str = "medium"
    subject: str = ""
    external_id: str = ""
    external_url: str | None = None
    author: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    language: str | None = None
    idempotency: Idempotency | None = None
    dedupe_key: str | None = None
    silent: bool = False
    files: tuple[KeptFile, ...] = ()
    #: Only for a door that cannot ask what is known already, see `with_repeatable_names`.
    names: "Names | None" = None


@dataclass(frozen=True, slots=True)
class Names:
    """What an item is called before it is stored: its id, and the token of its receipt."""

    item_id: UUID
    receipt_token: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a sender is told. A duplicate carries the id and the receipt of the first; a conflict neither."""

    outcome: Outcome
    raw_item_id: UUID | None
    receipt_token: str | None


def fingerprint(content: bytes) -> str:
    """A keyed digest of what was sent, in a canonical form: tells a repetition from another thing, and nothing else."""
    return keyed_digest("fingerprint", content, key=fingerprint_key())


@functools.cache
def fingerprint_key() -> bytes:
    """The installation's key of digests; what is derived from the secret key while that cannot be opened.

    Feedback is taken in that case too: what is lost is that a repetition of something earlier is recognised. Raises
    `Unavailable` while the database does not answer.
    """
    try:
        return digest_key()
    except WrongSeal as error:
        logger.error("The installation's key of digests cannot be opened. %s", error.detail)
        return hashlib.sha256(settings.SECRET_KEY.encode()).digest()


def with_repeatable_names(submission: Submission) -> Submission:
    """The submission with names that follow from its idempotency key, credential and content.

    Equal requests get equal names, wherever and whenever they arrive, so a repetition can be answered with the first
    one's receipt without knowing of it, and storing both is storing one. The id is a UUIDv8 (RFC 9562, section 5.8);
    nobody without the secret key can tell the token.
    """
    same = submission.idempotency
    if same is None:
        return submission
    about = f"{same.scope}:{same.key}:{same.fingerprint}"
    bits = int.from_bytes(_derived("item", about)[:16]) & ~(0xF << 76) & ~(0x3 << 62)
    token = base64.urlsafe_b64encode(_derived("receipt", about)[:24]).decode()
    return replace(submission, names=Names(UUID(int=bits | (0x8 << 76) | (0x2 << 62)), token))


def _derived(purpose: str, about: str) -> bytes:
    return hmac.digest(settings.SECRET_KEY.encode(), f"tellback.{purpose}:{about}".encode(), "sha256")


def prepare(
    submission: Submission, *, now: datetime, policy: Policy = DEFAULT, item_id: UUID | None = None
) -> dict[str, Any]:
    """The row of a submission for `encode`: redacted, with its ids and receipt. Nothing private of the text is left.

    With the vault on (`policy.seals`) the row carries the originals, sealed. `item_id` is for an item that exists and
    is said anew.
    """
    names = submission.names or Names(item_id or new_id(), secrets.token_urlsafe(24))
    item_id = names.item_id
    redactor = policy.redactor()
    content = {"text": redactor.redact(submission.text)}
    if submission.subject:
        content["subject"] = redactor.redact(submission.subject)
    if submission.language:
        content["language"] = submission.language
    context = redactor.redact_json(submission.context)
    author = _author_of(submission, redactor)
    created, clock_note = _trusted_time(submission.source_created_at, now)
    if clock_note:
        context = {**context, "metadata": {**context.get("metadata", {}), **clock_note}}
    if submission.files:
        linked = context.get("attachments", [])
        context = {**context, "attachments": [*(file.as_context() for file in submission.files), *linked]}
    idempotency = submission.idempotency
    row = {
        "id": item_id,
        "source_id": submission.source_id,
        "source_type": submission.source_type,
        "external_id": submission.external_id or item_id,
        "dedupe_key": submission.dedupe_key or item_id,
        "external_url": redactor.redact_short(submission.external_url) if submission.external_url else None,
        "source_created_at": created,
        "author": author,
        "content": content,
        "context_envelope": context,
        "channel": submission.channel,
        "category": submission.category,
        "severity": submission.severity,
        "receipt_token": names.receipt_token,
        "silent": submission.silent,
        "now": now,
        "scope": idempotency.scope if idempotency else None,
        "key": idempotency.key if idempotency else None,
        "fingerprint": idempotency.fingerprint if idempotency else None,
        "expires_at": now + idempotency.window if idempotency else None,
    }
    if submission.files:
        row["files"] = [file.as_row(position) for position, file in enumerate(submission.files)]
    if policy.seals and policy.workspace_id and redactor.removed:
        row["sealed"] = seal_removed(workspace_id=policy.workspace_id, raw_item_id=item_id, removed=redactor.removed)
    return row


def _author_of(submission: Submission, redactor: Redactor) -> dict[str, Any]:
    """Who somebody is, is known: name, address, ids. What else is said about them is private like any other text."""
    author = dict(submission.author)
    if name := author.get("name"):
        # Programs put the address where a name is missing.
        author["name"] = "" if name == author.get("email") else redactor.redact_name(name)
    if "attributes" in author:
        author["attributes"] = redactor.redact_json(author["attributes"])
    return author


def _trusted_time(claimed: datetime, now: datetime) -> tuple[datetime, dict[str, str]]:
    """The sender's time, or ours with a note of what they said when theirs cannot be."""
    if EARLIEST <= claimed <= now + CLOCK_LEEWAY:
        return claimed, {}
    return now, {"claimedTimestamp": claimed.isoformat()}


def accept_sql(rows: Sequence[dict[str, Any]]) -> str:
    """The statement that stores these rows."""
    return ACCEPT_MORE_SQL if any("sealed" in row or "files" in row for row in rows) else ACCEPT_SQL


def encode(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as the database function takes them."""
    return orjson.dumps([{"n": n, **row} for n, row in enumerate(rows)]).decode()


def decode(rows: Sequence[dict[str, Any]], result: Sequence[Sequence[Any]]) -> list[Accepted]:
    """What became of each row, in their order. The function answers for all of them, or for none: all were new."""
    if not result:
        return [Accepted(Outcome.ACCEPTED, row["id"], row["receipt_token"]) for row in rows]
    accepted = {n: Accepted(Outcome(outcome), item_id, token) for n, item_id, token, outcome in result}
    return [accepted[n] for n in range(len(rows))]


def accept_batch(*, workspace_id: UUID, submissions: Sequence[Submission], now: datetime) -> list[Accepted]:
    """Accept submissions of one workspace within the caller's transaction, answering in their order."""
    policy = get_policy(workspace_id)
    rows = [prepare(submission, now=now, policy=policy) for submission in submissions]
    with connection.cursor() as cursor:
        cursor.execute(accept_sql(rows), [str(workspace_id), encode(rows)])
        return decode(rows, cursor.fetchall())
