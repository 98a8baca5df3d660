"""Charts drawn on the server as SVG: numbers in, markup out. Each says in words what it shows."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

WIDTH, HEIGHT, PAD = 96.0, 24.0, 3.0


def sparkline(values: Sequence[int], *, label: str) -> SafeString:
    """A line of these values, the last one dotted. `label` says what they count."""
    if not values:
        return SafeString("")
    top = max(*values, 1) if len(values) > 1 else max(values[0], 1)
    step = (WIDTH - 2 * PAD) / max(len(values) - 1, 1)
    points = [
        (round(PAD + index * step, 1), round(HEIGHT - PAD - value / top * (HEIGHT - 2 * PAD), 1))
        for index, value in enumerate(values)
    ]
    line = " ".join(f"{x},{y}" for x, y in points)
    return format_html(
        '<svg class="chart" width="96" height="24" viewBox="0 0 96 24" role="img" aria-label="{}: {}">'
        '<polyline points="{}" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" '
        'stroke-linecap="round"></polyline><circle cx="{}" cy="{}" r="2.4" fill="currentColor"></circle></svg>',
        label,
        ", ".join(str(value) for value in values),
        line,
        *points[-1],
    )


def change_in_words(this_week: int, last_week: int) -> str:
    """How this week compares with the one before, in words that small numbers allow."""
    if this_week == last_week:
        return _("steady") if this_week else _("quiet for two weeks")
    difference = this_week - last_week
    return _("%+d this week") % difference


def strength_bar(value: float) -> SafeString:
    """A bar of 0 to 100."""
    width = max(0.0, min(value, 100.0))
    return format_html(
        '<span class="bar" role="img" aria-label="{}"><svg viewBox="0 0 100 4" preserveAspectRatio="none">'
        '<rect width="{}" height="4" fill="var(--green)"></rect></svg></span>',
        _("Strength %d of 100") % round(width),
        round(width, 1),
    )


def distribution(rows: Sequence[tuple[str, int]]) -> SafeString:
    """Bars with their labels and counts; the labels and numbers are text, so no table is needed beside it."""
    top = max((count for _label, count in rows), default=1) or 1
    return format_html(
        '<div class="dist">{}</div>',
        format_html_join(
            "",
            '<span>{}</span><svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
            '<rect width="{}" height="6" rx="1" fill="currentColor"></rect></svg><span class="n">{}</span>',
            ((label, round(100 * count / top, 1), count) for label, count in rows),
        ),
    )
