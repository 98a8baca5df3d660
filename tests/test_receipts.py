"""What an author may do with nothing but the link."""

import html
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import takewhile
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tellback.intake.accept import accept_batch
from tellback.intake.models import ItemState, RawItem
from tellback.intake.states import enqueue
from tellback.loop.models import Subscription
from tellback.themes.corrections import dismiss_signal
from tellback.themes.models import Theme
from tellback.triage.models import Feedback, FeedbackStatus
from tellback.triage.services import change_status
from tellback.understanding.models import Correction, Signal
from tellback.workspaces.models import Principal, Workspace
from tests.test_loop import NOW, TEXTS, submit

LATER = NOW + timedelta(days=400)


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
    began, taken = time.monotonic(), 0
    while client.post(page(item), {"act": "nothing"}).status_code == 422 and taken < 200:
        taken += 1
    # One more is allowed every three seconds, which a slow machine may take for this.
    assert 20 <= taken <= 21 + (time.monotonic() - began) / 3


def signal_of(item: RawItem) -> Signal:
    return Signal.objects.get(raw_feedback_item=item)


def put_right(item: RawItem, **given: str) -> dict[str, str]:
    return {"act": "put-right", "signal": str(signal_of(item).id), "key": str(uuid4()), "text": "", **given}


def test_an_author_says_what_kind_of_thing_they_meant_and_may_undo_it(client: Client, item: RawItem) -> None:
    before = signal_of(item)
    shown = client.get(page(item)).content.decode()
    assert "What we understood" in shown
    assert before.summary in html.unescape(shown)
    assert client.post(page(item), put_right(item, kind="praise")).status_code == 302
    after = signal_of(item)
    assert after.signal_type == "praise"
    shown = client.get(page(item)).content.decode()
    assert "You put this right." in shown
    assert "You put right how we understood it" in shown
    correction = Correction.objects.get()
    assert (correction.corrected_by_principal.type, str(correction.corrected_by_principal)) == ("service", "Its author")
    assert client.post(page(item), {"act": "undo", "correction": str(correction.id)}).status_code == 302
    assert signal_of(item).signal_type == before.signal_type


def test_what_an_author_meant_in_other_words_is_added_without_private_data_and_looked_at(
    client: Client, item: RawItem, run_jobs: Callable[[], int]
) -> None:
    kind = signal_of(item).signal_type
    Signal.objects.update(needs_review=False)
    client.post(page(item), put_right(item, kind=kind, text="Not the button. Write to ada@example.com"))
    assert signal_of(item).needs_review
    assert not Correction.objects.exists()
    more = RawItem.objects.get(context_envelope__followUpTo=item.public_id)
    assert more.content["text"] == "Not the button. Write to [email:1]"
    answer = client.post(page(item), put_right(item, kind=kind), follow=True)
    assert "That is how we understood it already." in answer.content.decode()
    long = client.post(page(item), put_right(item, kind=kind, text="x" * 2001))
    assert long.status_code == 422
    assert "at most 2000 characters" in long.content.decode()


def test_what_an_author_did_not_mean_leaves_its_theme_and_teaches_nobody_else(
    client: Client, item: RawItem, workspace: Workspace, run_jobs: Callable[[], int]
) -> None:
    signal = signal_of(item)
    assert signal.theme_id is not None
    before = Theme.objects.get(pk=signal.theme_id).signal_count
    client.post(page(item), {"act": "take-out", "signal": str(signal.id)})
    run_jobs()
    assert signal_of(item).theme_id is None
    assert Theme.objects.get(pk=signal.theme_id).signal_count == before - 1
    shown = client.get(page(item)).content.decode()
    assert "You did not mean this" in shown
    assert "<mark" not in shown
    again = submit(workspace, [TEXTS[2]])
    accept_batch(workspace_id=workspace.id, submissions=again, now=NOW)
    run_jobs()
    newest = RawItem.objects.order_by("-id")[0]
    assert newest.content["text"] == TEXTS[2]
    assert signal_of(newest).theme_id is not None
    RawItem.objects.filter(pk=item.pk).update(processing_state=ItemState.READY)
    enqueue(items=[RawItem.objects.get(pk=item.pk)])
    run_jobs()
    assert signal_of(item).id != signal.id
    assert signal_of(item).theme_id is None


def test_nothing_of_anybody_else_is_put_right(client: Client, item: RawItem) -> None:
    other = RawItem.objects.get(content__text=TEXTS[1])
    for sent in (
        put_right(other, kind="praise"),
        {"act": "take-out", "signal": str(signal_of(other).id)},
        {"act": "take-out", "signal": str(uuid4())},
    ):
        assert "We have read it again since" in client.post(page(item), sent, follow=True).content.decode()
    client.post(page(other), put_right(other, kind="praise"))
    theirs = Correction.objects.get()
    assert theirs.corrected_by_principal == other.principal
    answer = client.post(page(item), {"act": "undo", "correction": str(theirs.id)}, follow=True)
    assert "not there any more" in answer.content.decode()
    theirs.refresh_from_db()
    assert theirs.undone_at is None
    assert client.post(page(item), {**put_right(item), "kind": "praise'--"}).status_code == 422
    assert client.post(page(item), {"act": "undo", "correction": "1"}).status_code == 422


