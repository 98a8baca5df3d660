"""The receipt: an author's private page, and what they may do on it."""

from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from tellback.intake.follow_ups import list_follow_ups
from tellback.intake.models import RawItem
from tellback.kernel.errors import Conflict
from tellback.loop import receipts, selectors
from tellback.platform.rate_limits import take
from tellback.platform.tenancy import in_workspace
from tellback.workspaces.models import Workspace

#: What one receipt may be asked to do in a minute.
PER_MINUTE = 20


class AddForm(forms.Form):
    """More words of the author."""

    text = forms.CharField(
        max_length=receipts.LONGEST,
        label=gettext_lazy("Something to add or to put right?"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)


class AddressForm(forms.Form):
    """Where the author wants to hear back."""

    email = forms.EmailField(
        max_length=254,
        label=gettext_lazy("Your e-mail address"),
        help_text=gettext_lazy("We write when something becomes of it, and you can stop that in each mail."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def receipt(request: HttpRequest, token: str) -> HttpResponse:
    """The page. A wrong token is a page that does not exist."""
    found = selectors.find_receipt(token)
    if found is None:
        raise Http404
    item_id, workspace_id = found
    if request.method == "POST":
        take(workspace_id=workspace_id, subject=f"receipt:{item_id}", per_minute=PER_MINUTE)
    with in_workspace(workspace_id):
        response = _answer(request, token, item_id)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _answer(request: HttpRequest, token: str, item_id: UUID) -> HttpResponse:
    item = RawItem.objects.select_related("principal").get(pk=item_id)
    workspace = Workspace.objects.get()
    if "erased" in item.content:
        return render(request, "loop/erased_receipt.html", {"workspace": workspace, "erased": item.content["erased"]})
    act = request.POST.get("act", "") if request.method == "POST" else ""
    add = AddForm(request.POST if act == "add" else None)
    address = AddressForm(request.POST if act == "hear" else None)
    if (act == "add" and add.is_valid()) or (act == "hear" and address.is_valid()) or act == "take-back":
        _do(request, item, act, add, address)
        return redirect("receipt", token=token)
    context = {
        "workspace": workspace,
        "receipt": selectors.get_receipt(item),
        "additions": list_follow_ups(item),
        "add": add,
        "address": address if not (item.principal and item.principal.email) else None,
    }
    return render(request, "loop/receipt.html", context, status=422 if act else 200)


def _do(request: HttpRequest, item: RawItem, act: str, add: AddForm, address: AddressForm) -> None:
    try:
        if act == "add":
            given = add.cleaned_data
            receipts.add_to(item=item, text=given["text"], key=given["key"], now=timezone.now())
            messages.success(request, _("Thank you, that is with what you said before."))
        elif act == "hear":
            receipts.leave_address(item=item, email=address.cleaned_data["email"])
            messages.success(request, _("You will hear from us."))
        else:
            receipts.take_back(item=item, now=timezone.now())
    except Conflict as error:
        messages.error(request, error.detail)
