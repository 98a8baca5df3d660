"""Looking keys up."""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tellback.edge.keys import KeyRing
from tellback.kernel.errors import Unauthenticated


def test_many_requests_with_unknown_keys_at_once_share_one_connection_without_harm(
    database_url: str, wait_for: Callable[..., Any]
) -> None:
    async def ask() -> list[BaseException | object]:
        ring = KeyRing(conninfo=psycopg.conninfo.make_conninfo(database_url, options="-c role=tellback_app"))
        answers = await asyncio.gather(
            *(ring.holder(f"tb_unknown_{number % 5}", origin="") for number in range(40)), return_exceptions=True
        )
        await ring.close()
        return list(answers)

    answers = wait_for(ask())
    assert {type(answer) for answer in answers} == {Unauthenticated}


def test_a_database_that_is_gone_is_unavailable_and_not_an_unknown_key(wait_for: Callable[..., Any]) -> None:
    from tellback.kernel.errors import Unavailable

    ring = KeyRing(conninfo="postgresql:///nothing?host=/nonexistent&connect_timeout=1")
    with pytest.raises(Unavailable):
        wait_for(ring.holder("tb_some", origin=""))
