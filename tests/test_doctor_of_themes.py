"""What the doctor says of themes that a former sentence model made."""

import psycopg
from django.db import connection

from tellback.cli.doctor import Verdict, _themes
from tellback.themes.models import Theme
from tellback.themes.tests.test_pages import Filling
from tellback.workspaces.models import Workspace


def verdict() -> Verdict:
    database = connection.connection
    assert isinstance(database, psycopg.Connection)
    return _themes(database).verdict


def test_themes_of_a_model_that_reads_no_more_are_named(workspace: Workspace) -> None:
    assert verdict() == Verdict.OK
    filling = Filling(workspace)
    theme = filling.add_theme("Dark mode", centroid_model="before")
    filling.add_signal(theme, "please add a dark mode.", embedding_model="before")
    assert verdict() == Verdict.OK
    filling.add_signal(None, "the export fails.", embedding_model="now")
    assert verdict() == Verdict.WRONG
    Theme.objects.update(centroid_model="now")
    assert verdict() == Verdict.OK
