"""Entry points of understanding's jobs."""

from uuid import UUID

from django.utils import timezone

from tellback.platform.jobs import Queue, defer_once, job_in_steps
from tellback.platform.tenancy import in_workspace
from tellback.platform.upkeep import periodic
from tellback.understanding import services
from tellback.understanding.engine import engine_for
from tellback.understanding.language_model.books import can_ask, forget_old_answers
from tellback.understanding.language_model.choices import get_choices


@job_in_steps("understanding.understand", queue=Queue.AI)
def understand(*, workspace_id: UUID, item_ids: list[str]) -> None:
    """Find the signals of these raw items, so many at a time as the engine reads in one go."""
    engine, ids = engine_for(workspace_id), [UUID(item_id) for item_id in item_ids]
    for start in range(0, len(ids), engine.identity.batch):
        some = ids[start : start + engine.identity.batch]
        services.understand(workspace_id=workspace_id, item_ids=some, engine=engine, now=timezone.now())


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


periodic("*/5 * * * *", "understanding.upgrade", queue=Queue.AI)
