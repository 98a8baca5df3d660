"""What the answers of a version say about its end: RFC 9745 (Deprecation), RFC 8594 (Sunset), RFC 8288 (Link)."""

from email.utils import format_datetime

from tellback.intake.schemas import VERSIONS


def schema_address(version: str, *, base_url: str) -> str:
    """Where a version's schema is served; also its `$id`."""
    return f"{base_url}/schemas/feedback-{version}.json"


def lifetime_headers(version: str, *, base_url: str) -> dict[str, str]:
    """The headers of each answer of a version, in lower case; none while it is current.

    `Deprecation` is the instant since when it is deprecated, `@` and seconds since 1970; `Sunset` is an HTTP date.
    """
    about = VERSIONS[version]
    if about.retired_at is None:
        return {}
    links = [f'<{base_url}/schemas/>; rel="deprecation"; type="application/json"']
    if about.successor:
        links.append(f'<{base_url}/{about.successor}/feedback>; rel="successor-version"')
    headers = {"deprecation": f"@{int(about.retired_at.timestamp())}", "link": ", ".join(links)}
    if about.ends_at:
        headers["sunset"] = format_datetime(about.ends_at, usegmt=True)
    return headers
