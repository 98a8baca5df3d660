"""Settings: keys, the team, and what nobody may do to it."""

from collections.abc import Callable

import pytest
from django.test import Client

from tellback.kernel.errors import Conflict, Forbidden
from tellback.workspaces.models import ApiKey, AuditEntry, Principal, Role, User, Workspace
from tellback.workspaces.pages.loop import LABELS, own_settings
from tellback.workspaces.preferences import takes_anonymous
from tellback.workspaces.selectors import find_key_holder
from tellback.workspaces.services import change_role


def test_a_key_is_shown_once_works_and_ends_when_revoked(as_role: Callable[[str], Client]) -> None:
    client = as_role("admin")
    made = client.post("/admin/settings/keys", {"name": "<i>App</i>", "kind": "secret"}).content.decode()
    secret = made.split("<pre>")[1].split("</pre>")[0]
    assert "<i>App" not in made
    assert find_key_holder(secret) is not None
    assert secret not in client.get("/admin/settings").content.decode()
    api_key = ApiKey.objects.get()
    client.post(f"/admin/settings/keys/{api_key.id}/revoke")
    assert find_key_holder(secret) is None
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == ["key.created", "key.revoked"]


def test_a_form_that_is_wrong_comes_back_with_the_reason(as_role: Callable[[str], Client]) -> None:
    client = as_role("admin")
    assert ">Name</label>" in client.get("/admin/settings").content.decode()
    for path, sent in (("name", {"name": ""}), ("keys", {"name": "x", "kind": "y"}), ("members", {"email": "x"})):
        answer = client.post(f"/admin/settings/{path}", sent)
        assert answer.status_code == 422
        assert "errorlist" in answer.content.decode()


def test_somebody_who_sent_feedback_joins_the_team_and_stays_the_same_person(
    as_role: Callable[[str], Client], workspace: Workspace
) -> None:
    known = Principal.objects.create(workspace=workspace, email="bea@example.com", display_name="Bea")
    client = as_role("admin")
    client.post("/admin/settings/members", {"email": "BEA@example.com", "role": "contributor"})
    known.refresh_from_db()
    assert (known.role, known.user and known.user.email) == (Role.CONTRIBUTOR, "bea@example.com")
    client.post(f"/admin/settings/members/{known.id}", {"role": "user"})
    known.refresh_from_db()
    assert known.role == Role.USER


def test_an_invitation_demotes_nobody(as_role: Callable[[str], Client], workspace: Workspace) -> None:
    as_role("owner")
    client = as_role("admin")
    answer = client.post("/admin/settings/members", {"email": "owner@example.com", "role": "contributor"})
    assert answer.status_code == 422
    assert Principal.objects.get(email="owner@example.com").role == Role.OWNER


def test_only_an_owner_touches_owners_and_the_last_one_stays(as_role: Callable[[str], Client]) -> None:
    as_role("owner")
    client = as_role("admin")
    owner, admin = (Principal.objects.get(email=f"{role}@example.com") for role in ("owner", "admin"))
    assert client.post(f"/admin/settings/members/{owner.id}", {"role": "user"}).status_code == 403
    assert client.post(f"/admin/settings/members/{admin.id}", {"role": "owner"}).status_code == 403
    with pytest.raises(Forbidden):
        change_role(member=admin, role=Role.OWNER, actor=admin)
    with pytest.raises(Conflict):
        change_role(member=owner, role=Role.ADMIN, actor=owner)
    change_role(member=admin, role=Role.OWNER, actor=owner)
    assert change_role(member=owner, role=Role.ADMIN, actor=owner).role == Role.ADMIN


def test_a_name_of_ones_own_is_kept_on_the_login_and_the_person(as_role: Callable[[str], Client]) -> None:
    client = as_role("contributor")
    client.post("/admin/account/name", {"name": "Ada B."})
    assert User.objects.get().name == Principal.objects.get().display_name == "Ada B."


def test_feedback_without_a_key_can_be_switched_off_and_on(
    as_role: Callable[[str], Client], workspace: Workspace
) -> None:
    client = as_role("admin")
    assert "Anybody may send feedback" in client.get("/admin/settings").content.decode()
    for choice, taken in (("off", False), ("on", True)):
        assert client.post("/admin/settings/anonymous", {"anonymous": choice}).status_code == 302
        workspace.refresh_from_db()
        assert takes_anonymous(workspace.settings) is taken
    actions = AuditEntry.objects.order_by("id").values_list("action", flat=True)
    assert list(actions) == ["anonymous_feedback.off", "anonymous_feedback.on"]


def test_every_key_of_a_workspace_has_its_words_in_the_page() -> None:
    assert {setting.name for setting in own_settings()} == set(LABELS)
