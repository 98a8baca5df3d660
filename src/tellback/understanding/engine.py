"""Which engine this process understands with: made once, from the settings."""

import functools
import subprocess
import sys

from django.conf import settings

from tellback.kernel.errors import Unavailable
from tellback.sdk.engine import Engine


@functools.cache
def get_engine() -> Engine:
    """The configured engine, loaded on first use and kept for the life of the process."""
    from tellback.engines.local import load_local_engine  # noqa: PLC0415 - loads the model, only where it is needed

    return load_local_engine(cache_dir=settings.DATA_DIR / "models", model_dir=settings.OPTIONS.model_dir)


def start_preparing_engine() -> "subprocess.Popen[str]":
    """Begin to build what the engine needs on disk, in another process. End it with `finish_preparing_engine`."""
    folders = [
        str(settings.DATA_DIR / "models"),
        *([str(settings.OPTIONS.model_dir)] if settings.OPTIONS.model_dir else []),
    ]
    return subprocess.Popen(
        [sys.executable, "-m", "tellback.engines.local", *folders], stderr=subprocess.PIPE, text=True
    )


def finish_preparing_engine(process: "subprocess.Popen[str]") -> None:
    """Wait for the engine to be there. Raises `Unavailable` with the reason when it is not."""
    _, messages = process.communicate()
    if process.returncode:
        reason = (messages.strip().splitlines() or ["no message"])[-1]
        raise Unavailable(f"The sentence model could not be prepared: {reason}")
