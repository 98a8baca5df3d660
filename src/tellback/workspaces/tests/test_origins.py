"""Which sites a widget key may be used on."""

import pytest

from tellback.kernel.errors import Invalid
from tellback.workspaces.origins import MOST, allows_origin, parse_origins


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://example.com", "https://example.com"),
        ("HTTPS://Example.COM/", "https://example.com"),
        ("https://example.com:443/pricing?x=1#top", "https://example.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://*.example.com", "https://*.example.com"),
    ],
)
def test_a_site_is_kept_as_browsers_send_it(written: str, kept: str) -> None:
    assert parse_origins(written) == [kept]


@pytest.mark.parametrize(
    "written",
    [
        "example.com", "ftp://example.com", "https://", "https://exa mple", "javascript:alert(1)", "null", "*",
        "https://*", "https://*.com", "https://a.*.com", "https://user@example.com", "https://example.com:99999",
        "https://[::1", "https://ex\x00ample.com", "https://" + "a" * 70 + ".com", "https://.example.com",
    ],
)  # fmt: skip
def test_what_is_no_site_is_refused(written: str) -> None:
    with pytest.raises(Invalid):
        parse_origins(written)


def test_sites_are_listed_once_and_not_endlessly() -> None:
    assert parse_origins("https://a.example\nhttps://a.example/  https://b.example") == [
        "https://a.example",
        "https://b.example",
    ]
    with pytest.raises(Invalid):
        parse_origins(" ".join(f"https://s{n}.example" for n in range(MOST + 1)))


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://app.example.com", True),
        ("https://a.b.example.com", True),
        ("https://example.com", False),
        ("http://app.example.com", False),
        ("https://app.example.com:8443", False),
        ("https://notexample.com", False),
        ("https://app.example.com.evil.net", False),
        ("https://one.test", True),
        ("https://two.one.test", False),
        ("null", False),
        ("", False),
    ],
)
def test_a_star_stands_for_every_subdomain_and_nothing_else(origin: str, allowed: bool) -> None:
    assert allows_origin(["https://*.example.com", "https://one.test"], origin) is allowed


def test_a_key_without_sites_may_be_used_everywhere() -> None:
    assert allows_origin([], "https://anywhere.example")
