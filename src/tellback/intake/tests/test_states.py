"""Who moves several items at once locks them in the order of their ids, as others do: else two wait for each other."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from tellback.intake.models import FeedbackSource, ItemState, RawItem
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


def test_what_waits_is_found_without_passing_what_does_not(workspace: Workspace) -> None:
    source = FeedbackSource.objects.create(
        workspace=workspace, source_type="slack", delivery_mode="passive", name="Support"
    )
    RawItem.objects.bulk_create(
        RawItem(
            workspace=workspace,
            source=source,
            source_type="slack",
            external_id=str(number),
            dedupe_key=str(number),
            source_created_at=NOW,
            channel="api",
            receipt_token=f"{number:032}",
            processing_state=ItemState.COMPLETED if number < 900 else ItemState.READY,
        )
        for number in range(1000)
    )
    with CaptureQueriesContext(connection) as asked, connection.cursor() as cursor:
        found = lock_items(asked=Q(pk=None), waiting=Q(processing_state=ItemState.READY, last_error=None), most=16)
        claim = asked.captured_queries[-1]["sql"]
        # As the planner decides when very many wait beside more that do not: in their order, without sorting.
        cursor.execute("SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN (ANALYZE) {claim}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert len(found) == 16
    assert "raw_feedback_waiting_idx" in plan
    assert "Rows Removed by Filter" not in plan
