"""Whose words a source's author are, and what may be learnt of a person from whom."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Decimal

from tellback.workspaces.identity import Author, resolve_author, resolve_authors
from tellback.workspaces.models import ExternalIdentity, Principal, Workspace


def resolve(workspace: Workspace, **said: object) -> Principal:
    author = Author(**{"source_type": "api", **said})  # type: ignore[arg-type]
    principal = resolve_author(workspace_id=workspace.id, author=author)
    assert principal is not None
    return principal


def test_an_address_and_an_id_that_a_server_vouches_for_are_one_person(workspace: Workspace) -> None:
    first = resolve(workspace, external_user_id="u_7")
    assert resolve(workspace, external_user_id="u_7", email="Ada@Example.com") == first
    assert resolve(workspace, email="ada@example.com") == first


def test_what_a_server_knows_of_a_person_is_filled_in_and_never_overwritten(workspace: Workspace) -> None:
    resolve(workspace, external_user_id="u_7", plan="team", mrr=Decimal("120.50"))
    person = resolve(workspace, external_user_id="u_7", plan="free", company="Cais", mrr=Decimal(1))
    person.refresh_from_db()
    assert (person.plan, person.company, person.mrr) == ("team", "Cais", Decimal("120.50"))


def test_a_strangers_claim_gives_nobody_another_address(workspace: Workspace) -> None:
    """A widget key stands in public pages: whoever knows an id could else put their own address behind it."""
    known = resolve(workspace, source_type="widget", external_user_id="u_7", vouched=False)
    claim = resolve(workspace, source_type="widget", external_user_id="u_7", email="eve@example.com", vouched=False)
    known.refresh_from_db()
    assert claim != known
    assert known.email == ""
    assert resolve(workspace, source_type="widget", external_user_id="u_7", vouched=False) == known


def test_a_strangers_claim_ties_no_id_to_somebody_elses_address(workspace: Workspace) -> None:
    ada = resolve(workspace, email="ada@example.com")
    claim = resolve(
        workspace, source_type="widget", external_user_id="eve", email="ada@example.com", plan="huge", vouched=False
    )
    ada.refresh_from_db()
    assert (claim, ada.plan) == (ada, "")
    assert not ExternalIdentity.objects.filter(external_user_id="eve").exists()


def test_the_same_id_of_a_server_and_of_a_stranger_are_two_people(workspace: Workspace) -> None:
    assert resolve(workspace, external_user_id="u_7") != resolve(
        workspace, source_type="widget", external_user_id="u_7", vouched=False
    )


def test_a_batch_knows_each_person_once_whichever_way_they_are_named(
    workspace: Workspace, django_assert_max_num_queries: Callable[..., AbstractContextManager[object]]
) -> None:
    ada = resolve(workspace, external_user_id="u_7", email="ada@example.com")
    authors = [
        Author("api", email="ADA@example.com", company="Cais"),
        Author("api", external_user_id="u_7", plan="team"),
        Author("api", principal_id=ada.id),
        Author("api", external_user_id="u_8", name="Ben"),
        Author("api", email="ben@example.com", external_user_id="u_8"),
        Author("api"),
        *[Author("api", external_user_id=f"many_{number}") for number in range(200)],
    ]
    with django_assert_max_num_queries(10):
        people = resolve_authors(workspace_id=workspace.id, authors=authors)
    assert people[:3] == [ada] * 3
    assert people[3] == people[4]
    assert people[5] is None
    ada.refresh_from_db()
    assert (ada.company, ada.plan) == ("Cais", "team")
    ben = Principal.objects.get(display_name="Ben")
    assert ben.email == "ben@example.com"
    assert Principal.objects.count() == 202
    assert resolve_authors(workspace_id=workspace.id, authors=authors) == people
