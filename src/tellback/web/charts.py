"""Charts drawn on the server as SVG: numbers in, markup out. Each says in words what it shows."""

from collections.abc import Sequence
from itertools import accumulate

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

WIDTH, HEIGHT, PAD = 96.0, 24.0, 3.0
TONES = ("green", "red", "amber", "blue", "violet", "plain")


def sparkline(values: Sequence[int], *, label: str) -> SafeString:
    """A line of these values from old to new, the last one dotted. `label` says what they count."""
    if not values:
        return SafeString("")
    top = max(*values, 1)
    step = (WIDTH - 2 * PAD) / max(len(values) - 1, 1)
    points = [
        (round(PAD + index * step, 1), round(HEIGHT - PAD - max(value, 0) / top * (HEIGHT - 2 * PAD), 1))
        for index, value in enumerate(values)
    ]
    return format_html(
        '<svg class="chart" width="96" height="24" viewBox="0 0 96 24" role="img"><title>{}</title><desc>{}</desc>'
        '<polyline points="{}" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" '
        'stroke-linecap="round"></polyline><circle cx="{}" cy="{}" r="2.4" fill="currentColor"></circle></svg>',
        label,
        ", ".join(str(value) for value in values),
        " ".join(f"{x},{y}" for x, y in points),
        *points[-1],
    )


def change_in_words(this_week: int, last_week: int) -> str:
    """How this week compares with the one before, in words that small numbers allow: no percentages of three."""
    if this_week == last_week:
        return _("as last week") if this_week else _("quiet for two weeks")
    difference = abs(this_week - last_week)
    if this_week > last_week:
        return ngettext("%d more than last week", "%d more than last week", difference) % difference
    return ngettext("%d less than last week", "%d less than last week", difference) % difference


def chart_table(rows: Sequence[tuple[str, int]], *, heading: str) -> SafeString:
    """The numbers of a chart as a table behind one word, for who cannot or would rather not read the drawing."""
    return format_html(
        '<details class="chart-table"><summary>{}</summary><table><caption class="hidden-label">{}</caption>'
        "<tbody>{}</tbody></table></details>",
        _("As a table"),
        heading,
        format_html_join("", '<tr><th scope="row">{}</th><td>{}</td></tr>', rows),
    )


def strength_bar(value: float) -> SafeString:
    """A bar of 0 to 100; what lies outside is cut."""
    width = max(0.0, min(float(value), 100.0))
    return format_html(
        '<span class="bar" role="img" aria-label="{}"><svg viewBox="0 0 100 4" preserveAspectRatio="none" '
        'aria-hidden="true"><rect width="{}" height="4" fill="currentColor"></rect></svg></span>',
        _("Strength %d of 100") % round(width),
        round(width, 1),
    )


def distribution(rows: Sequence[tuple[str, int]]) -> SafeString:
    """Horizontal bars with their labels and counts; labels and numbers are text, so no table is needed beside them."""
    top = max((count for _label, count in rows), default=1) or 1
    return format_html(
        '<div class="dist">{}</div>',
        format_html_join(
            "",
            '<span>{}</span><svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
            '<rect width="{}" height="6" fill="currentColor"></rect></svg><span class="n">{}</span>',
            ((label, round(100 * count / top, 1), count) for label, count in rows),
        ),
    )


def split(rows: Sequence[tuple[str, int, str]]) -> SafeString:
    """One bar cut into shares of (label, count, tone of TONES), labelled below; rows of no count are left out.

    Raises `ValueError` for a tone that does not exist.
    """
    shown = [row for row in rows if row[1] > 0]
    if unknown := {tone for _label, _count, tone in shown} - set(TONES):
        raise ValueError(f"no such tone: {', '.join(sorted(unknown))}")
    total = sum(count for _label, count, _tone in shown)
    if not total:
        return SafeString("")
    starts = [0, *accumulate(count for _label, count, _tone in shown)]
    return format_html(
        '<div class="split"><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">{}</svg>'
        "<p>{}</p></div>",
        format_html_join(
            "",
            '<rect class="tone-{}" x="{}" width="{}" height="8" fill="currentColor"></rect>',
            (
                (tone, round(100 * start / total, 2), round(100 * count / total, 2))
                for start, (_label, count, tone) in zip(starts, shown, strict=False)
            ),
        ),
        format_html_join(
            "",
            '<span><i class="key tone-{}"></i>{} {}</span>',
            ((tone, label, count) for label, count, tone in shown),
        ),
    )
