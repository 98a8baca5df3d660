"""The controls: builds that are careless on purpose, each of which the tests of this room catch."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.harness.careless_settings import __name__ as CARELESS
from tests.harness.postgres import Server
from tests.harness.processes import Installation, Queues, wait_until
from tests.trust import (
    test_attachments,
    test_database_away,
    test_hostile_senders,
    test_intake,
    test_odd_texts,
    test_overload,
    test_rate_limit,
    test_versions,
)
from tests.trust.test_intake import Door, add_workspace, open_door
from tests.trust.test_rate_limit import LIMIT

pytestmark = pytest.mark.trust

Check = Callable[[Door], Any]


def send_slowly(door: Door) -> None:
    test_hostile_senders.require_slow_senders_to_be_sent_away(door, count=12, posts=3, seconds=6)


#: A fault, and a test that must fail on it.
CAUGHT: list[tuple[str, Check]] = [
    ("forgets keys", test_intake.test_twenty_equal_requests_at_once_become_one_item),
    ("forgets keys", test_intake.test_a_lost_reply_is_made_good_by_sending_again),
    ("forgets keys", test_versions.test_twenty_equal_requests_at_once_become_one_item),
    ("forgets keys", test_versions.test_of_a_hundred_items_with_seven_wrong_ones_ninety_three_are_stored_once),
    ("compares nothing", test_intake.test_the_same_key_with_another_body_is_refused_and_changes_nothing),
    ("compares nothing", test_versions.test_the_same_key_with_another_text_is_refused),
    ("tells no credentials apart", test_intake.test_a_key_counts_for_one_credential_of_one_workspace),
    ("burns the key", test_intake.test_a_refused_body_does_not_use_up_its_key),
    ("keeps NUL", lambda door: test_odd_texts.require_answers(door, "a batch")),
    ("keeps halves", test_attachments.require_no_halves),
    ("answers first", test_attachments.require_word_of_a_full_database),
    ("waits for slow senders", send_slowly),
    ("is held up by slow senders", send_slowly),
    ("reads everything", lambda door: test_hostile_senders.send_endlessly(door, "/v1/feedback")),
]


@pytest.fixture(scope="module")
def door(migrated: Installation, queues: Queues) -> Iterator[Door]:
    key, other_key = add_workspace(queues, "harbour", 2)
    (foreign_key,) = add_workspace(queues, "lantern", 1)
    migrated.environment["DJANGO_SETTINGS_MODULE"] = CARELESS
    made = open_door(migrated, queues, key=key, other_key=other_key, foreign_key=foreign_key)
    yield made
    made.process.terminate()
    made.process.wait(30)


@pytest.fixture
def order(door: Door) -> Iterator[Path]:
    """Where a fault is ordered, once the door has got over the one before: it may still be told to come back."""
    wait_until(lambda: is_served(door), seconds=30, what="the door serves again")
    path = Path(door.installation.environment["HARNESS_ORDERS"]) / "careless"
    yield path
    path.unlink(missing_ok=True)


def is_served(door: Door) -> bool:
    with test_odd_texts.client_of(door) as client:
        answers = client.get("/readyz"), client.get("/api/v1/feedback/"), door.post(test_intake.payload())
    return all(answer.is_success for answer in answers)


@pytest.mark.parametrize(("fault", "check"), CAUGHT)
def test_a_careless_build_is_caught(door: Door, order: Path, fault: str, check: Check) -> None:
    check(door)
    order.write_text(fault)
    with pytest.raises(AssertionError):
        check(door)


def test_a_door_that_answers_before_it_stores_is_caught(door: Door, order: Path) -> None:
    order.write_text("answers first")
    with pytest.raises(AssertionError):
        test_intake.survive_kills(door, count=60, kills=1)


@pytest.mark.parametrize("fault", ["waits for the database", "is always ready"])
def test_a_door_that_hides_that_the_database_stands_still_is_caught(
    door: Door, order: Path, database_url: str, fault: str
) -> None:
    test_database_away.require_prompt_refusal(door, Server(database_url))
    order.write_text(fault)
    with pytest.raises(AssertionError):
        test_database_away.require_prompt_refusal(door, Server(database_url))


def test_a_door_that_waits_for_a_connection_is_caught(door: Door, order: Path) -> None:
    order.write_text("waits for a connection")
    with pytest.raises(AssertionError, match="a visitor is refused"):
        test_database_away.require_bounded_wait(door, door.queues, seconds=7)
    order.unlink()
    test_database_away.require_bounded_wait(door, door.queues, seconds=20)


#: What the rate limit was without a thought for a clock that goes back.
UNGUARDED = "CASE WHEN r.whole_at > at + 61 THEN at ELSE greatest(r.whole_at, at) END"


def test_a_limit_that_believes_every_clock_is_caught(door: Door) -> None:
    (limited,) = limited_doors(door, 1)
    name = "tellback_take_allowance(uuid,text[],int[],int[],double precision)"
    ((sound,),) = door.queues.rows("SELECT pg_get_functiondef(%s::regprocedure)", [name])
    assert UNGUARDED in sound
    test_rate_limit.require_no_lock_out((limited, limited))
    door.queues.rows(sound.replace(UNGUARDED, "greatest(r.whole_at, at)"))
    try:
        with pytest.raises(AssertionError):
            test_rate_limit.require_no_lock_out((limited, limited))
    finally:
        door.queues.rows(sound)


def limited_doors(door: Door, count: int) -> list[Door]:
    """The same door for keys of their own, each with the limit of the tests."""
    keys = add_workspace(door.queues, f"quay-{uuid4().hex}", count)
    door.queues.rows("UPDATE api_key SET rate_limit = %s WHERE prefix = ANY(%s)", [LIMIT, [key[:10] for key in keys]])
    return [replace(door, key=key) for key in keys]


def test_a_door_that_counts_nothing_is_caught(door: Door, order: Path) -> None:
    (limited,) = limited_doors(door, 1)
    order.write_text("counts nothing")
    with pytest.raises(AssertionError):
        test_rate_limit.require_one_allowance((limited, limited), restart=False)
    order.unlink()
    test_rate_limit.require_one_allowance((limited, limited), restart=False)


def test_a_door_that_lets_everybody_in_is_caught(door: Door, order: Path, tmp_path: Path) -> None:
    order.write_text("lets everybody in")
    with pytest.raises(AssertionError, match="told when to come back"):
        test_overload.require_shedding(door, tmp_path / "ledger", seconds=1)
