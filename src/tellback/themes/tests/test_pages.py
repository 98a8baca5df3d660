"""Insights, Stream and Users: what they show, how few queries it takes, and that hostile text stays text."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tellback.boards.models import Board
from tellback.intake.models import DeliveryMode, FeedbackSource, ItemState, RawItem
from tellback.kernel.ids import new_id
from tellback.themes.models import Theme, ThemeStatus
from tellback.understanding.models import Signal, SignalState
from tellback.workspaces.models import Principal, Workspace

HOSTILE = '<script>alert(1)</script><img src=x hx-get="/admin/settings" onerror="alert(2)">'
INSIGHTS, STREAM = "/admin/feedback/insights", "/admin/feedback/stream"
MAX_QUERIES = 22


class Filling:
    """Fills a workspace with people, items, signals and themes."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.now = timezone.now()
        self.source = self.add_source("api")

    def add_source(self, source_type: str) -> FeedbackSource:
        return FeedbackSource.objects.create(
            workspace=self.workspace, source_type=source_type, delivery_mode=DeliveryMode.PASSIVE, name=source_type
        )

    def add_person(self, name: str, *, plan: str = "") -> Principal:
        return Principal.objects.create(workspace=self.workspace, display_name=name, plan=plan)

    def add_theme(self, title: str, **fields: object) -> Theme:
        fields = {"summary": f"People ask for {title}.", "first_signal_at": self.now, **fields}
        return Theme.objects.create(workspace=self.workspace, title=title, **fields)

    def add_item(self, text: str, **fields: object) -> RawItem:
        fields = {"source_created_at": self.now, "processing_state": ItemState.COMPLETED, **fields}
        source = fields.pop("source", self.source)
        assert isinstance(source, FeedbackSource)
        return RawItem.objects.create(
            workspace=self.workspace,
            source=source,
            source_type=source.source_type,
            external_id=new_id().hex,
            dedupe_key=new_id().hex,
            content={"text": text},
            channel="in-app",
            receipt_token=new_id().hex,
            **fields,
        )

    def add_signal(self, theme: Theme | None, text: str, **fields: object) -> Signal:
        of_item = {name: fields.pop(name) for name in ("principal", "source", "source_created_at") if name in fields}
        item = self.add_item(f"By the way, {text} Thank you.", **of_item)
        defaults = {
            "signal_type": "feature_request",
            "summary": text,
            "evidence": [text],
            "evidence_spans": [{"start": 12, "end": 12 + len(text)}],
            "sentiment": "neutral",
            "urgency": "medium",
            "extraction_confidence": 0.91,
            "processing_state": SignalState.COMPLETED,
        }
        theme_id = theme.id if theme else None
        return Signal.objects.create(
            workspace=self.workspace, raw_feedback_item=item, theme_id=theme_id, **{**defaults, **fields}
        )


@pytest.fixture
def filling(workspace: Workspace) -> Filling:
    return Filling(workspace)


def body(client: Client, path: str, **query: object) -> str:
    answer = client.get(path, {name: str(value) for name, value in query.items()})
    assert answer.status_code == 200, path
    return answer.content.decode()


def days_ago(now: datetime, days: float) -> datetime:
    return now - timedelta(days=days)


def test_an_empty_workspace_says_what_will_be_here(as_role: Callable[[str], Client]) -> None:
    client = as_role("contributor")
    assert "Here the first theme will form" in body(client, INSIGHTS)
    assert "Nothing has arrived yet" in body(client, STREAM)
    assert "/admin/settings" not in body(client, INSIGHTS).split('id="main"')[1]


def test_an_empty_page_becomes_the_list_once_there_is_one(as_role: Callable[[str], Client], filling: Filling) -> None:
    client, asks = as_role("contributor"), {"HX-Request": "true", "HX-Trigger": "first-theme"}
    assert "first-theme" in body(client, INSIGHTS)
    still_empty = client.get(INSIGHTS, headers=asks)
    assert (still_empty.status_code, "HX-Refresh" in still_empty.headers) == (204, False)
    filling.add_theme("Dark mode")
    assert client.get(INSIGHTS, headers=asks).headers["HX-Refresh"] == "true"
    assert "first-theme" not in body(client, INSIGHTS)


