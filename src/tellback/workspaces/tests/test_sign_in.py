"""Signing in: by code, by password, by the link from the terminal; and what strangers can find out."""

import re
from uuid import uuid4

import pytest
from django.contrib.auth import get_user
from django.core.cache import cache
from django.test import Client
from pytest_django.fixtures import Settings

from tellback.effects.models import KeptMail
from tellback.workspaces.entry import entry_path
from tellback.workspaces.models import AuditEntry, Principal, Role, User, Workspace
from tellback.workspaces.services import add_member

PASSWORD = "a long walk by the sea"


@pytest.fixture(autouse=True)
def forget_limits() -> None:
    cache.clear()


@pytest.fixture
def owner(workspace: Workspace) -> User:
    user = User.objects.create_user("ada@example.com", PASSWORD, name="Ada")
    add_member(workspace=workspace, user=user, role=Role.OWNER)
    return user


def code_in_the_mail() -> str:
    found = re.search(r"^    (\S+)$", KeptMail.objects.get().text, re.MULTILINE)
    assert found
    return found[1]


def test_a_code_from_the_mail_lets_in_and_leads_back_to_where_one_wanted_to_go(client: Client, owner: User) -> None:
    asked = client.get("/admin/users?search=b")
    assert asked["Location"] == "/sign-in/login/?next=/admin/users%3Fsearch%3Db"
    page = client.get(asked["Location"]).content.decode()
    assert page.count('value="/admin/users?search=b"') == 2
    sent = client.post("/sign-in/login/code/", {"email": "ADA@example.com", "next": "/admin/users?search=b"})
    assert client.get(sent["Location"]).status_code == 200
    entered = client.post(sent["Location"], {"code": code_in_the_mail()})
    assert entered["Location"] == "/admin/users?search=b"
    assert get_user(client).pk == owner.pk


def test_a_wrong_code_lets_nobody_in_and_three_of_them_end_the_try(client: Client, owner: User) -> None:
    client.post("/sign-in/login/code/", {"email": owner.email})
    answers = [client.post("/sign-in/login/code/confirm/", {"code": "000000"}).status_code for _ in range(3)]
    assert answers == [200, 200, 302]
    assert client.post("/sign-in/login/code/confirm/", {"code": code_in_the_mail()}).status_code == 302
    assert not get_user(client).is_authenticated


def test_a_stranger_cannot_find_out_who_has_a_login(client: Client, owner: User) -> None:
    answers = []
    for email in (owner.email, "nobody@example.com"):
        browser = Client()
        sent = browser.post("/sign-in/login/code/", {"email": email})
        shown = browser.get(sent["Location"]).content.decode().replace(email, "")
        shown = re.sub(r'(csrfmiddlewaretoken" value|csrf-token" content)="\w+"', "", shown)
        answers.append((sent.status_code, sent["Location"], shown))
    assert answers[0] == answers[1]
    assert KeptMail.objects.get().to == owner.email
    wrong = [
        client.post("/sign-in/login/", {"login": email, "password": "wrong"}).content.decode().count("notice error")
        for email in (owner.email, "nobody@example.com")
    ]
    assert wrong == [1, 1]


def test_a_password_lets_in_and_guessing_it_is_slowed_down(client: Client, owner: User) -> None:
    for _ in range(5):
        client.post("/sign-in/login/", {"login": owner.email, "password": "wrong"})
    refused = client.post("/sign-in/login/", {"login": owner.email, "password": PASSWORD})
    assert refused.status_code == 200
    assert not get_user(client).is_authenticated
    cache.clear()
    assert client.post("/sign-in/login/", {"login": owner.email, "password": PASSWORD})["Location"] == "/admin"


@pytest.mark.parametrize("path", ["", "signup/", "password/reset/", "email/", "reauthenticate/", "inactive/"])
def test_what_is_not_offered_leads_to_the_sign_in_page(client: Client, owner: User, path: str) -> None:
    assert client.get(f"/sign-in/{path}")["Location"] == "/sign-in/login/"
    assert client.post("/sign-in/signup/", {"email": "eve@example.com"})["Location"] == "/sign-in/login/"
    assert not User.objects.filter(email="eve@example.com").exists()


def test_signing_in_leads_to_no_foreign_address(client: Client, owner: User) -> None:
    away = {"login": owner.email, "password": PASSWORD, "next": "https://elsewhere.example/"}
    assert client.post("/sign-in/login/", away)["Location"] == "/admin"


def test_the_link_from_the_terminal_lets_in_once(client: Client, owner: User) -> None:
    path = entry_path(user=owner)
    assert client.get(path).status_code == 200
    assert not get_user(client).is_authenticated
    assert client.post(path)["Location"] == "/admin/feedback/insights"
    assert get_user(client).pk == owner.pk
    assert Client().post(path).status_code == 403
    assert Client().get(f"/admin/enter/{uuid4().hex}/x-y").status_code == 403
    assert Client().get("/admin/enter/not-an-id/x-y").status_code == 403


