"""Settings, AI: what it shows, saves, keeps to itself, and that its test really asks."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from tellback.engines.openai.fake import Behaviour, answers, follows_orders, garbage, refuses, slow
from tellback.platform.resealing import reseal_all, standings
from tellback.platform.tenancy import in_workspace
from tellback.understanding.language_model.choices import get_choices
from tellback.understanding.models import ModelDay, ModelState, Signal
from tellback.understanding.tests.conftest import Talking
from tellback.workspaces.models import AuditEntry, Workspace

PAGE = "/admin/settings/ai"
SECRET = "sk-never-to-be-seen-again"


@pytest.fixture
def admin(as_role: Callable[[str], Client]) -> Client:
    """An admin's browser."""
    return as_role("admin")


def typed(talking: Talking, **changes: str) -> dict[str, str]:
    return {"engine": "openai", "base_url": talking.model.url, "key": SECRET, "daily_tokens": "50000", **changes}


def test_a_saved_key_is_sealed_and_never_shown(talking: Talking, admin: Client) -> None:
    answer = admin.post(PAGE, typed(talking), follow=True)
    assert answer.status_code == 200
    assert SECRET not in answer.text
    stored = Workspace.objects.get(pk=talking.workspace.pk).settings
    assert SECRET not in str(stored)
    assert SECRET not in str(list(AuditEntry.objects.values()))
    assert get_choices(talking.workspace.id).key == SECRET
    assert SECRET not in repr(get_choices(talking.workspace.id))


def test_an_empty_key_keeps_the_old_one_for_the_same_address_only(talking: Talking, admin: Client) -> None:
    admin.post(PAGE, typed(talking))
    admin.post(PAGE, typed(talking, key="", daily_tokens="60000"))
    assert get_choices(talking.workspace.id).key == SECRET
    admin.post(PAGE, typed(talking, key="", base_url="https://elsewhere.example/v1"))
    assert get_choices(talking.workspace.id).key == ""


def test_the_test_really_asks_each_pass_and_saves_nothing(talking: Talking, admin: Client) -> None:
    before = Workspace.objects.get(pk=talking.workspace.pk).settings
    answer = admin.post(PAGE, typed(talking, embedding="vectors", extraction="reader", **{"try": "yes"}))
    assert [asked.kind for asked in talking.model.asked] == ["extraction", "interpretation", "description", "embedding"]
    assert {asked.authorization for asked in talking.model.asked} == {f"Bearer {SECRET}"}
    assert talking.model.asked[0].body["model"] == "reader"
    assert answer.text.count("Works") == 4
    assert "drops the last rows" in answer.text
    assert "96 numbers for each text" in answer.text
    assert SECRET not in answer.text
    assert Workspace.objects.get(pk=talking.workspace.pk).settings == before
    assert ModelDay.objects.get().tokens == 370


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (answers(401, message="Incorrect API key provided"), "did not accept the key"),
        (answers(404, message="The model does not exist"), "does not have this model"),
        (garbage("prose"), "The answer was not JSON"),
        (refuses, "refused to answer"),
    ],
)
def test_the_test_says_what_is_wrong(talking: Talking, admin: Client, behaviour: Behaviour, says: str) -> None:
    talking.model.behaviour = behaviour
    answer = admin.post(PAGE, typed(talking, **{"try": "yes"}))
    assert answer.status_code == 200
    assert answer.text.count("Fails") == 1
    assert says in answer.text
    assert not ModelState.objects.exclude(failures=0).exists()


def test_the_test_reaches_no_private_address_that_nobody_has_allowed(talking: Talking, admin: Client) -> None:
    for address in ("http://localhost:1/v1", "http://169.254.169.254/v1", "http://[::1]:1/v1", "http://10.0.0.1/v1"):
        answer = admin.post(PAGE, typed(talking, base_url=address, **{"try": "yes"}))
        assert "is in a private network" in answer.text
    assert talking.model.asked == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"base_url": "ftp://x"}, "begins with https://"),
        ({"base_url": "https://a:b@x.example/v1"}, "must not carry a user name"),
        ({"base_url": "", "key": ""}, "needs a key"),
        ({"daily_tokens": "500"}, "at least"),
        ({"daily_tokens": "-1"}, "greater than or equal to 0"),
        ({"engine": "magic"}, "valid choice"),
        ({"price_in": "NaN"}, "Enter a number"),
    ],
)
def test_what_cannot_work_is_refused_and_nothing_is_changed(
    talking: Talking, admin: Client, changes: dict[str, str], says: str
) -> None:
    before = Workspace.objects.get(pk=talking.workspace.pk).settings
    answer = admin.post(PAGE, typed(talking, **changes))
    assert (answer.status_code, says in answer.text) == (422, True)
    assert Workspace.objects.get(pk=talking.workspace.pk).settings == before


