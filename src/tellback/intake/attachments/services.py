"""Keeping files before the item they belong to is stored, and removing them with it.

The content is written first, the row with the item: a row never points to nothing. What was written for an item that
was not stored in the end is discarded at once, or by the sweep when the process died in between.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from tellback.intake.attachments.cleaning import CleanFile, Upload, clean
from tellback.intake.attachments.rules import MAX_FILES, name_of
from tellback.intake.models import Attachment
from tellback.intake.policy import get_policy
from tellback.kernel.errors import Invalid, TellbackError
from tellback.kernel.ids import new_id, to_public
from tellback.platform.files import get_files
from tellback.platform.jobs import Queue, defer

#: A file that no row knows is left alone this long: its item may be on its way, also in a broker while the database
#: was away.
GRACE = timedelta(days=3)
#: Files that one job removes.
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that is kept and waits for its item."""

    attachment_id: UUID
    file_key: str
    name: str
    media_type: str
    size_bytes: int
    digest: str
    width: int | None
    height: int | None

    def as_row(self, position: int) -> dict[str, Any]:
        """What `tellback_accept_with_files` stores."""
        return {
            "id": self.attachment_id,
            "position": position,
            "name": self.name,
            "media_type": self.media_type,
            "size_bytes": self.size_bytes,
            "digest": self.digest,
            "file_key": self.file_key,
            "width": self.width,
            "height": self.height,
        }

    def as_context(self) -> dict[str, Any]:
        """What the context envelope says of it (document 3, section 4.1)."""
        return {
            "id": to_public(Attachment.id_prefix, self.attachment_id),
            "name": self.name,
            "mimeType": self.media_type,
            "sizeBytes": self.size_bytes,
        }


def keep_files(*, workspace_id: UUID, files: Sequence[CleanFile]) -> tuple[KeptFile, ...]:
    """Write these files. All are kept or none; raises `Invalid` for more than five, `Unavailable` without room."""
    if len(files) > MAX_FILES:
        raise Invalid(f"There may be {MAX_FILES} files with one piece of feedback.")
    kept: list[KeptFile] = []
    try:
        kept.extend(_keep(workspace_id, file) for file in files)
    except TellbackError:
        discard_files(kept)
        raise
    return tuple(kept)


def take_files(*, workspace_id: UUID, uploads: Sequence[Upload]) -> tuple[tuple[KeptFile, ...], list[str]]:
    """Clean and keep what can be taken of these, at most five; and a sentence for each that cannot.

    For doors where a wrong file must not cost the words, such as mail. Raises `Unavailable` without room.
    """
    policy = get_policy(workspace_id)
    clean_ones: list[CleanFile] = []
    refused: list[str] = []
    for upload in uploads:
        shown = name_of(upload.name, "text/plain").removesuffix(".txt")
        if len(clean_ones) == MAX_FILES:
            refused.append(f"{shown}: there may be {MAX_FILES} files.")
            continue
        try:
            clean_ones.append(clean(upload, policy=policy))
        except Invalid as error:
            refused.append(f"{shown}: {error.detail}")
    return keep_files(workspace_id=workspace_id, files=clean_ones), refused


def discard_files(kept: Sequence[KeptFile]) -> None:
    """Remove files whose item was not stored."""
    if kept:
        get_files().delete([one.file_key for one in kept])


def erase_attachments(*, item_ids: Sequence[UUID]) -> int:
    """Remove the attachments of these items, within the caller's transaction; returns how many.

    The rows are gone when it commits; their content is removed by a job that exists if and only if it does, and that
    is repeated until the place of the files answers.
    """
    found = list(Attachment.objects.filter(raw_item_id__in=item_ids))
    for start in range(0, len(found), AT_ONCE):
        keys = [one.file_key for one in found[start : start + AT_ONCE]]
        defer("intake.remove_files", queue=Queue.MAINTENANCE, workspace_id=found[0].workspace_id, keys=keys)
    Attachment.objects.filter(id__in=[one.id for one in found]).delete()
    return len(found)


def remove_orphans(*, workspace_id: UUID, now: datetime) -> int:
    """Remove this workspace's files that no row knows and that are older than `GRACE`; returns how many."""
    removed = 0
    batch: list[str] = []
    for key in get_files().list_older(f"{workspace_id}", now - GRACE):
        batch.append(key)
        if len(batch) == AT_ONCE:
            removed, batch = removed + _remove_unknown(batch), []
    return removed + _remove_unknown(batch)


def _remove_unknown(keys: list[str]) -> int:
    known = set(Attachment.objects.filter(file_key__in=keys).values_list("file_key", flat=True)) | _set_aside()
    unknown = [key for key in keys if key not in known]
    get_files().delete(unknown)
    return len(unknown)


def _set_aside() -> set[str]:
    """Files of items that were accepted and could not be stored yet (`intake.arrivals`)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT jsonb_path_query(args, '$.rows[*].files[*].file_key') #>> '{}' FROM procrastinate_jobs "
            "WHERE task_name = 'intake.store_arrivals'"
        )
        return {key for (key,) in cursor.fetchall()}


def _keep(workspace_id: UUID, file: CleanFile) -> KeptFile:
    attachment_id = new_id()
    digest = hashlib.sha256(file.content).hexdigest()
    # Named by content, and by attachment so that no two share a file and one can be erased without asking who else.
    key = f"{workspace_id}/{digest[:2]}/{digest}-{attachment_id.hex}"
    get_files().put(key, file.content)
    return KeptFile(attachment_id, key, file.name, file.media_type, len(file.content), digest, file.width, file.height)
