"""What people put right teaches: the next feedback of the kind is read their way, and figures say how good that is."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tellback.kernel.errors import Conflict
from tellback.themes import corrections
from tellback.themes.tests.test_corrections import NOW, say
from tellback.understanding.learning.guidance import digest, read_guidance
from tellback.understanding.learning.selectors import find_to_check, read_report
from tellback.understanding.learning.services import learn
from tellback.understanding.models import Correction, LearntHead, Signal
from tellback.workspaces.models import Principal, Workspace

Run = Callable[[], int]
OURS = [
    "The invoice for March shows the old address of our company.",
    "Our invoice has the wrong tax number printed on it.",
    "The invoice lists a seat that we cancelled in spring.",
    "Invoices still go to the colleague who left us.",
    "The invoice is in dollars although we pay in euros.",
]


@pytest.fixture
def ada(workspace: Workspace, run_jobs: Run) -> Principal:
    """A contributor, in a workspace where invoices are a question to somebody and not a fault."""
    say(workspace, *OURS)
    run_jobs()
    return Principal.objects.create(workspace=workspace, display_name="Ada", email="ada@example.com")


def put_right(ada: Principal) -> None:
    for number, signal in enumerate(Signal.objects.exclude(signal_type="question").order_by("id")):
        corrections.change_signal(
            signal_id=signal.id,
            changes={"signal_type": "question"},
            actor=ada,
            reason="accounting answers these",
            now=NOW + timedelta(minutes=number),
        )


def test_the_next_of_its_kind_is_read_as_people_said(ada: Principal, workspace: Workspace, run_jobs: Run) -> None:
    put_right(ada)
    run_jobs()
    assert LearntHead.objects.get().judged >= 3
    say(workspace, "The invoice of April was made out to the wrong branch of ours.")
    run_jobs()
    signal = Signal.objects.latest("id")
    assert signal.signal_type == "question"
    assert signal.engine_reading
    assert signal.engine_reading["signal_type"][0] != "question"


def test_what_has_nothing_to_do_with_it_is_read_as_before(ada: Principal, workspace: Workspace, run_jobs: Run) -> None:
    put_right(ada)
    run_jobs()
    say(workspace, "The app crashes whenever I open the camera.", "Please add a dark mode.", "Thank you, I love it!")
    run_jobs()
    latest = Signal.objects.order_by("-id")[:3]
    assert {one.signal_type for one in latest} == {"bug_report", "feature_request", "praise"}


def test_what_is_taken_back_is_forgotten(ada: Principal, run_jobs: Run) -> None:
    put_right(ada)
    run_jobs()
    for one in Correction.objects.order_by("-created_at"):
        corrections.undo_correction(correction_id=one.id, now=NOW)
    run_jobs()
    assert not LearntHead.objects.exists()


def test_the_same_judgements_make_the_same_head(ada: Principal, workspace: Workspace) -> None:
    put_right(ada)
    learn(workspace_id=workspace.id, now=NOW)
    first = LearntHead.objects.get().weights
    learn(workspace_id=workspace.id, now=NOW)
    assert LearntHead.objects.get().weights == first


def test_the_night_says_it_in_words_of_the_team_alone(ada: Principal, workspace: Workspace) -> None:
    assert not read_guidance()
    put_right(ada)
    digest(workspace_id=workspace.id, now=NOW + timedelta(hours=1))
    assert "to question (their reasons: accounting answers these)." in read_guidance()
    assert "invoice" not in read_guidance().lower()


def test_a_check_counts_whether_it_is_right_or_not(ada: Principal) -> None:
    bo = Principal.objects.create(workspace_id=ada.workspace_id, display_name="Bo")
    first, second = Signal.objects.order_by("id")[:2]
    assert first.sentiment
    assert second.sentiment
    right = {"signal_type": first.signal_type, "sentiment": first.sentiment}
    corrections.check_signal(signal_id=first.id, answers=right, actor=ada, now=NOW)
    other = {"signal_type": "praise", "sentiment": second.sentiment}
    corrections.check_signal(signal_id=second.id, answers=other, actor=ada, now=NOW)
    corrections.check_signal(signal_id=second.id, answers=other, actor=bo, now=NOW + timedelta(minutes=1))
    kinds, feelings = read_report(today=NOW.date()).fields
    assert (kinds.checked.hits, kinds.checked.of) == (1, 2)
    assert (feelings.checked.hits, feelings.checked.of) == (2, 2)
    assert (kinds.disagreement.hits, kinds.disagreement.of) == (0, 1)
    with pytest.raises(Conflict):
        corrections.check_signal(signal_id=first.id, answers=right, actor=ada, now=NOW)


def test_nobody_is_asked_twice_and_everything_is_asked_once(ada: Principal) -> None:
    asked = []
    while signal := find_to_check(person=ada.id):
        asked.append(signal.id)
        said = {"signal_type": signal.signal_type, "sentiment": signal.sentiment or ""}
        corrections.check_signal(signal_id=signal.id, answers=said, actor=ada, now=NOW)
    assert sorted(asked) == sorted(Signal.objects.values_list("id", flat=True))


def test_the_page_asks_keeps_the_answer_and_shows_the_figures(
    as_role: Callable[[str], Client], workspace: Workspace, run_jobs: Run
) -> None:
    say(workspace, OURS[0])
    run_jobs()
    signal = Signal.objects.get()
    client = as_role("contributor")
    page = client.get("/admin/settings/quality").content.decode()
    assert "is not known" in page
    answer = {"signal_type": "question", "sentiment": signal.sentiment}
    done = client.post(f"/admin/settings/quality/{signal.id}", answer, follow=True).content.decode()
    assert "Nothing left to check" in done
    assert "0 of 1 drawn at random" in done
    signal.refresh_from_db()
    assert signal.signal_type == "question"
    assert Correction.objects.filter(is_check=True, created_at__lte=timezone.now()).count() == 2


def test_an_answer_that_does_not_exist_is_refused_beside_its_field(
    as_role: Callable[[str], Client], workspace: Workspace, run_jobs: Run
) -> None:
    say(workspace, OURS[0])
    run_jobs()
    signal = Signal.objects.get()
    refused = as_role("contributor").post(f"/admin/settings/quality/{signal.id}", {"signal_type": "nonsense"})
    assert refused.status_code == 422
    assert not Correction.objects.exists()
