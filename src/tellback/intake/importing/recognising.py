"""Saying what a file is from what it holds: its format, and what its columns mean."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tellback.intake.importing.fields import DATES, FIELDS, ORDER, Kind, map_columns, missing_field, plain
from tellback.intake.importing.formats import FORMATS, Format, Layout
from tellback.intake.importing.looking import Look, Survey
from tellback.intake.importing.plan import ImportPlan, TablePlan
from tellback.kernel.errors import Invalid

FORMAT_OF = {one.key: one for one in FORMATS}
UNKNOWN = ""
#: Characters that a column has on average to be taken for what was said.
WORDY = 12


def plan_import(
    *,
    look: Look,
    wanted: Mapping[str, str],
    kind: Kind | None = None,
    source_name: str = "",
    channel: str = "",
    board: str = "",
) -> ImportPlan:
    """What the file's tables and columns mean: what the person `wanted`, else what their headers say.

    `kind` says what the rows are; it and `wanted` are for the first table that holds any, or the only one. The plan may
    lack what `require_complete` asks for. Raises `Invalid` for a field or a column that does not exist.
    """
    found = [_find_layout(table) for table in look.tables]
    counts = Counter(one.key for one, _ in found if one)
    main = FORMAT_OF[counts.most_common(1)[0][0]] if counts else None
    main_place = _main_table(found)
    tables = []
    for place, (table, (format_, layout)) in enumerate(zip(look.tables, found, strict=True)):
        asked = (wanted, kind) if place == main_place else ({}, None)
        made = _plan_table(table, format_, layout, asked)
        if missing_field(made.columns, made.kind) and place != main_place:
            made = TablePlan(table.name, Kind.NONE, {})
        tables.append(surveyed(made, table))
    has_rating = any("rating" in one.columns for one in tables)
    return ImportPlan(
        format=main.key if main else UNKNOWN,
        source_name=source_name or _stem(look.name),
        channel=channel or (main.channel if main else "") or ("review" if has_rating else "api"),
        board=board,
        tables=tuple(tables),
    )


def require_complete(plan: ImportPlan, *, look: Look) -> None:
    """Raise `Invalid` when nothing of the plan would be imported, or rows would lack what they must have."""
    for planned, table in zip(plan.tables, look.tables, strict=True):
        if missing := missing_field(planned.columns, planned.kind):
            listed = ", ".join(table.columns[:20])
            raise Invalid(f"No column of {table.name} holds the {missing}. Columns: {listed}.")
    if all(table.kind == Kind.NONE for table in plan.tables):
        raise Invalid(f"Nothing of {look.name} is meant to be imported.")


def guess_text(plan: ImportPlan, *, look: Look) -> ImportPlan:
    """The plan with a text for feedback whose header names none: the column with the longest words in a row.

    For a person to look at, never to be taken as it is.
    """
    tables = [
        replace(planned, columns={**planned.columns, **_longest(planned, table)})
        if planned.kind == Kind.FEEDBACK and "text" not in planned.columns
        else planned
        for planned, table in zip(plan.tables, look.tables, strict=True)
    ]
    return replace(plan, tables=tuple(tables))


def _longest(planned: TablePlan, table: Survey) -> dict[str, str]:
    said = {
        column: sum(len(row.cells.get(column, "")) for row in table.sample if " " in row.cells.get(column, "").strip())
        for column in table.columns
        if column not in planned.columns.values()
    }
    longest = max(said, key=lambda column: said[column], default="")
    return {"text": longest} if said.get(longest, 0) >= WORDY * max(len(table.sample), 1) else {}


def remap(*, look: Look, plan: ImportPlan, place: int, kind: Kind, wanted: Mapping[str, str]) -> ImportPlan:
    """The plan with one table's meaning as a person said it: every field that they name, and no other.

    Rows of another kind than before are mapped by their headers anew. Raises `Invalid` for what does not exist.
    """
    table, before = look.tables[place], plan.tables[place]
    if kind != before.kind:
        # What the format knew of its rows does not hold for others.
        before = TablePlan(before.name, kind, {})
        columns = map_columns(table.columns, kind=kind, wanted={})
    else:
        columns = map_columns(table.columns, kind=kind, wanted={**dict.fromkeys(FIELDS[kind], ""), **wanted})
    changed = surveyed(replace(before, kind=kind, columns=columns), table)
    kept = {one: order for one, order in before.orders.items() if before.columns.get(one) == columns.get(one)}
    changed = replace(changed, orders={**changed.orders, **kept})
    tables = (*plan.tables[:place], changed, *plan.tables[place + 1 :])
    return replace(plan, tables=tables)


def reading_order(plan: ImportPlan) -> list[int]:
    """The places of the tables in the order in which they are read: what others refer to comes first."""
    return sorted(range(len(plan.tables)), key=lambda place: (ORDER.index(plan.tables[place].kind), place))


def _find_layout(table: Survey) -> tuple[Format | None, Layout | None]:
    """The layout that needs most of the table's columns."""
    names = {plain(column) for column in table.columns}
    best: tuple[Format | None, Layout | None] = (None, None)
    weight = 0
    for format_ in FORMATS:
        for layout in format_.layouts:
            if layout.needs <= names and (not layout.of or re.search(layout.of, table.name, re.IGNORECASE)):
                found = 2 * len(layout.needs) + bool(layout.of)
                if found > weight:
                    best, weight = (format_, layout), found
    return best


