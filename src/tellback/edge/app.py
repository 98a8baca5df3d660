"""The ASGI application of the intake door: read, check, commit, answer."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from tellback.edge.batch import Batch, read_batch
from tellback.edge.body import Unknown, check, media_type_of, parse_json, parse_v1, read_body, require_json
from tellback.edge.brokers import Broker
from tellback.edge.brokers.store import BrokerStore
from tellback.edge.committer import Committer
from tellback.edge.errors import TooLarge, VersionEnded, WrongMethod
from tellback.edge.files import FileKeeper, SentFile, files_in, read_form, size_of_files
from tellback.edge.keys import KeyRing
from tellback.edge.limits import RateLimiter
from tellback.edge.payloads import (
    Sender,
    agreed_key,
    left_to_accept,
    stated_key,
    submission_of_v1,
    submission_of_v2,
    with_files,
)
from tellback.edge.people import know_digest_key, signed_author
from tellback.edge.room import LARGE, Room
from tellback.edge.storage import WidgetStorage
from tellback.edge.stores import Answer as Answered
from tellback.edge.stores import DatabaseStore, Store
from tellback.intake.accept import Accepted, Outcome, Submission, prepare, with_repeatable_names
from tellback.intake.attachments.storage import MEGABYTE
from tellback.intake.policy import Policy
from tellback.intake.schemas import VERSIONS
from tellback.intake.schemas.lax import LaxFeedbackV1
from tellback.intake.schemas.lifetime import lifetime_headers
from tellback.intake.schemas.v1 import FeedbackV1
from tellback.intake.schemas.v2 import MAX_BASE64, FeedbackV2
from tellback.kernel.errors import Forbidden, Invalid, TellbackError, Unauthenticated, Unavailable
from tellback.kernel.ids import to_public
from tellback.platform.loop_config import LoopConfig
from tellback.platform.problems import problem_of
from tellback.workspaces.models import KeyKind
from tellback.workspaces.selectors import KeyHolder
from tellback.workspaces.widget_identity.sessions import read_session

EXPOSED = "retry-after, idempotency-replayed, ratelimit, ratelimit-policy, deprecation, sunset, link"
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
#: Status, headers, body.
Answer = tuple[int, dict[str, str], bytes]

#: What a request says, and its files.
Read = tuple[Submission, list[SentFile]]

#: The door's addresses, each also with a slash at its end; the one that names no version takes the configured one.
PATHS = frozenset({"/feedback", "/v1/feedback", "/v2/feedback", "/v2/feedback/batch"})
#: Seconds that keys go on to hold while the database does not answer and a broker takes the feedback.
KEYS_WHILE_AWAY = 86_400.0
#: The widget keeps what it could not send for a week, and must not be counted twice then.
WIDGET_WINDOW = timedelta(days=8)


@dataclass(frozen=True, slots=True)
class EdgeOptions:
    """Limits of the door (document 1's `ingestion`), and how it reads (its `schema`)."""

    base_url: str
    max_payload_bytes: int = 4096
    max_v2_bytes: int = 262_144
    max_batch_bytes: int = 2_097_152
    max_form_bytes: int = 26_214_400
    widget_storage_bytes: int = 1_000_000_000
    requests_per_minute: int = 100
    idempotency_window: timedelta = timedelta(hours=24)
    version: str = "v1"
    v1_model: type[FeedbackV1] = FeedbackV1
    unknown_fields: Unknown = "forbid"

    @classmethod
    def of(cls, config: LoopConfig, *, base_url: str) -> "EdgeOptions":
        """What document 1's file says of the door."""
        limits, rules = config.ingestion, config.schema_
        return cls(
            base_url=base_url,
            max_payload_bytes=limits.max_payload_size,
            max_v2_bytes=limits.max_payload_size_v2,
            max_batch_bytes=8 * limits.max_payload_size_v2,
            widget_storage_bytes=limits.widget_storage_mb * MEGABYTE,
            requests_per_minute=limits.rate_limit,
            idempotency_window=timedelta(hours=limits.idempotency_ttl_hours),
            version=rules.version,
            v1_model=FeedbackV1 if rules.strict_mode else LaxFeedbackV1,
            unknown_fields="ignore" if rules.allow_unknown_fields else "forbid",
        )


class Edge:
    """One instance per web process; `start` and `stop` belong to the server's life."""

    def __init__(self, *, conninfo: str, options: EdgeOptions, broker: Broker | None = None) -> None:
        """With a broker, rows go there instead of into the database, which may then be away for a day."""
        self.options = options
        self.keys = KeyRing(conninfo=conninfo, while_away=KEYS_WHILE_AWAY if broker else 0.0)
        self.committer = Committer(stores=stores_of(conninfo, broker))
        self.naming = with_repeatable_names if broker else left_to_accept
        self.limiter = RateLimiter(conninfo=conninfo)
        self.files = FileKeeper()
        self.room = Room()
        self.widget_storage = WidgetStorage(options.widget_storage_bytes)

    def start(self) -> None:
        """Begin accepting."""
        self.limiter.start()
        self.committer.start()

    async def stop(self) -> None:
        """Store what was taken in, then end."""
        await self.committer.stop()
        await self.limiter.stop()
        await self.keys.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request to an address of `PATHS`."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        cors = _cors(headers)
        if scope["method"] == "OPTIONS" and cors:
            await _send(send, 204, {**cors, "access-control-max-age": "600"}, b"")
            return
        now = datetime.now(UTC)
        named = scope["path"].split("/")[1]
        version = named if named in VERSIONS else self.options.version
        try:
            self.room.require()
            with self.room.place(receive) as receive_into_place:
                status, extra, body = await self._accept(scope, headers, receive_into_place, version=version, now=now)
        except TellbackError as error:
            problem = problem_of(error)
            status, extra, body = problem.status, problem.headers, problem.body
            if isinstance(error, WrongMethod):
                extra = {**extra, "allow": "POST"}
        lifetime = lifetime_headers(version, base_url=self.options.base_url)
        await _send(send, status, {**cors, **lifetime, **extra}, body)

    async def _accept(
        self, scope: Scope, headers: dict[str, str], receive: Receive, *, version: str, now: datetime
    ) -> Answer:
        if scope["method"] != "POST":
            raise WrongMethod("Feedback is sent with POST.")
        if VERSIONS[version].has_ended(now):
            raise VersionEnded(f"/{version}/feedback is no longer taken. Use /{VERSIONS[version].successor}/feedback.")
        holder, sources = await self.keys.holder(_key_of(headers), origin=headers.get("origin", ""))
        limit = holder.rate_limit or self.options.requests_per_minute
        allowance = await self.limiter.take(holder.workspace_id, f"key:{holder.key_id}", per_minute=limit)
        await know_digest_key()
        policy = self.keys.policy(holder.workspace_id)
        sender = Sender(holder, sources, self._window_of(holder), policy, self.options.unknown_fields, self.naming)
        status, extra, body = await self._take_in(scope, headers, receive, sender, version=version, now=now)
        return status, {**allowance.headers, **extra}, body

    async def _take_in(
        self,
        scope: Scope,
        headers: dict[str, str],
        receive: Receive,
        sender: Sender,
        *,
        version: str,
        now: datetime,
    ) -> Answer:
        if scope["path"].removesuffix("/").endswith("/batch"):
            return await self._accept_batch(headers, receive, sender, now)
        author = _author_of(headers, sender.holder)
        read = self._read_v1 if version == "v1" else self._read_v2
        submission, files = await read(headers, receive, sender, now)
        if files:
            kept, notes = await self.files.keep(
                sender.holder.workspace_id, files, policy=sender.policy, room=self._room_of(sender)
            )
            submission = with_files(submission, kept, notes)
        if author:
            submission = replace(submission, author=author)
        named = sender.naming(submission)
        row = await _prepared(named, now=now, policy=sender.policy, beside=_is_large(headers))
        accepted = await self.committer.store(sender.holder.workspace_id, row)
        if submission.files and accepted.outcome != Outcome.ACCEPTED:
            await self.files.discard(submission.files)
        return self._answer(accepted, submission.external_id)

    def _room_of(self, sender: Sender) -> WidgetStorage | None:
        return self.widget_storage if sender.source_type == "widget" else None

    def _window_of(self, holder: KeyHolder) -> timedelta:
        window = self.options.idempotency_window
        return max(window, WIDGET_WINDOW) if holder.kind == KeyKind.WIDGET else window

    async def _read_v1(self, headers: dict[str, str], receive: Receive, sender: Sender, _now: datetime) -> Read:
        require_json(headers)
        body = await read_body(headers, receive, limit=self.options.max_payload_bytes)
        payload = parse_v1(body, model=self.options.v1_model, unknown=sender.unknown)
        key = agreed_key(str(payload.idempotency_key), stated_key(headers))
        return submission_of_v1(payload, sender, key=key), files_in(None, payload.metadata)

    async def _read_v2(self, headers: dict[str, str], receive: Receive, sender: Sender, now: datetime) -> Read:
        sent: list[SentFile] = []
        if media_type_of(headers) == "multipart/form-data":
            body, sent = await read_form(headers, receive, limit=self.options.max_form_bytes)
        else:
            require_json(headers)
            body = await read_body(headers, receive, limit=self.options.max_v2_bytes + MAX_BASE64)
        value = parse_json(body)
        if len(body) - size_of_files(value) > self.options.max_v2_bytes:
            raise TooLarge(f"Without its attachments a request may have {self.options.max_v2_bytes} bytes.")
        payload = check(FeedbackV2, value, unknown=sender.unknown)
        files = [*sent, *files_in(payload.attachments, payload.metadata)]
        key = agreed_key(str(payload.idempotency_key or ""), stated_key(headers))
        beside = [file.upload.content for file in sent]
        submission = submission_of_v2(payload, sender, key=key, now=now, beside=beside)
        signed = await signed_author(sender.holder.workspace_id, payload.author, now=now)
        return replace(submission, author=signed or submission.author), files

    async def _accept_batch(self, headers: dict[str, str], receive: Receive, sender: Sender, now: datetime) -> Answer:
        """202 when every item is stored, 207 when one or more are refused; each result says which."""
        if sender.holder.kind != KeyKind.SECRET:
            raise Forbidden("A widget key sends one piece of feedback at a time. Batches need an API key (tb_…).")
        require_json(headers)
        header = stated_key(headers)
        body = await read_body(headers, receive, limit=self.options.max_batch_bytes)
        batch = await read_batch(body, sender, header=header, now=now)
        outcomes = await self._store(sender.holder.workspace_id, batch)
        results = [batch.result(index, outcome) for index, outcome in enumerate(outcomes)]
        refused = [outcome for outcome in outcomes if isinstance(outcome, TellbackError)]
        if len(refused) == len(results) and all(isinstance(error, Unavailable) for error in refused):
            raise refused[0]
        document = {"accepted": len(results) - len(refused), "refused": len(refused), "results": results}
        return (207 if refused else 202), {"content-type": "application/json"}, orjson.dumps(document)

    async def _store(self, workspace_id: UUID, batch: Batch) -> list[dict[str, Any] | TellbackError]:
        """For each item of the batch its receipt, or why it was not stored. Those of one round share a commit."""
        outcomes: list[dict[str, Any] | TellbackError] = list(batch.items)
        for group in batch.rounds():
            try:
                answers = await self.committer.store_all(workspace_id, [row for _, row in group])
            except Unavailable as error:
                outcomes = [error if index in dict(group) else outcome for index, outcome in enumerate(outcomes)]
                continue
            for (index, row), answer in zip(group, answers, strict=True):
                outcomes[index] = self._outcome(answer, row["key"])
        return outcomes

    def _outcome(self, answer: Answered, key: str) -> dict[str, Any] | TellbackError:
        if isinstance(answer, TellbackError):
            return answer
        try:
            return self._receipt(answer, key)
        except Invalid as error:
            return error

    def _answer(self, accepted: Accepted, key: str) -> Answer:
        document = self._receipt(accepted, key)
        headers = {"content-type": "application/json"}
        if accepted.outcome == Outcome.DUPLICATE:
            headers["idempotency-replayed"] = "true"
        return (200 if accepted.outcome == Outcome.DUPLICATE else 202), headers, orjson.dumps(document)

    def _receipt(self, accepted: Accepted, key: str) -> dict[str, Any]:
        if accepted.outcome == Outcome.CONFLICT or accepted.raw_item_id is None:
            raise Invalid(
                "This idempotency key was used for another request. Use a fresh UUID for each piece of feedback.",
                code="idempotency-key-reused",
            )
        return {
            "status": accepted.outcome,
            "idempotencyKey": key,
            "id": to_public("raw_fb", accepted.raw_item_id),
            "receipt": f"{self.options.base_url}/r/{accepted.receipt_token}",
        }


def stores_of(conninfo: str, broker: Broker | None) -> list[Store]:
    """Two connections of the database, or the broker four times: it has room for more at once."""
    if broker is None:
        return [DatabaseStore(conninfo=conninfo) for _ in range(2)]
    return [BrokerStore(broker=broker)] * 4


async def _prepared(submission: Submission, *, now: datetime, policy: Policy, beside: bool) -> dict[str, Any]:
    """Its row. Taking private data out of much text would hold up the other requests, so it is done beside them."""
    if beside:
        return await asyncio.to_thread(prepare, submission, now=now, policy=policy)
    return prepare(submission, now=now, policy=policy)


def _is_large(headers: dict[str, str]) -> bool:
    """Whether a request is long, or does not say how long it is."""
    length = headers.get("content-length", "")
    return not length.isdigit() or int(length) > LARGE


def _author_of(headers: dict[str, str], holder: KeyHolder) -> dict[str, Any]:
    """The author whom a widget session vouches for, or nothing without one. Raises `Unauthenticated` when it ended."""
    session = headers.get("x-widget-session", "")
    return {"principalId": str(read_session(session, workspace_id=holder.workspace_id))} if session else {}


def _key_of(headers: dict[str, str]) -> str:
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    key = (
        secret.strip() if scheme.lower() == "bearer" else headers.get("x-api-key") or headers.get("x-widget-key") or ""
    )
    if not key:
        raise Unauthenticated("Send your key in the header Authorization: Bearer …")
    return key


def _cors(headers: dict[str, str]) -> dict[str, str]:
    """Browsers may call from any site; the widget key itself is restricted to its origins."""
    if "origin" not in headers:
        return {}
    return {
        "access-control-allow-origin": headers["origin"],
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "authorization, content-type, idempotency-key, x-widget-key, x-widget-session",
        "access-control-expose-headers": EXPOSED,
        "vary": "origin",
    }


async def _send(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
