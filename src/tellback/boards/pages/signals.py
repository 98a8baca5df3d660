"""The page on which people put a signal right. Here, because one of the things that it has is a board."""

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

from tellback.boards.models import Board
from tellback.boards.selectors import list_corrections
from tellback.kernel.errors import Conflict, Invalid, NotFound
from tellback.themes import corrections
from tellback.themes.models import Theme
from tellback.themes.selectors import quote_of, suggest_themes
from tellback.understanding.models import Correction, Sentiment, Signal, SignalType, Urgency
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.models import Role

NEW = "new"


class MoveForm(forms.Form):
    """Where a signal belongs."""

    theme = forms.CharField(widget=forms.HiddenInput)
    title = forms.CharField(max_length=200, required=False, label=gettext_lazy("Title of the new theme"))
    reason = forms.CharField(
        max_length=corrections.LONGEST_REASON,
        required=False,
        label=gettext_lazy("Why (optional)"),
        help_text=gettext_lazy("It helps whoever reads this later, and a language model that would do the same again."),
    )


class ChangeForm(forms.Form):
    """What a signal is."""

    signal_type = forms.ChoiceField(choices=SignalType.choices, label=gettext_lazy("Type"))
    sentiment = forms.ChoiceField(choices=Sentiment.choices, label=gettext_lazy("Feeling"), required=False)
    urgency = forms.ChoiceField(choices=Urgency.choices, label=gettext_lazy("Urgency"), required=False)
    board_id = forms.ChoiceField(label=gettext_lazy("Board"), required=False)
    reason = forms.CharField(
        max_length=corrections.LONGEST_REASON, required=False, label=pgettext_lazy("of a change", "Why (optional)")
    )

    def __init__(self, *arguments: object, **keywords: object) -> None:
        """Offer the boards of the workspace."""
        super().__init__(*arguments, **keywords)  # type: ignore[arg-type]
        boards = [(str(board.id), board.name) for board in Board.objects.order_by("position", "name")]
        field = self.fields["board_id"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("None")), *boards]


@require_role(Role.CONTRIBUTOR)
def signal(request: TenantRequest, signal_id: UUID) -> HttpResponse:
    """What was understood of somebody's words, and how to put it right."""
    found = get_object_or_404(
        Signal.objects.select_related("raw_feedback_item__principal", "raw_feedback_item__source"), pk=signal_id
    )
    search = request.GET.get("search", "").strip()[:100]
    now_is = {name: getattr(found, name) or "" for name in ("signal_type", "sentiment", "urgency", "board_id")}
    context = {
        "tab": "insights",
        "signal": found,
        "quote": quote_of(found),
        "theme": Theme.objects.filter(pk=found.theme_id).first() if found.theme_id else None,
        "suggestions": suggest_themes(found, search=search),
        "search": search,
        "move_form": MoveForm(label_suffix="", prefix=None),
        "change_form": ChangeForm(initial={**now_is, "board_id": str(now_is["board_id"])}, label_suffix=""),
        "corrections": list_corrections(found),
    }
    return render(request, "boards/signal.html", context)


@require_POST
@require_role(Role.CONTRIBUTOR)
def move(request: TenantRequest, signal_id: UUID) -> HttpResponse:
    """Put it into another theme, or into one of its own."""
    assert request.principal
    chosen, reason = request.POST.get("theme", ""), request.POST.get("reason", "")
    actor = request.principal

    def act() -> None:
        if chosen == NEW:
            corrections.move_signal_to_new_theme(
                signal_id=signal_id,
                title=request.POST.get("title", ""),
                actor=actor,
                reason=reason,
                now=timezone.now(),
            )
        else:
            corrections.move_signal(
                signal_id=signal_id, theme_id=_theme_id(chosen), actor=actor, reason=reason, now=timezone.now()
            )

    return _done(request, signal_id, act, _("Moved. The same said again goes there too."))


@require_POST
@require_role(Role.CONTRIBUTOR)
def change(request: TenantRequest, signal_id: UUID) -> HttpResponse:
    """Put its type, feeling, urgency or board right."""
    assert request.principal
    actor = request.principal
    form = ChangeForm(request.POST)

    def act() -> None:
        if not form.is_valid():
            raise Invalid(_("That cannot be chosen here."))
        given = {name: form.cleaned_data[name] for name in ("signal_type", "sentiment", "urgency", "board_id")}
        changes = {name: value for name, value in given.items() if value or name == "board_id"}
        corrections.change_signal(
            signal_id=signal_id, changes=changes, actor=actor, reason=form.cleaned_data["reason"], now=timezone.now()
        )

    return _done(request, signal_id, act, _("Put right."))


@require_POST
@require_role(Role.CONTRIBUTOR)
def dismiss(request: TenantRequest, signal_id: UUID) -> HttpResponse:
    """Say that it is no feedback."""
    assert request.principal
    actor, reason = request.principal, request.POST.get("reason", "")

    def act() -> None:
        corrections.dismiss_signal(signal_id=signal_id, actor=actor, reason=reason, now=timezone.now())

    return _done(request, signal_id, act, _("It is counted nowhere now. What was written stays as it is."))


@require_POST
@require_role(Role.CONTRIBUTOR)
def confirm(request: TenantRequest, signal_id: UUID) -> HttpResponse:
    """Say that it is where it belongs."""

    def act() -> None:
        corrections.confirm_signal(signal_id=signal_id, now=timezone.now())

    return _done(request, signal_id, act, _("Good. It stays there."))


@require_POST
@require_role(Role.CONTRIBUTOR)
def undo(request: TenantRequest, correction_id: UUID) -> HttpResponse:
    """Take a correction back."""
    correction = get_object_or_404(Correction, pk=correction_id)
    try:
        restored = corrections.undo_correction(correction_id=correction.id, now=timezone.now())
    except (Conflict, NotFound) as refusal:
        messages.error(request, refusal.detail)
        return redirect("signal", correction.signal_id) if correction.signal_id else redirect("insights")
    messages.success(request, _("Taken back."))
    return redirect("signal", restored.id)


def _theme_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(_("Choose a theme.")) from None


def _done(request: TenantRequest, signal_id: UUID, act: Callable[[], None], words: str) -> HttpResponse:
    get_object_or_404(Signal.objects.only("id"), pk=signal_id)
    try:
        act()
    except (Conflict, Invalid, NotFound) as refusal:
        messages.error(request, refusal.detail)
        return redirect("signal", signal_id)
    messages.success(request, words)
    theme_id = Signal.objects.filter(pk=signal_id).values_list("theme_id", flat=True).first()
    back = request.POST.get("back", "")
    if back == "theme" and theme_id:
        return redirect(f"{reverse('insights')}?theme={theme_id}")
    return redirect("signal", signal_id)
