"""Reads of connections."""

from uuid import UUID

from django.db import connection


def find_connection(integration_id: UUID) -> UUID | None:
    """The workspace of a connection, from outside of any workspace; None for an id that there is not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT workspace_id FROM tellback_find_connection(%s)", [integration_id])
        row = cursor.fetchone()
    return row[0] if row else None
