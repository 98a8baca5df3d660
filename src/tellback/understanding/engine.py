"""Which engine this process understands with: made once, from the settings."""

import functools

from django.conf import settings

from tellback.sdk.engine import Engine


@functools.cache
def get_engine() -> Engine:
    """The configured engine, loaded on first use and kept for the life of the process."""
    from tellback.engines.local import load_local_engine  # noqa: PLC0415 - loads the model, only where it is needed

    return load_local_engine(cache_dir=settings.DATA_DIR / "models", model_dir=settings.OPTIONS.model_dir)


def prepare_engine() -> None:
    """Build what the engine needs on disk, without keeping it in memory."""
    from tellback.engines.local.model import ensure_model, find_model_files  # noqa: PLC0415 - as above

    ensure_model(find_model_files(settings.OPTIONS.model_dir), cache_dir=settings.DATA_DIR / "models")
