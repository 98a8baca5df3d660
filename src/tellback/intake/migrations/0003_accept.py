"""The database function behind `intake.accept`."""

from django.db import migrations

# One call is one commit for the edge: items, idempotency keys and the job that follows, or nothing. Rows of one call
# must not share an idempotency key (the caller keeps them apart). It answers for each row, or with nothing when all of
# them were new.
ACCEPT = """
    CREATE FUNCTION tellback_accept(for_workspace uuid, submitted jsonb)
        RETURNS TABLE (n int, id uuid, receipt_token varchar, outcome text)
        LANGUAGE plpgsql
    AS $$
    #variable_conflict use_column
    DECLARE
        fresh uuid[];
        asked bigint;
    BEGIN
        PERFORM set_config('tellback.workspace_id', for_workspace::text, true);

        WITH input AS (
            SELECT * FROM jsonb_to_recordset(submitted) AS x(
                id uuid, source_id uuid, source_type text, external_id text, dedupe_key text, external_url text,
                source_created_at timestamptz, author jsonb, content jsonb, context_envelope jsonb, channel text,
                category text, severity text, receipt_token text, silent boolean, now timestamptz,
                scope text, key text, fingerprint text, expires_at timestamptz)
        ), won AS (
            INSERT INTO idempotency_key
                (id, workspace_id, scope, key, fingerprint, raw_item_id, created_at, expires_at)
            SELECT gen_random_uuid(), for_workspace, scope, key, fingerprint, id, now, expires_at
            FROM input WHERE key IS NOT NULL
            ON CONFLICT (workspace_id, scope, key) DO UPDATE
                SET fingerprint = excluded.fingerprint, raw_item_id = excluded.raw_item_id,
                    created_at = excluded.created_at, expires_at = excluded.expires_at
                WHERE idempotency_key.expires_at <= excluded.created_at
            RETURNING raw_item_id
        ), stored AS (
            INSERT INTO raw_feedback_items
                (id, workspace_id, source_id, source_type, external_id, dedupe_key, external_url, source_created_at,
                 author, content, context_envelope, channel, category, severity, receipt_token, silent,
                 processing_state, state_changed_at, attempt_count, created_at, updated_at)
            SELECT id, for_workspace, source_id, source_type, external_id, dedupe_key, external_url, source_created_at,
                 author, content, context_envelope, channel, category, severity, receipt_token, silent,
                 'pending_context', now, 0, now, now
            FROM input WHERE key IS NULL OR id IN (SELECT raw_item_id FROM won)
            ON CONFLICT (source_id, dedupe_key) DO NOTHING
            RETURNING id
        )
        SELECT array_agg(stored.id), (SELECT count(*) FROM input) INTO fresh, asked FROM stored;

        IF fresh IS NOT NULL THEN
            INSERT INTO procrastinate_jobs (queue_name, task_name, args)
            VALUES ('feedback-ingest', 'intake.enrich',
                    jsonb_build_object('workspace_id', for_workspace, 'item_ids', to_jsonb(fresh)));
        END IF;

        -- The ordinary case: everything was new, so there is nothing to say that the caller does not know.
        IF cardinality(fresh) = asked THEN
            RETURN;
        END IF;

        -- A second statement, so that it sees what another transaction committed while the first one waited for it.
        RETURN QUERY
            SELECT i.n, coalesce(r.id, known.id, same.id), coalesce(r.receipt_token, known.receipt_token, same.receipt_token),
                CASE WHEN r.id IS NOT NULL THEN 'accepted'
                     WHEN k.raw_item_id IS NOT NULL AND k.fingerprint <> i.fingerprint THEN 'conflict'
                     ELSE 'duplicate' END
            FROM jsonb_to_recordset(submitted) AS i(
                n int, id uuid, source_id uuid, dedupe_key text, scope text, key text, fingerprint text)
            LEFT JOIN raw_feedback_items r ON r.id = i.id
            LEFT JOIN idempotency_key k
                ON r.id IS NULL AND k.workspace_id = for_workspace AND k.scope = i.scope AND k.key = i.key
            LEFT JOIN raw_feedback_items known ON known.id = k.raw_item_id AND k.fingerprint = i.fingerprint
            LEFT JOIN raw_feedback_items same
                ON r.id IS NULL AND i.key IS NULL AND same.source_id = i.source_id AND same.dedupe_key = i.dedupe_key;
    END $$;
"""


class Migration(migrations.Migration):
    """Accepting is one statement."""

    dependencies = [
        ("intake", "0002_row_security"),
        ("procrastinate", "0041_post_retry_failed_job"),
    ]

    operations = [
        migrations.RunSQL(sql=ACCEPT, reverse_sql="DROP FUNCTION tellback_accept(uuid, jsonb);"),
    ]
