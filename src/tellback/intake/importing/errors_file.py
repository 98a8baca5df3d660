"""The refused rows of an import as a file, read anew from the file that was imported."""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import IO
from uuid import UUID

from tellback.intake.importing.reading import ImportFile, Row
from tellback.intake.importing.refused import RefusedFile
from tellback.intake.models import ImportRefusal

AT_ONCE = 2_000


def write_refused(*, file: ImportFile, run_id: UUID, into: IO[bytes]) -> int:
    """Write the refused rows of a run, read anew from its file; returns how many.

    One CSV, or a zip of one for each table when several have any. The same however often the import was stopped.
    """
    places = list(
        ImportRefusal.objects.filter(run_id=run_id, is_left_out=False)
        .order_by("table_index")
        .values_list("table_index", flat=True)
        .distinct()
    )
    if len(places) <= 1:
        return sum(_write_table(file, run_id, place, into) for place in places)
    count = 0
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as packed:
        for place in places:
            name = re.sub(r"[^\w.-]+", "-", file.tables[place].name).removesuffix(".csv")
            with packed.open(f"{place + 1}-{name}.csv", "w") as part:
                count += _write_table(file, run_id, place, part)
    return count


def _write_table(file: ImportFile, run_id: UUID, place: int, into: IO[bytes]) -> int:
    count = 0
    text = io.TextIOWrapper(into, encoding="utf-8", newline="", write_through=True)
    written = RefusedFile(text, file.tables[place].columns)
    written.write_header()
    for row, reason in _refused_rows(file, run_id, place):
        written.write(row.cells, reason=reason, number=row.number, surplus=row.surplus)
        count += 1
    text.detach()
    return count


def _refused_rows(file: ImportFile, run_id: UUID, place: int) -> Iterator[tuple[Row, str]]:
    """Both are in the order of their rows, so neither has to be held."""
    refusals = _refusals(run_id, place)
    wanted = next(refusals, None)
    for row in file.tables[place].rows():
        if wanted is None:
            return
        if row.number == wanted[0]:
            yield row, wanted[1]
            wanted = next(refusals, None)


def _refusals(run_id: UUID, place: int) -> Iterator[tuple[int, str]]:
    """Row and reason, a page at a time."""
    last = 0
    found = ImportRefusal.objects.filter(run_id=run_id, table_index=place, is_left_out=False).order_by("row")
    while page := list(found.filter(row__gt=last).values_list("row", "reason")[:AT_ONCE]):
        yield from page
        last = page[-1][0]