def test_signing_out_asks_first_and_ends_the_session(client: Client, owner: User) -> None:
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/sign-in/logout/").status_code == 200
    assert client.post("/sign-in/logout/")["Location"] == "/"
    assert client.get("/admin/users").status_code == 302


def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(client: Client, owner: User) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/admin/feedback/insights?sort=new"}
    answer = client.get("/admin/feedback/insights?theme=x", headers=headers)
    assert answer.status_code == 204
    assert answer["HX-Redirect"] == "/sign-in/login/?next=/admin/feedback/insights%3Fsort%3Dnew"


def test_a_password_is_set_and_other_browsers_are_signed_out(client: Client, owner: User) -> None:
    other = Client()
    for browser in (client, other):
        browser.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    refused = client.post("/admin/account/password", {"new_password1": "short", "new_password2": "short"})
    assert refused.status_code == 422
    client.post("/admin/account/password", {"new_password1": "new walk by sea", "new_password2": "new walk by sea"})
    assert client.get("/admin/account").status_code == 200
    assert other.get("/admin/account").status_code == 302
    assert AuditEntry.objects.get(action="password.set").actor == Principal.objects.get(user=owner)


def test_asking_for_codes_again_and_again_is_refused_in_words(client: Client, owner: User) -> None:
    for email in ("nobody@example.com", owner.email):
        answers = [Client().post("/sign-in/login/code/", {"email": email}) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [302, 302, 302, 200]
    assert 'id="email-error"' in answers[-1].content.decode()
    assert KeptMail.objects.count() == 3


def test_very_many_tries_from_one_network_are_answered_with_a_page_that_says_so(client: Client, owner: User) -> None:
    tries = [{"login": f"u{number}@example.com", "password": "x"} for number in range(31)]
    answers = [client.post("/sign-in/login/", sent) for sent in tries]
    assert answers[-1].status_code == 429
    assert "Wait a minute" in answers[-1].content.decode()


def browser_of(user: User) -> Client:
    browser = Client()
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert browser.get("/admin/account").status_code == 200
    return browser


def is_signed_in(browser: Client) -> bool:
    return browser.get("/admin/account").status_code == 200


def test_signing_out_everywhere_else_leaves_this_browser_and_voids_unused_links(owner: User) -> None:
    here, elsewhere = browser_of(owner), browser_of(owner)
    link = entry_path(user=owner)
    answer = here.post("/admin/account/sessions", follow=True)
    assert "signed out everywhere else" in answer.content.decode()
    assert (is_signed_in(here), is_signed_in(elsewhere)) == (True, False)
    assert Client().get(link).status_code == 403
    owner.refresh_from_db()
    assert Client().get(entry_path(user=owner)).status_code == 200
    assert AuditEntry.objects.get().action == "sessions.ended"


def test_a_new_password_signs_out_everywhere_else(owner: User) -> None:
    here, elsewhere = browser_of(owner), browser_of(owner)
    words = "another walk by the sea"
    here.post("/admin/account/password", {"new_password1": words, "new_password2": words})
    assert (is_signed_in(here), is_signed_in(elsewhere)) == (True, False)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.USER])
def test_another_role_signs_out_everywhere_and_the_same_role_does_not(
    owner: User, workspace: Workspace, role: Role
) -> None:
    bea = User.objects.create_user("bea@example.com", PASSWORD)
    member = add_member(workspace=workspace, user=bea, role=Role.CONTRIBUTOR)
    hers, owners = browser_of(bea), browser_of(owner)
    owners.post(f"/admin/settings/members/{member.id}", {"role": "contributor"})
    assert is_signed_in(hers)
    owners.post(f"/admin/settings/members/{member.id}", {"role": role})
    assert not get_user(hers).is_authenticated
    assert is_signed_in(owners)
    add_member(workspace=workspace, user=bea, role=Role.CONTRIBUTOR)
    again = browser_of(User.objects.get(pk=bea.pk))
    add_member(workspace=workspace, user=bea, role=Role.OWNER)
    assert not get_user(again).is_authenticated


def test_who_changes_their_own_role_stays_signed_in_here_only(owner: User, workspace: Workspace) -> None:
    other = User.objects.create_user("bea@example.com")
    add_member(workspace=workspace, user=other, role=Role.OWNER)
    here, elsewhere = browser_of(owner), browser_of(owner)
    me = Principal.objects.get(user=owner)
    here.post(f"/admin/settings/members/{me.id}", {"role": "contributor"})
    assert (is_signed_in(here), is_signed_in(elsewhere)) == (True, False)


def test_a_session_outlives_a_rotation_of_the_secret_key(owner: User, settings: Settings) -> None:
    browser = browser_of(owner)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert is_signed_in(browser)
    settings.SECRET_KEY_FALLBACKS = []
    assert is_signed_in(browser), "it was carried over to the present key"
    settings.SECRET_KEY = "a third"
    assert not is_signed_in(browser)
