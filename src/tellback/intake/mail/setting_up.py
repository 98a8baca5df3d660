"""Setting mail up: a connection, the source that its mail comes through, and what is changed about them later."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from tellback.connections.mail.mailbox import Looked, look, open_mailbox
from tellback.connections.mail.oauth import Signed, sign_in, without_access
from tellback.connections.mail.providers import PROVIDERS
from tellback.connections.mail.setup import KIND, Mailbox, MailSetup, OAuth, open_secrets, read_setup, seal_secrets
from tellback.connections.models import Integration
from tellback.intake.mail.replies import SOURCE_TYPE
from tellback.intake.models import DeliveryMode, FeedbackSource
from tellback.kernel.errors import Invalid
from tellback.platform.tenancy import in_workspace
from tellback.workspaces.models import Principal, Workspace
from tellback.workspaces.services import record_audit


@dataclass(frozen=True, slots=True)
class Tried:
    """What was in a mailbox when it was opened, and the secrets that open it the next time."""

    looked: Looked
    secrets: dict[str, str]


def try_mailbox(mailbox: Mailbox, *, secrets: Mapping[str, str], now: datetime) -> Tried:
    """Sign in and look into the folder. Raises `Invalid` or `Unavailable` with what is wrong, in a sentence."""
    signed = _signed(mailbox, secrets, now)
    with open_mailbox(mailbox, secret=signed.token) as client:
        return Tried(look(client, mailbox), signed.secrets)


def secret_of(integration: Integration, mailbox: Mailbox, *, now: datetime) -> str:
    """What opens a mailbox now: its password, or an access token, which is kept (sealed) for as long as it holds.

    Outside of any transaction; raises `Invalid` or `Unavailable` in a sentence.
    """
    stored = open_secrets(integration)
    signed = _signed(mailbox, stored, now)
    keep_signed(integration, signed.secrets)
    return signed.token


def forget_access(integration: Integration) -> None:
    """Let a kept access token go that the mailbox did not accept: the next look fetches another one."""
    keep_signed(integration, without_access(open_secrets(integration)))


def keep_signed(integration: Integration, secrets: Mapping[str, str]) -> None:
    """Keep what signing in has changed of the secrets, unless somebody has changed them since they were read."""
    if secrets == open_secrets(integration):
        return
    sealed = seal_secrets(dict(secrets), integration_id=integration.id)
    with in_workspace(integration.workspace_id):
        if Integration.objects.filter(pk=integration.pk, secrets=integration.secrets).update(secrets=sealed):
            integration.secrets = sealed


def _signed(mailbox: Mailbox, secrets: Mapping[str, str], now: datetime) -> Signed:
    if mailbox.oauth is None:
        return Signed(secrets.get("password", ""), dict(secrets))
    return sign_in(mailbox.oauth, secrets, now=now)


@transaction.atomic
def connect_mail(
    *, workspace: Workspace, setup: MailSetup, secrets: dict[str, str], actor: Principal | None
) -> FeedbackSource:
    """A new connection and its source, switched on. The secrets are sealed."""
    integration = Integration(workspace=workspace, integration_type=KIND, name=setup.address)
    integration.config = setup.model_dump(mode="json")
    integration.secrets = seal_secrets(secrets, integration_id=integration.id)
    integration.save(force_insert=True)
    source = FeedbackSource.objects.create(
        workspace=workspace,
        source_type=SOURCE_TYPE,
        delivery_mode=DeliveryMode.POLL if setup.mailbox else DeliveryMode.WEBHOOK,
        name=setup.address,
        integration=integration,
    )
    _record(source, actor, "connection.added", setup)
    return source


@transaction.atomic
def change_mail(*, source: FeedbackSource, setup: MailSetup, secrets: dict[str, str], actor: Principal | None) -> None:
    """Set a connection up differently. Secrets that are not given stay; another mailbox is read from its start."""
    integration = source.integration
    if integration is None:
        raise Invalid("This connection was taken out. Make a new one.")
    before = read_setup(integration)
    integration.name, integration.config = setup.address, setup.model_dump(mode="json")
    kept = {**open_secrets(integration), **{name: value for name, value in secrets.items() if value}}
    if setup.mailbox and _signs_in(before) != _signs_in(setup) and "access_token" not in secrets:
        kept = without_access(kept)
    integration.secrets = seal_secrets(kept, integration_id=integration.id)
    integration.save(update_fields=["name", "config", "secrets", "updated_at"])
    source.name, source.last_error, source.error_count = setup.address, None, 0
    if _place(before) != _place(setup):
        source.cursor = None
    source.save(update_fields=["name", "last_error", "error_count", "cursor", "updated_at"])
    _record(source, actor, "connection.changed", setup)


@transaction.atomic
def switch_mail(*, source: FeedbackSource, on: bool, actor: Principal | None) -> None:
    """Take mail in, or take none in for now. What arrives in a mailbox meanwhile is taken in later."""
    FeedbackSource.objects.filter(pk=source.pk).update(enabled=on, last_error=None, error_count=0)
    _record(source, actor, "connection.on" if on else "connection.off", None)


@transaction.atomic
def remove_mail(*, source: FeedbackSource, actor: Principal | None, now: datetime) -> None:
    """Take a connection out, and its secrets with it. What came through it stays."""
    integration = source.integration
    FeedbackSource.objects.filter(pk=source.pk).update(
        enabled=False, integration=None, last_error=None, error_count=0, updated_at=now
    )
    _record(source, actor, "connection.removed", None)
    if integration is not None:
        integration.delete()


def _place(setup: MailSetup) -> tuple[str, ...]:
    box = setup.mailbox
    return (box.host.lower(), box.username, box.folder) if box else ()


def _signs_in(setup: MailSetup) -> tuple[str, OAuth | None]:
    return (setup.mailbox.username, setup.mailbox.oauth) if setup.mailbox else ("", None)


def _record(source: FeedbackSource, actor: Principal | None, action: str, setup: MailSetup | None) -> None:
    details: dict[str, object] = {"address": source.name}
    if setup:
        known = PROVIDERS.get(setup.provider)
        details["by"] = known.name if known else "IMAP"
    record_audit(workspace=source.workspace, actor=actor, action=action, subject=source.public_id, details=details)
