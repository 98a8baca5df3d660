"""The reference page and the example file are what the settings are."""

from pathlib import Path

import pytest

from tellback.config import reference
from tellback.config.options import Options, variable_of
from tellback.platform.loop_config import Loaded, LoopConfig, list_settings, read_loop_config


def test_the_page_is_current_and_names_every_setting() -> None:
    text = reference.reference()
    assert reference.main([]) == 0
    for setting in list_settings():
        assert f"`{setting.name}`" in text
        assert setting.variable is None or f"`{setting.variable}`" in text
    for field in Options.model_fields:
        assert f"`{variable_of(field)}`" in text


def test_a_page_that_is_not_current_is_refused_and_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reference, "PAGE", tmp_path / "reference" / "configuration.md")
    assert reference.main([]) == 1
    assert "make schemas" in capsys.readouterr().out
    assert reference.main(["--write"]) == 0
    assert reference.main([]) == 0


def test_the_example_is_a_valid_file_that_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "feedback-loop.config.yaml"
    path.write_text(reference.example())
    loaded = read_loop_config(path, environment={})
    assert loaded.config == LoopConfig() == Loaded().config
    assert len(loaded.origins) == sum(setting.default is not None for setting in list_settings())


def test_no_variable_of_a_key_is_that_of_an_option() -> None:
    options = {variable_of(field) for field in Options.model_fields}
    keys = [setting.variable for setting in list_settings() if setting.variable]
    assert len(set(keys)) == len(keys)
    assert not options & set(keys)
