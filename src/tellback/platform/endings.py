"""Running asynchronous work in a process that must end when it is asked to."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Answer = TypeVar("Answer")
#: Seconds for what is cancelled to end.
MOMENT = 2.0
_unheeding: set["asyncio.Task[Any]"] = set()


def run(
    work: Coroutine[Any, Any, Answer], *, loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None
) -> Answer:
    """Like `asyncio.run`, but what does not heed its cancellation holds the process up for a moment only.

    Some clients wait for a server that stands still even when they are cancelled. Their work is left as it is, and the
    process must end without tidying up (`is_anything_left`).
    """
    runner = asyncio.Runner(loop_factory=loop_factory)
    try:
        return runner.run(work)
    finally:
        loop = runner.get_loop()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks, timeout=MOMENT))
        unheeding = {task for task in tasks if not task.done()}
        _unheeding.update(unheeding)
        if not unheeding:
            runner.close()


def is_anything_left() -> bool:
    """Whether work was left that did not heed its cancellation."""
    return bool(_unheeding)
