"""The check of the templates finds what it is there to find."""

import pytest

from tests.lint_templates import broken_rules


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('<p style="color: red">', "inline style"),
        ('<a onclick="x()">', "inline handler"),
        ('<a href="javascript:x()">', "javascript address"),
        ("<script>x()</script>", "script in the page"),
        ("<style>p {}</style>", "style in the page"),
        ("{{ text|safe }}", "|safe or autoescape off"),
        ('<img src="https://example.com/a.png">', "address of another host"),
        ("<p>" + "word " * 40 + "</p>", "207 characters in a line; 160 can be read"),
        ('<a hx-on:click="x()">', "hx-on:click is not in the dialect that htmx 2 and 4 share"),
        ('<a hx-get="/a">', "a request without its own hx-target and hx-swap"),
        ('<a hx-get="/a" hx-target="#a" hx-swap="outerHTML" hx-vals="js:{a: 1}">', "hx-vals holds an expression"),
    ],
)
def test_a_broken_rule_is_named_with_its_line(text: str, message: str) -> None:
    assert list(broken_rules("<p>\n" + text)) == [(2, message)]


def test_a_proper_template_passes() -> None:
    assert not list(
        broken_rules('<a href="/a" hx-get="/a" hx-target="#a" hx-swap="outerHTML"><script src="/a.js"></script>')
    )


def test_mail_may_carry_its_style_but_no_script() -> None:
    assert not list(broken_rules("<style>p {}</style>", mail=True))
    assert list(broken_rules("<script>x()</script>", mail=True))
