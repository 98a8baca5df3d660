"""The design system's tags: mark, icons, times, pills, quotes, charts."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from lucide.templatetags.lucide import lucide

from tellback.web import charts
from tellback.web.markdown import render_markdown

register = template.Library()

#: A speech bubble whose tail runs round and comes back into it.
MARK_PATH = (
    "M9 16.5H7.5A4.5 4.5 0 0 1 3 12V7.5A4.5 4.5 0 0 1 7.5 3"
    "h9A4.5 4.5 0 0 1 21 7.5V12a4.5 4.5 0 0 1-4.5 4.5"
    "h-2c-1 0-1.7.4-2.3 1.1l-1.5 1.9c-.7.9-1.7.6-1.7-.6v-7.2a2.2 2.2 0 0 1 2.2-2.2h4.3"
)
MARK = (
    '<svg class="mark{}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" '
    'stroke-linejoin="round" aria-hidden="true"><path pathLength="1" d="{}"></path></svg>'
)

TONES = {
    "new": "", "acknowledged": "blue", "in_review": "blue", "planned": "violet", "in_progress": "amber",
    "completed": "green", "declined": "", "duplicate": "",
    "open": "", "under_review": "blue", "complete": "green", "closed": "",
    "pending_context": "", "ready_for_extraction": "", "extracting": "amber", "interpreting": "amber", "failed": "red",
    "critical": "red", "urgent": "red", "high": "amber", "medium": "", "low": "",
    "positive": "green", "neutral": "", "negative": "amber",
    "bug_report": "amber", "feature_request": "green", "usability_issue": "violet", "question": "blue",
    "praise": "green", "complaint": "amber", "churn_risk": "red", "active": "green", "promoted": "violet",
    "draft": "", "checking": "blue", "running": "amber", "finished": "green", "stopped": "", "undoing": "amber",
    "undone": "", "emerging": "blue", "needs_review": "amber", "archived": "", "candidate": "",
}  # fmt: skip


@register.simple_tag
def mark(state: str = "") -> SafeString:
    """Tellback's mark; in the state `loading` its stroke travels round."""
    return format_html(MARK, " loading" if state == "loading" else "", MARK_PATH)


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of the one set, decorative."""
    return SafeString(lucide(name, size=16, **{"class": "icon", "aria-hidden": "true"}))


@register.simple_tag
def ago(at: datetime | None) -> SafeString:
    """A time, relative in the browser, exact on hover and without scripts."""
    if at is None:
        return SafeString("")
    local = localtime(at)
    return format_html(
        '<relative-time datetime="{}" title="{}"><time datetime="{}">{}</time></relative-time>',
        local.isoformat(),
        date_format(local, "DATETIME_FORMAT"),
        local.isoformat(),
        date_format(local, "j M Y"),
    )


@register.simple_tag
def pill(value: str, label: str) -> SafeString:
    """A tinted pill with a dot and a word."""
    return format_html('<span class="pill {}">{}</span>', TONES.get(value, ""), label)


@register.simple_tag
def initials(name: str) -> SafeString:
    """Somebody's initials in a circle; of a mail address, those of the name before the @."""
    words = [word for word in re.split(r"[\s._-]+", name.split("@", maxsplit=1)[0]) if word[:1].isalnum()]
    letters = "".join(word[0] for word in words[:2]).upper() or "?"
    return format_html('<span class="avatar" aria-hidden="true">{}</span>', letters)


@register.simple_tag
def marked_text(pieces: Sequence[Any]) -> SafeString:
    """A person's text with the understood parts marked, each naming on hover what it was taken for."""
    return format_html_join(
        "",
        "{}",
        (
            (
                format_html('<mark title="{}">{}</mark>', piece.signal_type, piece.text)
                if piece.signal_type
                else piece.text,
            )
            for piece in pieces
        ),
    )


@register.filter
def in_set(value: object, known: set[object]) -> bool:
    """Whether a value is among these."""
    return value in known


@register.filter
def dots(count: int) -> range:
    """As many dots as people, up to what fits."""
    return range(min(count, 240))


@register.filter
def post_path(post: Any) -> str:
    """The public page of a post; its board must be loaded."""
    return f"/b/{post.board.slug}/{post.slug}-{post.id.hex}"


@register.filter
def markdown(text: str) -> SafeString:
    """Markdown from people as safe HTML."""
    return render_markdown(text)


@register.simple_tag
def sparkline(values: Sequence[int], label: str) -> SafeString:
    """See `charts.sparkline`."""
    return charts.sparkline(values, label=label)


@register.simple_tag
def strength_bar(value: float) -> SafeString:
    """See `charts.strength_bar`."""
    return charts.strength_bar(value)


@register.simple_tag
def distribution(rows: Sequence[tuple[str, int]]) -> SafeString:
    """See `charts.distribution`."""
    return charts.distribution(rows)


@register.simple_tag
def chart_table(rows: Sequence[tuple[str, int]], heading: str) -> SafeString:
    """See `charts.chart_table`."""
    return charts.chart_table(rows, heading=heading)


@register.simple_tag
def split(rows: Sequence[tuple[str, int, str]]) -> SafeString:
    """See `charts.split`."""
    return charts.split(rows)


@register.simple_tag
def change_in_words(this_week: int, last_week: int) -> str:
    """See `charts.change_in_words`."""
    return charts.change_in_words(this_week, last_week)
