"""The broker as the edge's store."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tellback.edge.brokers.store import BrokerStore
from tellback.edge.brokers.tests.memory import MemoryBroker
from tellback.edge.committer import Committer
from tellback.edge.errors import TooLarge
from tellback.edge.stores import Answer, Away
from tellback.intake.accept import Accepted, Outcome
from tellback.intake.arrivals.messages import LARGEST, read_message
from tellback.kernel.errors import Unavailable

WORKSPACE = UUID(int=7)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
Wait = Callable[..., Any]


def row(key: str, *, text: str = "Rows are missing.", now: datetime = NOW) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "receipt_token": uuid4().hex,
        "scope": "scope",
        "key": key,
        "fingerprint": text,
        "content": {"text": text},
        "now": now,
        "expires_at": now + timedelta(hours=24),
    }


def outcomes(answers: Sequence[Answer]) -> list[Outcome]:
    return [answer.outcome for answer in answers if isinstance(answer, Accepted)]


def test_rows_of_one_commit_travel_in_one_message_and_are_accepted_when_it_has_arrived(wait_for: Wait) -> None:
    broker, rows = MemoryBroker(), [row("a"), row("b")]
    answers = wait_for(BrokerStore(broker=broker).commit(WORKSPACE, rows))
    assert answers == [Accepted(Outcome.ACCEPTED, one["id"], one["receipt_token"]) for one in rows]
    (body,) = broker.published
    message = read_message(body)
    assert (message.workspace_id, [one["key"] for one in message.rows]) == (WORKSPACE, ["a", "b"])


def test_a_repetition_gets_the_first_ones_receipt_and_travels_once(wait_for: Wait) -> None:
    broker, first, again, other = MemoryBroker(), row("a"), row("a"), row("a", text="Something else.")

    async def send() -> list[Answer]:
        store = BrokerStore(broker=broker)
        return [answer for one in (first, again, other) for answer in await store.commit(WORKSPACE, [one])]

    accepted, duplicate, conflict = wait_for(send())
    assert duplicate == Accepted(Outcome.DUPLICATE, first["id"], first["receipt_token"])
    assert conflict == Accepted(Outcome.CONFLICT, None, None)
    assert accepted.outcome == Outcome.ACCEPTED
    assert len(broker.published) == 1


def test_a_key_may_be_used_again_when_its_time_is_over(wait_for: Wait) -> None:
    async def send() -> list[Answer]:
        store = BrokerStore(broker=MemoryBroker())
        later = row("a", text="Something else.", now=NOW + timedelta(hours=24))
        return [answer for one in (row("a"), later) for answer in await store.commit(WORKSPACE, [one])]

    assert outcomes(wait_for(send())) == [Outcome.ACCEPTED, Outcome.ACCEPTED]


def test_the_same_request_twice_at_once_travels_once(wait_for: Wait) -> None:
    broker = MemoryBroker()

    async def send() -> list[Answer]:
        committer = Committer(stores=[BrokerStore(broker=broker)] * 4)
        committer.start()
        answers = await asyncio.gather(*(committer.store(WORKSPACE, row("a")) for _ in range(20)))
        await committer.stop()
        return list(answers)

    answers = wait_for(send())
    assert sorted(outcomes(answers)) == [Outcome.ACCEPTED] + [Outcome.DUPLICATE] * 19
    assert len({answer.receipt_token for answer in answers}) == 1
    assert len(broker.published) == 1


def test_what_the_broker_may_not_have_is_unavailable_and_may_be_sent_again(wait_for: Wait) -> None:
    broker = MemoryBroker()

    async def send() -> list[Answer]:
        store = BrokerStore(broker=broker)
        broker.away = True
        with pytest.raises(Unavailable):
            await store.commit(WORKSPACE, [row("a")])
        broker.away = False
        return await store.commit(WORKSPACE, [row("a")])

    assert outcomes(wait_for(send())) == [Outcome.ACCEPTED]


def test_a_broker_that_says_nothing_is_away_after_two_seconds(wait_for: Wait, monkeypatch: pytest.MonkeyPatch) -> None:
    broker = MemoryBroker()
    broker.silent = True
    monkeypatch.setattr("tellback.edge.brokers.store.PATIENCE", 0.05)

    async def send() -> None:
        store = BrokerStore(broker=broker)
        for _ in range(2):
            with pytest.raises(Away):
                await store.commit(WORKSPACE, [row("a")])

    wait_for(send())


def test_what_no_message_can_carry_is_refused_alone(wait_for: Wait) -> None:
    broker, large = MemoryBroker(), row("large", text="x" * LARGEST)

    async def send() -> list[Answer]:
        store = BrokerStore(broker=broker)
        return [*await store.commit(WORKSPACE, [row("a"), large, row("b")]), *await store.commit(WORKSPACE, [large])]

    first, refused, last, again = wait_for(send())
    assert outcomes([first, last]) == [Outcome.ACCEPTED] * 2
    assert isinstance(refused, TooLarge)
    assert isinstance(again, TooLarge)
    assert len(broker.published) == 1


def test_a_refusal_reaches_its_own_sender_only(wait_for: Wait) -> None:
    async def send() -> list[Any]:
        committer = Committer(stores=[BrokerStore(broker=MemoryBroker())])
        committer.start()
        sent = [row("a"), row("large", text="x" * LARGEST), row("b")]
        answers = await asyncio.gather(*(committer.store(WORKSPACE, one) for one in sent), return_exceptions=True)
        await committer.stop()
        return answers

    first, refused, last = wait_for(send())
    assert outcomes([first, last]) == [Outcome.ACCEPTED] * 2
    assert isinstance(refused, TooLarge)
