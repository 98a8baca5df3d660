"""Looking keys up."""

import asyncio
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tellback.edge.keys import REMEMBER, KeyRing, _Known
from tellback.kernel.errors import Unauthenticated, Unavailable
from tellback.workspaces.models import KeyKind
from tellback.workspaces.selectors import KeyHolder
from tellback.workspaces.services import digest_of


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
    ring = KeyRing(conninfo="postgresql:///nothing?host=/nonexistent&connect_timeout=1")
    with pytest.raises(Unavailable):
        wait_for(ring.holder("tb_some", origin=""))


@pytest.fixture
def remembering(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., KeyRing]:
    """A ring that has found the key tb_known ten minutes ago, and whose database has been away since."""

    def make(*, while_away: float, revoked: bool = False) -> KeyRing:
        ring = KeyRing(conninfo="postgresql:///nothing?host=/nonexistent&connect_timeout=1", while_away=while_away)
        holder = None if revoked else KeyHolder(uuid4(), uuid4(), KeyKind.SECRET, (), None)
        found_at = time.monotonic() - 600
        ring._known[digest_of("tb_known")] = _Known(found_at, found_at + REMEMBER, holder, ())
        return ring

    return make


def test_before_a_broker_a_known_key_holds_while_the_database_is_away(
    remembering: Callable[..., KeyRing], wait_for: Callable[..., Any]
) -> None:
    async def ask(ring: KeyRing) -> list[UUID]:
        return [(await ring.holder("tb_known", origin=""))[0].key_id for _ in range(2)]

    first, again = wait_for(ask(remembering(while_away=3600)))
    assert first == again


@pytest.mark.parametrize(("while_away", "revoked"), [(0, False), (300, False), (3600, True)])
def test_a_key_does_not_hold_longer_than_agreed_or_after_it_was_revoked(
    remembering: Callable[..., KeyRing], wait_for: Callable[..., Any], while_away: float, revoked: bool
) -> None:
    with pytest.raises(Unavailable):
        wait_for(remembering(while_away=while_away, revoked=revoked).holder("tb_known", origin=""))
