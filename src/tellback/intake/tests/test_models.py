"""What the database itself refuses."""

from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from tellback.intake.models import FeedbackSource, RawItem
from tellback.platform.tenancy import in_workspace
from tellback.workspaces.models import Workspace


def test_an_item_cannot_name_the_source_of_another_workspace(workspace: Workspace, other_workspace_id: UUID) -> None:
    with in_workspace(other_workspace_id):
        foreign = FeedbackSource.objects.create(
            workspace_id=other_workspace_id, source_type="slack", delivery_mode="passive", name="Elsewhere"
        )
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        RawItem.objects.create(
            workspace=workspace,
            source_id=foreign.id,
            source_type="slack",
            external_id="1",
            dedupe_key="1",
            source_created_at=timezone.now(),
            channel="api",
            receipt_token="x" * 32,
        )
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
