"""The database that Django uses, for connections outside of Django."""

from typing import Any

from django.db import connections
from psycopg.conninfo import make_conninfo


def conninfo(database: dict[str, Any] | None = None) -> str:
    """Django's default database, or the one of these settings, as a libpq connection string with the app's role."""
    database = database or connections["default"].settings_dict
    options = {name: value for name, value in database["OPTIONS"].items() if name not in {"pool", "context"}}
    return make_conninfo(
        dbname=database["NAME"],
        user=database["USER"] or None,
        password=database["PASSWORD"] or None,
        host=database["HOST"] or None,
        port=database["PORT"] or None,
        **{name: value for name, value in options.items() if isinstance(value, str | int)},  # type: ignore[arg-type]
    )
