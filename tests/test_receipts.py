"""What an author may do with nothing but the link."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client

from tellback.intake.accept import accept_batch
from tellback.intake.models import RawItem
from tellback.loop.models import Subscription
from tellback.themes.models import Theme
from tellback.workspaces.models import Principal, Workspace
from tests.test_loop import NOW, TEXTS, submit


@pytest.fixture
def item(workspace: Workspace, run_jobs: Callable[[], int]) -> RawItem:
    """Somebody's feedback, understood; the last one is anonymous."""
    sent = submit(workspace, TEXTS[:3])
    sent[2] = sent[2].__class__(**{**{name: getattr(sent[2], name) for name in sent[2].__slots__}, "author": {}})
    accept_batch(workspace_id=workspace.id, submissions=sent, now=NOW)
    run_jobs()
    return RawItem.objects.get(content__text=TEXTS[2])


def page(item: RawItem) -> str:
    return f"/r/{item.receipt_token}"


def test_what_is_added_belongs_to_the_author_and_counts_once(
    client: Client, item: RawItem, run_jobs: Callable[[], int]
) -> None:
    known = RawItem.objects.get(content__text=TEXTS[1])
    sent = {"act": "add", "text": "It also happens in PDF. I am ada@example.com", "key": str(uuid4())}
    for _ in range(2):
        assert client.post(page(known), sent).status_code == 302
    run_jobs()
    more = RawItem.objects.get(context_envelope__followUpTo=known.public_id)
    assert more.principal == known.principal
    assert more.content["text"] == "It also happens in PDF. I am [email:1]"
    shown = client.get(page(known)).content.decode()
    assert "It also happens in PDF." in shown
    assert "It also happens in PDF." not in client.get(page(item)).content.decode()


def test_nothing_is_added_without_words(client: Client, item: RawItem) -> None:
    answer = client.post(page(item), {"act": "add", "text": " ", "key": str(uuid4())})
    assert answer.status_code == 422
    assert "errorlist" in answer.content.decode()


def test_who_leaves_an_address_hears_about_the_post_of_their_theme(
    client: Client, item: RawItem, workspace: Workspace, run_jobs: Callable[[], int]
) -> None:
    from tellback.boards.models import Board
    from tellback.boards.services import ensure_defaults, promote_theme

    ensure_defaults(workspace=workspace)
    kim = Principal.objects.create(workspace=workspace, display_name="Kim")
    theme = Theme.objects.order_by("-signal_count").first()
    assert theme is not None
    promote_theme(theme=theme, board=Board.objects.get(), title="Export", body="", tags=[], actor=kim, now=NOW)
    run_jobs()
    assert "Your e-mail address" in client.get(page(item)).content.decode()
    assert client.post(page(item), {"act": "hear", "email": "new@example.com"}).status_code == 302
    item.refresh_from_db()
    assert item.principal is not None
    assert item.principal.email == "new@example.com"
    assert Subscription.objects.filter(principal=item.principal).count() == 1
    assert "Your e-mail address" not in client.get(page(item)).content.decode()
    assert client.post(page(item), {"act": "hear", "email": "thief@example.com"}).status_code == 302
    item.refresh_from_db()
    assert item.principal.email == "new@example.com"


def test_what_is_taken_back_is_gone_with_what_was_added(
    client: Client, item: RawItem, run_jobs: Callable[[], int]
) -> None:
    client.post(page(item), {"act": "add", "text": "And on Fridays.", "key": str(uuid4())})
    run_jobs()
    assert client.post(page(item), {"act": "take-back"}).status_code == 302
    shown = client.get(page(item)).content.decode()
    assert "You took this back" in shown
    assert not RawItem.objects.filter(content__text__in=[TEXTS[2], "And on Fridays."]).exists()
    assert RawItem.objects.filter(content__text=TEXTS[1]).exists()


def test_a_wrong_link_does_nothing_and_says_nothing(client: Client, item: RawItem) -> None:
    for send in (client.get, client.post):
        assert send(page(item)[:-1] + "_", {"act": "take-back"}).status_code == 404
    assert RawItem.objects.filter(content__text=TEXTS[2]).exists()


def test_a_link_is_asked_to_do_only_so_much_in_a_minute(client: Client, item: RawItem) -> None:
    answers = [client.post(page(item), {"act": "nothing"}).status_code for _ in range(22)]
    assert answers[:20] == [422] * 20
    assert 429 in answers[20:]
