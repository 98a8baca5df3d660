"""Each component renders what its attributes say, and nothing that somebody typed as markup."""

import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django import forms
from django.template import engines
from django_cotton.compiler_regex import CottonCompiler

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
LINKS = [{"label": "A<b>", "url": "/a?x=1&y=2", "active": True, "count": 3}, {"label": "B", "url": "/b"}]


class TagForm(forms.Form):
    """A form to show."""

    name = forms.CharField(help_text="Short")


def render(source: str, **context: object) -> str:
    """What a component becomes, without the white space that only lays its template out."""
    compiled = CottonCompiler().process("{% load tellback %}" + source)
    rendered = engines["django"].from_string(compiled).render(context)
    return re.sub(r"\s*\n\s*", "", rendered)


def test_a_button_is_a_link_when_it_leads_somewhere() -> None:
    link = render('<c-button kind="primary" icon="plus" href="/new" data-key="n">New</c-button>')
    assert '<a class="button primary" href="/new" data-key="n"><svg' in link
    assert "<a" not in render('<c-button name="a" value="b" disabled>Go</c-button>')
    assert 'type="submit" name="a" value="b" disabled>Go</button>' in render(
        '<c-button name="a" value="b" disabled>Go</c-button>'
    )


def test_a_field_ties_label_help_and_error_to_its_input() -> None:
    shown = render('<c-field :field="form.name" />', form=TagForm({"name": ""}))
    assert '<label for="id_name">Name</label>' in shown
    assert 'aria-invalid="true"' in shown
    for part in ("id_name_helptext", "id_name_error"):
        assert f'id="{part}"' in shown
        assert part in shown.split("aria-describedby=")[1].split(">")[0]


def test_a_dialog_is_named_and_can_be_closed() -> None:
    shown = render('<c-dialog id="d" title="Move">Body<c-slot name="foot"><c-button>OK</c-button></c-slot></c-dialog>')
    assert '<dialog id="d" aria-labelledby="d-title"' in shown
    assert '<h2 id="d-title">Move</h2>' in shown
    assert "data-close-dialog" in shown
    assert "dialog-foot" in shown


@pytest.mark.parametrize(
    "source",
    [
        '<c-tabs label="L" :items="links" />',
        '<c-filter-section title="T" :choices="links" />',
        '<c-chips :items="links" />',
    ],
)
def test_links_carry_their_address_and_escape_their_label(source: str) -> None:
    shown = render(source, links=LINKS)
    assert 'href="/a?x=1&amp;y=2"' in shown
    assert "A&lt;b&gt;" in shown


def test_the_present_tab_is_marked_and_a_count_of_none_is_not_shown() -> None:
    shown = render('<c-tabs label="L" :items="links" />', links=LINKS)
    assert shown.count('aria-current="page"') == 1
    assert shown.count('class="n"') == 1


def test_a_quote_marks_only_its_evidence() -> None:
    pieces = [
        SimpleNamespace(text="Hello <i> ", signal_type=""),
        SimpleNamespace(text="exports lose rows", signal_type="bug_report"),
    ]
    shown = render('<c-quote :pieces="pieces" company="Acme" source="Slack" :at="at" id="q" />', pieces=pieces, at=AT)
    assert 'Hello &lt;i&gt; <mark title="bug_report">exports lose rows</mark></blockquote>' in shown
    assert "<b>Somebody</b><span>Acme</span><span>Slack</span>" in shown
    assert 'datetime="2026-05-04T12:00:00+00:00"' in shown


def test_who_hears_back_is_one_dot_each() -> None:
    shown = render('<c-hear-back :people="people" :told="told" />', people=3, told=2)
    assert "3 people heard back" in shown
    assert shown.count("<i") == 3
    assert shown.count('class="told"') == 2
    assert "1 person will hear back" in render('<c-hear-back :people="people" />', people=1)


def test_the_journey_says_how_far_an_item_came() -> None:
    shown = render(
        '<c-journey :signals="n" :themes="themes" />', n=2, themes=[SimpleNamespace(id="t", title="Exports")]
    )
    assert "2 signals" in shown
    assert '<a href="/admin/feedback/insights?theme=t">Exports</a>' in shown


def test_an_empty_page_has_one_sentence_and_one_way_on() -> None:
    shown = render('<c-empty title="No tags" action="Make one" href="/new">Tags group posts.</c-empty>')
    assert "<h2>No tags</h2><p>Tags group posts.</p>" in shown
    assert shown.count("<a ") == 1


def test_small_pieces_render_what_they_are_given() -> None:
    steps = [SimpleNamespace(title="Shipped", at=AT, note="In 2.1")]
    assert "<b>Shipped</b>" in render('<c-timeline :steps="steps" />', steps=steps)
    assert "<p>In 2.1</p>" in render('<c-timeline :steps="steps" />', steps=steps)
    assert '<b data-count="failed">4</b><span>failed</span>' in render(
        '<c-stat :value="n" label="failed" count="failed" />', n=4
    )
    assert render('<c-more href="" />').strip() == ""
    assert 'rel="next" href="?after=1">Load more' in render('<c-more href="?after=1" />')
    assert "<kbd>g</kbd><kbd>i</kbd>" in render('<c-key keys="g i" />')
    assert render('<c-skeleton lines="12" />').count("<i>") == 2
    assert 'aria-current="page">Here' in render('<c-crumbs :items="links" here="Here" />', links=LINKS)
    assert 'class="notice error" role="alert"' in render('<c-notice kind="error">No</c-notice>')
    assert '<details class="menu right">' in render('<c-menu label="More" icon="ellipsis" side="right">x</c-menu>')


def test_the_mark_is_one_stroke_that_can_travel() -> None:
    assert render("{% mark %}").count("<path") == 1
    assert 'class="mark loading"' in render('{% mark "loading" %}')


def test_an_unknown_person_still_has_a_face() -> None:
    assert ">AL<" in render('{% initials "Ada Lovelace" %}')
    assert ">KB<" in render('{% initials "kim.berg@example.org" %}')
    assert ">?<" in render('{% initials "" %}')
