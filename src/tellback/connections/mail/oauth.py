"""Signing in to a mailbox with OAuth 2: an access token for what is stored, fetched when the last one has ended.

Sources: RFC 6749, sections 4.4 and 6 (client credentials, refresh tokens); Google, "XOAUTH2 Mechanism"; Microsoft,
"Authenticate an IMAP, POP or SMTP connection using OAuth".
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from tellback.connections.mail.setup import OAuth
from tellback.kernel.errors import Invalid, Unavailable
from tellback.platform.addresses import ForbiddenAddress, find_addresses
from tellback.platform.outbound import is_allowed_network, operator_allows
from tellback.platform.outbound_http import fetch, guarded_client

PATIENCE = 15.0
LONGEST_ANSWER = 64 * 1024
#: A token that ends sooner than this is fetched anew: a look into a mailbox takes its time.
MARGIN = timedelta(minutes=3)
#: How long a token holds whose server does not say so (RFC 6749, section 5.1 leaves it open).
ASSUMED = timedelta(minutes=10)
#: What is kept among the secrets of a connection.
CLIENT_SECRET, REFRESH_TOKEN, ACCESS_TOKEN, ACCESS_UNTIL = "client_secret", "refresh_token", "access_token", "until"
#: Errors of RFC 6749, section 5.2, in words for whoever set it up.
_REFUSALS = {
    "invalid_client": "does not know this client id and secret. Copy both anew; a secret may have ended.",
    "invalid_grant": "takes this refresh token no longer. Sign in there again, and enter the new one.",
    "unauthorized_client": "does not let this client sign in this way. Allow it there.",
    "invalid_scope": "does not know this scope, or does not give it to this client.",
    "unsupported_grant_type": "does not offer this way of signing in. Look at the address of the token.",
}


@dataclass(frozen=True, slots=True)
class Signed:
    """An access token, and the secrets to keep: a server may give another refresh token each time."""

    token: str
    secrets: dict[str, str]


def sign_in(oauth: OAuth, secrets: Mapping[str, str], *, now: datetime) -> Signed:
    """An access token that holds for some minutes, the kept one or a new one.

    With a refresh token it is fetched for the person who gave it, without one for the client itself. Raises `Invalid`
    for what the person has to put right and `Unavailable` for what may pass; neither holds a secret.
    """
    until = secrets.get(ACCESS_UNTIL, "")
    if secrets.get(ACCESS_TOKEN) and until and datetime.fromisoformat(until) - MARGIN > now:
        return Signed(secrets[ACCESS_TOKEN], dict(secrets))
    answer = _ask(oauth, _request(oauth, secrets))
    lasts = _seconds(answer.get("expires_in"))
    kept = dict(secrets) | {ACCESS_TOKEN: answer["access_token"], ACCESS_UNTIL: (now + lasts).isoformat()}
    if isinstance(following := answer.get("refresh_token"), str) and following and secrets.get(REFRESH_TOKEN):
        kept[REFRESH_TOKEN] = following
    return Signed(answer["access_token"], kept)


def without_access(secrets: Mapping[str, str]) -> dict[str, str]:
    """The secrets without the access token that was fetched with them: it belongs to what was set up before."""
    return {name: value for name, value in secrets.items() if name not in {ACCESS_TOKEN, ACCESS_UNTIL}}


def _request(oauth: OAuth, secrets: Mapping[str, str]) -> dict[str, str]:
    refresh = secrets.get(REFRESH_TOKEN, "")
    grant = {"grant_type": "refresh_token", REFRESH_TOKEN: refresh} if refresh else {"grant_type": "client_credentials"}
    said = {**grant, "client_id": oauth.client_id, CLIENT_SECRET: secrets.get(CLIENT_SECRET, ""), "scope": oauth.scope}
    return {name: value for name, value in said.items() if value}


def _ask(oauth: OAuth, request: Mapping[str, str]) -> dict[str, Any]:
    host = urlsplit(oauth.token_url).hostname or oauth.token_url
    _check_encrypted(oauth.token_url)
    headers = [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json")]
    try:
        with guarded_client(allowed=operator_allows(), connections=1) as client:
            content = urlencode(request).encode()
            reply = fetch(
                client, "POST", oauth.token_url, headers=headers, content=content, seconds=PATIENCE,
                max_bytes=LONGEST_ANSWER,
            )  # fmt: skip
    except ForbiddenAddress as error:
        raise Invalid(error.detail) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unavailable(f"{host} gives no access token: it cannot be reached.") from error
    answer = _read(reply.body)
    if isinstance(answer.get("access_token"), str) and answer["access_token"] and reply.status == httpx.codes.OK:
        return answer
    if reply.status >= httpx.codes.INTERNAL_SERVER_ERROR or reply.status == httpx.codes.TOO_MANY_REQUESTS:
        raise Unavailable(f"{host} gives no access token for now (HTTP {reply.status}).")
    refusal = _REFUSALS.get(str(answer.get("error")), f"gives no access token (HTTP {reply.status}).")
    raise Invalid(f"{host} {refusal}")


def _check_encrypted(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https":
        return
    addresses = find_addresses(parts.hostname or "", parts.port or 80, allowed=operator_allows())
    if not all(is_allowed_network(address) for address in addresses):
        raise Invalid("Without encryption a secret may only go to a network that the operator allowed. Use https.")


def _read(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _seconds(stated: object) -> timedelta:
    try:
        seconds = int(str(stated))
    except ValueError:
        return ASSUMED
    return timedelta(seconds=min(max(seconds, 0), 86_400))
