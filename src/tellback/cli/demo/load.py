"""Bringing the sample in through the public API, and taking exactly it out again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
from django.db import connection
from django.utils import timezone

from tellback.boards.models import Board, Post, Status
from tellback.boards.services import create_post, move_post, vote
from tellback.cli.demo.dataset import Item, Person, read_items, read_people
from tellback.intake.models import IdempotencyKey, RawItem
from tellback.kernel.errors import Unavailable
from tellback.platform.tenancy import in_workspace, list_workspace_ids
from tellback.themes.models import Theme
from tellback.understanding.models import Signal
from tellback.widget.sample import close_site, open_site
from tellback.workspaces.models import ApiKey, ExternalIdentity, KeyKind, Principal, Workspace
from tellback.workspaces.origins import parse_origin
from tellback.workspaces.services import issue_key

KEY_NAME = "Sample data"
CLIENTS = 4
TAG = "sample"
#: Posts that people had written before; promoted themes join them.
POSTS = (
    ("Voice notes on the job sheet", "Speak instead of type, with gloves on.", "planned", 9),
    ("Text customers before we arrive", "A message the day before, and one on the way.", "under-review", 14),
    ("Colours for crews in the calendar", "One colour each, so that a week can be read.", "in-progress", 11),
    ("Dark mode", "For reports written in the van at night.", "open", 7),
    ("Undo for imports", "One click to take a wrong file back.", "open", 4),
    ("Templates for job sheets", "Start from a checklist instead of an empty page.", "complete", 16),
)


def load_sample(*, base_url: str) -> int:
    """Send every item of the sample that is not there yet; returns how many were new. Safe to repeat.

    Raises `Unavailable` when Tellback does not run at `base_url`.
    """
    workspace_id = list_workspace_ids()[0]
    people = read_people()
    with in_workspace(workspace_id):
        workspace = Workspace.objects.get()
        items = _missing(read_items())
        _introduce(workspace, people)
        open_site(workspace=workspace, origin=parse_origin(base_url), now=timezone.now())
        if not items:
            return 0
        if not Post.objects.filter(post_tags__tag__slug=TAG).exists():
            _write_posts(workspace, people)
        ApiKey.objects.filter(name=KEY_NAME).delete()
        key = issue_key(workspace=workspace, kind=KeyKind.SECRET, name=KEY_NAME, rate_limit=60_000).secret
    connection.close()
    by_key = {person.key: person for person in people}
    now = datetime.now(UTC)
    with (
        httpx.Client(base_url=base_url, trust_env=False, headers={"Authorization": f"Bearer {key}"}) as client,
        ThreadPoolExecutor(CLIENTS) as clients,
    ):
        return sum(clients.map(lambda item: _send(client, item, by_key.get(item.person), now), items))


def _missing(items: list[Item]) -> list[Item]:
    """The items that are not there yet, so that a broken-off load goes on where it ended."""
    keys = [str(item.idempotency_key) for item in items]
    there = set(RawItem.objects.filter(external_id__in=keys).values_list("external_id", flat=True))
    return [item for item in items if str(item.idempotency_key) not in there]


def _send(client: httpx.Client, item: Item, person: Person | None, now: datetime) -> bool:
    body = {
        "idempotencyKey": str(item.idempotency_key),
        "userId": person.external_id if person else None,
        "sessionId": None,
        "channel": item.channel,
        "category": item.category,
        "severity": item.severity,
        "content": item.text,
        "timestamp": (now - timedelta(days=item.days_ago, minutes=item.idempotency_key.int % 900)).isoformat(),
    }
    try:
        response = client.post("/v1/feedback", json=body)
    except httpx.HTTPError as error:
        raise Unavailable(f"Tellback does not answer at {client.base_url}. Start it with: tellback up") from error
    if response.status_code not in {200, 202}:
        raise Unavailable(f"The sample was refused: {response.text[:200]}")
    return response.status_code == 202


def _introduce(workspace: Workspace, people: list[Person]) -> None:
    for person in people:
        principal, _ = Principal.objects.get_or_create(
            workspace=workspace,
            email=person.email,
            defaults={
                "display_name": person.name,
                "company": person.company,
                "plan": person.plan,
                "mrr": person.mrr,
            },
        )
        ExternalIdentity.objects.get_or_create(
            workspace=workspace,
            source_type="api",
            external_user_id=person.external_id,
            defaults={"principal": principal, "external_name": person.name, "external_email": person.email},
        )


def _write_posts(workspace: Workspace, people: list[Person]) -> None:
    authors = list(Principal.objects.filter(email__in=[person.email for person in people]).order_by("email"))
    board = Board.objects.order_by("position").first()
    assert board is not None
    for number, (title, body, status, votes) in enumerate(POSTS):
        now = timezone.now() - timedelta(days=60 - 7 * number)
        author = authors[number * 5 % len(authors)]
        post = create_post(
            workspace_id=workspace.id, board=board, title=title, body=body, author=author, tags=[TAG], now=now
        )
        for voter in range(votes):
            vote(post=post, principal=authors[(number * 7 + voter) % len(authors)])
        wanted = Status.objects.get(slug=status)
        move_post(post=post, status=wanted, note="", actor=None, now=now + timedelta(days=5))


def purge_sample() -> int:
    """Remove the sample's feedback with what was made of it, its people, posts and key; returns how many items."""
    keys = [str(item.idempotency_key) for item in read_items()]
    with in_workspace(list_workspace_ids()[0]):
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('tellback.erasing', 'on', true)")
        items = RawItem.objects.filter(external_id__in=keys)
        count = items.count()
        themed = Signal.objects.filter(raw_feedback_item__in=items).exclude(theme_id=None)
        touched = {theme_id for theme_id in themed.values_list("theme_id", flat=True) if theme_id}
        items.delete()
        IdempotencyKey.objects.filter(key__in=keys).delete()
        rest = Signal.objects.filter(theme_id__in=touched).values_list("theme_id", flat=True)
        left = {theme_id for theme_id in rest if theme_id}
        empty = Theme.objects.filter(id__in=touched - left)
        Post.objects.filter(promoted_from_theme__in=empty).delete()
        empty.delete()
        Theme.objects.filter(id__in=left).update(is_stale=True)
        Post.objects.filter(post_tags__tag__slug=TAG).delete()
        people = ExternalIdentity.objects.filter(
            external_user_id__in=[person.external_id for person in read_people()]
        ).values_list("principal_id", flat=True)
        Principal.objects.filter(id__in=list(people), user=None).delete()
        ApiKey.objects.filter(name=KEY_NAME).delete()
        close_site()
    return count
