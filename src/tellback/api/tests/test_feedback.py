"""Document 2's API: submitting, reading, changing, voting, and its workflow."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from tellback.api.tests.conftest import REPORT, Speaker
from tellback.effects.models import Effect
from tellback.intake.models import RawItem
from tellback.triage.models import Feedback, FeedbackVote
from tellback.workspaces.models import ApiKey, AuditEntry, Principal, Role, Workspace
from tellback.workspaces.preferences import set_anonymous

Sent = Callable[..., dict[str, Any]]


def test_a_report_is_taken_and_is_there_at_once_with_every_field_of_document_2(team: Speaker) -> None:
    answer = team("POST", "", REPORT)
    assert answer.status_code == 201
    made = answer.json()
    assert answer["Location"].endswith(f"/api/v1/feedback/{made['id']}/")
    assert made["id"].startswith("feedback_")
    for name in ("feedback_type", "summary", "description", "priority", "source", "context"):
        assert made[name] == REPORT[name]
    assert (made["type"], made["status"], made["tags"], made["rating"]) == ("bug", "new", [], None)
    assert (made["submitter_email"], made["submitter_name"]) == ("ada@example.com", "Ada")
    assert made["response_due_at"] > made["created_at"]
    shown = team("GET", f"{made['id']}/").json()
    assert {name: shown[name] for name in made} == made
    assert shown["response_state"] == "waiting"
    assert not shown["sla_breached"]
    assert shown["transitions"][0] == "acknowledged"
    assert [step["status"] for step in shown["history"]] == ["new"]


def test_who_said_it_is_known_once_it_was_looked_at_and_hears_that_it_arrived(
    team: Speaker, sent: Sent, run_jobs: Callable[[], int]
) -> None:
    made = sent()
    assert made["submitted_by"] is None
    run_jobs()
    shown = team("GET", f"{made['id']}/").json()
    assert shown["submitted_by"] == Principal.objects.get(email="ada@example.com").public_id
    assert shown["state"] == "completed"
    (mail,) = Effect.objects.filter(kind="mail")
    assert mail.key == f"acknowledged:{Feedback.objects.get().id}"


def test_the_id_of_the_receipt_names_the_same_feedback_and_the_address_needs_no_slash(
    team: Speaker, sent: Sent
) -> None:
    made = sent()
    item = RawItem.objects.get()
    for name in (item.public_id, str(item.id), str(Feedback.objects.get().id), made["id"]):
        assert team("GET", name).json()["id"] == made["id"]
    assert team("POST", f"{made['id']}/acknowledge").status_code == 200


def test_the_collection_needs_no_slash_either(team: Speaker, house: Workspace) -> None:
    answer = Client().post("/api/v1/feedback", REPORT, content_type="application/json", headers=team.headers)
    assert answer.status_code == 201
    assert len(Client().get("/api/v1/feedback", headers=team.headers).json()["results"]) == 1


def test_private_data_is_out_of_what_is_given_back(sent: Sent) -> None:
    made = sent(summary="Write to bo@example.com", description="I am bo@example.com", context={"who": "bo@example.com"})
    assert "bo@example.com" not in str(made)
    assert "[email:1]" in made["description"]


def test_a_priority_that_was_stated_holds_against_the_score(
    team: Speaker, sent: Sent, run_jobs: Callable[[], int]
) -> None:
    made = sent(priority="low", description="It crashes with an error, always. It is broken. It does not work at all.")
    run_jobs()
    shown = team("GET", made["id"]).json()
    assert (shown["priority"], shown["severity"]) == ("low", "low")
    assert shown["response_due_at"] == made["response_due_at"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"feedback_type": "poem"}, "/feedback_type"),
        ({"summary": ""}, "/summary"),
        ({"summary": "x" * 256}, "/summary"),
        ({"summary": "half\x00"}, "/summary"),
        ({"description": "  "}, "/description"),
        ({"priority": "p1"}, "/priority"),
        ({"rating": 6}, "/rating"),
        ({"rating": "5"}, "/rating"),
        ({"context": ["x"]}, "/context"),
        ({"tags": ["x"] * 21}, "/tags"),
        ({"submitter_email": "nobody"}, "/submitter_email"),
        ({"tenant_id": "ws_1"}, "/tenant_id"),
    ],
)
def test_what_is_wrong_is_named_field_by_field_and_nothing_is_stored(
    team: Speaker, change: dict[str, object], pointer: str
) -> None:
    answer = team("POST", "", {**REPORT, **change})
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert [error["pointer"].split("/0")[0] for error in answer.json()["errors"]] == [pointer]
    assert not RawItem.objects.exists()


@pytest.mark.parametrize("missing", ["feedback_type", "summary", "description"])
def test_what_document_2_requires_is_required(team: Speaker, missing: str) -> None:
    answer = team("POST", "", {name: value for name, value in REPORT.items() if name != missing})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{missing}"]


def test_the_words_of_both_documents_are_understood(team: Speaker, sent: Sent) -> None:
    assert sent(feedback_type="feature-request")["type"] == "feature"
    other = {name: value for name, value in REPORT.items() if name != "feedback_type"}
    assert team("POST", "", {**other, "type": "documentation"}).json()["type"] == "docs"


def test_the_same_key_again_is_the_same_feedback_and_another_body_is_refused(team: Speaker) -> None:
    first = team("POST", "", REPORT, idempotency_key="k-1")
    again = team("POST", "", REPORT, idempotency_key="k-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again["Idempotency-Replayed"] == "true"
    assert again.json()["id"] == first.json()["id"]
    assert team("POST", "", {**REPORT, "summary": "Else"}, idempotency_key="k-1").json()["code"] == (
        "idempotency-key-reused"
    )
    assert RawItem.objects.count() == Feedback.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"summary": "a", "summary": "b"}', "application/json", 400),
        (b'{"rating": NaN}', "application/json", 400),
        (b'{"summary": "\\ud800"}', "application/json", 400),
        (b"[]", "application/json", 422),
        (b"", "application/json", 422),
        (b"{}", "text/plain", 415),
        (b" " * 300_000, "application/json", 413),
    ],
)
def test_a_body_that_is_no_request_is_refused_as_http_means_it(
    team: Speaker, body: bytes, kind: str, status: int
) -> None:
    answer = team._client.generic("POST", "/api/v1/feedback/", body, content_type=kind, headers=team.headers)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"


def test_anonymous_feedback_is_taken_until_the_workspace_says_no(house: Workspace, stranger: Speaker) -> None:
    wish = {
        "feedback_type": "feature",
        "summary": "A darker look",
        "description": "For reading at night.",
        "submitter_email": "night@example.com",
        "submitter_name": "Owl",
    }
    taken = stranger("POST", "", wish)
    assert taken.status_code == 201
    assert taken.json()["submitter_email"] == "night@example.com"
    set_anonymous(workspace=house, taken=False, actor=None)
    refused = stranger("POST", "", wish)
    assert (refused.status_code, refused.json()["code"]) == (401, "anonymous-not-allowed")
    assert RawItem.objects.count() == 1


def test_a_stranger_does_not_say_how_urgent_it_is_or_who_they_are_elsewhere(stranger: Speaker) -> None:
    taken = stranger("POST", "", {**REPORT, "priority": "urgent"}).json()
    assert (taken["priority"], Feedback.objects.get().severity) == ("high", "critical")
    assert not Feedback.objects.get().priority_is_set
    refused = stranger("POST", "", {**REPORT, "submitter_id": "u_1"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/submitter_id"


def test_a_stranger_does_not_get_another_ones_receipt_by_guessing_their_key(stranger: Speaker) -> None:
    first = stranger("POST", "", REPORT, idempotency_key="1")
    assert stranger("POST", "", REPORT, idempotency_key="1").json()["receipt"] == first.json()["receipt"]
    stranger._client.defaults["REMOTE_ADDR"] = "192.0.2.7"
    other = stranger("POST", "", REPORT, idempotency_key="1")
    assert other.status_code == 201
    assert other.json()["receipt"] != first.json()["receipt"]


def test_strangers_are_limited_by_their_address(stranger: Speaker, team: Speaker) -> None:
    answers = [stranger("POST", "", REPORT) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [201] * 20 + [429]
    assert int(answers[-1]["Retry-After"]) >= 1
    assert team("GET").status_code == 200


def test_a_stranger_and_a_page_do_nothing_but_send(team: Speaker, page: Speaker, stranger: Speaker, sent: Sent) -> None:
    made = sent()
    assert page("POST", "", REPORT).status_code == 201
    for method, path in (
        ("GET", ""),
        ("GET", "stats/"),
        ("GET", made["id"]),
        ("PATCH", made["id"]),
        ("POST", f"{made['id']}/vote/"),
        ("DELETE", f"{made['id']}/vote/"),
        *(("POST", f"{made['id']}/{verb}/") for verb in (
            "acknowledge", "review", "plan", "start", "complete", "decline", "duplicate", "respond"
        )),
    ):  # fmt: skip
        body = {"public_response": "Thank you"} if path.endswith("respond/") else {}
        assert page(method, path, body).status_code == 403, path
        assert stranger(method, path, body).status_code == 401, path
        assert Speaker("tb_unknown")(method, path, body).status_code == 401, path
    assert team("GET", made["id"]).json()["history"] == [
        {"at": made["created_at"], "previous": None, "status": "new", "note": "", "actor": None}
    ]


def test_another_workspace_sees_and_changes_nothing(other_workspace_id: Any, sent: Sent, team: Speaker) -> None:
    from tellback.intake.services import ensure_default_sources
    from tellback.platform.tenancy import in_workspace
    from tellback.workspaces.models import KeyKind
    from tellback.workspaces.services import issue_key

    made = sent()
    with in_workspace(other_workspace_id):
        lantern = Workspace.objects.get()
        ensure_default_sources(workspace=lantern)
        strange = Speaker(issue_key(workspace=lantern, kind=KeyKind.SECRET, name="Theirs").secret)
    assert strange("GET").json()["results"] == []
    assert strange("GET", "stats/").json()["total"] == 0
    for method, path in (("GET", ""), ("PATCH", ""), ("POST", "vote/"), ("POST", "acknowledge/"), ("DELETE", "vote/")):
        assert strange(method, f"{made['id']}/{path}", {}).status_code == 404
    theirs = strange("POST", "", REPORT).json()
    answer = team("POST", f"{made['id']}/duplicate/", {"duplicate_of": theirs["id"]})
    assert answer.status_code == 422
    assert team("GET").json()["results"][0]["id"] == made["id"]
    assert len(team("GET").json()["results"]) == 1


def test_the_workflow_of_document_2_can_be_gone_from_its_beginning_to_its_end(team: Speaker, sent: Sent) -> None:
    made = sent()
    walked = []
    for verb in ("acknowledge", "review", "plan", "start", "complete"):
        answer = team("POST", f"{made['id']}/{verb}/", {"note": f"We {verb} it."})
        assert answer.status_code == 200
        walked.append(answer.json()["status"])
    assert walked == ["acknowledged", "in_review", "planned", "in_progress", "completed"]
    shown = answer.json()
    assert shown["completed_at"]
    assert shown["response_state"] == "in_time"
    assert [step["note"] for step in shown["history"]][1:] == [
        f"We {verb} it." for verb in ("acknowledge", "review", "plan", "start", "complete")
    ]
    assert {step["actor"] for step in shown["history"]} == {None, "Desk"}
    refused = team("POST", f"{made['id']}/acknowledge/")
    assert (refused.status_code, refused.json()["code"]) == (409, "transition-not-allowed")
    assert team("POST", f"{made['id']}/start/").json()["completed_at"] is None


def test_doing_it_again_does_it_once_and_a_key_says_so(team: Speaker, sent: Sent) -> None:
    made = sent()
    path = f"{made['id']}/acknowledge/"
    assert team("POST", path, {"note": "Seen"}, idempotency_key="a-1").status_code == 200
    assert team("POST", path).status_code == 200
    team("POST", f"{made['id']}/plan/")
    again = team("POST", path, {"note": "Seen"}, idempotency_key="a-1")
    assert (again.status_code, again["Idempotency-Replayed"]) == (200, "true")
    assert again.json()["status"] == "planned"
    assert team("POST", path, {"note": "Else"}, idempotency_key="a-1").status_code == 422
    assert team("POST", path, {"note": "Seen"}, idempotency_key="a-2").status_code == 409
    assert team("POST", path, {"note": "Seen"}, idempotency_key="a-2").status_code == 409, "a refusal uses no key up"


def test_a_duplicate_is_counted_where_it_belongs(team: Speaker, sent: Sent, run_jobs: Callable[[], int]) -> None:
    first, second = sent(), sent(submitter_email="bo@example.com")
    run_jobs()
    answer = team("POST", f"{second['id']}/duplicate/", {"duplicate_of": first["id"]})
    assert (answer.json()["status"], answer.json()["duplicate_of"]) == ("duplicate", first["id"])
    assert team("GET", first["id"]).json()["vote_count"] == 1
    assert FeedbackVote.objects.get().principal.email == "bo@example.com"
    itself = team("POST", f"{first['id']}/duplicate/", {"duplicate_of": first["id"]})
    assert itself.status_code == 422
    chain = team("POST", f"{first['id']}/duplicate/", {"duplicate_of": second["id"]})
    assert chain.json()["errors"][0]["detail"] == "is a duplicate itself"
    assert team("POST", f"{second['id']}/review/").json()["duplicate_of"] is None


def test_who_voted_for_a_duplicate_and_what_was_one_of_it_go_where_it_goes(team: Speaker, sent: Sent) -> None:
    first, second, third = (sent(submitter_email=f"{name}@example.com") for name in ("ada", "bo", "cy"))
    team("POST", f"{second['id']}/vote/", {"voter_email": "dee@example.com"})
    team("POST", f"{second['id']}/vote/", {"voter_email": "ada@example.com"})
    team("POST", f"{third['id']}/duplicate/", {"duplicate_of": second["id"]})
    team("POST", f"{second['id']}/duplicate/", {"duplicate_of": first["id"]})
    assert team("GET", third["id"]).json()["duplicate_of"] == first["id"]
    votes = FeedbackVote.objects.filter(feedback__summary=first["summary"], feedback=Feedback.objects.earliest("id"))
    voters = set(votes.values_list("principal__email", flat=True))
    assert {"bo@example.com", "cy@example.com", "dee@example.com"} <= voters
    assert team("GET", first["id"]).json()["vote_count"] == votes.count()


def test_a_change_is_made_whole_or_not_at_all(team: Speaker, sent: Sent, house: Workspace) -> None:
    made = sent()
    colleague = Principal.objects.create(workspace=house, role=Role.CONTRIBUTOR, display_name="Cleo", email="c@x.org")
    customer = Principal.objects.create(workspace=house, role=Role.USER)
    change = {
        "priority": "urgent",
        "feedback_type": "performance",
        "summary": "Invoices are missing",
        "tags": ["invoices"],
        "assignee": colleague.public_id,
        "github_issue_url": "https://github.com/harbour/shop/issues/7",
        "status": "in_review",
    }
    shown = team("PATCH", made["id"], change).json()
    for name in ("priority", "feedback_type", "summary", "tags", "github_issue_url", "status"):
        assert shown[name] == change[name]
    assert shown["assignee"] == {"id": colleague.public_id, "name": "Cleo", "email": "c@x.org"}
    assert shown["response_due_at"] < made["response_due_at"]
    audited = AuditEntry.objects.get(action="feedback.updated")
    assert audited.actor and audited.actor.display_name == "Desk"
    refused = team("PATCH", made["id"], {"summary": "Else", "status": "new"})
    assert refused.status_code == 409
    assert team("GET", made["id"]).json()["summary"] == "Invoices are missing"
    for wrong, pointer in (
        ({"assignee": customer.public_id}, "/assignee"),
        ({"assignee": "principal_nobody"}, "/assignee"),
        ({"priority": None}, "/priority"),
        ({"description": "Else"}, "/description"),
        ({"github_issue_url": "javascript:alert(1)"}, "/github_issue_url"),
    ):
        answer = team("PATCH", made["id"], wrong)
        assert answer.status_code == 422, wrong
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert team("PATCH", made["id"], {"assignee": None}).json()["assignee"] is None


def test_a_change_to_what_was_not_seen_is_refused(team: Speaker, sent: Sent) -> None:
    made = sent()
    seen = team("GET", made["id"])["ETag"]
    assert team("PATCH", made["id"], {"tags": ["a"]}, if_match=seen).status_code == 200
    assert team("PATCH", made["id"], {"tags": ["b"]}, if_match=seen).status_code == 412
    now = team("PATCH", made["id"], {"tags": ["c"]}, if_match="*")["ETag"]
    assert team("PATCH", made["id"], {"tags": ["d"]}, if_match=f"{seen}, {now}").status_code == 200
    assert team("PATCH", made["id"], {"tags": ["e"]}, if_match=f"W/{now}").status_code == 412


def test_a_vote_counts_a_person_once_and_can_be_taken_back(team: Speaker, sent: Sent) -> None:
    path = f"{sent()['id']}/vote/"
    voter = {"voter_email": "bo@example.com", "voter_name": "Bo"}
    first = team("POST", path, voter)
    assert (first.status_code, first.json()["vote_count"]) == (201, 1)
    assert team("POST", path, voter).status_code == 200
    assert team("POST", path, {"voter_id": "u_9"}).json()["vote_count"] == 2
    assert team("POST", path).json()["vote_count"] == 3, "without a body whoever holds the key votes"
    assert team("POST", path).status_code == 200
    assert team("DELETE", f"{path}?voter_email=bo@example.com").status_code == 204
    assert team("DELETE", f"{path}?voter_email=bo@example.com").status_code == 204
    assert team("DELETE", f"{path}?voter_email=unknown@example.com").status_code == 204
    assert team("DELETE", path).status_code == 204
    assert Feedback.objects.get().vote_count == FeedbackVote.objects.count() == 1
    assert not Principal.objects.filter(email="unknown@example.com").exists()


def test_a_person_whom_the_widget_knows_votes_for_themselves(house: Workspace, page: Speaker, sent: Sent) -> None:
    from tellback.workspaces.widget_identity.sessions import issue_session

    bo = Principal.objects.create(workspace=house, email="bo@example.com")
    session = issue_session(workspace_id=house.id, principal_id=bo.id)
    path = f"{sent()['id']}/vote/"
    assert page("POST", path, x_widget_session=session).status_code == 201
    assert FeedbackVote.objects.get().principal == bo
    assert page("POST", path, x_widget_session="made-up").status_code == 401
    assert page("DELETE", path, x_widget_session=session).status_code == 204


def test_figures_are_document_2s_and_follow_the_filters(team: Speaker, sent: Sent) -> None:
    assert team("GET", "stats/").json() == {
        "total": 0,
        "by_type": {},
        "by_status": {},
        "by_priority": {},
        "avg_response_time_hours": None,
        "open_count": 0,
        "resolved_count": 0,
        "overdue_count": 0,
        "late_count": 0,
    }
    made = [sent(feedback_type=kind) for kind in ("bug", "bug", "feature", "other")]
    for feedback, hours in zip(Feedback.objects.order_by("id")[:2], (3, 6), strict=True):
        team("POST", f"{feedback.public_id}/complete/")
        answered_at = feedback.raw_item.created_at + timedelta(hours=hours)
        Feedback.objects.filter(pk=feedback.pk).update(responded_at=answered_at)
    team("POST", f"{made[2]['id']}/decline/")
    Feedback.objects.filter(status="declined").update(responded_at=None)
    Feedback.objects.filter(status="new").update(response_due_at=timezone.now() - timedelta(minutes=1))
    stats = team("GET", "stats/").json()
    assert stats["by_type"] == {"bug": 2, "feature": 1, "other": 1}
    assert stats["by_status"] == {"completed": 2, "declined": 1, "new": 1}
    assert (stats["total"], stats["open_count"], stats["resolved_count"], stats["overdue_count"]) == (4, 1, 3, 1)
    assert stats["avg_response_time_hours"] == 4.5
    assert team("GET", "stats/?type=feature").json()["total"] == 1


def test_a_list_is_narrowed_by_every_filter(team: Speaker, sent: Sent, run_jobs: Callable[[], int]) -> None:
    bug = sent(tags=["a", "b"], rating=2)
    wish = sent(feedback_type="feature", priority="low", source="cli", submitter_email="bo@example.com", tags=["b"])
    run_jobs()
    team("POST", f"{bug['id']}/acknowledge/")
    Feedback.objects.filter(type="feature").update(response_due_at=timezone.now() - timedelta(minutes=1))
    bo = Principal.objects.get(email="bo@example.com").public_id
    for query, found in (
        ("", [wish, bug]),
        ("ordering=created_at", [bug, wish]),
        ("type=bug", [bug]),
        ("feedback_type=feature-request", [wish]),
        ("status=acknowledged", [bug]),
        ("status=new&status=acknowledged", [wish, bug]),
        ("priority=low", [wish]),
        ("severity=high", [bug]),
        ("source=cli", [wish]),
        ("tag=b&tag=a", [bug]),
        ("tag=b", [wish, bug]),
        ("rating=2", [bug]),
        ("min_score=0", [wish, bug]),
        ("min_score=100", []),
        ("submitter_email=BO@example.com", [wish]),
        (f"submitted_by={bo}", [wish]),
        ("assignee=019aa000-0000-7000-8000-000000000000", []),
        ("search=invoice", [wish, bug]),
        ("search=twelve%20nothing", [wish, bug]),
        ("search=zebra", []),
        ("is_open=true", [wish, bug]),
        ("is_open=false", []),
        ("is_overdue=true", [wish]),
        ("is_overdue=false", [bug]),
        ("created_after=2020-01-01T00:00:00Z", [wish, bug]),
        ("created_before=2020-01-01T00:00:00%2B02:00", []),
    ):
        answer = team("GET", f"?{query}")
        assert answer.status_code == 200, query
        assert [row["id"] for row in answer.json()["results"]] == [row["id"] for row in found], query
    overdue = team("GET", "?is_overdue=true").json()["results"][0]
    assert (overdue["response_state"], overdue["sla_breached"]) == ("overdue", True)


@pytest.mark.parametrize(
    "ordering",
    ["-created_at", "created_at", "-updated_at", "updated_at", "-score", "-vote_count", "response_due_at"],
)
def test_pages_hold_everything_once_in_order_whatever_arrives_meanwhile(
    team: Speaker, sent: Sent, ordering: str
) -> None:
    made = [sent(priority=["low", "high", "urgent"][n % 3])["id"] for n in range(7)]
    team("POST", f"{made[3]}/vote/")
    Feedback.objects.filter(priority="low").update(response_due_at=None)
    whole = [row["id"] for row in team("GET", f"?ordering={ordering}").json()["results"]]
    assert sorted(whole) == sorted(made)
    path, seen = f"?ordering={ordering}&limit=3", []
    while path:
        answer = team("GET", path).json()
        seen += [row["id"] for row in answer["results"]]
        path = answer["next"].split("/feedback/")[1] if answer["next"] else ""
        if ordering == "-created_at":
            sent(summary="Meanwhile")
    assert seen == whole


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=1000000000", "limit=x", "cursor=tampered", "ordering=password", "ordering=id;--",
        "status=open", "created_after=yesterday", "assignee=1%20OR%201=1", "search=%00", "min_score=-1", "rating=9",
        "statuses=new", "offset=1000000000", "1=1",
    ],
)  # fmt: skip
def test_a_question_that_is_not_one_is_refused_with_its_parameter(team: Speaker, sent: Sent, query: str) -> None:
    answer = team("GET", f"?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith(f"/{query.split('=', maxsplit=1)[0]}")


def test_a_cursor_belongs_to_its_ordering_and_is_signed(team: Speaker, sent: Sent) -> None:
    for _ in range(2):
        sent()
    cursor = team("GET", "?limit=1").json()["next_cursor"]
    assert team("GET", f"?limit=1&cursor={cursor}").status_code == 200
    assert team("GET", f"?limit=1&cursor={cursor}&ordering=created_at").json()["code"] == "bad-cursor"
    assert team("GET", f"?limit=1&cursor={cursor[:-1]}").status_code == 422


def test_a_page_takes_as_many_queries_however_long_it_is(
    team: Speaker, sent: Sent, django_assert_max_num_queries: Any
) -> None:
    for _ in range(12):
        sent()
    with django_assert_max_num_queries(16):
        assert len(team("GET").json()["results"]) == 12


def test_answers_say_what_is_left_of_the_limit(team: Speaker, sent: Sent) -> None:
    assert "q=10000" in team("GET")["RateLimit-Policy"]
    assert "r=" in team("GET", "unknown")["RateLimit"]


def test_what_reached_the_other_door_is_there_before_it_was_triaged(
    house: Workspace, team: Speaker, run_jobs: Callable[[], int]
) -> None:
    from tellback.intake.accept import Submission, accept_batch
    from tellback.intake.models import FeedbackSource

    source = FeedbackSource.objects.get(source_type="api")
    submission = Submission(
        source_id=source.id, source_type="api", channel="api", text="Hello", source_created_at=timezone.now()
    )
    (accepted,) = accept_batch(workspace_id=house.id, submissions=[submission], now=timezone.now())
    shown = team("GET", f"{accepted.raw_item_id}").json()
    assert (shown["status"], shown["source"], Feedback.objects.count()) == ("new", "api", 0)
    assert team("POST", f"{accepted.raw_item_id}/acknowledge/").json()["status"] == "acknowledged"
    run_jobs()
    assert Feedback.objects.get().public_id == shown["id"]
    assert team("GET", shown["id"]).json()["status"] == "acknowledged"


def test_a_program_needs_no_cookie_and_no_csrf_token(team: Speaker) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/api/v1/feedback/", REPORT, content_type="application/json", headers=team.headers)
    assert answer.status_code == 201


def test_a_page_of_another_site_may_ask_first_and_read_the_answer(house: Workspace, page: Speaker) -> None:
    site = {"Origin": "https://shop.example"}
    asked = Client().options(
        "/api/v1/feedback/", headers={**site, "Access-Control-Request-Method": "POST"}
    )  # as a browser does, without a key
    assert asked.status_code == 204
    assert "content-type" in asked["Access-Control-Allow-Headers"]
    for answer in (page("POST", "", REPORT, **site), page("POST", "", {}, **site), asked):
        assert answer["Access-Control-Allow-Origin"] == "https://shop.example"
        assert "Access-Control-Allow-Credentials" not in answer
        assert "Origin" in answer["Vary"]
    ApiKey.objects.filter(name="Shop").update(origins=["https://elsewhere.example"])
    refused = page("POST", "", REPORT, **site)
    assert (refused.status_code, refused.json()["code"]) == (403, "origin-not-allowed")
    assert refused["Access-Control-Allow-Origin"] == "https://shop.example"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/v1/nothing", 404), ("GET", "/api/nothing/", 404), ("PUT", "/api/v1/feedback/", 405)],
)
def test_an_address_or_method_that_there_is_not_is_a_problem_too(
    team: Speaker, method: str, path: str, status: int
) -> None:
    answer = Client().generic(method, path, headers=team.headers)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert (status != 405) or set(answer["Allow"].split(", ")) == {"GET", "POST"}


@pytest.mark.parametrize(
    ("failure", "status"), [(OperationalError("gone"), 503), (ZeroDivisionError("seventeen"), 500)]
)
def test_what_fails_is_told_as_a_problem_without_its_reasons(
    team: Speaker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, failure: Exception, status: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr("tellback.api.feedback.routes.get_figures", fail)
    answer = team("GET", "stats/")
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert str(failure) not in answer.content.decode()
    assert ("Retry-After" in answer) == (status == 503)
    assert any("stats" in record.getMessage() for record in caplog.records)
