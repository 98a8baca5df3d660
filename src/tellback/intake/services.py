"""Writes of intake beside the door itself: sources, and what is found out about an item before it is read."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from tellback.intake.models import DeliveryMode, FeedbackSource, IdempotencyKey, ItemState, RawItem
from tellback.intake.states import lock_items
from tellback.intake.vault.services import hand_over
from tellback.kernel.errors import Invalid
from tellback.platform.bulk import update_rows
from tellback.platform.jobs import IN_SPARE_TIME, Queue, defer
from tellback.workspaces.identity import Author, resolve_authors
from tellback.workspaces.merging import follow
from tellback.workspaces.models import PrincipalMerge, Workspace

#: How many waiting items a job takes along.
BATCH = 64
MAX_SOURCES = 100
MOST_MONEY = 10**10 - 1

DEFAULT_SOURCES = {
    "api": (DeliveryMode.PASSIVE, "API"),
    "widget": (DeliveryMode.PASSIVE, "Widget"),
}


def get_or_create_source(
    *, workspace_id: UUID, source_type: str, name: str, delivery_mode: DeliveryMode
) -> FeedbackSource:
    """The source of this type and name, made when it is not there yet."""
    source, _ = FeedbackSource.objects.get_or_create(
        workspace_id=workspace_id, source_type=source_type, name=name, defaults={"delivery_mode": delivery_mode}
    )
    return source


def add_source(*, workspace: Workspace, name: str) -> FeedbackSource:
    """A source that servers' keys may name (`source` of version 2). Raises `Invalid` for a name that is taken or none.

    At most a hundred: each is looked through with every key.
    """
    name = " ".join(name.split())
    if not name or len(name) > 100:
        raise Invalid("Give the source a name of at most 100 characters.")
    own = FeedbackSource.objects.filter(source_type__in=DEFAULT_SOURCES)
    if own.filter(name__iexact=name).exists():
        raise Invalid(f"There is a source “{name}” already.")
    if own.count() >= MAX_SOURCES:
        raise Invalid(f"There may be {MAX_SOURCES} sources of your own. Use tags to tell more apart.")
    return FeedbackSource.objects.create(
        workspace=workspace, source_type="api", name=name, delivery_mode=DeliveryMode.PASSIVE
    )


def forget_requests(*, now: datetime) -> int:
    """Remove idempotency keys whose window is over; returns how many. A repetition would count as new anyhow."""
    return IdempotencyKey.objects.filter(expires_at__lt=now).delete()[0]


def ensure_default_sources(*, workspace: Workspace) -> None:
    """Make the sources that every workspace has from the start."""
    for source_type, (mode, name) in DEFAULT_SOURCES.items():
        get_or_create_source(workspace_id=workspace.id, source_type=source_type, name=name, delivery_mode=mode)


@transaction.atomic
def enrich_items(*, item_ids: Sequence[UUID], now: datetime) -> None:
    """Find out who said each item, then hand it on to triage and to understanding. Safe to repeat.

    Other items that wait for the same are taken along, so that a burst of small jobs becomes a few large ones.
    """
    waiting = Q(processing_state=ItemState.PENDING_CONTEXT)
    items = lock_items(asked=waiting & Q(id__in=item_ids), waiting=waiting, most=BATCH)
    if not items:
        return
    people = resolve_authors(workspace_id=items[0].workspace_id, authors=[author_of(item) for item in items])
    for item, person in zip(items, people, strict=True):
        item.principal = person
        item.processing_state, item.state_changed_at = ItemState.READY, now
    update_rows(items, ["principal", "processing_state", "state_changed_at"])
    hand_over(items=items)
    FeedbackSource.objects.filter(id__in={item.source_id for item in items}).update(
        last_synced_at=now, last_success_at=now
    )
    _hand_on([item for item in items if not item.silent], priority=0)
    _hand_on([item for item in items if item.silent], priority=IN_SPARE_TIME)


def _hand_on(items: Sequence[RawItem], *, priority: int) -> None:
    """To triage and to understanding; imported items apart from what somebody has just said."""
    if not items:
        return
    ids, workspace_id = [str(item.id) for item in items], items[0].workspace_id
    defer("triage.open_feedback", queue=Queue.INGEST, workspace_id=workspace_id, priority=priority, item_ids=ids)
    defer("understanding.understand", queue=Queue.AI, workspace_id=workspace_id, priority=priority, item_ids=ids)


@transaction.atomic
def follow_merge(*, merge: PrincipalMerge) -> None:
    """Move what a merged person said to the kept one, or back when it was undone. Safe to repeat.

    The themes then count their people anew.
    """
    items = follow(merge=merge, model=RawItem, column="principal")
    if items:
        ids = [str(item.id) for item in items]
        defer("themes.recount", queue=Queue.AI, workspace_id=merge.workspace_id, item_ids=ids)


def author_of(item: RawItem) -> Author:
    """The author as the item's source names them."""
    stated = item.author
    customer = item.context_envelope.get("customer") or {}
    principal_id = stated.get("principalId")
    # Anybody may put any address into a page's form or into the From of a mail.
    is_public = item.source_type in {"widget", "email"} or bool(stated.get("anonymous"))
    vouched = not is_public or bool(stated.get("verified"))
    return Author(
        # Whom a server vouches for has the server's own ids, whichever way the words came.
        source_type="api" if stated.get("verified") else item.source_type,
        external_user_id=str(stated.get("externalUserId") or ""),
        email=str(stated.get("email") or ""),
        name=str(stated.get("name") or ""),
        principal_id=UUID(principal_id) if principal_id else None,
        company=str(customer.get("company") or ""),
        plan=str(customer.get("plan") or ""),
        mrr=_amount(customer.get("mrr")),
        vouched=vouched,
    )


def _amount(stated: object) -> Decimal | None:
    """A sum of money that a principal can hold, in cents."""
    if isinstance(stated, bool) or not isinstance(stated, int | float) or not 0 <= stated < MOST_MONEY:
        return None
    return Decimal(str(stated)).quantize(Decimal("0.01"))
