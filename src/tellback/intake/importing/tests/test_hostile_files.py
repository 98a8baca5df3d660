"""Files that mean harm are refused in a sentence, cost nothing, and reach nothing (trust.md, INP-10)."""

import os
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tellback.intake.importing.looking import look_at
from tellback.intake.importing.reading import open_file
from tellback.intake.importing.tests.test_reading import ROWS, SHEET, workbook
from tellback.kernel.errors import Invalid

Make = Callable[[Path], Path]


def read(path: Path) -> list[str]:
    """The whole file, looked through as an import does it."""
    with open_file(path) as file:
        look = look_at(file)
        return [cell for table in look.tables for row in table.sample for cell in row.cells.values()]


def packed(
    folder: Path, name: str = "a.csv", content: bytes = b"text\nOne\n", packing: int = zipfile.ZIP_DEFLATED
) -> Path:
    path = folder / "all.zip"
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr(name, content)
    return path


def bomb(folder: Path) -> Path:
    """A small zip that unpacks to 64 MB of one text."""
    return packed(folder, content=b"text\n" + b"a,b\n" * (16 << 20))


def workbook_bomb(folder: Path) -> Path:
    """A workbook whose sheet unpacks to 80 MB."""
    return workbook(folder, **{"xl/worksheets/sheet1.xml": SHEET.format(rows=ROWS + "<row/>" * (14 << 20))})


def lying(folder: Path) -> Path:
    """A zip that says that its member is small."""
    path = packed(folder, content=b"text\n" + b"a\n" * 500_000)
    raw = bytearray(path.read_bytes())
    size = (5 + 1_000_000).to_bytes(4, "little")
    assert raw.count(size) == 2
    path.write_bytes(bytes(raw).replace(size, (100).to_bytes(4, "little")))
    return path


def overlapping(folder: Path) -> Path:
    """A zip whose directory names one member's bytes many times."""
    path = folder / "all.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "text\nOne\n")
        again = archive.infolist()[0]
        for number in range(3):
            twin = zipfile.ZipInfo(f"{number}.csv", again.date_time)
            for name in ("compress_type", "CRC", "compress_size", "file_size", "header_offset", "flag_bits"):
                setattr(twin, name, getattr(again, name))
            archive.filelist.append(twin)
            archive.NameToInfo[twin.filename] = twin
    return path


def sealed(folder: Path) -> Path:
    path = packed(folder)
    raw = bytearray(path.read_bytes())
    for at in (raw.index(b"PK\x03\x04") + 6, raw.index(b"PK\x01\x02") + 8):
        raw[at] |= 1
    path.write_bytes(bytes(raw))
    return path


LAUGHS = '<!DOCTYPE a [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
) + "]>"  # fmt: skip
OUTSIDE = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


def with_type(folder: Path, doctype: str, part: str = "xl/worksheets/sheet1.xml") -> Path:
    row = '<row><c t="inlineStr"><is><t>{}</t></is></c></row>'
    sheet = doctype + SHEET.format(rows=row.format("text") + row.format("&a;" if doctype else "fine"))
    return workbook(folder, **{part: sheet})


def _file(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _many(folder: Path) -> Path:
    path = folder / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(1_001):
            archive.writestr(f"{number}.csv", "text\nOne\n")
    return path


HOSTILE: dict[str, Make] = {
    "zip bomb": bomb,
    "workbook bomb": workbook_bomb,
    "a member that lies about its size": lying,
    "members that overlap": overlapping,
    "sealed": sealed,
    "above": lambda folder: packed(folder, "../../etc/cron.d/a.csv"),
    "absolute": lambda folder: packed(folder, "/etc/cron.d/a.csv"),
    "a drive": lambda folder: packed(folder, "C:\\a.csv"),
    "above, backwards": lambda folder: packed(folder, "a\\..\\..\\b.csv"),
    "rare packing": lambda folder: packed(folder, packing=zipfile.ZIP_LZMA),
    "a zip in a zip": lambda folder: packed(folder, "inner.zip", packed(folder).read_bytes()),
    "outside entity": lambda folder: with_type(folder, OUTSIDE),
    "billion laughs": lambda folder: with_type(folder, LAUGHS),
    "billion laughs in the texts": lambda folder: with_type(folder, LAUGHS, "xl/sharedStrings.xml"),
    "entity in the styles": lambda folder: workbook(folder, **{"xl/styles.xml": LAUGHS + "<styleSheet/>"}),
    "entity in the book": lambda folder: workbook(folder, **{"xl/workbook.xml": LAUGHS + "<workbook/>"}),
    "deep JSON": lambda folder: _file(folder, "a.json", b'[{"a":' * 200_000),
    "many columns": lambda folder: _file(folder, "a.csv", b",".join(b"c%d" % n for n in range(600)) + b"\n1\n"),
    "many members": _many,
    "cut off": lambda folder: _file(folder, "a.zip", packed(folder).read_bytes()[:60]),
}
HARMLESS: dict[str, Make] = {
    "a zip": packed,
    "one that packs well": lambda folder: packed(folder, content=b"text\n" + b"aaaa bbbb\n" * 100_000),
    "below": lambda folder: packed(folder, "export/2026/a.csv"),
    "dots in a name": lambda folder: packed(folder, "a..b.csv"),
    "a workbook": lambda folder: with_type(folder, ""),
    "ampersands": lambda folder: _file(folder, "a.csv", b"text\n&a; &lt;\n"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    path = HOSTILE[name](tmp_path)
    before, memory = sorted(tmp_path.rglob("*")), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Invalid) as refused:
        read(path)
    assert refused.value.detail.endswith((".", "?")) and "\n" not in refused.value.detail
    assert sorted(tmp_path.rglob("*")) == before
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 64 * 1024


@pytest.mark.parametrize("name", HARMLESS)
def test_the_same_without_harm_is_read(tmp_path: Path, name: str) -> None:
    assert read(HARMLESS[name](tmp_path))


def test_an_entity_would_have_been_seen(tmp_path: Path) -> None:
    """The control: the cell that holds the entity is one that is read."""
    assert read(with_type(tmp_path, "")) == ["fine"]


@pytest.mark.parametrize(
    ("name", "called"), [(b"caf\xe9.csv", "caf\ufffd.csv"), (b"a\n\x1b[2Jb.csv", "a\ufffd\ufffd[2Jb.csv")]
)
def test_a_name_that_is_no_text_is_called_something_that_is(tmp_path: Path, name: bytes, called: str) -> None:
    path = Path(os.fsdecode(bytes(tmp_path) + b"/" + name))
    path.write_text("text\nOne\n")
    with open_file(path) as file:
        assert file.name == called
        assert [row.cells for row in file.tables[0].rows()] == [{"text": "One"}]
