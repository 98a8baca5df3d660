"""Entry points of understanding's jobs."""

from uuid import UUID

from django.utils import timezone

from tellback.platform.jobs import Queue, defer, defer_once, job, job_in_steps
from tellback.platform.tenancy import current_workspace_id, in_workspace
from tellback.platform.upkeep import periodic
from tellback.understanding import services
from tellback.understanding.engine import engine_for
from tellback.understanding.language_model.books import can_ask, forget_old_answers
from tellback.understanding.language_model.choices import get_choices
from tellback.understanding.learning.guidance import digest as write_digest
from tellback.understanding.learning.services import learn as learn_heads


@job_in_steps("understanding.understand", queue=Queue.AI)
def understand(*, workspace_id: UUID, item_ids: list[str]) -> None:
    """Find the signals of these raw items: as many as the engine reads in one go, then it is others' turn."""
    engine = engine_for(workspace_id)
    some, rest = item_ids[: engine.identity.batch], item_ids[engine.identity.batch :]
    ids = [UUID(item_id) for item_id in some]
    services.understand(workspace_id=workspace_id, item_ids=ids, engine=engine, now=timezone.now())
    if rest:
        with in_workspace(workspace_id):
            defer("understanding.understand", queue=Queue.AI, workspace_id=workspace_id, item_ids=rest)


@job_in_steps("understanding.upgrade", queue=Queue.AI)
def upgrade(*, workspace_id: UUID) -> None:
    """Read again what was read on this machine while the language model did not answer; a batch, then once more."""
    now = timezone.now()
    with in_workspace(workspace_id):
        forget_old_answers(now=now)
        choices = get_choices(workspace_id)
        possible = choices.engine == "openai" and can_ask(choices=choices, now=now) and services.count_waiting() > 0
    if possible and services.upgrade(workspace_id=workspace_id, engine=engine_for(workspace_id), now=now):
        with in_workspace(workspace_id):
            defer_once("understanding.upgrade", queue=Queue.AI, workspace_id=workspace_id)


@job("understanding.learn", queue=Queue.AI)
def learn() -> None:
    """Train the workspace's heads from what its people put right."""
    learn_heads(workspace_id=current_workspace_id(), now=timezone.now())


@job("understanding.digest", queue=Queue.MAINTENANCE)
def digest() -> None:
    """Write what corrections say as guidance for prompts, and train the heads on what is untouched by now."""
    workspace_id, now = current_workspace_id(), timezone.now()
    write_digest(workspace_id=workspace_id, now=now)
    learn_heads(workspace_id=workspace_id, now=now)


periodic("20 3 * * *", "understanding.digest", queue=Queue.MAINTENANCE)
periodic("*/5 * * * *", "understanding.upgrade", queue=Queue.AI)
