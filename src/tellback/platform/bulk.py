"""Writing many rows in one statement."""

from collections.abc import Sequence

from django.db import connection
from django.db.models import Model
from psycopg import sql


def update_rows(rows: Sequence[Model], fields: Sequence[str]) -> None:
    """Store these fields of rows that exist, in one `UPDATE … FROM unnest(…)`. Does nothing for no rows.

    Django's `bulk_update` writes a CASE over all rows for each field, whose making costs more than the rest of a job.
    Like that, it neither sets `auto_now` fields nor sends signals.
    """
    if not rows:
        return
    meta = rows[0]._meta
    concrete = {column.name: column for column in meta.concrete_fields}
    columns = [meta.pk, *(concrete[name] for name in fields)]
    names = [sql.Identifier(str(column.column)) for column in columns]
    statement = sql.SQL(
        "UPDATE {table} AS t SET {sets} FROM unnest({arrays}) AS v({names}) WHERE t.{key} = v.{key}"
    ).format(
        table=sql.Identifier(meta.db_table),
        sets=sql.SQL(", ").join(sql.SQL("{0} = v.{0}").format(name) for name in names[1:]),
        arrays=sql.SQL(", ").join(
            sql.SQL("%s::{}[]").format(sql.SQL(str(column.db_type(connection)))) for column in columns
        ),
        names=sql.SQL(", ").join(names),
        key=names[0],
    )
    values = [[column.get_db_prep_save(getattr(row, column.attname), connection) for row in rows] for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
