"""`tellback worker`: the process that does the jobs."""

import asyncio
import logging
from typing import Annotated

import typer

from tellback.cli.environment import ready
from tellback.kernel.errors import Invalid


def worker(
    queues: Annotated[str, typer.Option(help="Comma-separated queues; all when empty.", show_default=False)] = "",
) -> None:
    """Do the jobs: understand feedback, keep themes, deliver mail. Run as many as you like.

    On SIGTERM or Ctrl-C it takes no more work, finishes what it holds, and puts back what takes too long.

    Example: [bold]tellback worker --queues feedback-ai,effects[/]
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    with ready() as options:
        from tellback.platform.jobs import QUEUE_NAMES, Queue, find_queue
        from tellback.platform.upkeep import Rhythm
        from tellback.platform.workers import Workshop

        names = [name.strip() for name in queues.split(",") if name.strip()]
        unknown = sorted(name for name in names if find_queue(name) is None)
        if unknown:
            raise Invalid(f"There is no queue {unknown[0]}. The queues are {', '.join(sorted(QUEUE_NAMES.values()))}.")
        wanted = {find_queue(name) for name in names}
        chosen = [queue for queue in Queue if not names or queue in wanted]
        rhythm = Rhythm(options.worker_silence)
        asyncio.run(Workshop(queues=chosen, rhythm=rhythm, grace=options.worker_grace).run())
