"""Pages of a workspace: entering, settings, the team, your own account."""

from typing import cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.forms import SetPasswordForm
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from tellback.kernel.errors import Forbidden, Invalid
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.entry import redeem_entry
from tellback.workspaces.middleware import choose_workspace
from tellback.workspaces.models import ApiKey, KeyKind, Principal, Role, User
from tellback.workspaces.preferences import set_anonymous, takes_anonymous
from tellback.workspaces.selectors import list_workspace_names
from tellback.workspaces.services import (
    add_member,
    change_role,
    end_sessions,
    issue_key,
    record_audit,
    request_invitation,
    revoke_key,
)


def enter(request: TenantRequest, user_id: str, token: str) -> HttpResponse:
    """The one-time link from the terminal: a page with one button, so that a link preview does not use it up."""
    user = redeem_entry(user_id=user_id, token=token)
    if request.method == "POST":
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        return redirect("insights")
    return render(request, "workspaces/enter.html", {"entering": user})


class PlainForm(forms.Form):
    """A form whose labels end without a colon."""

    def __init__(self, data: QueryDict | None = None, *, initial: dict[str, object] | None = None) -> None:
        super().__init__(data, initial=initial, label_suffix="")


class WorkspaceForm(PlainForm):
    """What a workspace is called."""

    name = forms.CharField(max_length=200, label=gettext_lazy("Name"))


class KeyForm(PlainForm):
    """A new key."""

    name = forms.CharField(
        max_length=100, label=gettext_lazy("Name"), help_text=gettext_lazy("What will use it, for instance “iOS app”")
    )
    kind = forms.ChoiceField(choices=KeyKind.choices, label=gettext_lazy("Kind"))


TEAM_ROLES = [(Role.CONTRIBUTOR, Role.CONTRIBUTOR.label), (Role.ADMIN, Role.ADMIN.label)]


class InviteForm(PlainForm):
    """Somebody new in the team."""

    email = forms.EmailField(label=gettext_lazy("E-mail"))
    role = forms.ChoiceField(choices=TEAM_ROLES, label=gettext_lazy("Role"))


class RoleForm(forms.Form):
    """What somebody of the team may do; a customer is not in the team."""

    role = forms.ChoiceField(choices=Role.choices)


class AccountForm(PlainForm):
    """Who somebody is, to the team."""

    name = forms.CharField(max_length=200, label=gettext_lazy("Your name"))


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
        "roles": TEAM_ROLES,
        "anonymous_taken": takes_anonymous(request.workspace.settings),
        "tab": "general",
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
    return redirect("settings")


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
    _record(request, "key.created", issued.api_key.public_id, {"name": issued.api_key.name})
    return _settings(request, {"issued": issued}, status=201)


@require_POST
@require_role(Role.ADMIN)
def end_key(request: TenantRequest, key_id: UUID) -> HttpResponse:
    """Stop accepting a key."""
    api_key = get_object_or_404(ApiKey, pk=key_id)
    revoke_key(api_key=api_key, now=timezone.now())
    _record(request, "key.revoked", api_key.public_id, {"name": api_key.name})
    messages.success(request, _("“%s” is not accepted any more.") % api_key.name)
    return redirect("settings")


@require_POST
@require_role(Role.ADMIN)
def anonymous(request: TenantRequest) -> HttpResponse:
    """Take feedback without a key, or no more."""
    taken = request.POST.get("anonymous") == "on"
    set_anonymous(workspace=request.workspace, taken=taken, actor=request.principal)
    messages.success(request, _("Feedback is taken without a key.") if taken else _("Feedback needs a key now."))
    return redirect("settings")


@require_POST
@require_role(Role.ADMIN)
def invite(request: TenantRequest) -> HttpResponse:
    """Let somebody into the team; they sign in with a code sent to their address."""
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _settings(request, {"invite_form": form}, status=422)
    email = form.cleaned_data["email"].lower()
    if Principal.objects.filter(email__iexact=email).exclude(role=Role.USER).exists():
        form.add_error("email", _("They are in the team already."))
        return _settings(request, {"invite_form": form}, status=422)
    user = User.objects.filter(email=email).first() or User.objects.create_user(email)
    role = Role(form.cleaned_data["role"])
    member = add_member(workspace=request.workspace, user=user, role=role)
    _record(request, "member.added", member.public_id, {"email": email, "role": role})
    request_invitation(member=member, actor=acting(request))
    messages.success(request, _("%s is in the team. A mail tells them so, and how to sign in.") % email)
    return redirect("settings")