def _main_table(found: Sequence[tuple[Format | None, Layout | None]]) -> int:
    kinds = [layout.kind if layout else Kind.FEEDBACK for _, layout in found]
    return next((place for place, kind in enumerate(kinds) if kind in {Kind.FEEDBACK, Kind.POSTS}), 0)


def _plan_table(
    table: Survey, format_: Format | None, layout: Layout | None, asked: tuple[Mapping[str, str], Kind | None]
) -> TablePlan:
    wanted, kind = asked
    if layout is None or (kind and kind != layout.kind) or format_ is None:
        kind = kind or Kind.FEEDBACK
        return TablePlan(table.name, kind, map_columns(table.columns, kind=kind, wanted=wanted))
    columns = _columns_of(table, layout)
    if wanted or not layout.columns:
        known = {field: column for field, column in columns.items() if field not in wanted}
        columns = map_columns(table.columns, kind=layout.kind, wanted={**known, **wanted})
    return TablePlan(
        table.name,
        layout.kind,
        columns,
        html=layout.html,
        skips=layout.skips,
        id_parts=tuple(one for one in table.columns if plain(one) in layout.id_parts),
        id_in_link=layout.id_in_link,
        scale_in=next((one for one in table.columns if plain(one) == layout.scale_in), ""),
    )


def _columns_of(table: Survey, layout: Layout) -> dict[str, str]:
    names = {plain(column): column for column in reversed(table.columns)}
    picked = {
        field: next((names[name] for name in choices if name in names), "") for field, choices in layout.columns.items()
    }
    columns = {field: column for field, column in picked.items() if column}
    if missing_field(columns, layout.kind):
        return map_columns(table.columns, kind=layout.kind, wanted=columns)
    return columns


def surveyed(plan: TablePlan, table: Survey) -> TablePlan:
    """The plan with the number of rows, and how the columns that hold its dates write days and months."""
    dated = {field: plan.columns[field] for field in DATES if field in plan.columns}
    return replace(
        plan,
        rows=table.rows,
        orders={field: table.orders[column] for field, column in dated.items() if column in table.orders},
        examples={field: table.examples[column] for field, column in dated.items() if column in table.examples},
    )


def series_of(name: str) -> str:
    """What file names of one series have in common: not their ending, their numbers, or that they were saved again."""
    return re.sub(r"[\d\W_]+", "", _stem(name)).casefold()


def _stem(name: str) -> str:
    """The file's name without its ending, and without what says that it holds refused rows or was saved twice."""
    stem = name.rpartition(".")[0] or name
    return re.sub(r"(\.errors|\s*\(\d+\))+$", "", stem) or stem
