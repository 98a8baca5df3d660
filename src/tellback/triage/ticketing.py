"""Tickets for feedback that was routed to work: posted once to the webhook that document 1's `ticketing` names.

The outbox holds only which feedback it is. What is said, and to which address, is looked up when the ticket leaves, so
that nothing erased, and no address, lies in it.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import httpx
from django.conf import settings
from django.db.models import Q

from tellback.effects.models import Effect
from tellback.effects.services import delivers, enqueue, suppress
from tellback.kernel.errors import Unavailable
from tellback.platform.loop_config import LoopConfig
from tellback.platform.tenancy import in_workspace
from tellback.triage import rules
from tellback.triage.models import Feedback, RoutingDecision
from tellback.workspaces.loop_settings import get_workspace_config

KIND = "ticket"
TIMEOUT = httpx.Timeout(15.0, connect=5.0)
#: The receiver has it already: a repetition that it recognised by its key.
KNOWN_ALREADY = 409


def request_ticket(*, feedback: Feedback, route: rules.Route, config: LoopConfig, now: datetime) -> Effect | None:
    """Put up the ticket that a route asks for, once for each feedback; None when there is nowhere to make it."""
    if route.labels is None or config.ticketing.webhook_url is None:
        return None
    return enqueue(
        workspace_id=feedback.workspace_id,
        kind=KIND,
        key=f"ticket:{feedback.id}",
        payload={"feedback": str(feedback.id)},
        due_at=now,
        now=now,
    )


def withdraw_tickets(*, feedback: Iterable[Feedback], now: datetime) -> int:
    """Have the tickets that still wait not leave; returns how many."""
    return suppress(keys=Q(kind=KIND, key__in=[f"ticket:{one.id}" for one in feedback]), now=now)


@delivers(KIND)
def deliver_ticket(effect: Effect) -> None:
    """Post the ticket. Raises `Unavailable` when it was not taken; it never says the address, which is a secret."""
    with in_workspace(effect.workspace_id):
        config = get_workspace_config(effect.workspace_id)
        ticket = _ticket(effect, config)
    address = config.ticketing.webhook_url
    if ticket is None or address is None:
        return
    headers = {"Idempotency-Key": effect.public_id, "User-Agent": "Tellback"}
    try:
        with httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client:
            answer = client.post(address.get_secret_value(), json=ticket, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unavailable(f"The tracker's webhook does not answer ({type(error).__name__}).") from None
    if not answer.is_success and answer.status_code != KNOWN_ALREADY:
        raise Unavailable(f"The tracker's webhook answered {answer.status_code}.")


def _ticket(effect: Effect, config: LoopConfig) -> dict[str, Any] | None:
    """What the tracker is told; None when the feedback has gone, or nothing of it is left."""
    feedback = Feedback.objects.select_related("raw_item").filter(pk=effect.payload["feedback"]).first()
    text = str(feedback.raw_item.content.get("text") or "") if feedback else ""
    if feedback is None or not text:
        return None
    decision = RoutingDecision.objects.filter(feedback=feedback).order_by("-created_at", "-id").first()
    route = (decision.outcome.get("route") or {}) if decision else {}
    return {
        "key": effect.public_id,
        "provider": config.ticketing.provider or "webhook",
        "title": feedback.summary,
        "description": text,
        "priority": feedback.priority,
        "labels": [*config.ticketing.default_labels, *(route.get("labels") or [])],
        "type": feedback.type,
        "severity": feedback.severity,
        "score": feedback.score,
        "feedback": feedback.public_id,
        "url": f"{settings.BASE_URL}/admin/feedback/stream/{feedback.raw_item_id}",
        "createdAt": feedback.created_at.isoformat(),
    }
