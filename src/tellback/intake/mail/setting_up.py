"""Setting mail up: a connection, the source that its mail comes through, and what is changed about them later."""

from datetime import datetime

from django.db import transaction

from tellback.connections.mail.mailbox import Looked, look, open_mailbox
from tellback.connections.mail.providers import PROVIDERS
from tellback.connections.mail.setup import KIND, Mailbox, MailSetup, open_secrets, read_setup, seal_secrets
from tellback.connections.models import Integration
from tellback.intake.mail.replies import SOURCE_TYPE
from tellback.intake.models import DeliveryMode, FeedbackSource
from tellback.kernel.errors import Invalid
from tellback.workspaces.models import Principal, Workspace
from tellback.workspaces.services import record_audit


def try_mailbox(mailbox: Mailbox, *, password: str) -> Looked:
    """Sign in and look into the folder. Raises `Invalid` or `Unavailable` with what is wrong, in a sentence."""
    with open_mailbox(mailbox, password=password) as client:
        return look(client, mailbox)


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


def _record(source: FeedbackSource, actor: Principal | None, action: str, setup: MailSetup | None) -> None:
    details: dict[str, object] = {"address": source.name}
    if setup:
        known = PROVIDERS.get(setup.provider)
        details["by"] = known.name if known else "IMAP"
    record_audit(workspace=source.workspace, actor=actor, action=action, subject=source.public_id, details=details)
