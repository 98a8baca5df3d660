"""Pages of a workspace: entering, people, settings."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.entry import redeem_entry
from tellback.workspaces.models import ApiKey, KeyKind, Principal, Role, User
from tellback.workspaces.services import add_member, issue_key, record_audit, revoke_key

PAGE = 50


def enter(request: TenantRequest, user_id: str, token: str) -> HttpResponse:
    """The one-time link from the terminal: a page with one button, so that a link preview does not use it up."""
    user = redeem_entry(user_id=user_id, token=token)
    if request.method == "POST":
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        return redirect("/admin/feedback/insights")
    return render(request, "workspaces/enter.html", {"entering": user})


@require_role(Role.CONTRIBUTOR)
def users(request: TenantRequest) -> HttpResponse:
    """Everybody known, newest first."""
    search = request.GET.get("search", "").strip()[:100]
    people = Principal.objects.order_by("-id")
    if search:
        people = people.filter(
            Q(display_name__icontains=search) | Q(email__icontains=search) | Q(company__icontains=search)
        )
    before = request.GET.get("before")
    try:
        page = list((people.filter(id__lt=UUID(before)) if before else people)[: PAGE + 1])
    except ValueError:
        page = list(people[: PAGE + 1])
    following = page[PAGE - 1].id if len(page) > PAGE else None
    context = {"people": page[:PAGE], "search": search, "next": following, "total": people.count()}
    return render(request, "workspaces/users.html", context)


class WorkspaceForm(forms.Form):
    """What a workspace is called."""

    name = forms.CharField(max_length=200, label=gettext_lazy("Name"))


class KeyForm(forms.Form):
    """A new key."""

    name = forms.CharField(
        max_length=100, label=gettext_lazy("Name"), help_text=gettext_lazy("What will use it, for instance “iOS app”")
    )
    kind = forms.ChoiceField(choices=KeyKind.choices, label=gettext_lazy("Kind"))


class InviteForm(forms.Form):
    """Somebody new in the team."""

    email = forms.EmailField(label=gettext_lazy("E-mail"))
    role = forms.ChoiceField(
        choices=[(Role.CONTRIBUTOR, Role.CONTRIBUTOR.label), (Role.ADMIN, Role.ADMIN.label)], label=gettext_lazy("Role")
    )


@require_role(Role.ADMIN)
def settings(request: TenantRequest) -> HttpResponse:
    """Name, keys and team."""
    return _settings(request, {}, status=200)


def _settings(request: TenantRequest, changes: dict[str, object], *, status: int) -> HttpResponse:
    context = {
        "workspace_form": WorkspaceForm(initial={"name": request.workspace.name}),
        "key_form": KeyForm(),
        "invite_form": InviteForm(),
        "keys": ApiKey.objects.filter(revoked_at=None).order_by("-created_at"),
        "team": Principal.objects.exclude(role=Role.USER).order_by("created_at"),
        **changes,
    }
    return render(request, "workspaces/settings.html", context, status=status)


@require_POST
@require_role(Role.ADMIN)
def rename(request: TenantRequest) -> HttpResponse:
    """Call the workspace something else."""
    form = WorkspaceForm(request.POST)
    if not form.is_valid():
        return _settings(request, {"workspace_form": form}, status=422)
    request.workspace.name = form.cleaned_data["name"]
    request.workspace.save(update_fields=["name", "updated_at"])
    messages.success(request, _("Saved."))
    return redirect("/admin/settings")


@require_POST
@require_role(Role.ADMIN)
def create_key(request: TenantRequest) -> HttpResponse:
    """Make a key and show it, once."""
    form = KeyForm(request.POST)
    if not form.is_valid():
        return _settings(request, {"key_form": form}, status=422)
    issued = issue_key(
        workspace=request.workspace,
        kind=KeyKind(form.cleaned_data["kind"]),
        name=form.cleaned_data["name"],
        created_by=request.principal,
    )
    record_audit(
        workspace=request.workspace,
        actor=request.principal,
        action="key.created",
        subject=issued.api_key.public_id,
        details={"name": issued.api_key.name},
    )
    return _settings(request, {"issued": issued}, status=201)


@require_POST
@require_role(Role.ADMIN)
def end_key(request: TenantRequest, key_id: UUID) -> HttpResponse:
    """Stop accepting a key."""
    api_key = get_object_or_404(ApiKey, pk=key_id)
    revoke_key(api_key=api_key, now=timezone.now())
    record_audit(
        workspace=request.workspace,
        actor=request.principal,
        action="key.revoked",
        subject=api_key.public_id,
        details={"name": api_key.name},
    )
    messages.success(request, _("“%s” is not accepted any more.") % api_key.name)
    return redirect("/admin/settings")


@require_POST
@require_role(Role.ADMIN)
def invite(request: TenantRequest) -> HttpResponse:
    """Let somebody into the team; they sign in with a code sent to their address."""
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _settings(request, {"invite_form": form}, status=422)
    email = form.cleaned_data["email"].lower()
    user = User.objects.filter(email=email).first() or User.objects.create_user(email)
    add_member(workspace=request.workspace, user=user, role=Role(form.cleaned_data["role"]))
    record_audit(workspace=request.workspace, actor=request.principal, action="member.added", details={"email": email})
    messages.success(request, _("%s can now sign in with a code sent to that address.") % email)
    return redirect("/admin/settings")
