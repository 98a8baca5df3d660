"""The ledger of erasures: kept beside the database too, so that a restored backup can be purged of whom it forgot."""

import hmac
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings

from tellback.intake.models import RawItem
from tellback.intake.services import author_of
from tellback.kernel.errors import Unavailable
from tellback.workspaces.models import ExternalIdentity, Principal


@dataclass(frozen=True, slots=True)
class Entry:
    """One erasure. `digests` tell its subject again to whoever has the secret key, and nobody else."""

    id: UUID
    workspace_id: UUID
    kind: str
    at: datetime
    digests: tuple[str, ...]


def digest_of(what: str) -> str:
    """What is remembered of an identifier: keyed, so that it cannot be found by guessing."""
    return hmac.digest(settings.SECRET_KEY.encode(), b"erasure\0" + what.encode(), "sha256").hex()


def marks_of_person(person: Principal) -> list[str]:
    """What would identify a person in an older copy of the database."""
    return _marks(person, list(ExternalIdentity.objects.filter(principal=person)))


def _marks(person: Principal, identities: Sequence[ExternalIdentity]) -> list[str]:
    emails = {person.email, *(one.external_email or "" for one in identities)}
    return [
        f"principal:{person.id}",
        *(f"email:{email.lower()}" for email in sorted(emails) if email),
        *(f"external:{one.source_type}:{one.external_user_id}" for one in identities),
    ]


def marks_of_item(item: RawItem) -> list[str]:
    """What would identify an item in an older copy of the database."""
    return [f"item:{item.id}"]


def append(entry: Entry) -> None:
    """Write the entry to the ledger's file and have it on disk before returning.

    Called before the erasure commits: an entry too many erases what was to be erased anyhow, one too few would not.
    Raises `Unavailable` when the file cannot be written; then nothing may be erased.
    """
    try:
        _append(entry)
    except OSError as error:
        raise Unavailable(
            f"Nothing was erased: the ledger {settings.ERASURE_LEDGER} cannot be written ({error.strerror}). "
            "Make room or correct its rights, or name another file in TELLBACK_ERASURE_LEDGER."
        ) from error


def _append(entry: Entry) -> None:
    path = Path(settings.ERASURE_LEDGER)
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(
        {
            "id": str(entry.id),
            "workspace": str(entry.workspace_id),
            "kind": entry.kind,
            "at": entry.at.isoformat(),
            "digests": list(entry.digests),
        }
    )
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, f"{line}\n".encode())
        os.fsync(file)
    finally:
        os.close(file)


def read(path: Path) -> Iterator[Entry]:
    """The entries of a ledger's file, oldest first. A line that a crash cut short is passed over."""
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            stored = json.loads(line)
            yield Entry(
                UUID(stored["id"]),
                UUID(stored["workspace"]),
                str(stored["kind"]),
                datetime.fromisoformat(stored["at"]),
                tuple(stored["digests"]),
            )
        except (ValueError, KeyError, TypeError):
            continue


def find_people(until: Mapping[str, datetime]) -> list[Principal]:
    """People of the present workspace whom these digests mean, if they were known before (`until`).

    Somebody who was erased and came back later is somebody new.
    """
    identities: dict[UUID, list[ExternalIdentity]] = {}
    for identity in ExternalIdentity.objects.iterator():
        identities.setdefault(identity.principal_id, []).append(identity)
    return [
        person
        for person in Principal.objects.order_by("id").iterator()
        if _is_meant(_marks(person, identities.get(person.id, ())), person.created_at, until)
    ]


def find_items(until: Mapping[str, datetime]) -> list[RawItem]:
    """Items of the present workspace that these digests mean, or that somebody sent whom they mean, until then."""
    found = []
    for item in RawItem.objects.order_by("id").iterator():
        marks, author = marks_of_item(item), author_of(item)
        if author.email:
            marks.append(f"email:{author.email.lower()}")
        if author.external_user_id:
            marks.append(f"external:{author.source_type}:{author.external_user_id}")
        if _is_meant(marks, item.created_at, until):
            found.append(item)
    return found


def _is_meant(marks: Iterable[str], since: datetime, until: Mapping[str, datetime]) -> bool:
    return any(since <= until[digest] for digest in map(digest_of, marks) if digest in until)
