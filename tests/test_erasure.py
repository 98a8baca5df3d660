"""PRV-03 and PRV-04: everything of one person, nothing of another; gone from everywhere, also after a restore."""

import base64
import hashlib
import io
import json
import secrets
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from jsonschema_rs import ValidationError, validator_for
from pytest_django.fixtures import Settings

from tellback.boards.models import Board, Comment, Post, Status, Vote
from tellback.boards.services import vote
from tellback.effects.mail import Mail, send_mail
from tellback.effects.models import Effect, Event, KeptMail
from tellback.intake.accept import Idempotency, Submission, accept_batch
from tellback.intake.attachments.cleaning import CleanFile
from tellback.intake.attachments.services import keep_files
from tellback.intake.models import (
    Attachment,
    Erasure,
    FeedbackSource,
    IdempotencyKey,
    ImportRefusal,
    ImportRevision,
    ImportRun,
    RawItem,
    VaultKey,
    VaultValue,
)
from tellback.intake.policy import switch_vault
from tellback.intake.services import ensure_default_sources
from tellback.intake.subjects.erasing import erase_item, erase_person, replay_ledger
from tellback.intake.subjects.exporting import FORMAT, TITLES, export_person
from tellback.intake.subjects.retention import count_expired, expire_items, set_retention
from tellback.kernel.errors import Conflict, Forbidden, Invalid, Unavailable
from tellback.loop.models import Notification, Subscription, SubscriptionReason
from tellback.platform.tenancy import in_workspace
from tellback.themes.models import Replay, ReplaySignal, ReplayTheme, Theme
from tellback.triage.models import DuplicateSuggestion, Feedback, Likeness
from tellback.understanding.models import Signal
from tellback.workspaces.merging import merge_principals
from tellback.workspaces.models import (
    AuditEntry,
    ExternalIdentity,
    Principal,
    PrincipalMerge,
    PrincipalMove,
    Role,
    User,
    Workspace,
)
from tellback.workspaces.services import add_member, record_audit
from tests.harness.traces import find_traces

NOW = timezone.now()


@pytest.fixture
def ledger(settings: Settings, tmp_path: Path) -> Path:
    """Where the ledger is kept, and the data folder, for one test."""
    settings.DATA_DIR = tmp_path
    settings.ERASURE_LEDGER = tmp_path / "erasures.jsonl"
    return tmp_path / "erasures.jsonl"


@pytest.fixture
def house(workspace: Workspace, ledger: Path, settings: Settings) -> Workspace:
    """A workspace with its sources, statuses and the vault on."""
    settings.VAULT_SECRETS = [secrets.token_urlsafe(32)]
    ensure_default_sources(workspace=workspace)
    switch_vault(workspace=workspace, on=True, actor=None)
    return workspace


def submission(text: str, *, user: str, email: str = "", key: str = "") -> Submission:
    source = FeedbackSource.objects.get(source_type="api")
    return Submission(
        source_id=source.id,
        source_type="api",
        channel="api",
        text=text,
        source_created_at=NOW,
        external_url=f"https://desk.example.com/{user}",
        author={"externalUserId": user, **({"email": email} if email else {})},
        context={"pageContext": {"url": f"/users/{user}"}},
        external_id=f"ticket-{user}",
        idempotency=Idempotency("scope", key, "f" * 64, timedelta(hours=24)) if key else None,
    )


