"""Building the sentence model's file."""

import logging

import pytest

from tellback.engines.local.model import only_errors


def test_warnings_are_logged_again_after_the_model_was_built(caplog: pytest.LogCaptureFixture) -> None:
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.WARNING)
    try:
        with pytest.raises(ValueError, match="broken"), only_errors():
            logging.getLogger("tellback.effects").warning("said while it was built")
            raise ValueError("broken")
        logging.getLogger("tellback.effects").warning("said afterwards")
    finally:
        root.setLevel(before)
    assert "said afterwards" in caplog.text
    assert "said while" not in caplog.text
