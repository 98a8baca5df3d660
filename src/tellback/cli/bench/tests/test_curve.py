"""The curve of cost: its texts, the copies that make a workspace large, and the drawing."""

from itertools import islice
from xml.etree import ElementTree as ET

from django.db import connection

from tellback.cli.bench.copies import copy_items
from tellback.cli.bench.curve import Window, draw
from tellback.cli.bench.texts import varied_texts
from tellback.intake.models import RawItem
from tellback.themes.models import Theme
from tellback.themes.tests.test_corrections import say, theme_of
from tellback.triage.models import Feedback
from tellback.understanding.models import Signal
from tellback.workspaces.models import Workspace


def test_texts_are_varied_and_the_same_every_time() -> None:
    texts = list(islice(varied_texts(seed=3), 2_000))
    assert texts == list(islice(varied_texts(seed=3), 2_000))
    assert texts != list(islice(varied_texts(seed=4), 2_000))
    assert len(set(texts)) > 1_900


def test_a_workspace_is_filled_with_copies_that_are_items_of_their_own(workspace: Workspace, run_jobs: object) -> None:
    say(workspace, "The CSV export misses rows.", "CSV exports lose rows at the end.", "Please add a dark mode.")
    run_jobs()  # type: ignore[operator]
    theme = theme_of("misses rows")
    with connection.cursor() as cursor:
        copy_items(cursor.connection, items=6)
    assert RawItem.objects.count() == Feedback.objects.count() == Signal.objects.count() == 6
    assert RawItem.objects.values("receipt_token").distinct().count() == 6
    assert Theme.objects.get(pk=theme.pk).signal_count == 4


def test_the_drawing_shows_every_window() -> None:
    windows = [
        Window(items=1_000 * number, worker_ms=5, database_ms=1, megabytes=400, themes=9, forming=1)
        for number in range(1, 5)
    ]
    root = ET.fromstring(draw(windows))
    lines = [line.get("points", "").split() for line in root.iter("{http://www.w3.org/2000/svg}polyline")]
    assert [len(points) for points in lines] == [4, 4, 4]
    assert {"worker", "database", "4,000"} <= set(root.itertext())
