"""The search finds by words and by meaning, marks what was written, and nothing that is gone or somebody else's."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tellback.boards.models import Board, Post
from tellback.boards.services import create_post, ensure_defaults
from tellback.insights import selectors
from tellback.insights.models import SearchEntry, SearchStale
from tellback.insights.results import Results, search
from tellback.insights.selectors import SearchFilter
from tellback.insights.services import index_stale
from tellback.intake.accept import Idempotency, Submission, accept_batch
from tellback.intake.models import FeedbackSource, RawItem
from tellback.intake.services import ensure_default_sources
from tellback.intake.subjects.erasing import BECAUSE_WITHDRAWN, erase_item
from tellback.platform.tenancy import in_workspace
from tellback.themes.models import Theme
from tellback.understanding.engine import get_engine
from tellback.understanding.models import Signal
from tellback.workspaces.models import Principal, Workspace

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TEXTS = {
    "export": "Exporting the yearly report to PDF crashes every time I try it.",
    "offline": "There is no signal in the basement, so the app is of no use to me there.",
    "dark": "Please add a dark mode, the white screen hurts my eyes at night.",
    "german": "Die Rechnungen werden nicht richtig gedruckt und ich kann sie nicht verschicken.",
    "french": "Je ne peux pas télécharger mes factures depuis la nouvelle version de l'application.",
    "private": "Call me at hidden.person@example.com because the reminders never arrive.",
}


@pytest.fixture
def items(workspace: Workspace, run_jobs: Callable[[], int]) -> dict[str, RawItem]:
    """A workspace in which all of this was said and understood, with one post."""
    get_engine()
    ensure_default_sources(workspace=workspace)
    ensure_defaults(workspace=workspace)
    source = FeedbackSource.objects.get(source_type="api")
    accepted = accept_batch(
        workspace_id=workspace.id,
        submissions=[
            Submission(
                source_id=source.id, source_type="api", channel="in-app", text=text, source_created_at=NOW,
                author={"externalUserId": name}, silent=True,
                idempotency=Idempotency("key", str(uuid4()), "f", timedelta(hours=24)),
            )
            for name, text in TEXTS.items()
        ],
        now=NOW,
    )  # fmt: skip
    create_post(
        workspace_id=workspace.id, board=Board.objects.get(), title="Print reports", author=None, tags=[], now=NOW,
        body="Send a report to the printer, <b>without</b> a PDF in between.",
    )  # fmt: skip
    run_jobs()
    index_stale()
    return {
        name: RawItem.objects.get(pk=one.raw_item_id)
        for name, one in zip(TEXTS, accepted, strict=True)
        if one.raw_item_id
    }


def ask(query: str, **wanted: object) -> Results:
    workspace = Workspace.objects.get()
    return search(workspace_id=workspace.id, query=query, wanted=SearchFilter(**wanted), limit=25)  # type: ignore[arg-type]


def bodies(results: Results) -> list[str]:
    return [one.body.text for one in results.found]


def marks(results: Results) -> list[str]:
    return [one.body.text[mark.start : mark.end] for one in results.found for mark in one.body.marks]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("exports", "export"),
        ("Export", "export"),
        ("expo", "export"),
        ("Rechnung", "german"),
        ("verschicke", "german"),
        ("facture", "french"),
        ('"dark mode"', "dark"),
    ],
)
def test_words_are_found_in_their_own_language_and_marked(
    items: dict[str, RawItem], query: str, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "find_meaning", lambda *_: None)
    results = ask(query)
    assert bodies(results) == [TEXTS[wanted]]
    assert results.found[0].hit.by_words
    assert marks(results)[0].lower()[:4] == query.strip('"').lower()[:4]
    assert not results.meant


@pytest.mark.parametrize("query", ["use it without a network", "no internet conection in the cellar"])
def test_what_means_the_same_is_found_without_its_words_and_its_evidence_marked(
    items: dict[str, RawItem], query: str
) -> None:
    results = ask(query)
    assert results.meant
    first = next(one for one in results.found if one.kind == "feedback")
    assert first.body.text == TEXTS["offline"]
    assert first.hit.by_meaning
    assert first.body.marks
    assert all(first.body.text[mark.start : mark.end] in TEXTS["offline"] for mark in first.body.marks)


def test_a_minus_leaves_out_and_a_phrase_is_taken_literally(items: dict[str, RawItem]) -> None:
    assert {one.kind for one in ask("report").found} >= {"feedback", "post"}
    assert [one.kind for one in ask("report -crashes").found] == ["post"]
    assert ask('"mode dark"').found == []
    assert bodies(ask('"dark mode"')) == [TEXTS["dark"]]


def test_a_need_is_shown_as_its_feedback_unless_only_needs_are_wanted(items: dict[str, RawItem]) -> None:
    everything = ask("exporting the yearly report")
    assert [one.kind for one in everything.found].count("feedback") >= 1
    assert "signal" not in {one.kind for one in everything.found}
    needs = ask("exporting the yearly report", kinds=("signal",))
    assert {one.kind for one in needs.found} == {"signal"}
    assert needs.found[0].public_id.startswith("signal_")


def test_nonsense_finds_nothing(items: dict[str, RawItem]) -> None:
    assert ask("qqxyzzyqq").count == 0
    assert ask("   ").count == 0
    assert ask("'; DROP TABLE search_entry; -- & | ! <-> ( :*").found is not None
    assert SearchEntry.objects.exists()


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({"source": "api"}, True),
        ({"source": "csv"}, False),
        ({"since": NOW - timedelta(days=1)}, True),
        ({"since": NOW + timedelta(days=1)}, False),
        ({"until": NOW}, False),
        ({"plan": "enterprise"}, False),
        ({"type": "praise"}, False),
        ({"kinds": ("theme",)}, False),
    ],
)
def test_filters_narrow_both_words_and_meaning(
    items: dict[str, RawItem], wanted: dict[str, object], fits: bool
) -> None:
    assert (TEXTS["export"] in bodies(ask("exporting crashes", **wanted))) is fits


def test_a_plan_and_a_correction_are_followed(items: dict[str, RawItem]) -> None:
    signal = Signal.objects.get(raw_feedback_item=items["export"])
    assert items["export"].principal_id
    Principal.objects.filter(pk=items["export"].principal_id).update(plan="enterprise")
    Signal.objects.filter(pk=signal.pk).update(sentiment="positive", urgency="critical")
    assert TEXTS["export"] not in bodies(ask("exporting", plan="enterprise"))
    index_stale()
    assert TEXTS["export"] in bodies(ask("exporting", plan="enterprise", sentiment="positive", urgency="critical"))


def test_private_data_stays_a_token(items: dict[str, RawItem]) -> None:
    results = ask("reminders never arrive")
    assert any("reminders never arrive" in body for body in bodies(results))
    assert not any("hidden.person" in body for body in bodies(results))
    assert ask('"hidden.person@example.com"').found == []


def test_what_is_withdrawn_is_not_found_from_that_moment_on(items: dict[str, RawItem]) -> None:
    assert TEXTS["export"] in bodies(ask("yearly"))
    erase_item(item=items["export"], because=BECAUSE_WITHDRAWN, now=NOW)
    assert not SearchEntry.objects.filter(raw_item_id=items["export"].id).exists()
    assert TEXTS["export"] not in bodies(ask("yearly report crashes"))
    index_stale()
    assert not SearchEntry.objects.filter(raw_item_id=items["export"].id).exists()


def test_a_post_is_not_found_by_words_that_it_had(items: dict[str, RawItem]) -> None:
    post = Post.objects.get()
    Post.objects.filter(pk=post.pk).update(title="Paper", body="On paper", embedding=None)
    assert post.id not in {one.hit.key[1] for one in ask("printer").found}
    index_stale()
    assert [one.title.text for one in ask("paper").found] == ["Paper"]
    post.refresh_from_db()
    Post.objects.filter(pk=post.pk).update(canonical_post=Post.objects.create(
        workspace_id=post.workspace_id, board=post.board, status=post.status, title="Other", slug="other",
    ))  # fmt: skip
    index_stale()
    assert not SearchEntry.objects.filter(pk=post.pk).exists()


def test_themes_are_found_while_they_are_active(items: dict[str, RawItem], workspace: Workspace) -> None:
    theme = Theme.objects.create(workspace=workspace, title="Zeppelin landing", summary="People want to land.")
    index_stale()
    assert [one.title.text for one in ask("zeppelin").found] == ["Zeppelin landing"]
    Theme.objects.filter(pk=theme.pk).update(status="archived")
    assert ask("zeppelin").found == []
    index_stale()
    assert ask("zeppelin").found == []
    assert SearchStale.objects.count() == 0


def test_another_workspace_finds_nothing_of_it(items: dict[str, RawItem], other_workspace_id: UUID) -> None:
    with in_workspace(other_workspace_id):
        results = search(workspace_id=other_workspace_id, query="exporting", wanted=SearchFilter(), limit=25)
        assert (results.found, results.count) == ([], 0)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT * FROM tellback_search_words('{english}', '{export}', '{export}', '{feedback}', '{}', NULL, "
                "NULL, 10, 10)"
            )
            assert cursor.fetchall() == []


def test_the_page_marks_words_keeps_hostile_text_text_and_takes_few_queries(
    items: dict[str, RawItem], as_role: Callable[[str], Client]
) -> None:
    client = as_role("contributor")
    with CaptureQueriesContext(
        connection,
    ) as few:
        page = client.get("/admin/search", {"q": "printer"}).content.decode()
    assert "printer</mark>" in page
    assert "<b>without</b>" not in page
    assert "&lt;b&gt;without&lt;/b&gt;" in page
    with CaptureQueriesContext(connection) as many:
        client.get("/admin/search", {"q": "the report or pdf or app or screen", "type": "", "days": "nonsense"})
    assert len(many) <= len(few) + 1 <= 45, [query["sql"][:100] for query in many]
    part = client.get("/admin/search", {"q": "report", "kind": "post"}, headers={"HX-Target": "results"})
    assert part.content.decode().lstrip().startswith("<section")
    assert "Nothing says" in client.get("/admin/search", {"q": "qqxyzzyqq", "source": "api"}).content.decode()
    assert "Ask in their words" in client.get("/admin/search").content.decode()


def test_every_admin_page_offers_the_search(items: dict[str, RawItem], as_role: Callable[[str], Client]) -> None:
    client = as_role("owner")
    for path in ("/admin/feedback/insights", "/admin/feedback/stream", "/admin/roadmap", "/admin/settings"):
        assert 'action="/admin/search"' in client.get(path).content.decode(), path