class Somebody:
    """A person with something of theirs in every room, all of it carrying the marker."""

    def __init__(self, house: Workspace, marker: str, run_jobs: Callable[[], int]) -> None:
        self.marker = marker
        self.email = f"{marker}@example.com"
        sent = submission(
            f"The {marker} export fails every single time. I am hidden-{marker}@example.com.",
            user=f"user-{marker}",
            email=self.email,
            key=f"key-{marker}",
        )
        accept_batch(workspace_id=house.id, submissions=[sent], now=NOW)
        run_jobs()
        self.item = RawItem.objects.get(author__email=self.email)
        assert self.item.principal
        self.person = self.item.principal
        Principal.objects.filter(pk=self.person.pk).update(display_name=f"Ada {marker}", company=f"{marker} Ltd")
        self.person.refresh_from_db()
        self._boards(house)
        self._effects(house)
        self._elsewhere(house)
        run_jobs()

    def _boards(self, house: Workspace) -> None:
        board = Board.objects.get_or_create(workspace=house, slug="b", defaults={"name": "B"})[0]
        status = Status.objects.get_or_create(
            workspace=house, slug="open", defaults={"name": "Open", "category": "open", "is_default": True}
        )[0]
        self.post = Post.objects.create(
            workspace=house,
            board=board,
            status=status,
            author=self.person,
            title=f"{self.marker} idea",
            slug=f"{self.marker}-idea",
            body=f"I want {self.marker}",
        )
        vote(post=self.post, principal=self.person)
        Comment.objects.create(workspace=house, post=self.post, author=self.person, body=f"{self.marker} says hello")
        Subscription.objects.create(
            workspace=house, post=self.post, principal=self.person, reason=SubscriptionReason.VOTE
        )
        Notification.objects.create(
            workspace=house, principal=self.person, type="t", key=f"k:{self.marker}", title=f"For {self.marker}"
        )

    def _effects(self, house: Workspace) -> None:
        mail = Mail(to=self.email, subject=f"Hello {self.marker}", text=f"Dear {self.marker}", html="")
        send_mail(workspace_id=house.id, key=f"x:{self.person.id}", mail=mail, due_at=NOW, now=NOW)
        KeptMail.objects.create(workspace=house, to=self.email, sender="s", subject=self.marker, text=self.marker)
        other = Mail(to="team@example.com", subject="New", text=f"They said: {self.item.content['text']}")
        send_mail(workspace_id=house.id, key="to-the-team", mail=other, due_at=NOW, now=NOW)
        Event.objects.create(workspace=house, kind="k", subject_id=self.item.id, payload={"by": self.email})

    def _elsewhere(self, house: Workspace) -> None:
        record_audit(workspace=house, actor=None, action="x", details={"email": self.email, self.email: [self.email]})
        record_audit(workspace=house, actor=None, action="x", details={"name": f"Ada {self.marker}"})
        run = ImportRun.objects.create(
            workspace=house,
            source=self.item.source,
            file_name=f"export of {self.email}.csv",
            file_digest=hashlib.sha256(self.marker.encode()).hexdigest(),
            problem=f"{self.email} is odd",
        )
        ImportRefusal.objects.create(workspace=house, run=run, table_index=0, row=1, reason=f"{self.email} is odd")
        ImportRevision.objects.create(
            workspace=house, run=run, raw_item=self.item, before={"content": {"text": f"{self.marker} said this first"}}
        )
        self._shadow(house)
        other = RawItem.objects.exclude(pk=self.item.pk).order_by("id").first() or self.item
        DuplicateSuggestion.objects.create(
            workspace=house, raw_item=self.item, earlier=other, kind=Likeness.SAME_AGAIN, score=1
        )
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO procrastinate_jobs (queue_name, task_name, args, status)
                VALUES ('effects', 'x', jsonb_build_object('workspace_id', %s::text, 'email', %s::text), 'failed')
                RETURNING id
                """,
                [str(house.id), self.email],
            )
            cursor.execute(
                "INSERT INTO job_failure (job_id, error) VALUES (%s, %s)", [cursor.fetchone()[0], f"No {self.email}"]
            )

    def _shadow(self, house: Workspace) -> None:
        replay = Replay.objects.create(
            workspace=house, engine="local", model="m", prompt_version="v1", embedding_model="e", until=NOW
        )
        theme = ReplayTheme.objects.create(workspace=house, replay=replay, number=1, title=f"{self.marker} export")
        ReplaySignal.objects.create(
            workspace=house,
            replay=replay,
            raw_feedback_item=self.item,
            position=0,
            content={"summary": f"The {self.marker} export fails"},
            embedding=[1.0],
            embedding_model="e",
            shadow_theme=theme,
        )


def rows(statement: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
    """What a statement gives on the test's own connection."""
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))  # type: ignore[arg-type]
        return list(cursor.fetchall())


