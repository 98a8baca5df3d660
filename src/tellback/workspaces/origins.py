"""Web origins: which sites a widget key may be used on. Pure decisions.

An origin is scheme, host and port as browsers send it (RFC 6454). `https://*.example.com` stands for every subdomain of
example.com, not for example.com itself.
"""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from tellback.kernel.errors import Invalid

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*|\[[0-9a-f:.]+\]")
MOST = 50


def parse_origins(text: str) -> list[str]:
    """The origins in a text, one on a line or between spaces, as browsers would send them. Raises `Invalid`."""
    found = list(dict.fromkeys(parse_origin(part) for part in text.split()))
    if len(found) > MOST:
        raise Invalid(f"A key may have {MOST} sites. Make another key for the others.")
    return found


def parse_origin(text: str) -> str:
    """One origin in the form that browsers send. A whole address is cut down to it. Raises `Invalid`."""
    wrong = Invalid(f"“{text[:100]}” is not a site. Write it like https://app.example.com.")
    try:
        parts = urlsplit(text.strip())
        host, port = (parts.hostname or "").encode("idna" if "*" not in text else "ascii").decode(), parts.port
    except ValueError:
        raise wrong from None
    host = f"[{host}]" if ":" in host else host
    if parts.scheme not in _DEFAULT_PORTS or parts.username is not None or not _HOST.fullmatch(host):
        raise wrong
    if host.startswith("*.") and "." not in host[2:]:
        raise wrong
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in {None, _DEFAULT_PORTS[parts.scheme]} else "")


def allows_origin(allowed: Collection[str], origin: str) -> bool:
    """Whether a page of this origin may use a key with these origins. No origins allow every site."""
    if not allowed or origin in allowed:
        return True
    scheme, _, host = origin.partition("://")
    labels = host.split(".")
    parents = (".".join(labels[cut:]) for cut in range(1, len(labels)))
    return any(f"{scheme}://*.{parent}" in allowed for parent in parents)
