"""A workspace whose language model is the fake one, on loopback."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pytest_django.fixtures import Settings

from tellback.engines.openai.fake import FakeModel
from tellback.intake.accept import Idempotency, Submission, accept_batch
from tellback.intake.models import FeedbackSource, RawItem
from tellback.intake.services import ensure_default_sources
from tellback.understanding import jobs as understanding_jobs
from tellback.understanding.language_model.choices import Wanted, save_choices
from tellback.understanding.services import count_waiting
from tellback.workspaces.models import Workspace

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass
class Talking:
    """A workspace, the model that it asks, and hands to send feedback with."""

    workspace: Workspace
    model: FakeModel
    run_jobs: Callable[[], int]
    sent: int = field(default=0)

    def choose(self, **changes: Any) -> None:
        """Set the language model, with these changes."""
        wanted = {"engine": "openai", "base_url": self.model.url, "key": "sk-of-this-test", **changes}
        save_choices(workspace=self.workspace, wanted=Wanted(**wanted), actor=None)

    def upgrade(self) -> int:
        """What the job does every five minutes, and all that follows from it; how many items were read again."""
        before = count_waiting()
        understanding_jobs.upgrade(workspace_id=self.workspace.id)
        self.run_jobs()
        return before - count_waiting()

    def say(self, *texts: str, **more: Any) -> list[RawItem]:
        """Send these texts, each as another person, and work until nothing is left to do."""
        source = FeedbackSource.objects.get(source_type="api")
        submissions = [
            Submission(
                source_id=source.id,
                source_type="api",
                channel="in-app",
                text=text,
                source_created_at=NOW,
                author={"externalUserId": f"u{self.sent + number}"},
                idempotency=Idempotency(scope="key", key=str(uuid4()), fingerprint="f", window=timedelta(hours=24)),
                silent=True,
                **more,
            )
            for number, text in enumerate(texts)
        ]
        self.sent += len(texts)
        answers = accept_batch(workspace_id=self.workspace.id, submissions=submissions, now=NOW)
        self.run_jobs()
        return [RawItem.objects.get(pk=answer.raw_item_id) for answer in answers if answer.raw_item_id]


@pytest.fixture
def talking(workspace: Workspace, run_jobs: Callable[[], int], settings: Settings) -> Iterator[Talking]:
    """A workspace that asks the fake model, which answers well until a test says otherwise."""
    settings.OUTBOUND_ALLOWED = ["127.0.0.1"]
    ensure_default_sources(workspace=workspace)
    with FakeModel() as model:
        made = Talking(workspace, model, run_jobs)
        made.choose()
        yield made
