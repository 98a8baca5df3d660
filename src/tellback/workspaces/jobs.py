"""Entry points of the workspaces' jobs."""

from django.contrib.sessions.models import Session
from django.utils import timezone

from tellback.platform.jobs import Queue, job
from tellback.platform.upkeep import periodic


@job("workspaces.forget_sessions", queue=Queue.MAINTENANCE)
def forget_sessions() -> None:
    """Remove sessions that ended by themselves. They belong to no workspace: the first one's job finds them all."""
    Session.objects.filter(expire_date__lt=timezone.now()).delete()


periodic("3 3 * * *", "workspaces.forget_sessions", queue=Queue.MAINTENANCE)