def where(marker: str, folder: Path) -> list[str]:
    """Every place in which the marker stands."""
    return find_traces(marker, run=rows, folders=[folder])


@pytest.fixture
def marker() -> str:
    return "zq" + secrets.token_hex(6)


@pytest.fixture
def ada(house: Workspace, marker: str, run_jobs: Callable[[], int]) -> Somebody:
    return Somebody(house, marker, run_jobs)


def counts() -> dict[str, object]:
    return {
        "items": RawItem.objects.count(),
        "signals": Signal.objects.count(),
        "feedback": Feedback.objects.count(),
        "votes": Vote.objects.count(),
        "posts": Post.objects.count(),
        "comments": Comment.objects.count(),
        "people": Principal.objects.count(),
        "vote_count": Post.objects.get().vote_count if Post.objects.count() == 1 else None,
    }


def test_an_erased_person_is_nowhere_and_what_is_counted_stays_counted(
    house: Workspace, ada: Somebody, marker: str, ledger: Path, run_jobs: Callable[[], int]
) -> None:
    (ledger.parent / "last-error.log").write_text(f"Traceback … {ada.email}")
    assert len(where(marker, ledger.parent)) > 12, "the marker must be found where it was planted"
    before = counts()
    erasure = erase_person(person=ada.person, actor=None, now=NOW)
    assert where(marker, ledger.parent) == []
    assert counts() == before
    run_jobs()
    assert where(marker, ledger.parent) == []
    assert counts() == before
    assert erasure.counts["items"] == 1
    assert not VaultKey.objects.exists()
    assert not VaultValue.objects.exists()
    assert not IdempotencyKey.objects.exists()
    assert not ExternalIdentity.objects.exists()
    assert not Subscription.objects.exists()
    ada.item.refresh_from_db()
    assert ada.item.content["erased"]["why"] == "request"


def test_files_and_merged_principals_of_an_erased_person_are_gone_too(
    house: Workspace, ada: Somebody, marker: str, ledger: Path, run_jobs: Callable[[], int]
) -> None:
    other = submission(f"Also {marker}, from my second account.", user="second", email=f"second-{marker}@example.com")
    text = CleanFile(name=f"{marker}.txt", media_type="text/plain", content=f"Notes of {marker}".encode())
    kept = keep_files(workspace_id=house.id, files=[text])
    accept_batch(workspace_id=house.id, submissions=[replace(other, files=kept)], now=NOW)
    run_jobs()
    second = Principal.objects.get(email=f"second-{marker}@example.com")
    for person in (ada.person, second):
        Notification.objects.create(
            workspace=house, principal=person, type="x", key="same", title=f"{marker}, it shipped"
        )
    merge_principals(kept=ada.person, merged=second, actor=ada.person, now=NOW)
    run_jobs()
    assert PrincipalMove.objects.exclude(set_aside=None).exists(), "both had this notice, so one was set aside whole"
    assert any("/files/" in line for line in where(marker, ledger.parent))
    with io.BytesIO() as into:
        export_person(person=ada.person, actor=None, into=into, now=NOW)
        with zipfile.ZipFile(into) as archive:
            files = [name for name in archive.namelist() if name.startswith("files/")]
            assert [archive.read(name) for name in files] == [f"Notes of {marker}".encode()]
    erase_person(person=ada.person, actor=None, now=NOW)
    run_jobs()
    assert where(marker, ledger.parent) == []
    assert not Attachment.objects.exists()


