"""`tellback worker`: the process that does the jobs."""

import asyncio
import contextlib
import logging
import signal
from typing import Annotated

import typer

from tellback.cli.environment import ensure_secret_key, prepare_database_url, read_options, set_up_django
from tellback.kernel.errors import Invalid

GRACE_SECONDS = 25


def worker(
    queues: Annotated[str, typer.Option(help="Comma-separated queues; all when empty.", show_default=False)] = "",
) -> None:
    """Do the jobs: understand feedback, keep themes, deliver mail. Run as many as you like."""
    options = read_options()
    prepare_database_url(options)
    ensure_secret_key(options)
    set_up_django()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    from tellback.platform.jobs import Queue

    names = [name.strip() for name in queues.split(",") if name.strip()]
    known = {queue.value for queue in Queue}
    unknown = sorted(set(names) - known)
    if unknown:
        raise Invalid(f"There is no queue {unknown[0]}. The queues are {', '.join(sorted(known))}.")
    asyncio.run(_work([queue for queue in Queue if not names or queue.value in names]))


async def _work(queues: list) -> None:  # type: ignore[type-arg]
    from procrastinate.contrib.django import app

    from tellback.platform.jobs import CONCURRENCY
    from tellback.platform.upkeep import sweep_forever

    working = app.with_connector(app.connector.get_worker_connector())  # type: ignore[attr-defined]
    async with working.open_async():
        tasks = [
            asyncio.create_task(
                working.run_worker_async(
                    queues=[queue.value],
                    name=queue.value,
                    concurrency=CONCURRENCY[queue],
                    fetch_job_polling_interval=2.0,
                    shutdown_graceful_timeout=GRACE_SECONDS,
                    install_signal_handlers=False,
                )
            )
            for queue in queues
        ]
        tasks.append(asyncio.create_task(sweep_forever(working)))
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
