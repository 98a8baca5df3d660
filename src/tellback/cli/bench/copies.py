"""Fills a measured workspace with copies of what is stored in it, so that a large one is there in minutes."""

from typing import Any

import psycopg
from psycopg import sql

#: So many items are copied in one transaction.
AT_ONCE = 10_000
#: Which tables follow an item, by which column, and what is another in a copy.
ITEMS: dict[str, tuple[str, dict[str, str]]] = {
    "raw_feedback_items": (
        "id",
        {"external_id": "c.new::text", "dedupe_key": "c.new::text", "receipt_token": "replace(c.new::text, '-', '')"},
    ),
    "feedback": ("raw_item_id", {"id": "c.new"}),
    "feedback_status_change": ("feedback_id", {"id": "uuidv7()"}),
    "routing_decision": ("feedback_id", {"id": "uuidv7()"}),
    "feedback_signals": ("raw_feedback_item_id", {"id": "uuidv7()"}),
}
CHOSEN = """
    CREATE TEMP TABLE chosen ON COMMIT DROP AS
    SELECT id AS old, uuidv7() AS new FROM (
        SELECT id FROM raw_feedback_items WHERE processing_state = 'completed' ORDER BY id LIMIT %s
    ) AS oldest
"""
RECOUNT = """
    UPDATE feedback_themes AS t SET signal_count = s.count, counted_signals = s.count
    FROM (SELECT theme_id, count(*) FROM feedback_signals WHERE theme_id IS NOT NULL GROUP BY theme_id) AS s
    WHERE s.theme_id = t.id
"""


def fill_up(connection: "psycopg.Connection[Any]", *, items: int) -> None:
    """Copy items until there are so many, then have the database look at its tables, as it would have by itself."""
    copy_items(connection, items=items)
    connection.execute("VACUUM ANALYZE")


def copy_items(connection: "psycopg.Connection[Any]", *, items: int) -> None:
    """Copy items, with their triage records and signals, until there are so many; themes count them."""
    while (missing := items - _count(connection)) > 0:
        with connection.transaction():
            connection.execute(CHOSEN, [min(missing, AT_ONCE)])
            for table, (link, others) in ITEMS.items():
                connection.execute(_copy(connection, table, link, {link: "c.new", **others}))
    connection.execute(RECOUNT)


def _count(connection: "psycopg.Connection[Any]") -> int:
    row = connection.execute("SELECT count(*) FROM raw_feedback_items").fetchone()
    assert row
    return int(row[0])


def _copy(connection: "psycopg.Connection[Any]", table: str, link: str, others: dict[str, str]) -> sql.Composed:
    named = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER' "
        "ORDER BY ordinal_position",
        [table],
    ).fetchall()
    columns = [str(row[0]) for row in named]
    values = [sql.SQL(others[name]) if name in others else sql.Identifier("t", name) for name in columns]
    return sql.SQL(
        "INSERT INTO {table} ({names}) SELECT {values} FROM {table} t JOIN chosen c ON c.old = t.{link}"
    ).format(
        table=sql.Identifier(table),
        names=sql.SQL(", ").join(map(sql.Identifier, columns)),
        values=sql.SQL(", ").join(values),
        link=sql.Identifier(link),
    )
