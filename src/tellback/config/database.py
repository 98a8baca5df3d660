"""Which PostgreSQL Django talks to, and as whom.

The app's processes act as `tellback_app`, which owns nothing and cannot bypass row security. Only `tellback migrate`
acts as the owner of the schema.
"""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tellback.platform.tenancy import APP_ROLE

STATEMENT_TIMEOUT_MS = 30_000


def database_settings(url: str, *, role: str | None = APP_ROLE, pool_size: int = 12) -> dict[str, Any]:
    """Django's settings for the database named by a `postgresql://` URL.

    With `role`, each connection becomes that role before its first statement; None stays the URL's own user.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    options: dict[str, Any] = {key: value for key, value in query.items() if key not in {"host", "port"}}
    session = [f"-c statement_timeout={STATEMENT_TIMEOUT_MS}", "-c idle_in_transaction_session_timeout=60000"]
    if role:
        session.append(f"-c role={role}")
    options["options"] = " ".join([options.get("options", ""), *session]).strip()
    if pool_size:
        options["pool"] = {"min_size": 1, "max_size": pool_size, "timeout": 5}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "tellback",
        "USER": unquote(parts.username or query.get("user", "")),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host") or unquote(parts.hostname or ""),
        "PORT": str(query.get("port") or parts.port or ""),
        "OPTIONS": options,
        "CONN_MAX_AGE": 0,
        # A pooled connection that died with the server is replaced, not handed out.
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }
