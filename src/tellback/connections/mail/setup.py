"""What a person sets up for mail to come in, and the secrets that go with it."""

import json
import secrets
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from tellback.connections.models import Integration
from tellback.platform.sealing import seal, unseal

KIND = "mail"
#: Whom a provider's webhook names in basic authentication; the password is made here.
HOOK_USER = "tellback"


class OAuth(BaseModel):
    """Where an access token for a mailbox comes from (RFC 6749)."""

    model_config = ConfigDict(frozen=True)

    token_url: str
    client_id: str
    scope: str = ""


class Mailbox(BaseModel):
    """A mailbox that is looked into every two minutes; with `oauth` it is signed in to with access tokens."""

    model_config = ConfigDict(frozen=True)

    host: str
    port: int = Field(993, ge=1, le=65535)
    security: Literal["tls", "starttls", "none"] = "tls"
    username: str = Field(pattern=r"^[^\x00-\x1f\x7f]+$")
    folder: str = Field("INBOX", pattern=r"^[^\x00-\x1f\x7f]+$")
    mark_seen: bool = False
    take_existing: bool = False
    oauth: OAuth | None = None


class MailSetup(BaseModel):
    """One connection. `provider` is the key of a provider, or "imap".

    `plus_addressing` says that name+anything@domain reaches the same place, which makes answers find what they are
    about whatever the mail program does. `lists` are mailing lists whose mail is feedback all the same.
    """

    model_config = ConfigDict(frozen=True)

    provider: str
    address: str
    plus_addressing: bool = False
    lists: tuple[str, ...] = ()
    auth_server: str = ""
    mailbox: Mailbox | None = None


def read_setup(integration: Integration) -> MailSetup:
    """What was set up for a connection."""
    return MailSetup.model_validate(integration.config)


def seal_secrets(values: dict[str, str], *, integration_id: UUID) -> str:
    """The secrets of a connection as they are stored; they open for this connection only."""
    return seal(json.dumps(values), about=sealed_about(integration_id))


def open_secrets(integration: Integration) -> dict[str, str]:
    """The secrets of a connection. Raises `Unavailable` when the installation's key is another one."""
    if not integration.secrets:
        return {}
    values: dict[str, str] = json.loads(unseal(integration.secrets, about=sealed_about(integration.id)))
    return values


def make_hook_password() -> str:
    """A password for the address that a provider calls: nobody types it."""
    return secrets.token_urlsafe(24)


def sealed_about(integration_id: UUID) -> str:
    """What the secrets of a connection are sealed for."""
    return f"integration:{integration_id}"
