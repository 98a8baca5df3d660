"""Document 1's `feedback-loop.config.yaml`: one table of keys, how the file is read, and what holds in this process."""

from tellback.platform.loop_config.reading import Loaded, get_loop_config, load, read_loop_config
from tellback.platform.loop_config.table import LoopConfig, Setting, list_settings, value_of

__all__ = [
    "Loaded",
    "LoopConfig",
    "Setting",
    "get_loop_config",
    "list_settings",
    "load",
    "read_loop_config",
    "value_of",
]
