"""A process ends when it is asked to, whatever a client of some server waits for."""

import subprocess
import sys
import time

DEAF = """
import asyncio, os
from tellback.platform.endings import is_anything_left, run

async def deaf():
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass

async def work(*beside):
    tasks = [asyncio.ensure_future(one) for one in beside]
    await asyncio.sleep(0)
    return 7

assert run(work(asyncio.sleep(60))) == 7
assert not is_anything_left()
assert run(work(deaf())) == 7
assert is_anything_left()
os._exit(3)
"""


def test_what_does_not_heed_its_cancellation_is_left() -> None:
    began = time.monotonic()
    assert subprocess.run([sys.executable, "-c", DEAF], timeout=60, check=False).returncode == 3
    assert time.monotonic() - began < 20