def test_a_search_stays_within_what_narrows_the_list(as_role: Callable[[str], Client], filling: Filling) -> None:
    filling.add_theme("Dark mode")
    page = body(as_role("contributor"), INSIGHTS, urgency="high", days="30", search="dark", theme="")
    form = page.split('role="search"')[-1].split("</form>")[0]
    assert re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', form) == [("urgency", "high"), ("days", "30")]


def test_a_theme_shows_its_evidence_marked_and_who_said_it_where(
    as_role: Callable[[str], Client], filling: Filling
) -> None:
    theme = filling.add_theme("Dark mode", unique_author_count=1, signal_count=1)
    filling.add_signal(theme, "please add a dark mode.", principal=filling.add_person("Ada"))
    page = body(as_role("contributor"), INSIGHTS, theme=theme.id)
    assert "please add a dark mode.</mark> Thank you." in page
    assert ">Ada</a>" in page
    assert "1 person</b>" in page
    assert f"/admin/feedback/insights/{theme.id}/promote" in page


def test_choosing_a_theme_answers_with_the_detail_alone(as_role: Callable[[str], Client], filling: Filling) -> None:
    theme, other = filling.add_theme("Dark mode"), filling.add_theme("Exports")
    part = as_role("contributor").get(INSIGHTS, {"theme": str(theme.id)}, headers={"HX-Target": "theme-detail"})
    shown = part.content.decode()
    assert "Dark mode" in shown
    assert "<html" not in shown
    assert str(other.id) not in shown


def test_the_list_is_narrowed_by_every_filter(as_role: Callable[[str], Client], filling: Filling) -> None:
    slack = filling.add_source("slack")
    paying = filling.add_person("Bea", plan="enterprise")
    plain = filling.add_theme("Plain", needs_review_count=0)
    board = Board.objects.create(workspace=filling.workspace, name="Field work", slug="field", description="On site")
    special = filling.add_theme("Special", needs_review_count=2, promoted_to_post_id=None, board_id=board.id)
    filling.add_signal(plain, "plain words", source_created_at=days_ago(filling.now, 40))
    filling.add_signal(special, "special words", source=slack, principal=paying, urgency="critical")
    put_away = filling.add_theme("Put away", status=ThemeStatus.ARCHIVED)
    client = as_role("contributor")

    def titles(**query: object) -> set[str]:
        listed = body(client, INSIGHTS, **query).split('class="pane tight list"')[-1].split('id="theme-detail"')[0]
        return {theme.title for theme in (plain, special, put_away) if f"theme-{theme.id}" in listed}

    assert titles() == {"Plain", "Special"}
    for query in (
        {"status": "review"}, {"source": "slack"}, {"urgency": "critical"}, {"days": 30}, {"plan": "enterprise"},
        {"search": "SPECIAL words"}, {"board": board.id},
    ):  # fmt: skip
        assert titles(**query) == {"Special"}, query
    assert titles(board="nonsense") == {"Plain", "Special"}
    assert titles(status="archived") == {"Put away"}
    assert titles(status="promoted") == set()
    assert titles(source="slack", days=30, search="plain") == set()


def test_themes_are_ordered_by_growth_people_and_strength(as_role: Callable[[str], Client], filling: Filling) -> None:
    large = filling.add_theme("Large", unique_author_count=50, strength=10)
    strong = filling.add_theme("Strong", unique_author_count=3, strength=90)
    growing = filling.add_theme("Growing", unique_author_count=2, strength=20)
    for days in (9, 10, 11):
        filling.add_signal(large, "more", source_created_at=days_ago(filling.now, days))
    for days in (1, 2):
        filling.add_signal(growing, "more", source_created_at=days_ago(filling.now, days))
    client = as_role("contributor")

    def order(sort: str) -> list[str]:
        page = body(client, INSIGHTS, sort=sort)
        return [theme.title for theme in sorted((large, strong, growing), key=lambda t: page.index(f"theme-{t.id}"))]

    assert order("strength")[0] == "Strong"
    assert order("people")[0] == "Large"
    assert order("growth") == ["Growing", "Strong", "Large"]
    assert order("nonsense")[0] == "Strong"


