"""Whom or what an export or an erasure is about, and how it may show elsewhere."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import Q

from tellback.intake.models import RawItem
from tellback.workspaces.models import ExternalIdentity, Principal

#: A shorter id or piece of text is found in too much that is somebody else's.
SHORTEST_ID, SHORTEST_TEXT = 6, 12
#: Nobody else happens to write as many characters the same.
SURELY_THEIRS = 120
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Subject:
    """A person with everything they said (`principal_ids` and `item_ids`), or single items (`item_ids` alone).

    `names` identify the person wherever they stand: mail addresses, a full name that is theirs alone, ids at other
    systems, receipts. `sayings` are
    their texts and the sentences of these, to be found where they were quoted. `why` is what an erased item says.
    """

    workspace_id: UUID
    principal_ids: tuple[UUID, ...]
    item_ids: tuple[UUID, ...]
    emails: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    sayings: tuple[str, ...] = ()
    why: str = "request"


def subject_of_person(person: Principal) -> Subject:
    """Everything of one person of the present workspace, with everybody they were merged with, and also what they sent
    and nobody has resolved yet.
    """
    people = everybody_merged(person)
    identities = list(ExternalIdentity.objects.filter(principal__in=people))
    emails = {*(one.email.lower() for one in people), *((one.external_email or "").lower() for one in identities)} - {
        ""
    }
    said = Q(principal__in=people) | Q(principal=None, author__principalId__in=[str(one.id) for one in people])
    for email in emails:
        said |= Q(principal=None, author__email__iexact=email)
    for one in identities:
        said |= Q(principal=None, author__externalUserId=one.external_user_id, source_type=one.source_type)
        if one.source_type == "api":
            said |= Q(principal=None, author__externalUserId=one.external_user_id, author__verified=True)
    items = list(RawItem.objects.filter(said).order_by("id"))
    ids = {one.external_user_id for one in identities if len(one.external_user_id) >= SHORTEST_ID}
    called = {one.display_name for one in people if _is_theirs_alone(one, people)}
    return Subject(
        workspace_id=person.workspace_id,
        principal_ids=tuple(one.id for one in people),
        item_ids=tuple(item.id for item in items),
        emails=tuple(sorted(emails)),
        names=tuple(sorted({*emails, *ids, *called, *(item.receipt_token for item in items)})),
        sayings=tuple(_sayings(items)),
    )


def everybody_merged(person: Principal) -> list[Principal]:
    """A person with all principals that are the same one, the one they were merged into first."""
    while person.merged_into:
        person = person.merged_into
    found, newest = [person], [person]
    while newest:
        newest = list(Principal.objects.filter(merged_into__in=newest).order_by("id"))
        found += newest
    return found


def _is_theirs_alone(person: Principal, same: Sequence[Principal]) -> bool:
    """Whether a name is a whole one, and nobody else here has it: then it means them wherever it stands."""
    name = person.display_name.strip()
    alike = Principal.objects.filter(display_name__iexact=name).exclude(id__in=[one.id for one in same])
    return " " in name and len(name) >= SHORTEST_ID and not alike.exists()


def subject_of_items(items: Iterable[RawItem], *, why: str = "request") -> Subject:
    """Single items of the present workspace; the person behind them stays. At least one."""
    found = list(items)
    return Subject(
        workspace_id=found[0].workspace_id,
        principal_ids=(),
        item_ids=tuple(item.id for item in found),
        names=tuple(item.receipt_token for item in found),
        sayings=tuple(_sayings(found)),
        why=why,
    )


def _sayings(items: Sequence[RawItem]) -> list[str]:
    """What only they said, longest first, so that a whole is taken before its parts."""
    pieces: set[str] = set()
    for item in items:
        for part in (item.content.get("text"), item.content.get("subject")):
            text = str(part or "")
            pieces.update(piece.strip() for piece in (text, *_SENTENCE_END.split(text)))
    pieces = {piece for piece in pieces if len(piece) >= SHORTEST_TEXT}
    short = [piece for piece in pieces if len(piece) < SURELY_THEIRS]
    return sorted(pieces - _said_by_others(short, [item.id for item in items]), key=len, reverse=True)


def _said_by_others(pieces: Sequence[str], own: Sequence[UUID]) -> set[str]:
    """Those of these sentences ("It does not work.") that stand in somebody else's item too."""
    if not pieces:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT piece FROM unnest(%s::text[]) AS piece WHERE EXISTS (
                SELECT 1 FROM raw_feedback_items r
                WHERE r.id <> ALL(%s) AND position(piece in r.content->>'text') > 0)
            """,
            [list(pieces), list(own)],
        )
        return {row[0] for row in cursor.fetchall()}
