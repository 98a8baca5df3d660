"""One OpenAI-compatible endpoint: chat completions and embeddings over HTTP, retried with jitter, bounded in time.

Sources: OpenAI API reference (chat/completions, embeddings), RFC 9110 section 10.2.3 (Retry-After). No tools are ever
offered. Endpoints differ in two details, which are found out by what they refuse: how a schema is handed over, and how
the length of an answer is limited.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import Any, Generic, TypeVar

import httpx
import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from tellback.engines.openai.contracts import REJECTIONS, Checked, Rejected, Schema
from tellback.platform.addresses import ForbiddenAddress
from tellback.platform.outbound_http import Reply, TooLong, fetch
from tellback.sdk.engine import FREE, Usage, Vectors

T = TypeVar("T")

#: Document 3, section 1.6: jittered exponential backoff, base 1 s, at most 30 s, up to three retries.
RETRIES, FIRST_PAUSE, LONGEST_PAUSE = 3, 1.0, 30.0
CALL_SECONDS = 45.0
MAX_BYTES = 512_000
MAX_VECTOR_BYTES = 16_000_000
EMBED_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """One thing to ask a model: what it is told, what it is shown, the schema of the answer, and the check of it.

    `tokens` is the most that one try may cost.
    """

    model: str
    system: str
    user: str
    name: str
    schema: Schema
    most_output: int
    check: Callable[[str], Checked[T]]

    @property
    def tokens(self) -> int:
        """A third of the bytes that are sent, as input of any language, and the longest answer."""
        sent = len(self.system.encode()) + len(self.user.encode()) + len(json.dumps(self.schema))
        return sent // 3 + 16 + self.most_output


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What came of a question. Without a `value`, `failure` is one of `host.REASONS` and `detail` says it at length."""

    value: T | None = None
    content: str = ""
    usage: Usage = FREE
    calls: int = 0
    failure: str = ""
    detail: str = ""
    wait: float | None = None
    rejected: Counter[str] = field(default_factory=Counter)


class EndpointError(Exception):
    """The endpoint gave no answer. `code` is one of `host.REASONS`."""

    def __init__(self, code: str, detail: str, *, again: bool, wait: float | None = None) -> None:
        super().__init__(detail)
        self.code, self.detail, self.again, self.wait = code, detail, again, wait


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Message(_Read):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[Any] | None = None
    function_call: Any = None


class _Choice(_Read):
    message: _Message
    finish_reason: str | None = None


class _Usage(_Read):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Completion(_Read):
    choices: list[_Choice]
    usage: _Usage | None = None


class _Embedding(_Read):
    index: int
    embedding: list[float]


class _Embeddings(_Read):
    data: list[_Embedding]
    usage: _Usage | None = None


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How this endpoint wants a schema and a limit handed over."""

    format: str = "json_schema"
    limit: str = "max_completion_tokens"


#: What was found out about endpoints, by address and model; asked again in each process.
_dialects: dict[tuple[str, str], _Dialect] = {}


@dataclass(frozen=True, slots=True)
class Timing:
    """Clock and chance, to be replaced in tests. `now` counts seconds."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random