def test_thanks_are_counted_by_people_and_are_no_theme(as_role: Callable[[str], Client], filling: Filling) -> None:
    filling.add_theme("Dark mode")
    grateful = filling.add_person("Ada")
    for _ in range(2):
        filling.add_signal(None, "lovely.", signal_type="praise", principal=grateful)
    assert "1 person said thanks" in body(as_role("contributor"), INSIGHTS)


def test_more_quotes_are_shown_when_asked_for(as_role: Callable[[str], Client], filling: Filling) -> None:
    theme = filling.add_theme("Dark mode", signal_count=11)
    for number in range(11):
        filling.add_signal(theme, f"dark mode {number}.")
    client = as_role("contributor")
    first = body(client, INSIGHTS, theme=theme.id)
    assert first.count("<blockquote") == 8
    assert "3 more quotes" in first
    assert body(client, INSIGHTS, theme=theme.id, quotes=28).count("<blockquote") == 11


def test_a_theme_is_archived_and_brought_back(as_role: Callable[[str], Client], filling: Filling) -> None:
    theme = filling.add_theme("Dark mode")
    client = as_role("contributor")
    client.post(f"{INSIGHTS}/{theme.id}/archive")
    assert f"theme-{theme.id}" not in body(client, INSIGHTS)
    assert f"theme-{theme.id}" in body(client, INSIGHTS, status="archived")
    client.post(f"{INSIGHTS}/{theme.id}/archive")
    assert f"theme-{theme.id}" in body(client, INSIGHTS)


def test_the_address_of_a_merged_theme_leads_to_its_successor(
    as_role: Callable[[str], Client], filling: Filling
) -> None:
    into = filling.add_theme("Into")
    gone = filling.add_theme("Gone", status=ThemeStatus.MERGED, merged_into_theme=into)
    assert as_role("contributor").get(INSIGHTS, {"theme": str(gone.id)})["Location"] == f"{INSIGHTS}?theme={into.id}"


@pytest.mark.parametrize("query", ["theme=x", "theme=", "days=٣", "days=99999999999", "quotes=-1", "sort=x&status=y"])
def test_a_broken_address_is_no_error(as_role: Callable[[str], Client], filling: Filling, query: str) -> None:
    filling.add_theme("Dark mode")
    assert as_role("contributor").get(f"{INSIGHTS}?{query}").status_code in {200, 404}


def test_hostile_text_stays_text_wherever_it_is_shown(as_role: Callable[[str], Client], filling: Filling) -> None:
    person = filling.add_person(HOSTILE, plan="<b>plan</b>")
    theme = filling.add_theme(HOSTILE, summary=HOSTILE)
    signal = filling.add_signal(theme, HOSTILE, principal=person, theme_reason=HOSTILE)
    failed = filling.add_item(HOSTILE, processing_state=ItemState.FAILED, last_error=HOSTILE, attempt_count=3)
    client = as_role("owner")
    for path in (
        INSIGHTS,
        f"{INSIGHTS}?search=%3Cscript%3Ealert",
        STREAM,
        f"{STREAM}/{signal.raw_feedback_item_id}",
        f"{STREAM}/{failed.id}",
        "/admin/users",
        f"/admin/users/{person.id}",
    ):
        page = body(client, path)
        assert "<script>alert" not in page, path
        assert '<img src=x hx-get="/admin/settings"' not in page, path
        assert "alert" in page, path


def test_an_items_journey_leads_from_its_words_to_its_themes(
    as_role: Callable[[str], Client], filling: Filling
) -> None:
    theme = filling.add_theme("Export issues")
    filling.add_signal(theme, "the export is broken.")
    filling.add_item("Waiting for its turn", processing_state=ItemState.EXTRACTING)
    filling.add_item("Thanks", processing_state=ItemState.COMPLETED)
    page = body(as_role("contributor"), STREAM)
    assert "→ 1 signal</span>" in page
    assert f'<a href="{INSIGHTS}?theme={theme.id}">Export issues</a>' in page
    assert "no need found in it" in page
    assert page.count("hx-trigger") == 1


