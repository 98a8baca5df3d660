"""Waiting no longer than agreed for a server that may stand still."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import psycopg

Answer = TypeVar("Answer")
#: Classes of SQLSTATE in which the server as a whole does not take work: connection, resources, intervention.
_SERVER_TROUBLE = ("08", "53", "57")
Connection = psycopg.AsyncConnection[Any]
_left: set["asyncio.Task[Any]"] = set()


class Line:
    """A connection of one's own, made when it is needed, for one piece of work at a time."""

    def __init__(self, conninfo: str, *, patience: float, **options: Any) -> None:
        self._conninfo = conninfo
        self._patience = patience
        self._options = options
        self._connection: Connection | None = None

    async def run(self, work: Callable[[Connection], Awaitable[Answer]]) -> Answer:
        """What the work gives on the connection. Raises `TimeoutError` after the patience, `psycopg.Error`, `OSError`.

        The connection is then closed. One that turns out to have been lost since it was last used, because the server
        was started again, is replaced once, so the work must be safe to repeat.
        """
        connection, self._connection = self._connection, None
        self._connection, answer = await within(self._patience, self._run_on(connection, work))
        return answer

    async def close(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _run_on(
        self, connection: Connection | None, work: Callable[[Connection], Awaitable[Answer]]
    ) -> tuple[Connection, Answer]:
        if connection is not None:
            try:
                return connection, await _or_close(connection, work)
            except psycopg.OperationalError as error:
                if error.sqlstate and not error.sqlstate.startswith(_SERVER_TROUBLE):
                    raise
        connection = await Connection.connect(self._conninfo, autocommit=True, **self._options)
        return connection, await _or_close(connection, work)


async def _or_close(connection: Connection, work: Callable[[Connection], Awaitable[Answer]]) -> Answer:
    try:
        return await work(connection)
    except BaseException:
        await connection.close()
        raise


async def within(seconds: float, work: Coroutine[Any, Any, Answer]) -> Answer:
    """What the work gives, or `TimeoutError` after so many seconds, whatever the work does about it.

    `asyncio.timeout` waits until the work has noticed that it is cancelled, and psycopg first asks the server to give
    up the statement: with a server that stands still that takes ten seconds. Here the work is left to end by itself, so
    it must give back what it holds and nobody else may use that any more.
    """
    task = under_way(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if task.done():
            return task.result()
        raise TimeoutError(f"no answer within {seconds:g} seconds")
    finally:
        task.cancel()


def under_way(work: Coroutine[Any, Any, Answer]) -> "asyncio.Task[Answer]":
    """The work begun, which goes on when nobody waits for it any more; its error is for whoever still does."""
    task = asyncio.create_task(work)
    _left.add(task)
    task.add_done_callback(_forget)
    return task


def is_away(error: BaseException) -> bool:
    """Whether it is the server that does not answer or has no room, not the statement that is wrong."""
    if isinstance(error, psycopg.Error):
        state = error.sqlstate
        return isinstance(error, psycopg.OperationalError) and (state is None or state.startswith(_SERVER_TROUBLE))
    return isinstance(error, TimeoutError | OSError)


def _forget(task: "asyncio.Task[Any]") -> None:
    _left.discard(task)
    if not task.cancelled():
        task.exception()
