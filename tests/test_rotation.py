"""After a rotation of the secrets: what was sealed opens, a command seals it anew, and then the former ones may go."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from tellback.config.keys import former_keys, vault_secrets
from tellback.config.options import Options
from tellback.connections.mail.setup import open_secrets, seal_secrets
from tellback.connections.models import Integration
from tellback.effects.reply_tokens import make_token, read_token
from tellback.intake.accept import Submission, accept_batch
from tellback.intake.models import FeedbackSource, RawItem, VaultKey
from tellback.intake.policy import switch_vault
from tellback.intake.services import ensure_default_sources
from tellback.intake.subjects import ledger
from tellback.intake.subjects.erasing import erase_person, replay_ledger
from tellback.intake.vault.services import open_item
from tellback.kernel.ids import new_id
from tellback.platform import resealing
from tellback.platform.digests import count_digest_keys, digest_key, reseal_digest_key
from tellback.platform.resealing import Standing, reseal_all, standings
from tellback.platform.sealing import WrongSeal, unseal
from tellback.workspaces.models import Principal, Role, WidgetKeyAlgorithm, WidgetSigningKey, Workspace
from tellback.workspaces.widget_identity.keys import issue_signing_key, key_of

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture(autouse=True)
def own_secrets(settings: Settings, tmp_path: Path) -> None:
    """A vault key and a ledger of this test's own."""
    settings.VAULT_SECRETS = ["first vault"]
    settings.ERASURE_LEDGER = tmp_path / "erasures.jsonl"


@pytest.fixture
def rotate(settings: Settings) -> Callable[[], None]:
    """Puts new secrets before the present ones."""
    before = settings.SECRET_KEY

    def rotate() -> None:
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a second secret", [before]
        settings.VAULT_SECRETS = ["second vault", *settings.VAULT_SECRETS]

    return rotate


def forget_former(settings: Settings) -> None:
    settings.SECRET_KEY_FALLBACKS = []
    settings.VAULT_SECRETS = settings.VAULT_SECRETS[:1]


def send(workspace: Workspace, text: str) -> RawItem:
    ensure_default_sources(workspace=workspace)
    source = FeedbackSource.objects.get(source_type="api")
    submission = Submission(source_id=source.id, source_type="api", channel="api", text=text, source_created_at=NOW)
    (accepted,) = accept_batch(workspace_id=workspace.id, submissions=[submission], now=NOW)
    return RawItem.objects.get(receipt_token=accepted.receipt_token)


def originals(item: RawItem) -> list[str]:
    return [one.original for one in open_item(item=item)]


def test_everything_is_sealed_anew_and_the_former_secrets_are_not_needed_any_more(
    workspace: Workspace, settings: Settings, rotate: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resealing, "AT_ONCE", 2)
    switch_vault(workspace=workspace, on=True, actor=None)
    items = [send(workspace, f"write to ada{n}@example.com") for n in range(5)]
    issued = issue_signing_key(workspace=workspace, name="Shop", algorithm=WidgetKeyAlgorithm.HS256)
    rotate()
    late = send(workspace, "write to late@example.com")
    assert originals(items[0]) == ["ada0@example.com"]
    assert key_of(WidgetSigningKey.objects.get()).material == issued.secret
    standing = set(standings())
    assert {Standing("keys of the vault", 6, 5), Standing("signing keys of the widget", 1, 1)} <= standing
    done = reseal_all()
    assert (done["keys of the vault"], done["signing keys of the widget"]) == (5, 1)
    assert set(reseal_all().values()) == {0}
    assert {one.former for one in standings()} == {0}
    forget_former(settings)
    assert [originals(item) for item in [*items, late]] == [
        *([f"ada{n}@example.com"] for n in range(5)),
        ["late@example.com"],
    ]
    assert key_of(WidgetSigningKey.objects.get()).material == issued.secret


def test_without_the_former_secret_nothing_opens_and_resealing_says_which_setting_is_missing(
    workspace: Workspace, settings: Settings, rotate: Callable[[], None]
) -> None:
    switch_vault(workspace=workspace, on=True, actor=None)
    item = send(workspace, "write to ada@example.com")
    rotate()
    forget_former(settings)
    with pytest.raises(WrongSeal):
        originals(item)
    before = bytes(VaultKey.objects.get().wrapped)
    with pytest.raises(WrongSeal, match=r"TELLBACK_VAULT_KEY_FORMER"):
        reseal_all()
    assert bytes(VaultKey.objects.get().wrapped) == before


