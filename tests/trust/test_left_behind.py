"""Nothing that was handed on is left behind because somebody refers to it at that moment."""

import psycopg
import pytest

from tests.harness.processes import Installation, Queues

pytestmark = pytest.mark.trust

ACCEPT = """
import django; django.setup()
from django.utils import timezone
from tellback.intake.accept import Idempotency, Submission, accept_batch
from tellback.intake.models import FeedbackSource
from tellback.platform.tenancy import in_workspace, list_workspace_ids
workspace_id, now = list_workspace_ids()[0], timezone.now()
with in_workspace(workspace_id):
    source = FeedbackSource.objects.get(source_type="api")
    said = Submission(source_id=source.id, source_type="api", channel="api", text="The CSV export loses rows.",
                      source_created_at=now, external_id="left-behind", dedupe_key="left-behind")
    accept_batch(workspace_id=workspace_id, submissions=[said], now=now)
"""
READ = """
import django; django.setup()
from django.utils import timezone
from tellback.intake.models import RawItem
from tellback.intake.services import enrich_items
from tellback.platform.tenancy import in_workspace, list_workspace_ids
from tellback.understanding.engine import get_engine
from tellback.understanding.services import understand
workspace_id, now = list_workspace_ids()[0], timezone.now()
with in_workspace(workspace_id):
    ids = list(RawItem.objects.filter(external_id="left-behind").values_list("id", flat=True))
    enrich_items(item_ids=ids, now=now)
understand(workspace_id=workspace_id, item_ids=ids, engine=get_engine(), now=now)
"""


def test_an_item_is_read_while_its_feedback_is_being_opened(home_with_workspace: Installation, queues: Queues) -> None:
    made = home_with_workspace.run_python(ACCEPT)
    assert made.returncode == 0, made.stderr
    with psycopg.connect(queues.url) as opening:
        # What storing a row that refers to the item holds until its transaction ends.
        opening.execute("SELECT 1 FROM raw_feedback_items WHERE external_id = 'left-behind' FOR KEY SHARE")
        read = home_with_workspace.run_python(READ)
    assert read.returncode == 0, read.stderr
    states = queues.rows("SELECT processing_state FROM raw_feedback_items WHERE external_id = 'left-behind'")
    assert states == [("interpreting",)]
