"""Two batches that meet the same new people at once."""

import threading
from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import connection

from tellback.platform.tenancy import in_workspace
from tellback.workspaces.identity import Author, resolve_author
from tellback.workspaces.models import ExternalIdentity, Principal, Workspace
from tellback.workspaces.services import create_workspace


@pytest.fixture
def committed_workspace(django_db_setup: None, django_db_blocker: "object") -> UUID:
    """A workspace that other connections see."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        return create_workspace(name="Rush", slug="rush").id


def test_batches_in_opposite_order_do_not_wait_for_each_other(
    committed_workspace: UUID, django_db_blocker: "object"
) -> None:
    errors: list[BaseException] = []

    def meet(order: Callable[[int], int]) -> None:
        try:
            with in_workspace(committed_workspace):
                for number in sorted(range(30), key=order):
                    resolve_author(
                        workspace_id=committed_workspace, author=Author("api", external_user_id=f"u{number}")
                    )
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            errors.append(error)
        finally:
            connection.close()

    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        threads = [threading.Thread(target=meet, args=(order,)) for order in (lambda n: n, lambda n: -n) * 3]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with in_workspace(committed_workspace):
            assert errors == []
            assert ExternalIdentity.objects.count() == Principal.objects.count() == 30
            Principal.objects.all().delete()
            Workspace.objects.get().delete()
        connection.close()