def test_a_key_alone_goes_to_openai(talking: Talking, admin: Client) -> None:
    admin.post(PAGE, typed(talking, base_url=""))
    choices = get_choices(talking.workspace.id)
    assert (choices.base_url, choices.key) == ("https://api.openai.com/v1", SECRET)


def test_back_on_this_machine_nothing_is_asked(talking: Talking, admin: Client) -> None:
    admin.post(PAGE, typed(talking, engine="local"))
    talking.say("The CSV export loses the last rows.")
    assert talking.model.asked == []
    assert Signal.objects.get().fallback_reason == ""
    assert "On this machine" in admin.get(PAGE).text


def test_the_page_counts_what_was_thrown_away_and_what_stood_in(talking: Talking, admin: Client) -> None:
    talking.say("The search is slow.")
    talking.model.behaviour = follows_orders
    talking.say("The CSV export loses the last rows.")
    talking.model.behaviour = refuses
    talking.say("The invoice total is wrong.")
    text = " ".join(admin.get(PAGE).text.split())
    assert "A quote does not stand in the text" in text
    assert "A link, a picture or markup in the model’s own words" in text
    assert "The language model refused to answer" in text
    assert "1 signal stands as this machine read it" in text
    assert "of 2,000,000 tokens today" in text


def test_an_endpoint_that_is_down_is_said_with_its_reason(talking: Talking, admin: Client) -> None:
    talking.model.behaviour = answers(401, message="Incorrect API key provided <b>x</b>")
    talking.say("The CSV export loses the last rows.")
    text = admin.get(PAGE).text
    assert "left alone for a while" in text
    assert "Incorrect API key provided &lt;b&gt;x" in text
    assert "1 item was understood on this machine meanwhile" in " ".join(text.split())


def test_saving_lets_a_paused_endpoint_be_asked_at_once(
    talking: Talking, admin: Client, run_jobs: Callable[[], int]
) -> None:
    talking.model.behaviour = answers(401)
    talking.say("The CSV export loses the last rows.")
    talking.model.behaviour = talking.model.__class__().behaviour
    admin.post(PAGE, typed(talking))
    run_jobs()
    assert Signal.objects.get().fallback_reason == ""


def test_asking_again_reads_what_was_refused(talking: Talking, admin: Client, run_jobs: Callable[[], int]) -> None:
    talking.model.behaviour = refuses
    talking.say("The CSV export loses the last rows.")
    talking.model.behaviour = talking.model.__class__().behaviour
    assert "1 signal is read again" in admin.post(f"{PAGE}/again", follow=True).text
    run_jobs()
    assert Signal.objects.get().fallback_reason == ""
    assert "nothing to ask for again" in admin.post(f"{PAGE}/again", follow=True).text


def test_another_workspaces_figures_are_not_shown(talking: Talking, admin: Client, other_workspace_id: UUID) -> None:
    spent = {"day": timezone.now().date(), "input_tokens": 987_654, "rejected": {"empty": 7}}
    with in_workspace(other_workspace_id):
        ModelDay.objects.create(workspace_id=other_workspace_id, **spent)
    assert "987,654" not in admin.get(PAGE).text
    ModelDay.objects.create(workspace=talking.workspace, **spent)
    assert "987,654" in admin.get(PAGE).text


def test_the_page_takes_few_queries_however_many_days(
    talking: Talking, admin: Client, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    today = timezone.now().date()
    ModelDay.objects.bulk_create(
        [
            ModelDay(workspace=talking.workspace, day=today - timedelta(days=days), rejected={"empty": 1})
            for days in range(1, 60)
        ]
    )
    with django_assert_max_num_queries(16):  # type: ignore[attr-defined]
        text = admin.get(PAGE).text
    assert "<td>29</td>" in text


def test_a_slow_endpoint_does_not_keep_a_person_waiting_for_ever(
    talking: Talking, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tellback.understanding.language_model.trial.SECONDS", 0.3)
    talking.model.behaviour = slow(5)
    assert "took too long" in admin.post(PAGE, typed(talking, **{"try": "yes"})).text


def test_a_kept_key_is_sealed_anew_after_the_secret_key_was_changed(
    talking: Talking, admin: Client, settings: Settings
) -> None:
    admin.post(PAGE, typed(talking))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret key of this installation"
    (standing,) = [one for one in standings() if one.what == "keys of language models"]
    assert (standing.sealed, standing.former) == (1, 1)
    assert reseal_all()["keys of language models"] == 1
    settings.SECRET_KEY_FALLBACKS = []
    assert get_choices(talking.workspace.id).key == SECRET
    assert reseal_all()["keys of language models"] == 0


def test_a_key_whose_secret_is_gone_is_asked_for_again(
    talking: Talking, as_role: Callable[[str], Client], settings: Settings
) -> None:
    as_role("admin").post(PAGE, typed(talking))
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another secret key of this installation", []
    choices = get_choices(talking.workspace.id)
    assert (choices.key, choices.key_lost) == ("", True)
    assert "cannot be opened any more" in as_role("admin").get(PAGE).text
