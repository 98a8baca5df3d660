"""Who moves several items at once locks them in the order of their ids, as others do: else two wait for each other."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tellback.intake.states import complete_items, fail_items
from tellback.kernel.ids import new_id

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def complete(ids: Sequence[UUID]) -> None:
    complete_items(item_ids=ids, now=NOW)


def fail(ids: Sequence[UUID]) -> None:
    fail_items(item_ids=ids, error=ValueError("no"), now=NOW)


@pytest.mark.parametrize("move", [complete, fail])
def test_items_are_locked_in_the_order_of_their_ids(workspace: object, move: Callable[[Sequence[UUID]], None]) -> None:
    with CaptureQueriesContext(connection) as asked:
        move([new_id(), new_id()])
    assert re.search(r'ORDER BY (?:1|"raw_feedback_items"\."id") ASC FOR', asked.captured_queries[0]["sql"])
