"""What the doctor says of themes that a former sentence model made."""

from tellback.cli.doctor import Verdict, _themes
from tellback.themes.models import Theme
from tellback.themes.tests.test_pages import Filling
from tellback.workspaces.models import Workspace


def verdict() -> Verdict:
    (finding,) = _themes()
    return finding.verdict


def test_themes_of_a_model_that_reads_no_more_are_named(workspace: Workspace) -> None:
    assert verdict() == Verdict.OK
    filling = Filling(workspace)
    theme = filling.add_theme("Dark mode", centroid_model="before")
    filling.add_signal(theme, "please add a dark mode.", embedding_model="before")
    assert verdict() == Verdict.OK
    filling.add_signal(None, "the export fails.", embedding_model="stand-in", fallback_reason="down")
    assert verdict() == Verdict.OK, "while a language model is away, the local one makes vectors of its own"
    filling.add_signal(None, "the export fails.", embedding_model="now")
    assert verdict() == Verdict.WRONG
    Theme.objects.update(centroid_model="now")
    assert verdict() == Verdict.OK