def test_the_detector_sees_a_marker_that_is_left(ada: Somebody, marker: str, ledger: Path) -> None:
    erase_person(person=ada.person, actor=None, now=NOW)
    Event.objects.create(workspace=ada.person.workspace, kind="k", subject_id=ada.item.id, payload={"x": marker})
    assert len(where(marker, ledger.parent)) == 1
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE left_over (content bytea, words tsvector, packed text)")
        for column, value in (
            ("content", f"\0 {marker.upper()} \xff".encode("latin-1")),
            ("words", f"{marker} exports"),
            ("packed", base64.b64encode(marker.encode()).decode()),
        ):
            cursor.execute(f"INSERT INTO left_over ({column}) VALUES (%s)", [value])
    for folder, name, content in (("a", "x.bin", marker), ("b", f"{marker}.txt", ""), ("c", "y", marker.title())):
        (ledger.parent / folder).mkdir()
        (ledger.parent / folder / name).write_text(content)
    assert len(where(marker, ledger.parent)) == 1 + 3 + 3


def test_somebody_alike_keeps_everything(
    house: Workspace, ada: Somebody, marker: str, ledger: Path, run_jobs: Callable[[], int]
) -> None:
    other = submission("The export fails for me as well, always.", user=f"user-{marker}2", email=f"x{ada.email}")
    accept_batch(workspace_id=house.id, submissions=[other], now=NOW)
    run_jobs()
    mail = Mail(to=f"x{ada.email}", subject="Hello", text=f"You are x{ada.email}")
    send_mail(workspace_id=house.id, key="alike", mail=mail, due_at=NOW, now=NOW)
    erase_person(person=ada.person, actor=None, now=NOW)
    kept = RawItem.objects.get(author__email=f"x{ada.email}")
    assert kept.content["text"] == "The export fails for me as well, always."
    assert kept.author["externalUserId"] == f"user-{marker}2"
    assert kept.principal
    assert kept.principal.email == f"x{ada.email}"
    effect = Effect.objects.get(key="alike")
    assert effect.payload["text"] == f"You are x{ada.email}"


def test_a_sentence_that_others_said_too_stays_theirs(
    house: Workspace, run_jobs: Callable[[], int], ledger: Path
) -> None:
    for user in ("her-user-id", "his-user-id"):
        sent = submission("The export does not work. Thank you.", user=user, email=f"{user}@example.com")
        accept_batch(workspace_id=house.id, submissions=[sent], now=NOW)
        run_jobs()
    hers = RawItem.objects.get(author__externalUserId="her-user-id")
    assert hers.principal
    mails = Effect.objects.filter(kind="mail", payload__to="his-user-id@example.com")
    before = list(mails.values_list("payload", flat=True))
    assert "The export does not work." in str(before)
    erase_person(person=hers.principal, actor=None, now=NOW)
    assert list(mails.values_list("payload", flat=True)) == before
    assert Feedback.objects.exclude(summary="").get().summary.startswith("The export does not work")


def test_a_theme_is_put_into_other_peoples_words(
    house: Workspace, run_jobs: Callable[[], int], ledger: Path, marker: str
) -> None:
    hers = submission(f"Please add a {marker} dark mode to the settings.", user="her-user-id")
    his = submission("Please add a dark mode to the settings page.", user="his-user-id")
    for one in (hers, his):
        accept_batch(workspace_id=house.id, submissions=[one], now=NOW)
        run_jobs()
    item = RawItem.objects.get(author__externalUserId="her-user-id")
    signal = Signal.objects.get(raw_feedback_item=item)
    theme = Theme.objects.get(id__in=[signal.theme_id])
    Signal.objects.filter(raw_feedback_item__author__externalUserId="his-user-id").update(theme_id=theme.id)
    Theme.objects.filter(pk=theme.pk).update(title=f"{marker} dark mode", summary=signal.summary, status="active")
    assert item.principal
    erase_person(person=item.principal, actor=None, now=NOW)
    theme.refresh_from_db()
    assert marker not in theme.title + theme.summary
    assert "dark mode" in theme.title
    assert theme.status == "active"
    run_jobs()
    assert where(marker, ledger.parent) == []