@require_POST
@require_role(Role.ADMIN)
def set_role(request: TenantRequest, member_id: UUID) -> HttpResponse:
    """Change what somebody of the team may do, or take them out of it."""
    member = get_object_or_404(Principal.objects.exclude(role=Role.USER), pk=member_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        raise Invalid("Choose one of the roles.")
    role = Role(form.cleaned_data["role"])
    change_role(member=member, role=role, actor=acting(request))
    _stay_signed_in(request, member)
    _record(request, "member.changed", member.public_id, {"role": role})
    said = _("%s is not in the team any more.") % member if role == Role.USER else _("Saved.")
    messages.success(request, said)
    return redirect("settings")


@require_role(Role.CONTRIBUTOR)
def account(request: TenantRequest) -> HttpResponse:
    """Your own name, and a password for those who want one."""
    return _account(request, {}, status=200)


def _account(request: TenantRequest, changes: dict[str, object], *, status: int) -> HttpResponse:
    context = {
        "name_form": AccountForm(initial={"name": acting(request).display_name}),
        "password_form": SetPasswordForm(_user(request), label_suffix=""),
        "memberships": list_workspace_names(_user(request)),
        **changes,
    }
    return render(request, "workspaces/account.html", context, status=status)


@require_POST
@require_role(Role.CONTRIBUTOR)
def set_name(request: TenantRequest) -> HttpResponse:
    """Call yourself something else."""
    form = AccountForm(request.POST)
    if not form.is_valid():
        return _account(request, {"name_form": form}, status=422)
    person, user = acting(request), _user(request)
    person.display_name = user.name = form.cleaned_data["name"]
    person.save(update_fields=["display_name", "updated_at"])
    user.save(update_fields=["name"])
    messages.success(request, _("Saved."))
    return redirect("account")


@require_POST
@require_role(Role.CONTRIBUTOR)
def set_password(request: TenantRequest) -> HttpResponse:
    """Set a password. Whoever is signed in elsewhere with this login is signed out there."""
    form = SetPasswordForm(_user(request), request.POST, label_suffix="")
    if not form.is_valid():
        return _account(request, {"password_form": form}, status=422)
    update_session_auth_hash(request, form.save())
    _record(request, "password.set", acting(request).public_id, {})
    messages.success(request, _("Your password is set. You are signed out everywhere else."))
    return redirect("account")


@require_POST
@require_role(Role.CONTRIBUTOR)
def sign_out_elsewhere(request: TenantRequest) -> HttpResponse:
    """End every other session of your login."""
    end_sessions(user=_user(request))
    update_session_auth_hash(request, _user(request))
    _record(request, "sessions.ended", acting(request).public_id, {})
    messages.success(request, _("You are signed out everywhere else."))
    return redirect("account")


@require_POST
@require_role(Role.CONTRIBUTOR)
def choose(request: TenantRequest, workspace_id: UUID) -> HttpResponse:
    """Work in another of your workspaces."""
    choose_workspace(request, workspace_id)
    return redirect("insights")


def acting(request: TenantRequest) -> Principal:
    """Who acts. Raises `Forbidden` for strangers, whom the role check has already sent away."""
    if request.principal is None:
        raise Forbidden("Sign in first.")
    return request.principal


def _stay_signed_in(request: TenantRequest, member: Principal) -> None:
    """Changing your own role signs you out everywhere but here."""
    if member.user_id == request.user.pk:
        _user(request).refresh_from_db()
        update_session_auth_hash(request, _user(request))


def _user(request: TenantRequest) -> User:
    return cast(User, request.user)


def _record(request: TenantRequest, action: str, subject: str, details: dict[str, object]) -> None:
    record_audit(workspace=request.workspace, actor=request.principal, action=action, subject=subject, details=details)
