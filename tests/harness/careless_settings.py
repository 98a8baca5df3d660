"""The harness's settings, with the faults of `tests.harness.careless` beside the product."""

from tests.harness.settings import *  # noqa: F403
from tests.harness.settings import INSTALLED_APPS as _APPS

INSTALLED_APPS = [*_APPS, "tests.harness.careless.Careless"]
