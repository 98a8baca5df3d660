"""Pages of boards and posts: the public ones, the roadmap, promoting a theme."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from tellback.boards import selectors, services
from tellback.boards.models import Board, Post, Status, StatusCategory
from tellback.themes.models import Theme
from tellback.themes.selectors import count_authors_to_subscribe, get_theme_detail
from tellback.workspaces.access import TenantRequest, require_role
from tellback.workspaces.models import Principal, Role
from tellback.workspaces.services import add_member

TOP_QUOTES = 3


def board(request: TenantRequest, slug: str = "") -> HttpResponse:
    """Posts of one board or of all, with search, status and order in the address."""
    boards = list(Board.objects.filter(is_public=True).order_by("position", "name"))
    chosen = get_object_or_404(Board, slug=slug, is_public=True) if slug else None
    page = request.GET.get("page", "1")
    wanted = selectors.PostFilter(
        board=chosen,
        status=request.GET.get("status", ""),
        search=request.GET.get("search", "").strip()[:100],
        sort=request.GET.get("sort", "top"),
        page=min(max(int(page), 1), 400) if page.isdecimal() and len(page) < 9 else 1,
    )
    posts, more = selectors.list_posts(wanted)
    kept = {name: request.GET[name] for name in ("status", "search", "sort") if request.GET.get(name)}
    context = {
        "tab": "boards",
        "boards": boards,
        "board": chosen,
        "filter": wanted,
        "posts": posts,
        "voted": selectors.voted_among(request.principal, posts),
        "statuses": Status.objects.order_by("position"),
        "next": urlencode({**kept, "page": str(wanted.page + 1)}) if more else "",
        "sorts": [("top", _("Most votes")), ("new", _("Newest")), ("updated", _("Recently updated"))],
    }
    return render(request, "boards/board.html", context)


def post_page(request: TenantRequest, board_slug: str, post_id: str) -> HttpResponse:
    """One post: what it says, where it stands, what people say."""
    post = selectors.find_public_post(UUID(post_id))
    if post is None or post.board.slug != board_slug:
        raise Http404
    context = {
        "tab": "boards",
        "post": post,
        "voted": bool(selectors.voted_among(request.principal, [post])),
        "changes": selectors.list_status_changes(post),
        "comments": post.comments.select_related("author").order_by("created_at")[:200],
        "form": CommentForm(),
    }
    return render(request, "boards/post.html", context)


class PostForm(forms.Form):
    """A new post."""

    title = forms.CharField(max_length=200, label=gettext_lazy("Title"))
    body = forms.CharField(
        max_length=10_000, required=False, widget=forms.Textarea, label=gettext_lazy("What would it help you do?")
    )


class CommentForm(forms.Form):
    """A comment."""

    body = forms.CharField(max_length=10_000, widget=forms.Textarea(attrs={"rows": 3}), label=gettext_lazy("Comment"))


def acting_person(request: TenantRequest) -> Principal | None:
    """Who acts on a public page; a signed-in stranger becomes a customer of this workspace."""
    if not request.user.is_authenticated:
        return None
    return request.principal or add_member(workspace=request.workspace, user=request.user, role=Role.USER)


def new_post(request: TenantRequest, slug: str) -> HttpResponse:
    """Write a post; similar ones are shown before it is sent."""
    chosen = get_object_or_404(Board, slug=slug, is_public=True)
    form = PostForm(request.POST or None, initial={"title": request.GET.get("title", "")})
    written = f"{request.POST.get('title', '')} {request.POST.get('body', '')}"
    similar = selectors.similar_posts(written if written.strip() else request.GET.get("title", ""))
    if request.method == "POST" and form.is_valid() and (not similar or "anyway" in request.POST):
        person = acting_person(request)
        if person is None:
            back = f"/b/{slug}/new?{urlencode({'title': form.cleaned_data['title']})}"
            return redirect_to_login(back, "/sign-in/login/")
        post = services.create_post(
            workspace_id=request.workspace.id,
            board=chosen,
            title=form.cleaned_data["title"],
            body=form.cleaned_data["body"],
            author=person,
            tags=[],
            now=timezone.now(),
        )
        services.vote(post=post, principal=person)
        messages.success(request, _("Thank you. You will hear what becomes of it."))
        return redirect(public_path(post))
    context = {"tab": "boards", "board": chosen, "form": form, "similar": similar}
    return render(request, "boards/new_post.html", context, status=422 if form.errors else 200)


def public_path(post: Post) -> str:
    """The public page of a post."""
    return f"/b/{post.board.slug}/{post.slug}-{post.id.hex}"


@require_POST
def vote(request: TenantRequest, post_id: UUID) -> HttpResponse:
    """Vote, or take the vote back; strangers sign in first."""
    post = selectors.find_public_post(post_id)
    if post is None:
        raise Http404
    person = acting_person(request)
    if person is None:
        return redirect_to_login(public_path(post), "/sign-in/login/")
    if request.POST.get("back"):
        services.take_vote_back(post=post, principal=person)
    else:
        services.vote(post=post, principal=person)
    if request.headers.get("HX-Request"):
        post.refresh_from_db()
        return render(request, "boards/_vote.html", {"post": post, "voted": not request.POST.get("back")})
    return _back(request, otherwise=public_path(post))


@require_POST
def comment(request: TenantRequest, post_id: UUID) -> HttpResponse:
    """Say something under a post."""
    post = selectors.find_public_post(post_id)
    if post is None:
        raise Http404
    person = acting_person(request)
    if person is None:
        return redirect_to_login(public_path(post), "/sign-in/login/")
    services.comment(
        post=post, author=person, body=request.POST.get("body", ""), is_from_team=request.is_team, now=timezone.now()
    )
    return redirect(f"{public_path(post)}#comments")


def roadmap(request: TenantRequest) -> HttpResponse:
    """What is planned, in the open."""
    return render(
        request, "boards/roadmap.html", {"tab": "roadmap", "columns": selectors.get_roadmap(everything=False)}
    )


@require_role(Role.CONTRIBUTOR)
def admin_roadmap(request: TenantRequest) -> HttpResponse:
    """The roadmap with every status; posts are dragged, or moved by a menu."""
    columns = selectors.get_roadmap(everything=True)
    context = {
        "columns": columns,
        "statuses": Status.objects.order_by("position"),
        "is_empty": not any(column.cards for column in columns),
    }
    return render(request, "boards/admin_roadmap.html", context)


@require_role(Role.CONTRIBUTOR)
def admin_post(request: TenantRequest, post_id: UUID) -> HttpResponse:
    """A post as the team sees it: where it comes from, who waits for it."""
    post = get_object_or_404(
        Post.objects.select_related("board", "status", "author", "promoted_from_theme"), pk=post_id
    )
    context = {
        "post": post,
        "statuses": Status.objects.order_by("position"),
        "changes": selectors.list_status_changes(post),
        "origin": get_theme_detail(post.promoted_from_theme, quotes=3, now=timezone.now())
        if post.promoted_from_theme
        else None,
        "waiting": post.subscriptions.filter(unsubscribed_at=None).count(),
        "public_path": public_path(post),
        "similar": selectors.posts_like(post),
    }
    return render(request, "boards/admin_post.html", context)


@require_POST
@require_role(Role.CONTRIBUTOR)
def move(request: TenantRequest, post_id: UUID) -> HttpResponse:
    """Move a post to another status, with an optional public note."""
    post = get_object_or_404(Post, pk=post_id)
    status = get_object_or_404(Status, slug=request.POST.get("status", ""))
    change = services.move_post(
        post=post, status=status, note=request.POST.get("note", ""), actor=request.principal, now=timezone.now()
    )
    if change is None:
        messages.info(request, _("“%(title)s” is there already.") % {"title": post.title})
    elif status.category == StatusCategory.COMPLETE:
        messages.success(
            request, _("“%s” is complete. Publish a changelog entry to tell everybody who asked.") % post.title
        )
    else:
        messages.success(
            request, _("“%(title)s” is now %(status)s.") % {"title": post.title, "status": status.name.lower()}
        )
    return _back(request, otherwise=f"/admin/posts/{post.id}")


def _back(request: HttpRequest, *, otherwise: str) -> HttpResponse:
    """To the page of this site that a form names, as an address and nothing else; otherwise to this one."""
    target = request.POST.get("next", "")
    known = target.startswith("/") and url_has_allowed_host_and_scheme(target, allowed_hosts=None)
    return HttpResponseRedirect(target if known else otherwise)


class PromoteForm(forms.Form):
    """What a theme becomes as a post."""

    title = forms.CharField(max_length=200, label=gettext_lazy("Title"))
    body = forms.CharField(
        max_length=10_000, required=False, widget=forms.Textarea(attrs={"rows": 10}), label=gettext_lazy("Description")
    )
    board = forms.ModelChoiceField(queryset=Board.objects.none(), label=gettext_lazy("Board"), empty_label=None)
    tags = forms.CharField(
        max_length=200, required=False, label=gettext_lazy("Tags"), help_text=gettext_lazy("Separated by commas")
    )


@require_role(Role.CONTRIBUTOR)
def promote(request: TenantRequest, theme_id: UUID) -> HttpResponse:
    """Make a post of a theme; shows who will hear of it and what is there already."""
    theme = get_object_or_404(Theme, pk=theme_id)
    detail = get_theme_detail(theme, quotes=TOP_QUOTES, now=timezone.now())
    quotes = "\n".join(f"> {signal.signal.summary}" for signal in detail.quotes)
    form = PromoteForm(
        request.POST or None,
        initial={
            "title": theme.title,
            "body": f"{theme.summary}\n\n{_('What people say:')}\n\n{quotes}",
            "board": theme.board_id or Board.objects.order_by("position").first(),
        },
    )
    boards = form.fields["board"]
    assert isinstance(boards, forms.ModelChoiceField)
    boards.queryset = Board.objects.order_by("position", "name")
    if request.method == "POST" and form.is_valid() and request.principal:
        post = services.promote_theme(
            theme=theme,
            board=form.cleaned_data["board"],
            title=form.cleaned_data["title"],
            body=form.cleaned_data["body"],
            tags=form.cleaned_data["tags"].split(","),
            actor=request.principal,
            now=timezone.now(),
        )
        messages.success(request, _("“%s” is a post now. Its authors are subscribed.") % post.title)
        return redirect(f"/admin/posts/{post.id}")
    context = {
        "tab": "insights",
        "theme": theme,
        "form": form,
        "people": count_authors_to_subscribe(theme),
        "similar": selectors.similar_posts(f"{theme.title} {theme.summary}", theme=theme),
    }
    return render(request, "boards/promote.html", context, status=422 if form.errors else 200)
