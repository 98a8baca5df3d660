"""The ledger of erasures: kept beside the database too, so that a restored backup can be purged of whom it forgot.

Lines are only ever added. Each has the key of its digests with it, sealed, so that the file and the secret key are all
that is needed to read it, whichever database it meets.
"""

import contextlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from tellback.intake.models import RawItem
from tellback.intake.services import author_of
from tellback.kernel.errors import Unavailable
from tellback.platform.digests import digest_key, key_name, keyed_digest, open_digest_key, seal_digest_key
from tellback.platform.resealing import is_current
from tellback.platform.sealing import WrongSeal, secret_ring
from tellback.workspaces.models import ExternalIdentity, Principal

#: The kind of a line that is no erasure, but another seal of a key.
_KEY = "key"


@dataclass(frozen=True, slots=True)
class Entry:
    """One erasure. `digests` tell its subject again to whoever has their key, and nobody else."""

    id: UUID
    workspace_id: UUID
    kind: str
    at: datetime
    digests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the file remembers, oldest first, and every key that its digests were made with. Never shown."""

    entries: tuple[Entry, ...] = ()
    keys: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        return f"Ledger({len(self.entries)} entries)"


def digest_of(what: str, *, key: bytes | None = None) -> str:
    """What is remembered of an identifier: keyed, so that it cannot be found by guessing."""
    return keyed_digest("erasure", what.encode(), key=key)


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


def marks_of_sent(item: RawItem) -> list[str]:
    """What would identify an item, and who sent it as far as it says so."""
    marks, author = marks_of_item(item), author_of(item)
    if author.principal_id:
        marks.append(f"principal:{author.principal_id}")
    if author.email:
        marks.append(f"email:{author.email.lower()}")
    if author.external_user_id:
        marks.append(f"external:{author.source_type}:{author.external_user_id}")
    return marks


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
    _write(
        {
            "id": str(entry.id),
            "workspace": str(entry.workspace_id),
            "kind": entry.kind,
            "at": entry.at.isoformat(),
            "digests": list(entry.digests),
            "key": key_name(digest_key()),
            "sealed": seal_digest_key(digest_key()),
        }
    )


def _write(line: Mapping[str, Any]) -> None:
    path = Path(settings.ERASURE_LEDGER)
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, f"{json.dumps(line)}\n".encode())
        os.fsync(file)
    finally:
        os.close(file)


def read(path: Path) -> Ledger:
    """What a ledger's file remembers. A line that a crash cut short is passed over.

    Raises `WrongSeal` when the key of an entry was sealed under a secret that is not set: then nobody would be found.
    """
    entries, seals = _parse(path)
    keys = {name: _opened(seals[name]) for name in dict.fromkeys(name for _, name in entries)}
    return Ledger(tuple(entry for entry, _ in entries), tuple(keys.values()))


def _parse(path: Path) -> tuple[list[tuple[Entry, str]], dict[str, list[str]]]:
    """The entries, each with the name of its key, and the seals of each key, the newest first."""
    entries: list[tuple[Entry, str]] = []
    seals: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            stored = json.loads(line)
            name, sealed = str(stored["key"]), str(stored["sealed"])
            if stored["kind"] != _KEY:
                entries.append((_entry(stored), name))
        except (ValueError, KeyError, TypeError):
            continue
        if sealed not in seals.setdefault(name, []):
            seals[name].insert(0, sealed)
    return entries, seals


def _entry(stored: Mapping[str, Any]) -> Entry:
    return Entry(
        UUID(stored["id"]),
        UUID(stored["workspace"]),
        str(stored["kind"]),
        datetime.fromisoformat(stored["at"]),
        tuple(stored["digests"]),
    )


def _opened(seals: Sequence[str]) -> bytes:
    for sealed in seals:
        with contextlib.suppress(WrongSeal):
            return open_digest_key(sealed)
    raise WrongSeal(
        "The ledger of erasures was written with a secret key that is not set, so nobody can be found by it. Name that "
        "key in TELLBACK_SECRET_KEY_FORMER."
    )


def count_keys(path: Path) -> tuple[int, int]:
    """How many keys the file's digests have, and how many of these are under a former secret only."""
    _, seals = _parse(path)
    return len(seals), len(_stale(seals))


def reseal(path: Path, *, now: datetime) -> int:
    """Add a line for each key that is under a former secret only: its seal under the present one. Returns how many.

    Raises `WrongSeal` for a key whose secret is not set.
    """
    _, seals = _parse(path)
    stale = _stale(seals)
    for name in stale:
        sealed = seal_digest_key(_opened(seals[name]))
        _write({"kind": _KEY, "at": now.isoformat(), "key": name, "sealed": sealed})
    return len(stale)


def _stale(seals: Mapping[str, Sequence[str]]) -> list[str]:
    ring = secret_ring()
    return [name for name, known in seals.items() if not any(is_current(ring, sealed) for sealed in known)]


def find_people(until: Mapping[str, datetime], *, keys: Sequence[bytes]) -> list[Principal]:
    """People of the present workspace whom these digests mean, if they were known before (`until`).

    Somebody who was erased and came back later is somebody new.
    """
    identities: dict[UUID, list[ExternalIdentity]] = {}
    for identity in ExternalIdentity.objects.iterator():
        identities.setdefault(identity.principal_id, []).append(identity)
    return [
        person
        for person in Principal.objects.order_by("id").iterator()
        if _is_meant(_marks(person, identities.get(person.id, ())), person.created_at, until, keys)
    ]


def find_items(until: Mapping[str, datetime], *, keys: Sequence[bytes]) -> list[RawItem]:
    """Items of the present workspace that these digests mean, or that somebody sent whom they mean, until then."""
    return [
        item
        for item in RawItem.objects.order_by("id").iterator()
        if _is_meant(marks_of_sent(item), item.created_at, until, keys)
    ]


def _is_meant(marks: Iterable[str], since: datetime, until: Mapping[str, datetime], keys: Sequence[bytes]) -> bool:
    digests = (digest_of(mark, key=key) for mark in marks for key in keys)
    return any(since <= until[digest] for digest in digests if digest in until)
