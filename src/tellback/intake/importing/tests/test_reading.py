"""Files as tools write them are the rows that were meant, whatever one of them holds."""

import gzip
import json
import zipfile
from pathlib import Path

import pytest

from tellback.intake.importing.looking import look_at, look_from_json
from tellback.intake.importing.reading import Row, open_file
from tellback.kernel.errors import Invalid


def rows_of(path: Path) -> list[Row]:
    with open_file(path) as file:
        return [row for table in file.tables for row in table.rows()]


def cells_of(path: Path) -> list[dict[str, str]]:
    return [row.cells for row in rows_of(path)]


def write(folder: Path, content: str | bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_delimiters_and_line_ends_are_found(tmp_path: Path, encoding: str, ends: str, delimiter: str) -> None:
    lines = [delimiter.join(row) for row in (("text", "Straße"), ("Grüße", f'"a{delimiter} b"'), ("é", "ß"))]
    path = write(tmp_path, (ends.join(lines) + ends).encode(encoding))
    assert cells_of(path) == [{"text": "Grüße", "Straße": f"a{delimiter} b"}, {"text": "é", "Straße": "ß"}]


def test_quotes_line_breaks_blank_lines_and_equal_headers(tmp_path: Path) -> None:
    text = 'text,note,note,\n\n"He said ""no""\nand left",1,2,3\n,,,\nplain,4,5,6\n'
    assert cells_of(write(tmp_path, text)) == [
        {"text": 'He said "no"\nand left', "note": "1", "note (2)": "2", "column 4": "3"},
        {"text": "plain", "note": "4", "note (2)": "5", "column 4": "6"},
    ]


def test_the_line_that_names_the_delimiter_is_no_header(tmp_path: Path) -> None:
    assert cells_of(write(tmp_path, "sep=;\ntext;n\na,b;1\n")) == [{"text": "a,b", "n": "1"}]


def test_more_cells_than_the_header_are_told(tmp_path: Path) -> None:
    rows = rows_of(write(tmp_path, "text,n\na,1,2,3\nb,2,,\n"))
    assert [row.surplus for row in rows] == [("2", "3"), ()]


def test_a_row_that_is_too_large_costs_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("text", "objects"):
        monkeypatch.setattr(f"tellback.intake.importing.reading.{module}.MAX_ROW", 1_000)
    monkeypatch.setattr("tellback.intake.importing.reading.text.MAX_CELL", 600)
    large = "x" * 3_000
    text = (
        f'id,text\n1,one\n2,{large}\n3,three\n4,"{large}\nmore",\n5,"five"\n6,"{"y" * 300}\n{"y" * 400}"\n7,"seven"\n'
    )
    for ends in ("\n", "\r\n", "\r"):
        found = rows_of(write(tmp_path, text.replace("\n", ends)))
        assert [row.cells.get("id") for row in found if not row.problem] == ["1", "3", "5", "7"]
        assert [row.number for row in found] == list(range(1, 8))
    lines = "\n".join([json.dumps({"id": 1, "t": large}), json.dumps({"id": 2, "t": "two"})])
    problems = [bool(row.problem) for row in rows_of(write(tmp_path, lines, "a.jsonl"))]
    assert problems == [True, False]


def test_a_quote_that_never_closes_costs_its_own_row(tmp_path: Path) -> None:
    found = rows_of(write(tmp_path, 'id,text\n1,one\n2,"two\n3,three\n4,four\n'))
    assert [(row.number, row.cells.get("id"), bool(row.problem)) for row in found] == [
        (1, "1", False),
        (2, None, True),
        (3, "3", False),
        (4, "4", False),
    ]


def test_json_in_its_shapes(tmp_path: Path) -> None:
    items = [{"id": 1, "a": {"b": "x"}, "tags": ["p", {"name": "q"}], "no": None}, {"id": 2, "yes": True}]
    wanted = [
        {"id": "1", "a.b": "x", "tags": "p, q", "tags.1.name": "q", "no": ""},
        {"id": "2", "yes": "true"},
    ]
    for content in (
        json.dumps(items),
        json.dumps({"count": 2, "items": items, "next": None}, indent=2),
        json.dumps({"items": items}),
        json.dumps({"response": {"n": 2, "data": {"items": items}}}, indent=1),
        "\n".join(json.dumps(one) for one in items) + "\n",
    ):
        assert cells_of(write(tmp_path, content, "a.json")) == wanted
    assert rows_of(write(tmp_path, json.dumps(items), "a.json"))[0].lists == {"tags": ["p", "q"]}


def test_one_record_that_holds_lists_is_one_row(tmp_path: Path) -> None:
    record = {"id": 7, "text": "slow", "parts": {"parts": [{"id": 8}, {"id": 9}]}}
    for content in (json.dumps(record), json.dumps(record, indent=1)):
        assert [row["id"] for row in cells_of(write(tmp_path, content, "a.json"))] == ["7"]


def test_a_gzip_is_unpacked_and_one_that_would_grow_beyond_reason_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = gzip.compress(b"id,text\n1,hello\n")
    assert cells_of(write(tmp_path, packed, "a.csv.gz")) == [{"id": "1", "text": "hello"}]
    with pytest.raises(Invalid, match="broken"):
        rows_of(write(tmp_path, packed[:-9], "a.csv.gz"))
    monkeypatch.setattr("tellback.intake.importing.reading.packed.RATIO_COUNTS_FROM", 1000)
    with pytest.raises(Invalid, match="far more"):
        rows_of(write(tmp_path, gzip.compress(b"id,text\n" + b"1,hello\n" * 1_000_000), "a.csv.gz"))


def test_json_that_is_broken_or_too_deep_is_refused_in_a_sentence(tmp_path: Path) -> None:
    for content in ("[1, 2", '{"a": [', "[" * 50_000, '{"a":' * 50_000):
        with pytest.raises(Invalid):
            rows_of(write(tmp_path, content, "a.json"))
    with (
        pytest.raises(Invalid, match="behind object 2"),
        open_file(write(tmp_path, '[{"a": 1}, {"a": 2} {"a": 3}]', "a.json")) as file,
    ):
        list(file.tables[0].rows())


def test_half_a_character_in_json_costs_itself_and_nothing_else(tmp_path: Path) -> None:
    content = r'[{"text": "a\ud800b \ud83d\ude00", "n\udc00": ["\udfff"], "deep": {"x": ["\ud800", {"y": 1}]}}]'
    (cells,) = cells_of(write(tmp_path, content, "a.json"))
    assert cells["text"] == "a\ufffdb \U0001f600"
    assert cells["n\ufffd"] == "\ufffd"
    assert all("\ud800" not in one for one in (*cells, *cells.values()))


def test_lines_that_are_no_objects_are_told(tmp_path: Path) -> None:
    found = rows_of(write(tmp_path, '{"text": "a"}\n{"text": "b"}\nnonsense\n[1]\n{"text": "c"}\n', "a.jsonl"))
    said = [row.cells.get("text", row.problem) for row in found]
    assert said == ["a", "b", "is no JSON object", "is no JSON object", "c"]
    assert [bool(row.problem) for row in rows_of(write(tmp_path, '{"text": "a"}\nnonsense\n', "a.jsonl"))] == [
        False,
        True,
    ]


@pytest.mark.parametrize("content", ['[{"a": 1}]\n[{"a": 2}]', '{"a": [{"b": 1}],\n"c": 2}{"a": 3}', '[{"a": 1}] x'])
def test_nothing_behind_the_json_is_left_out_in_silence(tmp_path: Path, content: str) -> None:
    with pytest.raises(Invalid):
        rows_of(write(tmp_path, content, "a.json"))


SHEET = """<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData>
</worksheet>"""
ROWS = """
<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>when</t></is></c>
<c r="D1" t="str"><v>n</v></c></row>
<row r="3"><c r="A3" t="s"><v>1</v></c><c r="B3" s="1"><v>46115.2126967593</v></c><c r="D3"><v>12</v></c></row>
<row r="4"><c r="A4" t="inlineStr"><is><r><t>Rich </t></r><r><t>text</t></r><rPh><t>no</t></rPh></is></c>
<c r="B4" s="1"><v>46115</v></c><c r="D4" t="b"><v>1</v></c></row>
<row r="5"><c r="A5" t="e"><v>#REF!</v></c><c r="D5"><f>1+1</f><v>2.5</v></c></row>
"""
STYLES = """<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
<numFmts count="1"><numFmt numFmtId="170" formatCode="yyyy\\-mm\\-dd hh:mm"/></numFmts>
<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="170"/></cellXfs></styleSheet>"""
SHARED = """<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>text</t></si>
<si><r><t>Hello </t></r><r><t>there</t></r></si></sst>"""
BOOK = """<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"
 xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>
<sheet name="Answers" sheetId="1" r:id="rId1"/><sheet name="Hidden" sheetId="2" r:id="rId2" state="hidden"/>
</sheets></workbook>"""
RELATIONS = """<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Target="worksheets/sheet2.xml"/>
</Relationships>"""


def workbook(folder: Path, **changed: str) -> Path:
    """A workbook of our own, with parts changed."""
    parts = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": BOOK,
        "xl/_rels/workbook.xml.rels": RELATIONS,
        "xl/styles.xml": STYLES,
        "xl/sharedStrings.xml": SHARED,
        "xl/worksheets/sheet1.xml": SHEET.format(rows=ROWS),
        "xl/worksheets/sheet2.xml": SHEET.format(rows=ROWS),
        **changed,
    }
    path = folder / "book.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, content)
    return path


