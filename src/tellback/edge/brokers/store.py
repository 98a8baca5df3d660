"""The broker as the edge's store, and what the edge remembers of requests that it has handed over.

A broker cannot say whether a key was used before. So ids and receipts follow from the request itself (see
`with_repeatable_names`): a repetition gets those of the first whichever process it reaches. A process that remembers
the first answers as the database would, 200 or 422; another one answers 202, and the consumer stores it once.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tellback.edge.brokers import AWAY, Broker
from tellback.edge.errors import TooLarge
from tellback.edge.stores import PATIENCE, Answer, Away, Row
from tellback.intake.accept import Accepted, Outcome
from tellback.intake.arrivals.messages import LARGEST, write_messages, write_row
from tellback.platform.patience import within

REMEMBERED = 50_000
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _First:
    """The first request with a key, handed over."""

    fingerprint: str
    accepted: Accepted
    until: datetime


class BrokerStore:
    """Hands rows to a broker. Several callers may use one at a time."""

    def __init__(self, *, broker: Broker) -> None:
        self._broker = broker
        self._handed_over: OrderedDict[Key, _First] = OrderedDict()
        self._on_the_way: dict[Key, asyncio.Event] = {}

    async def commit(self, workspace_id: UUID, rows: Sequence[Row]) -> list[Answer]:
        """The outcome of each row, after the broker has all that are new. Raises `Unavailable` when it may not.

        A row that no message can carry gets `TooLarge`.
        """
        try:
            return await within(PATIENCE, self._hand_over(workspace_id, rows))
        except TimeoutError as error:
            raise Away(AWAY) from error

    async def close(self) -> None:
        """Disconnect."""
        await self._broker.close()

    async def _hand_over(self, workspace_id: UUID, rows: Sequence[Row]) -> list[Answer]:
        keys = [_key_of(row) for row in rows]
        while waited_for := next((self._on_the_way[key] for key in keys if key in self._on_the_way), None):
            await waited_for.wait()
        known = [self._known(key, row) for key, row in zip(keys, rows, strict=True)]
        written = {key: write_row(row) for key, row, answer in zip(keys, rows, known, strict=True) if answer is None}
        sent = {key: line for key, line in written.items() if len(line) <= LARGEST}
        if sent:
            await self._publish(workspace_id, sent)
        answers: list[Answer] = []
        for key, row, answer in zip(keys, rows, known, strict=True):
            if key in sent:
                self._remember(key, row)
            answers.append(answer or (_accepted(row) if key in sent else _too_large()))
        return answers

    async def _publish(self, workspace_id: UUID, written: Mapping[Key, bytes]) -> None:
        arrived = asyncio.Event()
        self._on_the_way.update(dict.fromkeys(written, arrived))
        try:
            messages = write_messages(workspace_id, list(written.values()))
            await asyncio.gather(*(self._broker.publish(body) for body in messages))
        finally:
            for key in written:
                del self._on_the_way[key]
            arrived.set()

    def _known(self, key: Key, row: Row) -> Accepted | None:
        first = self._handed_over.get(key)
        if first is None or first.until <= row["now"]:
            return None
        if first.fingerprint != row["fingerprint"]:
            return Accepted(Outcome.CONFLICT, None, None)
        return Accepted(Outcome.DUPLICATE, first.accepted.raw_item_id, first.accepted.receipt_token)

    def _remember(self, key: Key, row: Row) -> None:
        self._handed_over[key] = _First(row["fingerprint"], _accepted(row), row["expires_at"])
        self._handed_over.move_to_end(key)
        while len(self._handed_over) > REMEMBERED:
            self._handed_over.popitem(last=False)


def _key_of(row: Row) -> Key:
    return row["scope"], row["key"]


def _accepted(row: Row) -> Accepted:
    return Accepted(Outcome.ACCEPTED, row["id"], row["receipt_token"])


def _too_large() -> TooLarge:
    return TooLarge(f"This is more than the queue carries at once: {LARGEST} bytes. Say it in fewer words or fields.")