def test_one_item_can_be_erased_alone(
    house: Workspace, ada: Somebody, marker: str, run_jobs: Callable[[], int]
) -> None:
    second = submission("Something else is fine, thank you all.", user=f"user-{marker}", email=ada.email)
    accept_batch(workspace_id=house.id, submissions=[second], now=NOW)
    run_jobs()
    erasure = erase_item(item=ada.item, because="withdrawn", now=NOW)
    ada.item.refresh_from_db()
    assert ada.item.content == {"text": "", "erased": {"at": NOW.isoformat(), "why": "withdrawn"}}
    assert ada.item.author == {}
    assert not Signal.objects.filter(raw_feedback_item=ada.item).exclude(summary="").exists()
    ada.person.refresh_from_db()
    assert ada.person.email == ada.email
    assert RawItem.objects.filter(content__text__startswith="Something else").exists()
    assert erase_item(item=ada.item, because="withdrawn", now=NOW) == erasure
    assert Erasure.objects.count() == 1


def test_an_erased_receipt_says_so_and_nothing_else(ada: Somebody, client: Any, marker: str) -> None:
    token = ada.item.receipt_token
    assert marker in client.get(f"/r/{token}").content.decode()
    erase_person(person=ada.person, actor=None, now=NOW)
    response = client.get(f"/r/{token}")
    assert response.status_code == 200
    page = response.content.decode()
    assert marker not in page
    assert "was erased" in page


def test_pages_still_open_after_an_erasure(
    ada: Somebody, as_role: Callable[[str], Any], run_jobs: Callable[[], int]
) -> None:
    erase_person(person=ada.person, actor=None, now=NOW)
    run_jobs()
    client = as_role("owner")
    for address in (
        "/admin/feedback/stream",
        f"/admin/feedback/stream/{ada.item.id}",
        "/admin/feedback/insights",
        "/admin/users",
        f"/admin/users/{ada.person.id}",
        "/admin/roadmap",
        "/",
        *(f"/admin/feedback/insights?theme={theme.id}" for theme in Theme.objects.all()),
    ):
        assert client.get(address).status_code == 200, address


def test_a_restored_backup_forgets_again(
    house: Workspace, ada: Somebody, marker: str, ledger: Path, run_jobs: Callable[[], int]
) -> None:
    item, email = RawItem.objects.get(pk=ada.item.pk), ada.person.email
    erase_person(person=ada.person, actor=None, now=timezone.now())
    assert marker not in ledger.read_text()
    Erasure.objects.all().delete()
    Principal.objects.filter(pk=ada.person.pk).update(email=email, display_name=f"Ada {marker}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('tellback.erasing', 'on', true)")
    RawItem.objects.filter(pk=ada.item.pk).update(content=item.content, author=item.author)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('tellback.erasing', '', true)")
    assert where(marker, ledger.parent) != []
    assert replay_ledger(path=ledger, now=NOW) == {"entries": 1, "people": 1, "items": 0}
    assert where(marker, ledger.parent) == []
    assert Erasure.objects.get().because == "replay"
    assert replay_ledger(path=ledger, now=NOW) == {"entries": 1, "people": 0, "items": 0}


def test_who_comes_back_after_an_erasure_is_somebody_new(
    house: Workspace, ada: Somebody, ledger: Path, run_jobs: Callable[[], int]
) -> None:
    erase_person(person=ada.person, actor=None, now=timezone.now())
    again = submission("I am back, and the export still fails.", user=f"user-{ada.marker}", email=ada.email)
    accept_batch(workspace_id=house.id, submissions=[again], now=timezone.now())
    run_jobs()
    assert replay_ledger(path=ledger, now=NOW)["people"] == 0
    assert RawItem.objects.get(author__email=ada.email).content["text"].startswith("I am back")


def test_nothing_is_erased_when_the_ledger_cannot_be_written(
    house: Workspace, ada: Somebody, settings: Settings, tmp_path: Path
) -> None:
    settings.ERASURE_LEDGER = tmp_path / "a file" / "ledger"
    (tmp_path / "a file").write_text("in the way")
    with pytest.raises(Unavailable):
        erase_person(person=ada.person, actor=None, now=NOW)
    ada.person.refresh_from_db()
    assert ada.person.email == ada.email


