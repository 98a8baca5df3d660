"""The files of imports while they are needed: sealed, in parts, among the other files, and removed soon.

What people upload holds private data as it is. So every part is encrypted with the installation's secret key, nothing
of it is in the database, and a file goes when its import has ended whole, or some days later.
"""

import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from tellback.intake.importing.limits import MAX_UPLOAD
from tellback.intake.importing.looking import Look, look_from_json
from tellback.intake.importing.reading import ImportFile, open_file
from tellback.intake.models import IMPORT_AT_WORK, ImportRun
from tellback.kernel.errors import Invalid, TellbackError
from tellback.platform.files import get_files
from tellback.platform.jobs import Queue, defer
from tellback.platform.sealing import seal_bytes, unseal_bytes

PART = 8 << 20
#: How folders begin in which a file is put together.
PUT_TOGETHER = "tellback-import-"
#: How long a file is kept after its import was made; until then refused rows can be had, and a stopped import goes on.
KEPT_FOR = timedelta(days=7)
#: Parts of a file whose import was never stored are left alone this long.
GRACE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class KeptImport:
    """What was kept: how many parts, the whole file's SHA-256 (hex) and its size in bytes."""

    parts: int
    digest: str
    size: int


def keep(*, workspace_id: UUID, run_id: UUID, name: str, content: Iterable[bytes]) -> KeptImport:
    """Keep a file as it arrives, never more than a part of it in memory.

    Raises `Invalid` for one that is empty or too large, `Unavailable` when there is no room; then nothing is kept.
    """
    digest, size, count = hashlib.sha256(), 0, 0
    try:
        for part in _parts(content):
            size += len(part)
            if size > MAX_UPLOAD:
                raise Invalid(
                    f"{name} is larger than {MAX_UPLOAD >> 20} MB. Import it with the command: tellback import {name}"
                )
            digest.update(part)
            _put(_key(workspace_id, run_id, str(count)), part)
            count += 1
        if not count:
            raise Invalid(f"{name} is empty.")
    except TellbackError:
        get_files().delete(_keys(workspace_id, run_id, count))
        raise
    return KeptImport(count, digest.hexdigest(), size)


def keep_look(run: ImportRun, look: Look) -> None:
    """Keep what was seen of a run's file, beside it."""
    _put(_key(run.workspace_id, run.id, "look"), look.as_json())


def get_look(run: ImportRun) -> Look:
    """What was seen of a run's file. Raises `NotFound` when it is no longer kept."""
    return look_from_json(_get(_key(run.workspace_id, run.id, "look")))


@contextlib.contextmanager
def open_kept(run: ImportRun) -> Iterator[ImportFile]:
    """The file of a run, put together for as long as the block lasts. Raises `NotFound` when it is no longer kept."""
    with tempfile.TemporaryDirectory(prefix=PUT_TOGETHER) as folder:
        whole = Path(folder) / "whole"
        with whole.open("wb") as file:
            for number in range(run.file_parts):
                file.write(_get(_key(run.workspace_id, run.id, str(number))))
        with open_file(whole, name=run.file_name) as opened:
            yield opened


def drop_file(run: ImportRun) -> None:
    """Let go of a run's file, within the caller's transaction; its parts are removed by a job that follows it."""
    if not run.file_parts:
        return
    keys = _keys(run.workspace_id, run.id, run.file_parts)
    run.file_parts = 0
    run.save(update_fields=["file_parts"])
    defer("intake.remove_files", queue=Queue.MAINTENANCE, workspace_id=run.workspace_id, keys=keys)


def discard_parts(run: ImportRun) -> None:
    """Remove at once what is kept for an import that is not stored."""
    get_files().delete(_keys(run.workspace_id, run.id, run.file_parts))


def drop_idle_files(*, before: datetime | None = None) -> int:
    """Let go of the files of imports that nothing works on, made before this instant when it is given; returns how
    many.
    """
    idle = ImportRun.objects.select_for_update().filter(file_parts__gt=0).exclude(state__in=IMPORT_AT_WORK)
    found = list(idle.filter(created_at__lt=before) if before else idle)
    for run in found:
        drop_file(run)
    return len(found)


def remove_lost_parts(*, workspace_id: UUID, now: datetime) -> int:
    """Remove parts of files that no import knows: of uploads that were cut off, and of imports that are gone."""
    known = {one.hex for one in ImportRun.objects.filter(file_parts__gt=0).values_list("id", flat=True)}
    lost = [key for key in get_files().list_older(_folder(workspace_id), now - GRACE) if _run_of(key) not in known]
    get_files().delete(lost)
    return len(lost)


def _parts(content: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for piece in content:
        waiting += piece
        while len(waiting) >= PART:
            yield bytes(waiting[:PART])
            del waiting[:PART]
    if waiting:
        yield bytes(waiting)


def _folder(workspace_id: UUID) -> str:
    return f"imports/{workspace_id}"


def _key(workspace_id: UUID, run_id: UUID, part: str) -> str:
    return f"{_folder(workspace_id)}/{run_id.hex}-{part}"


def _keys(workspace_id: UUID, run_id: UUID, parts: int) -> list[str]:
    return [_key(workspace_id, run_id, part) for part in (*map(str, range(parts)), "look")]


def _run_of(key: str) -> str:
    return key.rpartition("/")[2].partition("-")[0]


def _put(key: str, content: bytes) -> None:
    get_files().put(key, seal_bytes(content, about=key))


def _get(key: str) -> bytes:
    return unseal_bytes(get_files().get(key), about=key)


def remove_leftovers(*, now: datetime) -> None:
    """Remove what processes that were killed left of the files that they had put together on this machine."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PUT_TOGETHER}*"):
        with contextlib.suppress(OSError):
            if datetime.fromtimestamp(folder.stat().st_mtime, UTC) < now - GRACE:
                shutil.rmtree(folder)
