"""What a payload says, as a submission: from either version, for the holder of a key."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from tellback.edge.body import Unknown
from tellback.edge.keys import OwnSource, Sources
from tellback.intake.accept import Idempotency, Submission, fingerprint
from tellback.intake.attachments.services import KeptFile
from tellback.intake.policy import DEFAULT, Policy
from tellback.intake.schemas.v1 import FeedbackV1, Metadata
from tellback.intake.schemas.v2 import AuthorV2, FeedbackV2
from tellback.kernel.errors import FieldError, Invalid, Unavailable
from tellback.kernel.ids import to_public
from tellback.triage.rules import canonical_type
from tellback.workspaces.models import KeyKind
from tellback.workspaces.selectors import KeyHolder

MAX_KEY = 255


def left_to_accept(submission: Submission) -> Submission:
    """The submission as it is: it gets its names when it is stored."""
    return submission


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: the holder of a key, the sources they may push to, and how long a repetition is recognised."""

    holder: KeyHolder
    sources: Sources
    window: timedelta
    policy: Policy = DEFAULT
    unknown: Unknown = "forbid"
    #: Gives a submission its names, where those must be made before it is stored.
    naming: Callable[[Submission], Submission] = left_to_accept

    @property
    def source_type(self) -> str:
        """The type of source that the key stands for."""
        return "widget" if self.holder.kind == KeyKind.WIDGET else "api"

    def default_source(self) -> OwnSource:
        """The source of what names none. Raises `Unavailable` when the workspace has not got its sources yet."""
        for source in self.sources:
            if source.source_type == self.source_type:
                return source
        raise Unavailable("This workspace is not set up yet. Start Tellback once, or run: tellback migrate")

    def source_named(self, wanted: str) -> OwnSource:
        """The source with this id or name, among those that the key may name.

        A server's key may name any of the workspace's own sources; a widget key, which stands in public pages, only
        those of widgets. Raises `Invalid` for another one, or one that is switched off.
        """
        allowed = [one for one in self.sources if self.source_type in {"api", one.source_type}]
        found = next((one for one in allowed if _is_called(one, wanted)), None)
        if found is None:
            known = ", ".join(f"“{one.name}”" for one in allowed[:20]) if self.source_type == "api" else ""
            raise _wrong_source(f"is not a source that this key may name{f'; it may name {known}' if known else ''}")
        if not found.enabled:
            raise _wrong_source("is switched off")
        return found


def stated_key(headers: Mapping[str, str]) -> str:
    """The header Idempotency-Key, or an empty text. Raises `Invalid` when it cannot be one."""
    key = headers.get("idempotency-key", "").strip().strip('"')
    if len(key) > MAX_KEY or not key.isascii() or not key.isprintable():
        raise Invalid(f"The header Idempotency-Key may have {MAX_KEY} visible ASCII characters. Send a fresh UUID.")
    return key


def agreed_key(body: str, header: str) -> str:
    """The key that body and header name. Raises `Invalid` when they name different ones, or there is none."""
    if body and header and header.lower() != body:
        raise Invalid(
            "The header Idempotency-Key and the body name different keys. Send the same, or only the body's.",
            errors=[FieldError("/idempotencyKey", "differs from the header Idempotency-Key")],
        )
    if not body and not header:
        raise Invalid(
            "There is no idempotency key. Send a fresh UUID with each piece of feedback, the same one with each retry.",
            errors=[FieldError("/idempotencyKey", "is needed here or in the header Idempotency-Key")],
        )
    return body or header


def submission_of_v1(payload: FeedbackV1, sender: Sender, *, key: str) -> Submission:
    """Version 1 as a submission."""
    source = sender.default_source()
    metadata = _client_of(payload.metadata)
    return Submission(
        source_id=source.id,
        source_type=source.source_type,
        channel=payload.channel,
        category=canonical_type(payload.category),
        severity=payload.severity,
        text=payload.content,
        author={"externalUserId": payload.user_id} if payload.user_id else {},
        context={"metadata": metadata, "pageContext": _page_of(metadata, payload.session_id)},
        source_created_at=payload.timestamp,
        external_id=key,
        idempotency=_idempotency(sender, key, payload.model_dump_json()),
    )