def test_a_cut_line_of_the_ledger_is_passed_over(house: Workspace, ledger: Path) -> None:
    ledger.write_text('{"id": "x"\nnot json\n{"id": "01890000-0000-7000-8000-000000000000"}\n')
    assert replay_ledger(path=ledger, now=NOW) == {"entries": 0, "people": 0, "items": 0}


def test_a_login_goes_with_its_person_unless_it_has_another_workspace(
    house: Workspace, other_workspace_id: UUID, ledger: Path
) -> None:
    one, two = (User.objects.create_user(f"{name}@example.com") for name in ("one", "two"))
    first = add_member(workspace=house, user=one, role=Role.ADMIN)
    second = add_member(workspace=house, user=two, role=Role.ADMIN)
    with in_workspace(other_workspace_id):
        add_member(workspace=Workspace.objects.get(), user=two, role=Role.ADMIN)
    for person in (first, second):
        erase_person(person=person, actor=None, now=NOW)
    assert not User.objects.filter(pk=one.pk).exists()
    assert User.objects.filter(pk=two.pk).exists()


def test_the_last_owner_cannot_be_erased_and_contributors_may_not_erase(house: Workspace, ada: Somebody) -> None:
    owner = Principal.objects.create(workspace=house, role=Role.OWNER)
    with pytest.raises(Conflict):
        erase_person(person=owner, actor=None, now=NOW)
    helper = Principal.objects.create(workspace=house, role=Role.CONTRIBUTOR)
    with pytest.raises(Forbidden):
        erase_person(person=ada.person, actor=helper, now=NOW)


def test_another_workspace_is_untouched(
    house: Workspace, ada: Somebody, other_workspace_id: UUID, ledger: Path, marker: str
) -> None:
    with in_workspace(other_workspace_id):
        Principal.objects.create(workspace_id=other_workspace_id, email=ada.email, display_name="Ada elsewhere")
    erase_person(person=ada.person, actor=None, now=NOW)
    with in_workspace(other_workspace_id):
        assert Principal.objects.get(email=ada.email).display_name == "Ada elsewhere"
        replay_ledger(path=ledger, now=NOW)
        assert Principal.objects.filter(email=ada.email).exists()


def test_an_export_has_everything_of_one_person_and_nothing_of_another(
    house: Workspace, ada: Somebody, run_jobs: Callable[[], int]
) -> None:
    other = submission("OTHERSECRET is what I wrote here.", user=f"user-{ada.marker}2", email=f"x{ada.email}")
    accept_batch(workspace_id=house.id, submissions=[other], now=NOW)
    run_jobs()
    theirs = RawItem.objects.get(author__email=f"x{ada.email}")
    assert theirs.principal
    Comment.objects.create(workspace=house, post=ada.post, author=theirs.principal, body="OTHERSECRET comment")
    file = io.BytesIO()
    count = export_person(person=ada.person, actor=None, into=file, now=NOW)
    with zipfile.ZipFile(file) as archive:
        document = json.loads(archive.read("data.json"))
        schema = json.loads(archive.read("schema.json"))
        page = archive.read("index.html").decode()
    assert document["format"] == FORMAT
    assert document["person"] == ada.person.public_id
    assert len(document["records"]) == count
    kinds = {record["kind"] for record in document["records"]}
    assert kinds >= {
        "person", "identity", "feedback", "signal", "triage", "post", "comment", "vote", "subscription", "notification",
        "mail", "outgoing_mail",
    }  # fmt: skip
    assert kinds <= TITLES.keys() == schema["$defs"].keys()
    validator_for(schema, validate_formats=True).validate(document)
    document["records"][0]["more"] = "not described"
    with pytest.raises(ValidationError):
        validator_for(schema).validate(document)
    for text in (json.dumps(document), page):
        assert "OTHERSECRET" not in text
        assert f"x{ada.email}" not in text
        for planted in (
            f"hidden-{ada.marker}@example.com",
            f"The {ada.marker} export fails",
            f"{ada.marker} says hello",
            f"Hello {ada.marker}",
            ada.email,
        ):
            assert planted in text
    assert AuditEntry.objects.get(action="person.exported").details == {"records": count}


