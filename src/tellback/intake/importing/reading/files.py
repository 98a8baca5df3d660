"""What a file is, found out from its content, and its tables."""

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from tellback.intake.importing.limits import MAX_FILE, MAX_TABLES
from tellback.intake.importing.reading.objects import is_json_lines, read_json_tables, read_lines_table
from tellback.intake.importing.reading.packed import check_members, unpack_gzip
from tellback.intake.importing.reading.table import ImportFile, Opener, Table
from tellback.intake.importing.reading.text import find_encoding, read_text_table
from tellback.intake.importing.reading.xlsx import read_workbook
from tellback.kernel.errors import Invalid

BLOCK = 1 << 20
ZIP, GZIP, OLD_EXCEL = b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0"
TABLES = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".xlsx")
#: What says that a file is no text at all.
BINARY = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")


@contextmanager
def open_file(path: Path, *, name: str = "") -> Iterator[ImportFile]:
    """Look at a file and find its tables, to be read within the block. `name` is what people call it.

    Raises `Invalid`, with a sentence, for a file that cannot be read, is too large, is no table, or has none.
    """
    name = _readable(name or path.name)
    with tempfile.TemporaryDirectory(prefix="tellback-import-") as folder:
        yield _look_at(path, name, Path(folder))


def _look_at(path: Path, name: str, folder: Path) -> ImportFile:
    try:
        size = path.stat().st_size
        if size > MAX_FILE:
            raise Invalid(f"{name} is larger than {MAX_FILE >> 30} GB. Split it.")
        digest = _digest(path)
        tables, left_out = _tables(path, name, folder)
    except OSError as error:
        raise Invalid(f"Cannot read {name} ({error.strerror or error}).") from error
    if not tables:
        raise Invalid(f"{name} is empty.")
    return ImportFile(path, name, digest, size, tuple(tables), tuple(left_out))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _readable(name: str) -> str:
    """A name that can be kept and shown on one line, whatever bytes the file system has for it."""
    return "".join(one if one.isprintable() else "\ufffd" for one in name)


def _tables(path: Path, name: str, folder: Path) -> tuple[list[Table], list[str]]:
    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith(ZIP):
        if _is_workbook(path, name):
            return read_workbook(path, name=name), []
        return _zipped_tables(path, name, folder)
    if head.startswith(GZIP):
        path, name = unpack_gzip(path, name=name, folder=folder), name.removesuffix(".gz")
    return _plain_tables(name, lambda: cast(BinaryIO, path.open("rb"))), []


def _plain_tables(name: str, opener: Opener) -> list[Table]:
    """The tables of a text, told by what it begins with."""
    with opener() as file:
        head = file.read(4096)
    if head.startswith(OLD_EXCEL):
        raise Invalid(f"{name} is an old Excel file (.xls). Save it as .xlsx or as CSV.")
    if head.startswith(BINARY):
        raise Invalid(f"{name} is not a table. Import CSV, XLSX, JSON, JSON lines, or a zip of these.")
    begins = head.decode(find_encoding(opener), "replace").lstrip("\ufeff \t\r\n")[:1]
    if begins == "{" and is_json_lines(opener):
        table = read_lines_table(name=name, opener=opener)
        if table is not None and not _holds_lists(table, opener):
            return [table]
    if begins and begins in "[{":
        return read_json_tables(name=name, opener=opener)
    table = read_text_table(name=name, opener=opener)
    return [table] if table else []


def _holds_lists(table: Table, opener: Opener) -> bool:
    """Whether one object on one line is in truth a file of lists, such as {"data": [...]}."""
    rows = table.rows()
    first, second = next(rows, None), next(rows, None)
    if first is None or second is not None:
        return False
    return any(one.name in first.lists for one in read_json_tables(name="", opener=opener))


def _is_workbook(path: Path, name: str) -> bool:
    try:
        with zipfile.ZipFile(path) as packed:
            return "[Content_Types].xml" in packed.namelist() and any(
                one.startswith("xl/") for one in packed.namelist()
            )
    except (zipfile.BadZipFile, OSError) as error:
        raise Invalid(f"{name} is a broken zip.") from error


def _zipped_tables(path: Path, name: str, folder: Path) -> tuple[list[Table], list[str]]:
    """The tables of a zip's files. Those that are no tables, and hidden ones, are left out."""
    tables: list[Table] = []
    left_out = []
    with zipfile.ZipFile(path) as packed:
        check_members(packed, name=name)
        members = [one for one in packed.infolist() if not one.is_dir() and not _is_hidden(one.filename)]
        for member in sorted(members, key=lambda one: one.filename):
            if not member.filename.lower().endswith(TABLES):
                left_out.append(member.filename)
            elif len(tables) < MAX_TABLES:
                tables += _member_tables(path, packed, member, folder)
    if not tables:
        raise Invalid(f"{name} holds no table. Put CSV, XLSX, JSON or JSON lines into it.")
    return tables, left_out


def _member_tables(path: Path, packed: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> list[Table]:
    called = _readable(PurePosixPath(member.filename).name)
    try:
        if called.lower().endswith(".xlsx"):
            # A workbook is itself a zip, which cannot be read from within one.
            copy = Path(tempfile.mkstemp(dir=folder, suffix=".xlsx")[1])
            with packed.open(member) as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target, BLOCK)
            return read_workbook(copy, name=called)
        return _plain_tables(called, lambda: _open_member(path, member.filename))
    except (zipfile.BadZipFile, EOFError) as error:
        raise Invalid(f"{called} in the zip is broken.") from error


def _is_hidden(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return any(part.startswith((".", "__MACOSX")) for part in parts)


def _open_member(path: Path, member: str) -> BinaryIO:
    packed = zipfile.ZipFile(path)
    file = packed.open(member)
    # The file keeps the archive open itself; ours may go.
    packed.close()
    return cast(BinaryIO, file)