def submission_of_v2(
    payload: FeedbackV2, sender: Sender, *, key: str, now: datetime, beside: Sequence[bytes] = ()
) -> Submission:
    """Version 2 as a submission. Raises `Invalid` for a source that the key may not name, or two ids of one person.

    `beside` is the content of files that came beside the payload: with others it is another request. A token is not
    part of what was said: a retry may carry a fresh one.
    """
    said = payload.model_dump_json(exclude_unset=True, exclude={"idempotency_key": True, "author": {"user_token"}})
    source = sender.source_named(payload.source) if payload.source else sender.default_source()
    return Submission(
        source_id=source.id,
        source_type=source.source_type,
        channel=payload.channel,
        category=canonical_type(payload.category),
        severity=payload.severity,
        subject=payload.subject or "",
        text=payload.content,
        language=payload.language,
        author=_author_of(payload.author, payload.user_id),
        context=_context_of(payload),
        source_created_at=payload.occurred_at or payload.timestamp or now,
        external_id=key,
        external_url=payload.external_url,
        idempotency=_idempotency(sender, key, "".join([said, *(sha256(content).hexdigest() for content in beside)])),
    )


def with_files(submission: Submission, kept: tuple[KeptFile, ...], notes: list[str]) -> Submission:
    """The submission with the files that came with it; what was left out is noted in its metadata."""
    context = submission.context
    if notes:
        context = {**context, "metadata": {**context.get("metadata", {}), "filesLeftOut": notes}}
    return replace(submission, files=kept, context=context)


def _is_called(source: OwnSource, wanted: str) -> bool:
    names = {source.name.casefold(), str(source.id), to_public("fb_source", source.id)}
    return wanted.strip().casefold() in names


def _wrong_source(detail: str) -> Invalid:
    return Invalid("The feedback was not accepted; see errors for each field.", errors=[FieldError("/source", detail)])


def _idempotency(sender: Sender, key: str, content: str) -> Idempotency:
    return Idempotency(str(sender.holder.key_id), key, fingerprint(content.encode()), sender.window)


def _author_of(author: AuthorV2 | None, user_id: str | None) -> dict[str, Any]:
    stated = author.model_dump(by_alias=True, exclude_none=True, exclude={"user_token"}, mode="json") if author else {}
    if user_id and stated.setdefault("externalUserId", user_id) != user_id:
        raise Invalid(
            "userId and author.externalUserId name different people. Send one of them.",
            errors=[FieldError("/userId", "differs from /author/externalUserId")],
        )
    return stated


def _context_of(payload: FeedbackV2) -> dict[str, Any]:
    stated = payload.context.model_dump(by_alias=True, exclude_none=True, mode="json") if payload.context else {}
    client = _client_of(payload.metadata)
    context = {
        **stated,
        "metadata": {**client, **stated.get("metadata", {})},
        "pageContext": {**_page_of(client, payload.session_id), **stated.get("pageContext", {})},
    }
    if payload.tags:
        context["tags"] = list(dict.fromkeys(tag.strip() for tag in payload.tags))
    if payload.rating is not None:
        context["rating"] = payload.rating
    return context


def _client_of(metadata: Metadata | None) -> dict[str, Any]:
    """What version 1 knows of the client. The screenshot is a file, see `edge.files`."""
    return metadata.model_dump(by_alias=True, exclude_none=True, exclude={"screenshot_base64"}) if metadata else {}


def _page_of(client: Mapping[str, Any], session_id: str | None) -> dict[str, Any]:
    page = {"url": client.get("pageUrl"), "userAgent": client.get("userAgent"), "sessionId": session_id}
    return {name: value for name, value in page.items() if value is not None}