def test_files_are_exported_and_erased(
    house: Workspace, ada: Somebody, marker: str, ledger: Path, run_jobs: Callable[[], int]
) -> None:
    content = f"the secret plan of {marker}".encode()
    (kept,) = keep_files(
        workspace_id=house.id, files=[CleanFile(name="plan.txt", media_type="text/plain", content=content)]
    )
    sent = replace(submission("Here is the plan, please read.", user="u", email=ada.email), files=(kept,))
    accept_batch(workspace_id=house.id, submissions=[sent], now=NOW)
    run_jobs()
    file = io.BytesIO()
    export_person(person=ada.person, actor=None, into=file, now=NOW)
    with zipfile.ZipFile(file) as archive:
        (name,) = [name for name in archive.namelist() if name.startswith("files/")]
        validator_for(json.loads(archive.read("schema.json"))).validate(json.loads(archive.read("data.json")))
        assert archive.read(name) == content
    assert where(marker, ledger.parent) != []
    erase_person(person=ada.person, actor=None, now=NOW)
    run_jobs()
    assert where(marker, ledger.parent) == []
    assert not Attachment.objects.exists()


def test_people_who_were_merged_are_erased_as_one(
    house: Workspace, ada: Somebody, marker: str, ledger: Path, run_jobs: Callable[[], int]
) -> None:
    also = submission(
        f"This is {marker} again, from my phone.", user=f"phone-{marker}", email=f"phone-{marker}@x.example"
    )
    accept_batch(workspace_id=house.id, submissions=[also], now=NOW)
    run_jobs()
    other = Principal.objects.get(email=f"phone-{marker}@x.example")
    admin = Principal.objects.create(workspace=house, role=Role.ADMIN)
    merge_principals(kept=ada.person, merged=other, actor=admin, now=NOW)
    run_jobs()
    other.refresh_from_db()
    erase_person(person=other, actor=None, now=NOW)
    run_jobs()
    assert where(marker, ledger.parent) == []
    assert not PrincipalMerge.objects.exists()


def test_an_exported_page_escapes_what_people_wrote(house: Workspace, ada: Somebody) -> None:
    Comment.objects.filter(author=ada.person).update(body="<script>alert(1)</script>")
    file = io.BytesIO()
    export_person(person=ada.person, actor=None, into=file, now=NOW)
    with zipfile.ZipFile(file) as archive:
        assert "<script>" not in archive.read("index.html").decode()


def test_words_are_forgotten_when_their_time_is_over_and_what_was_understood_stays(
    house: Workspace, ada: Somebody, run_jobs: Callable[[], int]
) -> None:
    source = ada.item.source
    later = NOW + timedelta(days=40)
    assert expire_items(now=later) == 0
    assert count_expired(source=source, days=30, now=later) == 1
    assert count_expired(source=source, days=50, now=later) == 0
    set_retention(source=source, days=30, actor=None)
    assert expire_items(now=NOW + timedelta(days=29)) == 0
    assert expire_items(now=later) == 1
    assert expire_items(now=later) == 0
    ada.item.refresh_from_db()
    assert ada.item.content["erased"]["why"] == "retention"
    assert ada.item.author == ada.item.context_envelope == {}
    assert not VaultValue.objects.filter(raw_item=ada.item).exists()
    assert Signal.objects.filter(raw_feedback_item=ada.item).exclude(summary="").exists()
    ada.person.refresh_from_db()
    assert ada.person.email == ada.email


@pytest.mark.parametrize("days", [0, -1, 40_000])
def test_a_time_that_makes_no_sense_is_refused(house: Workspace, days: int) -> None:
    with pytest.raises(Invalid):
        set_retention(source=FeedbackSource.objects.all()[0], days=days, actor=None)


def test_rooms_are_asked_from_the_top_down() -> None:
    from tellback.intake.subjects.holders import list_holdings

    rooms = [holding.room for holding in list_holdings()]
    known = ["workspaces", "effects", "intake", "understanding", "themes", "triage", "boards", "loop"]
    assert [room for room in rooms if room in known] == known


