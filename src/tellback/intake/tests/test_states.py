"""Who moves several items at once locks them in the order of their ids, as others do: else two wait for each other."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from tellback.intake.models import ItemState
from tellback.intake.states import complete_items, fail_items, lock_items
from tellback.kernel.ids import new_id
from tellback.workspaces.models import Workspace

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


def test_what_waits_stands_in_an_index_in_the_order_in_which_it_is_claimed(workspace: Workspace) -> None:
    """Whether the planner takes it depends on statistics; without it, it can only walk past all that does not wait."""
    with CaptureQueriesContext(connection) as asked, connection.cursor() as cursor:
        lock_items(asked=Q(pk=None), waiting=Q(processing_state=ItemState.READY, last_error=None), most=16)
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'raw_feedback_items'")
        indexes = [line for (line,) in cursor.fetchall()]
    claim = asked.captured_queries[1]["sql"]
    assert '"processing_state" = ' in claim
    assert re.search(r'ORDER BY (?:1|"raw_feedback_items"\."id") ASC LIMIT 16', claim)
    assert any("(workspace_id, processing_state, id)" in line for line in indexes)
