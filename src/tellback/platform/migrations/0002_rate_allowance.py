"""Rate limits that all processes share."""

from django.db import migrations

from tellback.platform.tenancy import row_security

# Unlogged: after a crash of the server everybody starts with a whole allowance, which costs less than a disk write for
# each request would. Times are Unix seconds.
TABLE = """
    CREATE UNLOGGED TABLE rate_allowance (
        workspace_id uuid NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
        subject text NOT NULL,
        whole_at double precision NOT NULL,
        granted int NOT NULL,
        PRIMARY KEY (workspace_id, subject)
    );
"""

# The generic cell rate algorithm. A `whole_at` further ahead than a minute can only come from a clock that was set back
# since, and locks nobody out. Subjects are taken in order, so that two calls never wait for each other crosswise.
TAKE = """
    CREATE FUNCTION tellback_take_allowance(
            for_workspace uuid, subjects text[], wanted int[], per_minute int[],
            at double precision DEFAULT extract(epoch FROM clock_timestamp()))
        RETURNS TABLE (subject text, granted int, remaining int, wait double precision)
        LANGUAGE sql
    AS $$
        SELECT set_config('tellback.workspace_id', for_workspace::text, true);

        WITH asked AS (
            SELECT a.subject, a.wanted, a.per_minute, 60.0::double precision / a.per_minute AS step
            FROM unnest(subjects, wanted, per_minute) AS a(subject, wanted, per_minute) ORDER BY a.subject
        ), taken AS (
            INSERT INTO rate_allowance AS r (workspace_id, subject, whole_at, granted)
            SELECT for_workspace, a.subject, at + least(a.wanted, a.per_minute) * a.step, least(a.wanted, a.per_minute)
            FROM asked a
            ON CONFLICT (workspace_id, subject) DO UPDATE SET (whole_at, granted) = (
                SELECT b.base + g.granted * a.step, g.granted
                FROM asked a,
                    LATERAL (SELECT CASE WHEN r.whole_at > at + 61 THEN at ELSE greatest(r.whole_at, at) END) b(base),
                    LATERAL (SELECT greatest(0, least(a.wanted, floor((at + 60.000001 - b.base) / a.step)))::int) g(granted)
                WHERE a.subject = excluded.subject)
            RETURNING r.subject, r.granted, r.whole_at
        )
        SELECT t.subject, t.granted,
            greatest(0, least(a.per_minute, floor((at + 60.000001 - t.whole_at) / a.step)))::int,
            greatest(0, t.whole_at + a.step - at - 60)
        FROM taken t JOIN asked a USING (subject);
    $$;
"""


class Migration(migrations.Migration):
    """One row a subject, and the function that takes from its allowance."""

    dependencies = [
        ("platform", "0001_job_failure"),
        ("workspaces", "0001_first_tables"),
    ]

    operations = [
        migrations.RunSQL(sql=TABLE, reverse_sql="DROP TABLE rate_allowance;"),
        *row_security("rate_allowance"),
        migrations.RunSQL(
            sql=TAKE,
            reverse_sql="DROP FUNCTION tellback_take_allowance(uuid, text[], int[], int[], double precision);",
        ),
    ]