def test_a_workbook_gives_texts_dates_numbers_and_results(tmp_path: Path) -> None:
    with open_file(workbook(tmp_path)) as file:
        assert [table.name for table in file.tables] == ["Answers"]
        assert file.tables[0].columns == ("text", "when", "column 3", "n")
        found = [row.cells for row in file.tables[0].rows()]
    assert found == [
        {"text": "Hello there", "when": "2026-04-03 05:06:17", "column 3": "", "n": "12"},
        {"text": "Rich text", "when": "2026-04-03", "column 3": "", "n": "true"},
        {"text": "", "column 3": "", "when": "", "n": "2.5"},
    ]


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ('<c t="s"><v>²</v></c>', ""),
        (f'<c t="s"><v>{"9" * 5000}</v></c>', ""),
        ('<c t="s"><v>-1</v></c>', ""),
        ('<c s="²"><v>1</v></c>', "1"),
        (f'<c s="{"9" * 5000}"><v>1</v></c>', "1"),
        ('<c r="é1"><v>1</v></c>', "1"),
        ('<c t="n"><v>1e999</v></c>', "inf"),
        ('<c t="s"><v>0</v></c>', "text"),
    ],
)
def test_numbers_that_are_none_cost_their_cell_and_nothing_else(tmp_path: Path, cell: str, read: str) -> None:
    styles = STYLES.replace('numFmtId="170" formatCode', 'numFmtId="²" formatCode').replace('"0"/>', '"x"/>')
    rows = f'<row><c t="str"><v>a</v></c><c t="str"><v>b</v></c></row><row>{cell}<c><v>7</v></c></row>'
    parts = {"xl/worksheets/sheet1.xml": SHEET.format(rows=rows), "xl/styles.xml": styles}
    with open_file(workbook(tmp_path, **parts)) as file:
        assert list(next(iter(file.tables[0].rows())).cells.values()) == [read, "7"]


def test_a_workbook_within_a_zip_is_read(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.write(workbook(tmp_path), "export/book.xlsx")
        packed.writestr("export/more.csv", "text\nOne\n")
        packed.writestr("export/read me.pdf", "%PDF")
        packed.writestr("__MACOSX/._more.csv", "junk")
    with open_file(path) as file:
        assert [(table.name, len(list(table.rows()))) for table in file.tables] == [("Answers", 3), ("more.csv", 1)]
        assert file.left_out == ("export/read me.pdf",)


def test_what_was_seen_is_kept_as_it_was(tmp_path: Path) -> None:
    with open_file(write(tmp_path, "text,day\nOne,03/04/2026\nTwo,\n")) as file:
        look = look_at(file)
    assert look_from_json(look.as_json()) == look
    assert (look.tables[0].rows, look.tables[0].filled, look.tables[0].examples) == (
        2, {"text": 2, "day": 1}, {"day": "03/04/2026"},
    )  # fmt: skip