def test_what_the_team_took_for_no_feedback_is_not_shown_as_the_authors_word(
    client: Client, item: RawItem, workspace: Workspace
) -> None:
    kim = Principal.objects.create(workspace=workspace, display_name="Kim")
    dismiss_signal(signal_id=signal_of(item).id, actor=kim, now=NOW)
    shown = client.get(page(item)).content.decode()
    assert "You did not mean this" not in shown
    assert "found nothing in it" in shown


def test_what_is_withdrawn_counts_nowhere_until_it_is_brought_back(
    client: Client, workspace: Workspace, item: RawItem, run_jobs: Callable[[], int]
) -> None:
    from tellback.boards.models import Board
    from tellback.boards.services import ensure_defaults, promote_theme

    ensure_defaults(workspace=workspace)
    kim = Principal.objects.create(workspace=workspace, display_name="Kim")
    known = RawItem.objects.get(content__text=TEXTS[1])
    theme_id = signal_of(known).theme_id
    assert theme_id is not None
    theme = Theme.objects.get(pk=theme_id)
    promote_theme(theme=theme, board=Board.objects.get(), title="Export", body="", tags=[], actor=kim, now=NOW)
    run_jobs()
    mine = Subscription.objects.filter(principal=known.principal, unsubscribed_at=None)
    assert mine.count() == 1
    client.post(page(known), {"act": "add", "text": "The CSV export also drops columns.", "key": str(uuid4())})
    assert "cannot be withdrawn now" in client.post(page(known), {"act": "withdraw"}, follow=True).content.decode()
    run_jobs()
    more = RawItem.objects.get(context_envelope__followUpTo=known.public_id)
    added_to = signal_of(more).theme_id
    assert added_to is not None
    client.post(page(known), {"act": "withdraw"})
    run_jobs()
    assert signal_of(more).theme_id is None
    assert signal_of(known).theme_id is None
    assert Feedback.objects.get(raw_item=known).status == "declined"
    assert mine.count() == 0
    shown = client.get(page(known)).content.decode()
    assert "You withdrew this" in shown
    assert "We decided not to do this" not in shown
    assert "You put right how we understood it" not in shown
    assert "What we understood" not in shown
    assert TEXTS[1] in html.unescape(shown)
    assert "cannot be withdrawn now" in client.post(page(known), {"act": "withdraw"}, follow=True).content.decode()
    client.post(page(known), {"act": "bring-back"})
    assert signal_of(known).theme_id == theme.id
    assert signal_of(more).theme_id == added_to
    assert Feedback.objects.get(raw_item=known).status == "in_review"
    assert mine.count() == 1
    assert "was not withdrawn" in client.post(page(known), {"act": "bring-back"}, follow=True).content.decode()
    change_status(
        feedback=Feedback.objects.get(raw_item=known), status=FeedbackStatus.DECLINED, actor=kim, note="No", now=LATER
    )
    shown = client.get(page(known)).content.decode()
    assert "We decided not to do this" in shown
    assert "Withdraw what I said" not in shown


def test_what_is_not_read_yet_says_so_and_cannot_be_withdrawn(client: Client, workspace: Workspace) -> None:
    accept_batch(workspace_id=workspace.id, submissions=submit(workspace, [TEXTS[3]]), now=NOW)
    fresh = RawItem.objects.get()
    shown = client.get(page(fresh)).content.decode()
    assert "We are still reading it" in shown
    assert "Withdraw what I said" not in shown
    assert "cannot be withdrawn now" in client.post(page(fresh), {"act": "withdraw"}, follow=True).content.decode()


def test_who_tries_links_is_stopped_and_who_holds_one_is_not(client: Client, item: RawItem) -> None:
    statuses = (client.get(f"/r/{'x' * 40}{number:03}").status_code for number in range(300))
    tried = list(takewhile(lambda status: status == 404, statuses))
    assert 30 <= len(tried) < 300
    assert client.get(page(item)).status_code == 200
    assert Client(REMOTE_ADDR="203.0.113.9").get(f"/r/{'x' * 43}").status_code == 404


def test_a_receipt_takes_the_same_queries_however_much_was_understood(
    client: Client, item: RawItem, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.get(page(item))
    with django_assert_max_num_queries(24) as few:
        client.get(page(item))
    first = signal_of(item)
    for position in range(1, 6):
        first.pk, first.position = uuid4(), position
        first._state.adding = True
        first.save()
    with django_assert_max_num_queries(len(few)):
        client.get(page(item))