def test_the_stream_is_narrowed_and_paged(as_role: Callable[[str], Client], filling: Filling) -> None:
    slack = filling.add_source("slack")
    for number in range(31):
        filling.add_item(f"Item number {number:02}")
    filling.add_item("From the channel, broken export", source=slack, processing_state=ItemState.FAILED)
    client = as_role("contributor")
    first = body(client, STREAM)
    assert first.count("<article") == 30
    older = first.split('rel="next" href="')[1].split('"')[0]
    assert body(client, STREAM + older.replace("&amp;", "&")).count("<article") == 2
    for query in ({"source": slack.id}, {"state": "failed"}, {"search": "export BROKEN"}):
        assert body(client, STREAM, **query).count("<article") == 1, query
    assert "Nothing fits" in body(client, STREAM, search="nowhere")


def test_the_stream_marks_what_was_understood_and_knows_a_rating_without_words(
    as_role: Callable[[str], Client], filling: Filling
) -> None:
    signal = filling.add_signal(None, "please add a dark mode.")
    filling.add_item("")
    page = body(as_role("contributor"), STREAM)
    assert "By the way, <mark" in page
    assert "please add a dark mode.</mark> Thank you." in page
    assert page.count("No words, only a rating.") == 1
    alone = body(as_role("contributor"), f"{STREAM}/{signal.raw_feedback_item_id}")
    assert "please add a dark mode.</mark> Thank you." in alone
    assert "View raw" in page
    assert "View raw" not in alone


def test_a_failed_item_says_why_and_is_tried_again(as_role: Callable[[str], Client], filling: Filling) -> None:
    item = filling.add_item("Broken", processing_state=ItemState.FAILED, last_error="Too strange", attempt_count=3)
    client = as_role("contributor")
    assert "Failed after 3 attempts. Too strange" in body(client, STREAM)
    assert client.post(f"{STREAM}/retry", {"item": "not-an-id"}).status_code == 302
    item.refresh_from_db()
    assert item.processing_state == ItemState.FAILED
    client.post(f"{STREAM}/retry", {"item": item.id})
    item.refresh_from_db()
    assert (item.processing_state, item.attempt_count) == (ItemState.READY, 0)


def test_counts_are_sent_again_only_when_they_changed(as_role: Callable[[str], Client], filling: Filling) -> None:
    client = as_role("contributor")
    first = client.get(f"{STREAM}/counts")
    assert first.json()["total"] == 0
    known = {"If-None-Match": first["ETag"]}
    assert client.get(f"{STREAM}/counts", headers=known).status_code == 304
    filling.add_item("One more")
    assert client.get(f"{STREAM}/counts", headers=known).json()["total"] == 1


def test_people_are_found_with_how_much_they_said(as_role: Callable[[str], Client], filling: Filling) -> None:
    ada = filling.add_person("Ada Byron")
    filling.add_person("Bea")
    for _ in range(3):
        filling.add_item("Something", principal=ada)
    client = as_role("contributor")
    found = body(client, "/admin/users", search="byron ada")
    assert "<td>3</td>" in found
    assert "Bea" not in found.split('id="main"')[1]
    assert "said 3 things" in body(client, f"/admin/users/{ada.id}")


@pytest.mark.parametrize("path", [INSIGHTS, STREAM, "/admin/users", "/admin/settings", "/admin/settings/sources"])
def test_a_page_takes_few_queries_however_full_it_is(
    as_role: Callable[[str], Client],
    filling: Filling,
    django_assert_max_num_queries: Callable[..., object],
    path: str,
) -> None:
    for number in range(12):
        theme = filling.add_theme(f"Theme {number}", signal_count=3)
        person = filling.add_person(f"Person {number}")
        for _ in range(3):
            filling.add_signal(theme, f"about {number}.", principal=person)
    client = as_role("owner")
    with django_assert_max_num_queries(MAX_QUERIES):  # type: ignore[attr-defined]
        body(client, path)