class Endpoint:
    """Asks one endpoint. Safe to use from several threads."""

    def __init__(self, *, client: httpx.Client, base_url: str, key: str, timing: Timing | None = None) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._timing = timing or Timing()

    def ask(self, question: Question[T], *, until: float) -> Outcome[T]:
        """Ask until there is an answer that passes its check, at the latest `until`.

        A call that fails in passing is repeated up to three times; an answer that cannot be used once.
        """
        usage, rejected, calls, tries, unusable = Usage(), Counter[str](), 0, 0, 0
        while True:
            calls += 1
            try:
                content, spent = self._complete(question, until)
            except EndpointError as error:
                pause = self._pause(tries, error.wait)
                if not error.again or tries >= RETRIES or self._timing.now() + pause >= until:
                    return Outcome(
                        usage=usage, calls=calls, failure=error.code, detail=error.detail, wait=error.wait,
                        rejected=rejected,
                    )  # fmt: skip
                tries += 1
                self._timing.sleep(pause)
                continue
            except _Unusable as error:
                usage, reason = usage + error.usage, error.reason
            else:
                usage += spent
                try:
                    checked = question.check(content)
                    return Outcome(checked.value, content, usage, calls, rejected=rejected + checked.rejected)
                except Rejected as error:
                    reason = error
            rejected += reason.counts
            unusable += 1
            if unusable > 1 or reason.kind == "refused":
                failure = "refused" if reason.kind == "refused" else "rejected"
                return Outcome(
                    usage=usage, calls=calls, failure=failure, detail=REJECTIONS[reason.kind], rejected=rejected
                )

    def embed(self, texts: Sequence[str], *, model: str, until: float) -> tuple[Vectors, Usage]:
        """One vector of length one for each text. Raises `EndpointError`."""
        rows, usage = [], Usage()
        for start in range(0, len(texts), EMBED_AT_ONCE):
            some = list(texts[start : start + EMBED_AT_ONCE])
            vectors, spent = self._embed(some, model, until)
            rows.append(vectors)
            usage += spent
        return np.vstack(rows), usage

    def _pause(self, tries: int, wait: float | None) -> float:
        most = min(FIRST_PAUSE * float(2**tries), LONGEST_PAUSE)
        return max(most * (0.5 + self._timing.chance()), wait or 0.0)

    def _complete(self, question: Question[T], until: float) -> tuple[str, Usage]:
        place = (self._base_url, question.model)
        while True:
            dialect = _dialects.get(place, _Dialect())
            try:
                reply = self._post("/chat/completions", _body(question, dialect), until, MAX_BYTES)
            except _WrongDialect as error:
                other = _other(dialect, error.said)
                if other is None:
                    raise EndpointError("request", error.said, again=False) from error
                _dialects[place] = other
                continue
            return _content(reply, question)

    def _embed(self, texts: list[str], model: str, until: float) -> tuple[Vectors, Usage]:
        tries = 0
        while True:
            try:
                body = {"model": model, "input": texts, "encoding_format": "float"}
                return _vectors(self._post("/embeddings", body, until, MAX_VECTOR_BYTES), texts)
            except _WrongDialect as error:
                raise EndpointError("request", error.said, again=False) from error
            except _Unusable as error:
                raise EndpointError("rejected", str(error), again=False) from error
            except EndpointError as error:
                pause = self._pause(tries, error.wait)
                if not error.again or tries >= RETRIES or self._timing.now() + pause >= until:
                    raise
                tries += 1
                self._timing.sleep(pause)

    def _post(self, path: str, body: object, until: float, most: int) -> Reply:
        headers = [("content-type", "application/json"), ("accept", "application/json")]
        if self._key:
            headers.append(("authorization", f"Bearer {self._key}"))
        seconds = min(CALL_SECONDS, until - self._timing.now())
        if seconds <= 0:
            raise EndpointError("slow", "There was no time left to ask.", again=False)
        try:
            reply = fetch(
                self._client, "POST", self._base_url + path, headers=headers, content=json.dumps(body).encode(),
                seconds=seconds, max_bytes=most,
            )  # fmt: skip
        except ForbiddenAddress as error:
            raise EndpointError("forbidden", error.detail, again=False) from error
        except TooLong as error:
            raise _Unusable(Rejected("too_long")) from error
        except httpx.TimeoutException as error:
            raise EndpointError("slow", f"No answer within {seconds:.0f} seconds.", again=True) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise EndpointError("unreachable", _reason(error), again=True) from error
        _raise_for(reply)
        return reply


class _Unusable(Exception):
    """An answer came that is none."""

    def __init__(self, reason: Rejected, usage: Usage | None = None) -> None:
        super().__init__(str(reason))
        self.reason, self.usage = reason, usage or Usage()


