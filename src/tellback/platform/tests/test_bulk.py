"""Many rows in one statement."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import numpy as np
from django.utils import timezone

from tellback.platform.bulk import update_rows
from tellback.themes.models import Theme, ThemeStatus
from tellback.workspaces.models import Principal, Workspace


def test_fields_of_all_kinds_are_stored_in_one_statement(
    workspace: Workspace, django_assert_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    themes = [Theme.objects.create(workspace=workspace, title=str(n), summary="…") for n in range(3)]
    untouched = Theme.objects.create(workspace=workspace, title="Another", summary="…")
    at = timezone.now() - timedelta(days=3)
    for number, theme in enumerate(themes):
        theme.status, theme.last_signal_at = ThemeStatus.CANDIDATE, at if number else None
        theme.type_distribution = {"it's a “bug”": number}
        theme.centroid_embedding = np.array([0.1, -number, 1e-7], dtype=np.float32)
        theme.title = "not to be stored"
    with django_assert_num_queries(1):
        update_rows(themes, ["status", "last_signal_at", "type_distribution", "centroid_embedding"])
    for number, stored in enumerate(Theme.objects.filter(pk__in=[theme.pk for theme in themes]).order_by("title")):
        assert (stored.title, stored.status) == (str(number), ThemeStatus.CANDIDATE)
        assert stored.last_signal_at == (at if number else None)
        assert stored.type_distribution == {"it's a “bug”": number}
        assert np.array_equal(stored.centroid_embedding, themes[number].centroid_embedding)
    untouched.refresh_from_db()
    assert untouched.status == ThemeStatus.ACTIVE


def test_no_rows_are_no_statement(
    workspace: Workspace, django_assert_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    with django_assert_num_queries(0):
        update_rows([], ["display_name"])
    assert not Principal.objects.exists()
