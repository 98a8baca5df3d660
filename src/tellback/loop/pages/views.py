"""Pages of telling people: changelog, receipts, unsubscribing, notifications, the development mailbox."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from tellback.boards.models import Post
from tellback.effects.models import KeptMail
from tellback.loop import rules, selectors, telling
from tellback.loop.changelog import publish_entry, save_entry
from tellback.loop.models import ChangelogEntry, Notification, SubscriptionReason
from tellback.platform.tenancy import in_workspace
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.models import Principal, Role, Workspace

SAMPLE = 10


def changelog(request: TenantRequest) -> HttpResponse:
    """What shipped, newest first."""
    entries = ChangelogEntry.objects.exclude(published_at=None).order_by("-published_at")[:50]
    return render(request, "loop/changelog.html", {"tab": "changelog", "entries": entries})


def entry_page(request: TenantRequest, slug: str) -> HttpResponse:
    """One entry and the posts it answers."""
    entry = get_object_or_404(ChangelogEntry.objects.exclude(published_at=None), slug=slug)
    posts = Post.objects.filter(changelog_entries__changelog_entry=entry, board__is_public=True).select_related("board")
    return render(request, "loop/entry.html", {"tab": "changelog", "entry": entry, "posts": posts})


class EntryForm(forms.Form):
    """A changelog entry."""

    title = forms.CharField(max_length=200, label=gettext_lazy("Title"))
    body = forms.CharField(
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 14}),
        label=gettext_lazy("What changed"),
        help_text=gettext_lazy("Markdown. People read it on the changelog page and in their mail."),
    )
    posts = forms.ModelMultipleChoiceField(
        queryset=Post.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("Posts that this answers"),
    )


@require_role(Role.CONTRIBUTOR)
def admin_changelog(request: TenantRequest) -> HttpResponse:
    """Drafts and published entries."""
    entries = ChangelogEntry.objects.order_by("-created_at")[:100]
    return render(request, "loop/admin_changelog.html", {"entries": entries})


@require_role(Role.CONTRIBUTOR)
def edit_entry(request: TenantRequest, entry_id: UUID | None = None) -> HttpResponse:
    """Write an entry; shows who will be told before anything is published."""
    entry = get_object_or_404(ChangelogEntry, pk=entry_id) if entry_id else None
    linked = [link.post_id for link in entry.entry_posts.all()] if entry else []
    asked = _uuid(request.GET.get("post"))
    chosen = Post.objects.filter(pk=asked).first() if asked else None
    form = EntryForm(
        request.POST or None,
        initial={
            "title": entry.title if entry else (chosen.title if chosen else ""),
            "body": entry.body if entry else "",
            "posts": linked or ([chosen.id] if chosen else []),
        },
    )
    posts = form.fields["posts"]
    assert isinstance(posts, forms.ModelMultipleChoiceField)
    # Not sliced: a sliced query cannot be asked again whether a chosen post is in it, and would refuse every choice.
    posts.queryset = Post.objects.filter(canonical_post=None).order_by("-vote_count", "-id")
    if request.method == "POST" and form.is_valid() and request.principal:
        ids = [post.id for post in form.cleaned_data["posts"]]
        saved = save_entry(
            workspace_id=request.workspace.id,
            entry=entry,
            title=form.cleaned_data["title"],
            body=form.cleaned_data["body"],
            posts=list(Post.objects.filter(id__in=ids)),
            author=request.principal,
            now=timezone.now(),
        )
        messages.success(request, _("Saved. Nobody has been told yet."))
        return redirect(f"/admin/changelog/{saved.id}")
    return render(
        request,
        "loop/edit_entry.html",
        {"entry": entry, "form": form, **_reach(entry)},
        status=422 if form.errors else 200,
    )


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


def _reach(entry: ChangelogEntry | None) -> dict[str, object]:
    """Who will be told, or was told, about an entry."""
    if entry is None:
        return {"recipients": 0}
    if entry.published_at is not None:
        told = list(entry.recipients.values_list("told_at", flat=True))
        return {"recipients": len(told), "told": sum(at is not None for at in told)}
    recipients = selectors.recipients_of(entry)
    people = Principal.objects.in_bulk([recipient.principal_id for recipient in recipients[:SAMPLE]])
    return {
        "recipients": len(recipients),
        "told": 0,
        "reasons": [
            (SubscriptionReason(reason).label, count) for reason, count in rules.counts_by_reason(recipients).items()
        ],
        "sample": [people[recipient.principal_id] for recipient in recipients[:SAMPLE]],
        "reach": selectors.reach_of(Post.objects.filter(changelog_entries__changelog_entry=entry)),
    }


@require_POST
@require_role(Role.CONTRIBUTOR)
def publish(request: TenantRequest, entry_id: UUID) -> HttpResponse:
    """Publish, and tell everybody who asked."""
    entry = get_object_or_404(ChangelogEntry, pk=entry_id)
    assert request.principal is not None
    count = publish_entry(entry=entry, actor=request.principal, now=timezone.now())
    messages.success(
        request, ngettext("Published. %d person is being told.", "Published. %d people are being told.", count) % count
    )
    return redirect(f"/admin/changelog/{entry.id}")


@csrf_exempt
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """The link at the foot of a mail: looking changes nothing, sending the form does (RFC 8058)."""
    workspace_id, principal_id = telling.read_unsubscribe_token(token)
    with in_workspace(workspace_id):
        person = get_object_or_404(Principal, pk=principal_id)
        if request.method == "POST":
            if "again" in request.POST:
                telling.resubscribe(person=person)
            else:
                telling.unsubscribe(person=person, now=timezone.now())
            person.refresh_from_db()
        return render(
            request, "loop/unsubscribe.html", {"person": person, "workspace": Workspace.objects.get(), "token": token}
        )


@require_role(Role.USER)
def notifications(request: TenantRequest) -> HttpResponse:
    """What the signed-in person was told; seeing it marks it as read."""
    assert request.principal is not None
    rows = list(Notification.objects.filter(principal=request.principal).order_by("-created_at")[:100])
    telling.mark_read(person=request.principal, now=timezone.now())
    return render(request, "loop/notifications.html", {"rows": rows})


@require_role(Role.ADMIN)
def mailbox(request: TenantRequest, mail_id: UUID | None = None) -> HttpResponse:
    """Mail that was kept instead of sent."""
    mails = list(KeptMail.objects.order_by("-created_at")[:100])
    chosen = get_object_or_404(KeptMail, pk=mail_id) if mail_id else next(iter(mails), None)
    return render(request, "loop/mailbox.html", {"mails": mails, "chosen": chosen, "is_chosen": mail_id is not None})


@require_role(Role.ADMIN)
def mail_html(_request: TenantRequest, mail_id: UUID) -> HttpResponse:
    """The HTML part of a kept mail, locked in: no scripts, nothing from elsewhere."""
    mail = get_object_or_404(KeptMail, pk=mail_id)
    response = HttpResponse(mail.html)
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"
    )
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response
