"""Requests about what was accepted before: the same key counts once there too."""

from datetime import datetime
from uuid import UUID

from django.db import connection

from tellback.intake.accept import Idempotency
from tellback.kernel.errors import Invalid
from tellback.kernel.ids import new_id

REUSED = "This idempotency key was used for another request. Use a fresh UUID for each request."
_CLAIM = """
    INSERT INTO idempotency_key (id, workspace_id, scope, key, fingerprint, raw_item_id, created_at, expires_at)
    VALUES (%(id)s, %(workspace_id)s, %(scope)s, %(key)s, %(fingerprint)s, %(raw_item_id)s, %(now)s, %(expires_at)s)
    ON CONFLICT (workspace_id, scope, key) DO UPDATE
        SET fingerprint = excluded.fingerprint, raw_item_id = excluded.raw_item_id,
            created_at = excluded.created_at, expires_at = excluded.expires_at
        WHERE idempotency_key.expires_at <= excluded.created_at
    RETURNING true
"""
_KNOWN = "SELECT fingerprint FROM idempotency_key WHERE workspace_id = %s AND scope = %s AND key = %s"


def claim_key(*, workspace_id: UUID, idempotency: Idempotency, raw_item_id: UUID, now: datetime) -> bool:
    """Whether this key is new. False says that the same request was carried out before, so that nothing is to be done.

    Call it in the transaction that does the work: another one with the same key waits for its end, and a failure gives
    the key back. Raises `Invalid` when the key was used for something else.
    """
    row: dict[str, str | UUID | datetime] = {
        "id": new_id(),
        "workspace_id": workspace_id,
        "scope": idempotency.scope,
        "key": idempotency.key,
        "fingerprint": idempotency.fingerprint,
        "raw_item_id": raw_item_id,
        "now": now,
        "expires_at": now + idempotency.window,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, row)
        if cursor.fetchone():
            return True
        cursor.execute(_KNOWN, [workspace_id, idempotency.scope, idempotency.key])
        (known,) = cursor.fetchone()
    if known != idempotency.fingerprint:
        raise Invalid(REUSED, code="idempotency-key-reused")
    return False