class _WrongDialect(Exception):
    """The endpoint did not take the request as it was."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


def _body(question: Question[Any], dialect: _Dialect) -> dict[str, Any]:
    system = question.system
    if dialect.format != "json_schema":
        system += f"\nAnswer one JSON object that keeps to this schema:\n{json.dumps(question.schema)}\n"
    body: dict[str, Any] = {
        "model": question.model,
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": question.user}],
        dialect.limit: question.most_output,
    }
    if dialect.format == "json_schema":
        named = {"name": question.name, "strict": True, "schema": question.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    elif dialect.format == "json_object":
        body["response_format"] = {"type": "json_object"}
    return body


def _other(dialect: _Dialect, said: str) -> _Dialect | None:
    """How to ask instead, by what the refusal names; None when it names nothing that could be changed."""
    words = said.lower()
    if "max_completion_tokens" in words and dialect.limit == "max_completion_tokens":
        return replace(dialect, limit="max_tokens")
    if any(word in words for word in ("response_format", "json_schema", "schema", "json_object")):
        if dialect.format == "json_schema":
            return replace(dialect, format="json_object")
        if dialect.format == "json_object":
            return replace(dialect, format="none")
    return None


def _raise_for(reply: Reply) -> None:
    """Raises what a status other than 200 means."""
    status = reply.status
    if status == 200:
        return
    said = _said(reply)
    detail = f"The endpoint answered {status}" + (f": {said}" if said else ".")
    if status in {401, 403}:
        raise EndpointError("key", detail, again=False)
    if status == 404:
        raise EndpointError("model", detail, again=False)
    if status == 402 or "insufficient_quota" in said:
        raise EndpointError("quota", detail, again=False)
    if status in {400, 422}:
        raise _WrongDialect(detail)
    if status in {408, 409, 425, 429} or status >= 500:
        code = "busy" if status == 429 else "unreachable"
        raise EndpointError(code, detail, again=True, wait=_retry_after(reply))
    if 300 <= status < 400:
        detail = f"The endpoint answered {status}: it points elsewhere, which is not followed. Give the final address."
    raise EndpointError("request", detail, again=False)


def _said(reply: Reply) -> str:
    """What the endpoint says went wrong, on one line and short; nothing of a page of HTML."""
    try:
        said = json.loads(reply.body)
    except ValueError:
        return ""
    error = said.get("error", said) if isinstance(said, dict) else {}
    if isinstance(error, dict):
        error = " ".join(str(error[name]) for name in ("message", "detail", "code", "param") if error.get(name))
    return " ".join(str(error).split())[:300]


def _retry_after(reply: Reply) -> float | None:
    stated = reply.headers.get("retry-after", "")
    if stated.replace(".", "", 1).isdigit():
        return min(float(stated), 3600.0)
    try:
        return min(max(parsedate_to_datetime(stated).timestamp() - time.time(), 0.0), 3600.0)
    except (TypeError, ValueError):
        return None


def _reason(error: Exception) -> str:
    said = str(error).strip() or type(error).__name__
    return f"The endpoint cannot be reached: {said[:200]}"


def _content(reply: Reply, question: Question[Any]) -> tuple[str, Usage]:
    try:
        completion = _Completion.model_validate_json(reply.body)
    except (ValidationError, ValueError) as error:
        raise _Unusable(Rejected("not_json" if reply.body.strip() else "empty")) from error
    counted = completion.usage
    content = (completion.choices[0].message.content or "") if completion.choices else ""
    if counted and (counted.prompt_tokens or counted.completion_tokens):
        usage = Usage(max(counted.prompt_tokens, 0), max(counted.completion_tokens, 0))
    else:
        sent = question.tokens - question.most_output
        usage = Usage(sent, len(content.encode()) // 3 + 1)
    if not completion.choices:
        raise _Unusable(Rejected("empty"), usage)
    choice = completion.choices[0]
    if choice.message.tool_calls or choice.message.function_call:
        raise _Unusable(Rejected("tool_call"), usage)
    if choice.message.refusal or choice.finish_reason == "content_filter":
        raise _Unusable(Rejected("refused"), usage)
    if choice.finish_reason == "length":
        raise _Unusable(Rejected("cut_off"), usage)
    return content, usage


def _vectors(reply: Reply, texts: Sequence[str]) -> tuple[Vectors, Usage]:
    try:
        answer = _Embeddings.model_validate_json(reply.body)
        rows = sorted(answer.data, key=lambda row: row.index)
        vectors = np.array([row.embedding for row in rows], dtype=np.float32)
    except (ValidationError, ValueError) as error:
        raise EndpointError("rejected", "The endpoint’s vectors cannot be read.", again=False) from error
    norms = np.linalg.norm(vectors, axis=1, keepdims=True) if vectors.ndim == 2 and vectors.size else np.zeros((1, 1))
    if len(vectors) != len(texts) or not np.isfinite(vectors).all() or not (norms > 0).all():
        raise EndpointError("rejected", "The endpoint’s vectors are not one for each text.", again=False)
    counted = answer.usage.prompt_tokens if answer.usage else 0
    sent = counted if counted > 0 else sum(len(text.encode()) for text in texts) // 3
    return np.asarray(vectors / norms, dtype=np.float32), Usage(sent, 0)
