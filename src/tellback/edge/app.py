"""The ASGI application of the intake door: read, check, commit, answer."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from pydantic import ValidationError

from tellback.edge.committer import Committer
from tellback.edge.keys import KeyRing, Sources
from tellback.edge.limits import RateLimiter
from tellback.intake.accept import Accepted, Idempotency, Outcome, Submission, fingerprint, prepare
from tellback.intake.schemas.v1 import FeedbackV1
from tellback.kernel.errors import FieldError, Invalid, TellbackError, Unauthenticated, Unavailable
from tellback.kernel.ids import to_public
from tellback.platform.problems import problem_of
from tellback.platform.rate_limits import Allowance
from tellback.triage.rules import canonical_type
from tellback.workspaces.models import KeyKind
from tellback.workspaces.selectors import KeyHolder

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class EdgeOptions:
    """Limits of the door (document 1's `ingestion`)."""

    base_url: str
    max_payload_bytes: int = 4096
    requests_per_minute: int = 100
    idempotency_window: timedelta = timedelta(hours=24)


class TooLarge(TellbackError):
    """The body is longer than the door takes."""

    code, status, title = "payload-too-large", 413, "The request is too large"


class WrongMediaType(TellbackError):
    """The body is not JSON."""

    code, status, title = "unsupported-media-type", 415, "Send JSON"


class WrongMethod(TellbackError):
    """Only POST is understood here."""

    code, status, title = "method-not-allowed", 405, "Use POST"


class BadJson(TellbackError):
    """The body cannot be read as JSON at all."""

    code, status, title = "malformed", 400, "The request is not valid JSON"


class Edge:
    """One instance per web process; `start` and `stop` belong to the server's life."""

    def __init__(self, *, conninfo: str, options: EdgeOptions) -> None:
        self.options = options
        self.keys = KeyRing(conninfo=conninfo)
        self.committer = Committer(conninfo=conninfo)
        self.limiter = RateLimiter(conninfo=conninfo)

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
        """Answer one request to /v1/feedback."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        cors = _cors(headers)
        if scope["method"] == "OPTIONS" and cors:
            await _send(send, 204, {**cors, "access-control-max-age": "600"}, b"")
            return
        try:
            status, extra, body = await self._accept(scope, headers, receive)
        except TellbackError as error:
            problem = problem_of(error)
            status, extra, body = problem.status, problem.headers, problem.body
        await _send(send, status, {**cors, **extra}, body)

    async def _accept(
        self, scope: Scope, headers: dict[str, str], receive: Receive
    ) -> tuple[int, dict[str, str], bytes]:
        if scope["method"] != "POST":
            raise WrongMethod("Feedback is sent with POST.")
        holder, sources = await self.keys.holder(_key_of(headers), origin=headers.get("origin", ""))
        limit = holder.rate_limit or self.options.requests_per_minute
        allowance = await self.limiter.take(holder.workspace_id, f"key:{holder.key_id}", per_minute=limit)
        if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            raise WrongMediaType("Set the header Content-Type: application/json.")
        body = await self._read(headers, receive)
        payload = parse_v1(body)
        key = str(payload.idempotency_key)
        stated = headers.get("idempotency-key", "").strip().strip('"')
        if stated and stated.lower() != key:
            raise Invalid(
                "The header Idempotency-Key and the body name different keys. Send the same, or only the body's.",
                errors=[FieldError("/idempotencyKey", "differs from the header Idempotency-Key")],
            )
        now = datetime.now(UTC)
        submission = self._submission(payload, key, holder, sources)
        accepted = await self.committer.store(holder.workspace_id, prepare(submission, now=now))
        return self._answer(accepted, key, allowance)

    async def _read(self, headers: dict[str, str], receive: Receive) -> bytes:
        limit = self.options.max_payload_bytes
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > limit:
            raise TooLarge(f"A request may have {limit} bytes; this one has {length[:20]}.")
        chunks, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise BadJson("The connection closed before the whole request arrived.")
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > limit:
                raise TooLarge(f"A request may have {limit} bytes; this one has more.")
            chunks.append(chunk)
            if not message.get("more_body"):
                return b"".join(chunks)

    def _submission(self, payload: FeedbackV1, key: str, holder: KeyHolder, sources: Sources) -> Submission:
        source_type = "widget" if holder.kind == KeyKind.WIDGET else "api"
        if source_type not in sources:
            raise Unavailable("This workspace is not set up yet. Start Tellback once, or run: tellback migrate")
        metadata = payload.metadata.model_dump(by_alias=True, exclude_none=True) if payload.metadata else {}
        page = {"url": metadata.get("pageUrl"), "userAgent": metadata.get("userAgent"), "sessionId": payload.session_id}
        context = {
            "metadata": metadata,
            "pageContext": {name: value for name, value in page.items() if value is not None},
        }
        return Submission(
            source_id=sources[source_type],
            source_type=source_type,
            channel=payload.channel,
            category=canonical_type(payload.category),
            severity=payload.severity,
            text=payload.content,
            language=None,
            author={"externalUserId": payload.user_id} if payload.user_id else {},
            context=context,
            source_created_at=payload.timestamp,
            external_id=key,
            idempotency=Idempotency(
                scope=str(holder.key_id),
                key=key,
                fingerprint=fingerprint(payload.model_dump_json().encode()),
                window=self.options.idempotency_window,
            ),
        )

    def _answer(self, accepted: Accepted, key: str, allowance: Allowance) -> tuple[int, dict[str, str], bytes]:
        if accepted.outcome == Outcome.CONFLICT or accepted.raw_item_id is None:
            raise Invalid(
                "This idempotency key was used for another request. Use a fresh UUID for each piece of feedback.",
                code="idempotency-key-reused",
            )
        duplicate = accepted.outcome == Outcome.DUPLICATE
        document = {
            "status": accepted.outcome,
            "idempotencyKey": key,
            "id": to_public("raw_fb", accepted.raw_item_id),
            "receipt": f"{self.options.base_url}/r/{accepted.receipt_token}",
        }
        headers = {"content-type": "application/json", **allowance.headers}
        if duplicate:
            headers["idempotency-replayed"] = "true"
        return 200 if duplicate else 202, headers, orjson.dumps(document)


def parse_v1(body: bytes) -> FeedbackV1:
    """The payload, checked strictly. Raises `Invalid` with a pointer per field, `BadJson` when it is not JSON."""
    try:
        return FeedbackV1.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        if any(problem["type"] == "json_invalid" for problem in found):
            raise BadJson(f"The request is not valid JSON: {found[0]['msg']}.") from None
        errors = [FieldError("/" + "/".join(str(part) for part in problem["loc"]), problem["msg"]) for problem in found]
        raise Invalid("The feedback was not accepted; see errors for each field.", errors=errors) from None


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
        "access-control-allow-headers": "authorization, content-type, idempotency-key, x-widget-key",
        "access-control-expose-headers": "retry-after, idempotency-replayed, ratelimit, ratelimit-policy",
        "vary": "origin",
    }


async def _send(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
