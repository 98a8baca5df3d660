"""Writes of the outbox: putting an effect in, and delivering what is due.

At least once: an effect is claimed with a lease, delivered outside of any transaction, then marked. A process that dies
in between leaves a lease that runs out, and the effect is delivered again with the same key. Effects in one line (those
about one post to one person) leave one after the other.
"""

import logging
import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from tellback.effects.models import Effect, EffectState
from tellback.platform.bulk import update_rows
from tellback.platform.jobs import Queue, defer_once
from tellback.platform.tenancy import in_workspace

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
MAX_ATTEMPTS = 8
FIRST_DELAY = timedelta(seconds=30)
BATCH = 20

Handler = Callable[[Effect], None]
_handlers: dict[str, Handler] = {}


def delivers(kind: str) -> Callable[[Handler], Handler]:
    """Declare what delivers effects of a kind. It runs outside of any transaction and raises to be retried."""

    def declare(handler: Handler) -> Handler:
        _handlers[kind] = handler
        return handler

    return declare


@transaction.atomic
def enqueue(
    *,
    workspace_id: UUID,
    kind: str,
    key: str,
    payload: Mapping[str, object],
    due_at: datetime,
    now: datetime,
    line: str = "",
) -> Effect:
    """Put an effect into the outbox within the caller's transaction. The same key again gives the first one back.

    An effect in a `line` leaves when those before it in the same line have left or were given up.
    """
    effect, made = Effect.objects.get_or_create(
        workspace_id=workspace_id,
        key=key,
        defaults={"kind": kind, "line": line, "payload": dict(payload), "due_at": due_at},
    )
    if made and due_at <= now:
        defer_once("effects.deliver", queue=Queue.EFFECTS, workspace_id=workspace_id)
    return effect


def deliver_due(*, workspace_id: UUID, now: Callable[[], datetime]) -> int:
    """Deliver everything that is due, oldest first; returns how many left. Several processes may do so at once."""
    count = 0
    while True:
        with in_workspace(workspace_id):
            claimed = _claim(now())
        if not claimed:
            return count
        for effect in claimed:
            count += _deliver(workspace_id, effect, now)


def _claim(now: datetime) -> list[Effect]:
    due = Q(state=EffectState.PENDING, due_at__lte=now) | Q(state=EffectState.DELIVERING, lease_until__lt=now)
    before = Effect.objects.filter(
        line=OuterRef("line"), id__lt=OuterRef("id"), state__in=[EffectState.PENDING, EffectState.DELIVERING]
    )
    effects = list(
        Effect.objects.select_for_update(skip_locked=True)
        .filter(due)
        .filter(Q(line="") | ~Exists(before))
        .order_by("due_at", "id")[:BATCH]
    )
    for effect in effects:
        effect.state, effect.lease_until = EffectState.DELIVERING, now + LEASE
        effect.attempts += 1
    update_rows(effects, ["state", "lease_until", "attempts"])
    return effects


def _deliver(workspace_id: UUID, effect: Effect, now: Callable[[], datetime]) -> int:
    try:
        _handlers[effect.kind](effect)
    except Exception as error:  # noqa: BLE001 - whatever a handler raises, the effect is tried again
        logger.warning("Effect %s was not delivered: %s", effect.key, error)
        with in_workspace(workspace_id):
            _put_off(effect, error, now())
        return 0
    with in_workspace(workspace_id):
        Effect.objects.filter(pk=effect.pk).update(
            state=EffectState.DELIVERED, delivered_at=now(), lease_until=None, last_error=None
        )
    return 1


def _put_off(effect: Effect, error: Exception, now: datetime) -> None:
    effect.last_error = f"{type(error).__name__}: {error}"[:2000]
    effect.lease_until = None
    if effect.attempts >= MAX_ATTEMPTS:
        effect.state = EffectState.DEAD
    else:
        delay = FIRST_DELAY * 2 ** (effect.attempts - 1) * random.uniform(0.8, 1.2)  # noqa: S311 - spreading load
        effect.state, effect.due_at = EffectState.PENDING, now + delay
    effect.save(update_fields=["state", "due_at", "lease_until", "last_error"])


def suppress(*, keys: Q, now: datetime) -> int:
    """Take waiting effects back, for instance the mails of somebody who has unsubscribed; returns how many."""
    return Effect.objects.filter(keys, state=EffectState.PENDING).update(state=EffectState.SUPPRESSED, delivered_at=now)
