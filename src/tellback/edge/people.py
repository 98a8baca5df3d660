"""What must be asked of the database before a request is read: who a signed token names, and the key of digests."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection

from tellback.edge.body import REFUSAL
from tellback.intake.accept import fingerprint_key
from tellback.intake.schemas.v2 import AuthorV2
from tellback.kernel.errors import FieldError, Invalid, Unauthenticated, Unavailable
from tellback.platform.patience import within
from tellback.platform.tenancy import in_workspace
from tellback.workspaces.models import Workspace
from tellback.workspaces.widget_identity.services import identify, verify_widget_token

#: Seconds that finding out who somebody is may take.
PATIENCE = 2.0
AWAY = "The database does not answer, so this was not stored. Send it again in a moment."


async def signed_author(workspace_id: UUID, author: AuthorV2 | None, *, now: datetime) -> dict[str, Any]:
    """The author whom the payload's token vouches for, or nothing without one. The token counts over all other fields.

    Raises `Invalid` with a pointer and the token's own code when it does not hold, `Unavailable`.
    """
    if author is None or author.user_token is None:
        return {}
    try:
        person = await within(PATIENCE, asyncio.to_thread(_identify, workspace_id, author.user_token, now))
    except TimeoutError as error:
        raise Unavailable(AWAY) from error
    return {"principalId": str(person), **({"attributes": author.attributes} if author.attributes else {})}


async def know_digest_key() -> None:
    """Have the key at hand that tells repetitions, so that nothing later waits for it. Raises `Unavailable`."""
    if fingerprint_key.cache_info().currsize:
        return
    try:
        await within(PATIENCE, asyncio.to_thread(fingerprint_key))
    except TimeoutError as error:
        raise Unavailable(AWAY) from error


def _identify(workspace_id: UUID, token: str, now: datetime) -> UUID:
    try:
        with in_workspace(workspace_id):
            workspace = Workspace.objects.get()
            identity = verify_widget_token(token=token, workspace=workspace, now=now)
            return identify(identity=identity, workspace=workspace).id
    except Unauthenticated as error:
        raise Invalid(REFUSAL, errors=[FieldError("/author/userToken", error.detail)], code=error.stable_code) from None
    except DatabaseError as error:
        raise Unavailable(AWAY) from error
    finally:
        connection.close()
