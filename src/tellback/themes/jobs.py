"""Entry points of the themes' jobs."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from tellback.platform.jobs import Queue, defer_once, job, job_in_steps
from tellback.platform.tenancy import current_workspace_id, in_workspace
from tellback.platform.upkeep import periodic
from tellback.themes import services, upkeep, words
from tellback.themes.replay.services import find_replay, go_on
from tellback.understanding.engine import engine_for, get_engine
from tellback.workspaces.models import Workspace

#: How many themes are refreshed in one transaction.
FEW = 6
#: How many themes one job has put into words, so that others of the queue get their turn.
MOST_WORDED = 20
#: How long a replay leaves a language model alone that does not answer.
ASK_AGAIN = timedelta(minutes=5)


@job("themes.assign", queue=Queue.AI)
def assign(*, item_ids: list[str]) -> None:
    """Give the signals of these items their themes."""
    workspace_id = current_workspace_id()
    services.assign_items(
        workspace_id=workspace_id,
        item_ids=[UUID(item_id) for item_id in item_ids],
        engine=engine_for(workspace_id),
        now=timezone.now(),
    )


@job("themes.recount", queue=Queue.AI)
def recount(*, item_ids: list[str]) -> None:
    """Count the people of the themes of these items anew, since they are somebody else's."""
    services.recount_themes(workspace_id=current_workspace_id(), item_ids=[UUID(item_id) for item_id in item_ids])


@job("themes.recount_left", queue=Queue.AI)
def recount_left(*, theme_ids: list[str]) -> None:
    """Count these themes anew, since signals have left them."""
    ids = [UUID(theme_id) for theme_id in theme_ids]
    services.recount_left(workspace_id=current_workspace_id(), theme_ids=ids)


@job_in_steps("themes.refresh", queue=Queue.AI)
def refresh(*, workspace_id: UUID) -> None:
    """Bring every changed theme of the workspace up to date, a few at a time: nobody waits long for their rows."""
    chosen, local = engine_for(workspace_id), get_engine()
    while True:
        with in_workspace(workspace_id):
            changed = services.refresh_themes(
                engine=local, now=timezone.now(), limit=FEW, words_follow=chosen.identity.sorts
            )
        if not changed:
            return


@job_in_steps("themes.catch_up", queue=Queue.AI)
def catch_up(*, workspace_id: UUID) -> None:
    """Bring up to date what has grown too little to be counted at once."""
    with in_workspace(workspace_id):
        services.count_leftovers()
    refresh(workspace_id=workspace_id)


@job_in_steps("themes.word", queue=Queue.AI)
def word(*, workspace_id: UUID) -> None:
    """Have the workspace's language model put themes into words, until none waits or it does not answer."""
    engine = engine_for(workspace_id)
    if not engine.identity.sorts:
        return
    for _ in range(MOST_WORDED):
        if not words.word_next_theme(workspace_id=workspace_id, engine=engine, now=timezone.now()):
            return
    with in_workspace(workspace_id):
        defer_once("themes.word", queue=Queue.AI, workspace_id=workspace_id)


@job_in_steps("themes.replay", queue=Queue.AI)
def replay(*, workspace_id: UUID) -> None:
    """Do a step of the replay that is under way, then it is others' turn; nothing when it awaits a decision."""
    now = timezone.now()
    with in_workspace(workspace_id):
        under_way = find_replay()
    if under_way is None:
        return
    goes_on = go_on(workspace_id=workspace_id, replay_id=under_way.pk, now=now)
    with in_workspace(workspace_id):
        under_way.refresh_from_db()
        if goes_on or under_way.waits:
            delay = None if goes_on else ASK_AGAIN
            defer_once("themes.replay", queue=Queue.AI, workspace_id=workspace_id, delay=delay)


@job("themes.upkeep", queue=Queue.MAINTENANCE)
def keep_up() -> None:
    """Look for what would make the themes better; propose it, or do it where the workspace wants no questions."""
    workspace = Workspace.objects.get(pk=current_workspace_id())
    now = timezone.now()
    upkeep.count_all_anew(workspace_id=workspace.id)
    proposals = upkeep.propose_changes(workspace_id=workspace.id, engine=get_engine(), now=now)
    if upkeep.accepts_itself(workspace):
        upkeep.accept_all(proposals=proposals, now=now)


periodic("*/5 * * * *", "themes.catch_up", queue=Queue.AI)
periodic("*/5 * * * *", "themes.word", queue=Queue.AI)
periodic("13 3 * * *", "themes.upkeep", queue=Queue.MAINTENANCE)