def test_a_public_key_is_not_taken_for_something_sealed(workspace: Workspace, rotate: Callable[[], None]) -> None:
    body = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
    pem = f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----"
    issue_signing_key(workspace=workspace, name="Shop", algorithm=WidgetKeyAlgorithm.EDDSA, public_key=pem)
    rotate()
    assert Standing("signing keys of the widget", 0, 0) in list(standings())


def test_secrets_of_connections_are_sealed_anew(
    workspace: Workspace, settings: Settings, rotate: Callable[[], None]
) -> None:
    made = Integration.objects.create(workspace=workspace, integration_type="mail", name="Mail")
    made.secrets = seal_secrets({"password": "s3cret"}, integration_id=made.id)
    made.save()
    rotate()
    assert open_secrets(made) == {"password": "s3cret"}
    assert reseal_all()["secrets of connections"] == 1
    forget_former(settings)
    made.refresh_from_db()
    assert open_secrets(made) == {"password": "s3cret"}


def test_an_answer_to_a_mail_of_before_the_rotation_finds_what_it_is_about(
    workspace: Workspace, settings: Settings, rotate: Callable[[], None]
) -> None:
    subject = new_id()
    token = make_token(workspace_id=workspace.id, subject_id=subject)
    rotate()
    forget_former(settings)
    assert read_token(token, workspace_id=workspace.id) == subject


def sealed_digest_key() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed FROM installation_key")
        return str(cursor.fetchone()[0])


def test_the_key_of_digests_stays_and_only_its_seal_changes(
    workspace: Workspace, settings: Settings, rotate: Callable[[], None]
) -> None:
    key = digest_key()
    rotate()
    assert count_digest_keys() == (1, 1)
    assert reseal_digest_key() is True
    assert reseal_digest_key() is False
    assert count_digest_keys() == (1, 0)
    forget_former(settings)
    assert bytes.fromhex(unseal(sealed_digest_key(), about="installation key")) == key


def test_the_ledger_is_read_after_two_rotations_and_by_another_database(
    workspace: Workspace, settings: Settings, rotate: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = Principal.objects.create(workspace=workspace, email="ada@example.com", display_name="Ada", created_at=NOW)
    Principal.objects.create(workspace=workspace, role=Role.OWNER)
    erase_person(person=ada, actor=None, now=NOW)
    path = Path(settings.ERASURE_LEDGER)
    rotate()
    assert ledger.count_keys(path) == (1, 1)
    assert ledger.reseal(path, now=NOW) == 1
    assert ledger.reseal(path, now=NOW) == 0
    forget_former(settings)
    assert ledger.count_keys(path) == (1, 0)
    monkeypatch.setattr("tellback.intake.subjects.erasing.digest_key", lambda: secrets.token_bytes(32))
    Principal.objects.filter(pk=ada.pk).update(email="ada@example.com")
    assert replay_ledger(path=path, now=NOW)["people"] == 1
    assert Principal.objects.get(pk=ada.pk).email == ""


def test_a_ledger_of_an_unknown_secret_is_refused_instead_of_finding_nobody(
    workspace: Workspace, settings: Settings
) -> None:
    ada = Principal.objects.create(workspace=workspace, email="ada@example.com")
    erase_person(person=ada, actor=None, now=NOW)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", []
    with pytest.raises(WrongSeal, match=r"TELLBACK_SECRET_KEY_FORMER"):
        replay_ledger(path=Path(settings.ERASURE_LEDGER), now=NOW)


def test_the_vault_opens_what_it_sealed_before_it_had_a_key_of_its_own() -> None:
    options = Options(secret_key="s", vault_key="v", vault_key_former="u t", secret_key_former="r\nq")
    formers = former_keys("s", options.secret_key_former, "made", "s")
    assert formers == ["r", "q", "made"]
    assert vault_secrets(options, ["s", *formers]) == ["v", "u", "t", "s", "r", "q", "made"]
    assert vault_secrets(Options(secret_key="s"), ["s"]) == ["s"]


def test_a_key_of_digests_that_does_not_open_costs_recognition_and_not_feedback(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from tellback.intake import accept

    def closed() -> bytes:
        raise WrongSeal("Sealed with a secret that is not set.")

    monkeypatch.setattr(accept, "digest_key", closed)
    accept.fingerprint_key.cache_clear()
    try:
        assert accept.fingerprint(b"words") == accept.fingerprint(b"words") != accept.fingerprint(b"others")
        assert caplog.text.count("cannot be opened") == 1
    finally:
        accept.fingerprint_key.cache_clear()
