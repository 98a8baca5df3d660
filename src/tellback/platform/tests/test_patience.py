"""Waiting no longer than agreed, and going on with a server that was started again."""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tellback.platform.patience import Connection, Line, is_away, within


async def stubborn() -> None:
    """Does not end when it is cancelled, as psycopg does not while it asks the server to give up."""
    try:
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        await asyncio.sleep(0.2)


def test_what_does_not_end_when_it_is_told_to_is_left_behind(wait_for: Callable[..., Any]) -> None:
    async def waited() -> float:
        began = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            await within(0.01, stubborn())
        return asyncio.get_running_loop().time() - began

    assert wait_for(waited()) < 0.2


def test_what_answers_in_time_is_handed_on_and_so_are_its_errors(wait_for: Callable[..., Any]) -> None:
    async def answer(divisor: int) -> float:
        return 1 / divisor

    assert wait_for(within(1, answer(2))) == 0.5
    with pytest.raises(ZeroDivisionError):
        wait_for(within(1, answer(0)))


async def who(connection: Connection) -> int:
    row = await (await connection.execute("SELECT pg_backend_pid()")).fetchone()
    assert row
    return int(row[0])


def test_a_connection_that_was_lost_in_between_is_replaced_once(
    wait_for: Callable[..., Any], database_url: str
) -> None:
    async def three_times() -> list[int]:
        line = Line(database_url, patience=5)
        seen = [await line.run(who), await line.run(who)]
        with psycopg.connect(database_url, autocommit=True) as owner:
            owner.execute("SELECT pg_terminate_backend(%s, 2000)", [seen[0]])
        seen.append(await line.run(who))
        await line.close()
        return seen

    first, second, third = wait_for(three_times())
    assert first == second != third


def test_a_statement_that_is_wrong_is_not_said_twice_and_says_nothing_of_the_server(
    wait_for: Callable[..., Any], database_url: str
) -> None:
    said = 0

    async def wrong(connection: Connection) -> None:
        nonlocal said
        said += 1
        await connection.execute("SELECT 1 / 0")

    async def after_a_right_one() -> BaseException:
        line = Line(database_url, patience=5)
        await line.run(who)
        with pytest.raises(psycopg.Error) as caught:
            await line.run(wrong)
        await line.close()
        return caught.value

    assert not is_away(wait_for(after_a_right_one()))
    assert said == 1
    with pytest.raises(psycopg.OperationalError) as gone:
        psycopg.connect("postgresql:///nothing?host=/nonexistent")
    assert is_away(gone.value)
    assert is_away(TimeoutError())
