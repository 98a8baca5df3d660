"""The receipt: an author's private page, and what they may do on it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django.views.defaults import page_not_found

from tellback.intake.accept import fingerprint
from tellback.intake.follow_ups import list_follow_ups
from tellback.intake.models import RawItem
from tellback.kernel.errors import Conflict, NotFound
from tellback.loop import correcting, receipts, selectors
from tellback.loop.pages.receipt_forms import (
    AddForm,
    AddressForm,
    CorrectForm,
    PlainAct,
    TakeOutForm,
    UndoForm,
)
from tellback.platform.rate_limits import take
from tellback.platform.tenancy import in_workspace, list_workspace_ids
from tellback.triage.models import FeedbackStatus
from tellback.workspaces.models import Workspace

#: What one receipt may be asked to do in a minute.
PER_MINUTE = 20
#: How many links that lead nowhere one address may try in a minute. A link that does lead somewhere always opens.
GUESSES_PER_MINUTE = 30

Given = Mapping[str, Any]


@require_http_methods(["GET", "HEAD", "POST"])
def receipt(request: HttpRequest, token: str) -> HttpResponse:
    """The page. A wrong token is a page that does not exist."""
    found = selectors.find_receipt(token)
    if found is None:
        return _refuse_guess(request)
    item_id, workspace_id = found
    if request.method == "POST":
        take(workspace_id=workspace_id, subject=f"receipt:{item_id}", per_minute=PER_MINUTE)
    with in_workspace(workspace_id):
        response = _answer(request, token, item_id)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    # Not “no-referrer”: browsers then hide from us, too, where a form was sent from, and it is refused.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _refuse_guess(request: HttpRequest) -> HttpResponse:
    """Say that there is no such page, or that this is enough. The address is kept as a digest, for an hour.

    Answered and not raised: an error would undo the counting.
    """
    subject = "guess:" + fingerprint(str(request.META.get("REMOTE_ADDR", "")).encode())
    take(workspace_id=list_workspace_ids()[0], subject=subject, per_minute=GUESSES_PER_MINUTE)
    return page_not_found(request, Http404())


def _answer(request: HttpRequest, token: str, item_id: UUID) -> HttpResponse:
    item = RawItem.objects.select_related("principal").get(pk=item_id)
    workspace = Workspace.objects.get()
    if "erased" in item.content:
        return render(request, "loop/erased_receipt.html", {"workspace": workspace, "erased": item.content["erased"]})
    act = request.POST.get("act", "") if request.method == "POST" else ""
    form = ACTS[act][0](request.POST) if act in ACTS else None
    if form is not None and form.is_valid():
        _do(request, item, act, form.cleaned_data)
        return redirect("receipt", token=token)
    context = {"workspace": workspace, **_page(item, act, form)}
    return render(request, "loop/receipt.html", context, status=422 if request.method == "POST" else 200)


def _page(item: RawItem, act: str, form: forms.Form | None) -> dict[str, object]:
    shown = selectors.get_receipt(item)
    withdrawn = correcting.is_withdrawn(item)
    hears = withdrawn or bool(item.principal and item.principal.email)
    wrong = str(form["signal"].value()) if form is not None and act == "put-right" else ""
    understood = [
        (
            one,
            form if str(one.signal.id) == wrong else CorrectForm(signal_id=one.signal.id, kind=one.signal.signal_type),
        )
        for one in correcting.list_understood(item)
    ]
    return {
        "receipt": shown,
        "understood": understood,
        "wrong": wrong,
        "is_read": item.processed_at is not None,
        "is_withdrawn": withdrawn,
        "can_withdraw": correcting.can_withdraw(item, FeedbackStatus(shown.status)),
        "additions": list_follow_ups(item),
        "add": form if act == "add" else AddForm(),
        "address": None if hears else form if act == "hear" else AddressForm(),
    }


def _do(request: HttpRequest, item: RawItem, act: str, given: Given) -> None:
    try:
        with transaction.atomic():
            said = ACTS[act][1](item, given, timezone.now())
        if said:
            messages.success(request, said)
    except (Conflict, NotFound) as error:
        messages.error(request, error.detail)


def _add(item: RawItem, given: Given, now: datetime) -> str:
    receipts.add_to(item=item, text=given["text"], key=given["key"], now=now)
    return _("Thank you, that is with what you said before.")


def _hear(item: RawItem, given: Given, _now: datetime) -> str:
    receipts.leave_address(item=item, email=given["email"])
    return _("You will hear from us.")


def _put_right(item: RawItem, given: Given, now: datetime) -> str:
    correcting.put_right(
        item=item, signal_id=given["signal"], kind=given["kind"], text=given["text"], key=given["key"], now=now
    )
    return _("Thank you. That is how we understand it now.")


def _take_out(item: RawItem, given: Given, now: datetime) -> str:
    correcting.take_out(item=item, signal_id=given["signal"], now=now)
    return _("Thank you. It does not count any more.")


def _undo(item: RawItem, given: Given, now: datetime) -> str:
    correcting.take_back_correction(item=item, correction_id=given["correction"], now=now)
    return _("It is as it was before.")


def _withdraw(item: RawItem, _given: Given, now: datetime) -> str:
    correcting.withdraw(item=item, now=now)
    return _("It is withdrawn. Nobody acts on it any more.")


def _bring_back(item: RawItem, _given: Given, now: datetime) -> str:
    correcting.bring_back(item=item, now=now)
    return _("It is back, and counts again.")


def _erase(item: RawItem, _given: Given, now: datetime) -> str:
    receipts.take_back(item=item, now=now)
    return ""


#: What a receipt's buttons do: the form that they send, and what happens with it.
ACTS: dict[str, tuple[type[forms.Form], Callable[[RawItem, Given, datetime], str]]] = {
    "add": (AddForm, _add),
    "hear": (AddressForm, _hear),
    "put-right": (CorrectForm, _put_right),
    "take-out": (TakeOutForm, _take_out),
    "undo": (UndoForm, _undo),
    "withdraw": (PlainAct, _withdraw),
    "bring-back": (PlainAct, _bring_back),
    "take-back": (PlainAct, _erase),
}
