"""The local engine as shipped, built once for the tests of this folder."""

import pytest

from tellback.engines.local import LocalEngine, load_local_engine


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> LocalEngine:
    """The shipped engine."""
    return load_local_engine(cache_dir=tmp_path_factory.mktemp("models"))
