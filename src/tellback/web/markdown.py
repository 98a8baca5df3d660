"""Markdown from people as safe HTML."""

import nh3
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt

_renderer = MarkdownIt("commonmark", {"html": False, "linkify": False})
TAGS = {"p", "br", "em", "strong", "ul", "ol", "li", "blockquote", "code", "pre", "h1", "h2", "h3", "h4", "a", "hr"}


def render_markdown(text: str) -> SafeString:
    """The text as HTML with a short list of tags; links open with nofollow. Never raises."""
    html = nh3.clean(
        _renderer.render(text),
        tags=TAGS,
        attributes={"a": {"href", "title"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener",
    )
    return SafeString(html)
