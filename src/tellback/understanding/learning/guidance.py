"""What corrections say in a few sentences, for the prompts of a language model. Made every night, without a model.

Only the team's words go in: what customers said stays data and never becomes an instruction.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F

from tellback.understanding.models import CorrectedField, Correction, Guidance
from tellback.understanding.taxonomy import GUIDANCE_LENGTH, named_boards, offers_guidance

#: How far back the nightly digest looks, how often a change has to be made to count, and how much of it is said.
PERIOD, AGAIN, MOST, REASONS = timedelta(days=180), 2, 12, 2
REASON_LENGTH = 140
NAMES = {
    CorrectedField.TYPE: "the type",
    CorrectedField.SENTIMENT: "the sentiment",
    CorrectedField.URGENCY: "the urgency",
    CorrectedField.BOARD: "the board",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that the team put right, in words."""

    field: str
    before: str
    after: str
    reason: str = ""


def write_guidance(changes: Sequence[Change]) -> str:
    """What was changed to the same value twice or more, most frequent first, one sentence each, with the reasons given.

    A change that was made the other way round as often does not count: the team is of two minds. Empty when there is
    nothing to say; shorter than 2,000 characters, whole sentences. The order of the changes decides only which reasons
    are kept: the first.
    """
    counts = Counter((one.field, one.before, one.after) for one in changes)
    groups: dict[tuple[str, str], list[Change]] = defaultdict(list)
    for one in changes:
        if one.field == CorrectedField.NOT_FEEDBACK or counts[one.field, one.after, one.before] < counts[_key(one)]:
            groups[one.field, one.after].append(one)
    text = ""
    for _, some in sorted(groups.items(), key=lambda row: (-len(row[1]), row[0]))[:MOST]:
        sentence = _sentence(some)
        if len(some) >= AGAIN and len(text) + len(sentence) + 1 < GUIDANCE_LENGTH:
            text = f"{text} {sentence}".strip()
    return text


def _key(change: Change) -> tuple[str, str, str]:
    return change.field, change.before, change.after


def _sentence(changes: Sequence[Change]) -> str:
    """One sentence about changes of one field to one value."""
    field, after = changes[0].field, changes[0].after
    reasons = list(dict.fromkeys(one.reason[:REASON_LENGTH].rstrip(" .;") for one in changes if one.reason))
    because = f" (their reasons: {'; '.join(reasons[:REASONS])})" if reasons else ""
    if field == CorrectedField.NOT_FEEDBACK:
        return f"{len(changes)} times the team said that something is no feedback at all{because}."
    before = [
        name for name, _ in sorted(Counter(one.before for one in changes).items(), key=lambda row: (-row[1], row[0]))
    ]
    was = f"{', '.join(before[:-1])} or {before[-1]}" if len(before) > 1 else before[0]
    return f"The team changed {NAMES[CorrectedField(field)]} {len(changes)} times from {was} to {after}{because}."


@transaction.atomic
def digest(*, workspace_id: UUID, now: datetime) -> Guidance:
    """Write the workspace's guidance anew from the corrections of the last 180 days. Safe to repeat."""
    changes = _changes(since=now - PERIOD)
    made, _created = Guidance.objects.update_or_create(
        workspace_id=workspace_id,
        defaults={"text": write_guidance(changes), "corrections": len(changes), "made_at": now},
    )
    return made


def read_guidance() -> str:
    """What the last digest said; empty before the first."""
    return Guidance.objects.values_list("text", flat=True).first() or ""


def _changes(*, since: datetime) -> list[Change]:
    """What the team put right and still holds, latest first. What an author said of their own words is not the team's.

    Moves between themes are left out: they are shown as examples, and nearest neighbours keep to them.
    """
    held = Correction.objects.filter(undone_at=None, created_at__gte=since, embedding__isnull=False)
    rows = held.exclude(field=CorrectedField.THEME).exclude(new_value=F("previous_value"))
    boards = {board.id: board.name for board in named_boards()}
    found = []
    for one in rows.order_by("-created_at", "-id").only("field", "previous_value", "new_value", "reason"):
        before, after = _said(one.field, one.previous_value, boards), _said(one.field, one.new_value, boards)
        if before is not None and after is not None:
            found.append(Change(one.field, before, after, one.reason or ""))
    return found


def _said(field: str, value: object, boards: dict[str, str]) -> str | None:
    """A value in words; None for a board that is gone."""
    if field == CorrectedField.NOT_FEEDBACK:
        return ""
    if field == CorrectedField.BOARD:
        return boards.get(str(value)) if value else "no board"
    return str(value) if value else "none"


offers_guidance(read_guidance)