#: Tables that point to a person or to what they said, and are emptied or let go of by some room's `privacy`.
# fmt: off
ANSWERED_FOR = {
    "api_key", "attachment", "audit_entry", "board", "changelog_entry", "changelog_recipient", "comment", "erasure",
    "external_user_mappings", "feedback", "feedback_duplicate_suggestion", "feedback_print",
    "feedback_signal_corrections", "feedback_signals", "feedback_status_change", "feedback_theme_changes",
    "feedback_vote", "import_item", "import_revision", "import_run", "in_app_notifications", "post",
    "post_status_change", "post_subscriptions", "principal", "principal_merge", "raw_feedback_items",
    "replay_signal", "search_entry", "vault_key", "vault_value", "vote", "widget_signing_key",
}
# fmt: on


def test_no_table_points_to_people_that_no_room_answers_for(db: None) -> None:
    """For a new table: say in the room's module `privacy` how it is erased, plant the marker above, list it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT conrelid::regclass::text FROM pg_constraint
            WHERE contype = 'f' AND confrelid IN ('principal'::regclass, 'raw_feedback_items'::regclass)
            """
        )
        pointing = {row[0] for row in cursor.fetchall()}
    assert pointing <= ANSWERED_FOR, sorted(pointing - ANSWERED_FOR)


def test_what_is_still_on_its_way_is_erased_too_and_its_jobs_do_no_harm(
    house: Workspace, ada: Somebody, marker: str, ledger: Path, run_jobs: Callable[[], int]
) -> None:
    late = submission(f"Also, {marker} is slow today.", user=f"user-{marker}", email=ada.email, key="late")
    accept_batch(workspace_id=house.id, submissions=[late], now=NOW)
    assert RawItem.objects.filter(principal=None).count() == 1
    erase_person(person=ada.person, actor=None, now=NOW)
    run_jobs()
    assert where(marker, ledger.parent) == []
    assert RawItem.objects.filter(content__has_key="erased").count() == 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed' AND task_name <> 'x'")
        assert cursor.fetchone()[0] == 0


def test_the_night_job_is_put_up_for_every_workspace() -> None:
    from procrastinate.contrib.django import app

    assert any(task.periodic_id == "intake.expire" for task in app.periodic_registry.periodic_tasks.values())


def test_everybody_reads_that_they_were_erased_where_their_name_stood(
    house: Workspace, ada: Somebody, as_role: Callable[[str], Client], run_jobs: Callable[[], int]
) -> None:
    team = as_role("admin")
    helper = Principal.objects.create(workspace=house, display_name=f"Helper {ada.marker}", email="h@example.com")
    record_audit(workspace=house, actor=helper, action="x", details={})
    Comment.objects.create(workspace=house, post=ada.post, author=helper, body="A word from the helper")
    nameless = Principal.objects.create(workspace=house, email="nameless@example.com")
    Comment.objects.create(workspace=house, post=ada.post, author=nameless, body="A word from the nameless")
    erase_person(person=ada.person, actor=None, now=NOW)
    erase_person(person=helper, actor=None, now=NOW)
    run_jobs()
    phrase = "Someone who was erased"
    post = Post.objects.get()
    public = Client().get(f"/b/b/{post.slug}-{post.id.hex}").content.decode()
    assert public.count(phrase) == 3, "the author of the post, and of two comments"
    assert public.count("Somebody") == 1
    assert "nameless@" not in public
    for address in (
        "/admin/users",
        f"/admin/users/{ada.person.id}",
        "/admin/feedback/stream",
        f"/admin/feedback/stream/{ada.item.id}",
    ):
        page = team.get(address)
        assert page.status_code == 200, address
        assert phrase in page.content.decode(), address
        assert ada.person.public_id not in page.content.decode().replace(f"/{ada.person.id}", ""), address
    assert str(AuditEntry.objects.get(actor=helper).actor) == phrase
