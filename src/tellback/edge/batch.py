"""A batch of version 2: up to a hundred pieces of feedback in one request, each with a result of its own."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tellback.edge.body import REFUSAL, check, parse_json
from tellback.edge.payloads import Sender, agreed_key, submission_of_v2
from tellback.intake.accept import prepare
from tellback.intake.schemas.v2 import FeedbackV2
from tellback.kernel.errors import FieldError, Invalid, TellbackError
from tellback.platform.problems import problem_document

MAX_ITEMS = 100
#: Bytes up to which a batch is read between other requests, so many items at a time (well under a millisecond): threads
#: that contend for the interpreter cost a fifth more. What is longer is read beside them.
SHORT, SLICE = 65_536, 10
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch says: for each item its row, or why it is refused. `path` is the JSON pointer of the items."""

    path: str
    items: Sequence[Row | TellbackError]

    def rounds(self) -> list[list[tuple[int, Row]]]:
        """The rows with their places, in as few groups as keep those apart that share an idempotency key.

        The first of those comes first. Within a group the order is that of the keys, so that two batches with the same
        items never wait for each other.
        """
        made: list[list[tuple[int, Row]]] = []
        seen: dict[str, int] = {}
        for index, item in enumerate(self.items):
            if isinstance(item, TellbackError):
                continue
            turn = seen[item["key"]] = seen.get(item["key"], -1) + 1
            if turn == len(made):
                made.append([])
            made[turn].append((index, item))
        return [sorted(group, key=lambda placed: str(placed[1]["key"])) for group in made]

    def result(self, index: int, outcome: dict[str, Any] | TellbackError) -> dict[str, Any]:
        """What the sender is told of one item; the pointers of a refusal lead into the whole request."""
        if isinstance(outcome, TellbackError):
            problem = problem_document(outcome, below=f"{self.path}/{index}")
            return {"index": index, "status": "refused", "problem": problem}
        return {"index": index, **outcome}


async def read_batch(body: bytes, sender: Sender, *, header: str, now: datetime) -> Batch:
    """The batch in a body: an array of items, or an object with `items`.

    With the header Idempotency-Key, items without a key of their own get it with their index. Raises `BadJson`, and
    `Invalid` for what is no batch; what is wrong with one item is that item's result.
    """
    if len(body) > SHORT:
        return await asyncio.to_thread(_read, body, sender, header, now)
    path, items = _items_of(parse_json(body))
    rows: list[Row | TellbackError] = []
    for index, item in enumerate(items):
        rows.append(_row_of(item, index, sender, header, now))
        if index % SLICE == SLICE - 1:
            await asyncio.sleep(0)
    return Batch(path, rows)


def _read(body: bytes, sender: Sender, header: str, now: datetime) -> Batch:
    path, items = _items_of(parse_json(body))
    return Batch(path, [_row_of(item, index, sender, header, now) for index, item in enumerate(items)])


def _items_of(value: Any) -> tuple[str, list[Any]]:
    path, items = ("", value) if isinstance(value, list) else ("/items", None)
    if isinstance(value, dict):
        unknown = [FieldError(f"/{name}", "is not known here") for name in value if name != "items"]
        if unknown:
            raise Invalid("A batch holds items and nothing else.", errors=unknown[:10])
        items = value.get("items")
    if not isinstance(items, list) or not items or len(items) > MAX_ITEMS:
        raise Invalid(
            f"Send 1 to {MAX_ITEMS} pieces of feedback, as an array or as the items of an object.",
            errors=[FieldError(path, f"must be an array of 1 to {MAX_ITEMS} items")],
        )
    return path, items


def _row_of(item: Any, index: int, sender: Sender, header: str, now: datetime) -> Row | TellbackError:
    try:
        payload = check(FeedbackV2, item, unknown=sender.unknown)
        if payload.attachments or (payload.metadata and payload.metadata.screenshot_base64):
            raise Invalid(REFUSAL, errors=[FieldError("/attachments", "are sent with one piece of feedback at a time")])
        if payload.author and payload.author.user_token:
            raise Invalid(REFUSAL, errors=[FieldError("/author/userToken", "is for one piece of feedback at a time")])
        own = str(payload.idempotency_key or "")
        key = own or agreed_key("", f"{header}/{index}" if header else "")
        submission = sender.naming(submission_of_v2(payload, sender, key=key, now=now))
        return prepare(submission, now=now, policy=sender.policy)
    except TellbackError as error:
        return error
