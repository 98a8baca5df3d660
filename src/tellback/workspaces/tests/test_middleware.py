"""The workspace of a request: whose it is, and that a failing request leaves nothing behind."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from tellback.kernel.errors import Conflict
from tellback.platform.tenancy import in_workspace
from tellback.workspaces.middleware import WorkspaceMiddleware
from tellback.workspaces.models import Principal, Role, User, Workspace
from tellback.workspaces.services import add_member


def run(view: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
    from django.contrib.auth.models import AnonymousUser

    request = RequestFactory().get("/somewhere")
    request.user = AnonymousUser()
    middleware = WorkspaceMiddleware(lambda _request: HttpResponse())
    answer = middleware.process_view(request, view, (), {})
    assert isinstance(answer, HttpResponse)
    return answer


def write(workspace: Workspace) -> None:
    Principal.objects.create(workspace=workspace, display_name="Written in between")


def test_what_a_view_wrote_is_undone_when_it_answers_with_a_server_error(workspace: Workspace) -> None:
    def broken(_request: HttpRequest) -> HttpResponse:
        write(workspace)
        return HttpResponse(status=503)

    def working(_request: HttpRequest) -> HttpResponse:
        write(workspace)
        return HttpResponse(status=422)

    assert run(broken).status_code == 503
    assert not Principal.objects.exists()
    assert run(working).status_code == 422
    assert Principal.objects.count() == 1


def test_an_error_meant_for_a_person_becomes_a_page_and_undoes_what_was_written(workspace: Workspace) -> None:
    def refused(_request: HttpRequest) -> HttpResponse:
        write(workspace)
        raise Conflict("Somebody was <b>faster</b>.")

    answer = run(refused)
    assert answer.status_code == 409
    assert "Somebody was &lt;b&gt;faster&lt;/b&gt;." in answer.content.decode()
    assert not Principal.objects.exists()


def test_an_unexpected_error_undoes_what_was_written(workspace: Workspace) -> None:
    def broken(_request: HttpRequest) -> HttpResponse:
        write(workspace)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(broken)
    assert not Principal.objects.exists()


def test_somebody_in_two_workspaces_works_in_the_one_they_chose(
    client: Client, workspace: Workspace, other_workspace_id: UUID
) -> None:
    user = User.objects.create_user("ada@example.com")
    add_member(workspace=workspace, user=user, role=Role.OWNER)
    with in_workspace(other_workspace_id):
        add_member(workspace=Workspace.objects.get(), user=user, role=Role.CONTRIBUTOR)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/admin/settings").status_code == 200
    assert "Lantern" in client.get("/admin/account").content.decode()
    assert client.post(f"/admin/workspaces/{other_workspace_id}").status_code == 302
    assert client.get("/admin/settings").status_code == 403
    assert "Insights · Lantern" in client.get("/admin/feedback/insights").content.decode()


def test_nobody_enters_a_workspace_that_is_not_theirs(
    as_role: Callable[[str], Client], other_workspace_id: UUID
) -> None:
    client = as_role("owner")
    assert client.post(f"/admin/workspaces/{other_workspace_id}").status_code == 404
    session = client.session
    session["workspace_id"] = str(other_workspace_id)
    session.save()
    assert "Insights · Harbour" in client.get("/admin/feedback/insights").content.decode()


def test_what_a_member_sees_is_kept_by_no_shared_cache(as_role: Callable[[str], Client]) -> None:
    answer = as_role("contributor").get("/admin/feedback/insights")
    assert "private" in answer["Cache-Control"]
    assert "HX-Target" in answer["Vary"]


def test_a_policy_forbids_everything_inline(as_role: Callable[[str], Client]) -> None:
    answer = as_role("owner").get("/admin/settings")
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert "unsafe-inline" not in answer["Content-Security-Policy"]
