"""Arranging themes: renaming, merging, nesting and splitting one, and deciding on what upkeep proposes."""

from collections.abc import Callable
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_POST

from tellback.kernel.errors import Conflict, Invalid, NotFound
from tellback.platform.jobs import Queue, defer_once
from tellback.themes import changes, proposals, selectors, upkeep
from tellback.themes.models import Theme, ThemeChange, ThemeStatus
from tellback.themes.pages.stream import parse_uuid
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.models import Role

MERGE, INSIDE = "merge", "inside"


class TitleForm(forms.Form):
    """What a theme is called."""

    title = forms.CharField(max_length=changes.LONGEST_TITLE, label=gettext_lazy("Title"))


class SplitForm(forms.Form):
    """What the new theme is called."""

    title = forms.CharField(max_length=changes.LONGEST_TITLE, label=pgettext_lazy("split", "Title of the new theme"))


@require_role(Role.CONTRIBUTOR)
def arrange(request: TenantRequest, theme_id: UUID) -> HttpResponse:
    """Everything that can be done with one theme as a whole."""
    theme = get_object_or_404(Theme.objects.select_related("parent_theme"), pk=theme_id)
    if theme.status not in changes.OPEN:
        return redirect(_address(changes.successor_of(theme)))
    search = request.GET.get("search", "").strip()[:100]
    context = {
        "tab": "insights",
        "theme": theme,
        "title_form": TitleForm(initial={"title": theme.title}, label_suffix="", auto_id="rename_%s"),
        "split_form": SplitForm(label_suffix="", auto_id="split_%s"),
        "search": search,
        "neighbours": selectors.suggest_neighbours(theme, search=search),
        "can_be_inside": not theme.children.exists(),
        "quotes": selectors.quotes_to_split(theme) if theme.signal_count > 1 else [],
    }
    return render(request, "themes/arrange.html", context)


@require_POST
@require_role(Role.CONTRIBUTOR)
def rename(request: TenantRequest, theme_id: UUID) -> HttpResponse:
    """Give it another title."""
    theme = get_object_or_404(Theme, pk=theme_id)

    def act() -> str:
        changes.rename_theme(
            theme=theme, title=request.POST.get("title", ""), actor=request.principal, now=timezone.now()
        )
        return _("Renamed. The title stays as you wrote it.")

    return _done(request, theme, act)


@require_POST
@require_role(Role.CONTRIBUTOR)
def join(request: TenantRequest, theme_id: UUID) -> HttpResponse:
    """Merge it into another theme, put it inside one, or take it out."""
    theme = get_object_or_404(Theme, pk=theme_id)
    other_id = parse_uuid(request.POST.get("other"))
    other = Theme.objects.filter(pk=other_id).first() if other_id else None
    now, actor = timezone.now(), request.principal

    def act() -> str:
        how = request.POST.get("how", "")
        if how == "out":
            changes.nest_theme(theme=theme, inside=None, actor=actor, now=now)
            return _("It stands for itself again.")
        if other is None or how not in {MERGE, INSIDE}:
            raise Invalid(_("Choose another theme."))
        if how == INSIDE:
            changes.nest_theme(theme=theme, inside=other, actor=actor, now=now)
            return _("It is inside “%s” now.") % other.title
        changes.merge_themes(into=other, others=[theme], actor=actor, now=now)
        return _("Merged. It can be taken back under Proposals.")

    return _done(request, theme, act)


@require_POST
@require_role(Role.CONTRIBUTOR)
def split(request: TenantRequest, theme_id: UUID) -> HttpResponse:
    """Make a theme of its own of the chosen signals."""
    theme = get_object_or_404(Theme, pk=theme_id)
    chosen = [signal_id for text in request.POST.getlist("signal") if (signal_id := parse_uuid(text))]

    def act() -> str:
        change = changes.split_theme(
            theme=theme,
            signal_ids=chosen,
            title=request.POST.get("title", ""),
            actor=request.principal,
            now=timezone.now(),
        )
        return _("“%s” is a theme of its own now.") % change.title

    return _done(request, theme, act)


@require_role(Role.CONTRIBUTOR)
def show_proposals(request: TenantRequest) -> HttpResponse:
    """What upkeep proposes, and what was decided."""
    context = {
        "tab": "insights",
        "proposals": proposals.list_proposals(),
        "changes": proposals.list_changes(),
        "accepts_itself": upkeep.accepts_itself(request.workspace),
    }
    return render(request, "themes/proposals.html", context)


@require_POST
@require_role(Role.CONTRIBUTOR)
def look(request: TenantRequest) -> HttpResponse:
    """Have upkeep look now, not only at night."""
    defer_once("themes.upkeep", queue=Queue.MAINTENANCE, workspace_id=request.workspace.id)
    messages.success(request, _("Looking. What is found appears here in a moment."))
    return redirect("theme-proposals")


@require_POST
@require_role(Role.ADMIN)
def settings(request: TenantRequest) -> HttpResponse:
    """Whether proposals are carried out without asking."""
    accepts = request.POST.get("accepts") == "on"
    upkeep.set_accepts_itself(workspace_id=request.workspace.id, accepts=accepts)
    words = _("Proposals are carried out every night.") if accepts else _("Proposals wait for you.")
    messages.success(request, words)
    return redirect("theme-proposals")


@require_POST
@require_role(Role.CONTRIBUTOR)
def accept(request: TenantRequest, change_id: UUID) -> HttpResponse:
    """Do what is proposed."""
    change = get_object_or_404(ThemeChange, pk=change_id)

    def act() -> str:
        upkeep.accept_proposal(change=change, actor=request.principal, now=timezone.now())
        return _("Done. It can be taken back below.")

    return _decided(request, act)


@require_POST
@require_role(Role.CONTRIBUTOR)
def decline(request: TenantRequest, change_id: UUID) -> HttpResponse:
    """Say no to what is proposed."""
    change = get_object_or_404(ThemeChange, pk=change_id)

    def act() -> str:
        upkeep.decline_proposal(change=change, actor=request.principal, now=timezone.now())
        return _("Left as it is. It is not proposed again.")

    return _decided(request, act)


@require_POST
@require_role(Role.CONTRIBUTOR)
def undo(request: TenantRequest, change_id: UUID) -> HttpResponse:
    """Take a change back."""
    change = get_object_or_404(ThemeChange, pk=change_id)

    def act() -> str:
        changes.undo_change(change=change, now=timezone.now())
        return _("Taken back.")

    return _decided(request, act)


def _done(request: TenantRequest, theme: Theme, act: Callable[[], str]) -> HttpResponse:
    """To the theme as it is after the act, or back to the form with what was wrong."""
    try:
        messages.success(request, act())
    except (Conflict, Invalid, NotFound) as refusal:
        messages.error(request, refusal.detail)
        return redirect("theme-arrange", theme.id)
    theme.refresh_from_db()
    return redirect(_address(changes.successor_of(theme)))


def _decided(request: TenantRequest, act: Callable[[], str]) -> HttpResponse:
    try:
        messages.success(request, act())
    except (Conflict, Invalid, NotFound) as refusal:
        messages.error(request, refusal.detail)
    return redirect("theme-proposals")


def _address(theme: Theme) -> str:
    shown = f"{reverse('insights')}?theme={theme.id}"
    return f"{shown}&status=archived" if theme.status == ThemeStatus.ARCHIVED else shown
