"""What is packed: a zip is looked through before anything in it is unpacked, and never onto the disk by its names."""

import gzip
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from tellback.intake.importing.limits import MAX_MEMBERS, MAX_RATIO, MAX_UNPACKED, RATIO_COUNTS_FROM
from tellback.kernel.errors import Invalid

_PACKINGS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


def check_members(packed: zipfile.ZipFile, *, name: str) -> None:
    """Raise `Invalid` for a zip that would unpack to too much, is sealed, or names places outside of itself."""
    members = packed.infolist()
    if len(members) > MAX_MEMBERS:
        raise Invalid(f"{name} holds {len(members):,} files; {MAX_MEMBERS:,} is the most.")
    total = 0
    for member in members:
        _check_place(member.filename, name)
        if member.flag_bits & 1:
            raise Invalid(f"{name} is protected by a password. Unpack it, and import what is in it.")
        if member.compress_type not in _PACKINGS:
            raise Invalid(f"{name} is packed in a way that is not read here. Pack it as an ordinary zip.")
        total += member.file_size
        packed_size = max(member.compress_size, 1)
        if total > MAX_UNPACKED or (
            member.file_size > RATIO_COUNTS_FROM and member.file_size / packed_size > MAX_RATIO
        ):
            raise Invalid(f"{name} would unpack to far more than it is. It is not read.")
    _check_overlaps(members, name)


def unpack_gzip(path: Path, *, name: str, folder: Path) -> Path:
    """A copy of the file in a gzip, in this folder. Raises `Invalid` when it is broken or grows beyond all reason."""
    most = min(MAX_UNPACKED, max(RATIO_COUNTS_FROM, path.stat().st_size * MAX_RATIO))
    copy, size = Path(tempfile.mkstemp(dir=folder)[1]), 0
    try:
        with gzip.open(path) as packed, copy.open("wb") as target:
            while block := packed.read(1 << 20):
                size += len(block)
                if size > most:
                    raise Invalid(f"{name} would unpack to far more than it is. It is not read.")
                target.write(block)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise Invalid(f"{name} is a broken gzip.") from error
    return copy


def _check_place(path: str, name: str) -> None:
    parts = PurePosixPath(path.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or (len(path) > 1 and path[1] == ":"):
        raise Invalid(f"{name} names a file outside of itself. It is not read.")


def _check_overlaps(members: list[zipfile.ZipInfo], name: str) -> None:
    """Members that share their bytes are how a small zip names many large files."""
    end = 0
    for member in sorted(members, key=lambda one: one.header_offset):
        if member.header_offset < end:
            raise Invalid(f"{name} holds files that overlap. It is not read.")
        end = member.header_offset + 30 + len(member.filename.encode()) + member.compress_size
