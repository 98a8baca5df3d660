"""The product's settings, with the harness's jobs beside the product's."""

from tellback.config.settings import *  # noqa: F403
from tellback.config.settings import INSTALLED_APPS as _APPS

INSTALLED_APPS = [*_APPS, "tests.harness"]
