"""Workspaces take turns: jobs of one that has many waiting rank below those of others.

Within a workspace the order stays what it was as long as few jobs wait. Jobs with a lock keep their rank, since a lock
promises their order; so do the queues of effects and maintenance. At most 256 rows of an index are looked at.
"""

from django.db import migrations


class Migration(migrations.Migration):
    """Additive: what waits already keeps its rank."""

    dependencies = [
        ("platform", "0003_installation_key"),
    ]

    operations = [
        migrations.RunSQL(
            sql="""
                CREATE INDEX procrastinate_jobs_turns_idx
                    ON procrastinate_jobs ((args->>'workspace_id'), queue_name) WHERE status = 'todo';

                CREATE FUNCTION rank_by_turn() RETURNS trigger LANGUAGE plpgsql AS $$
                DECLARE
                    waiting int;
                BEGIN
                    SELECT count(*) INTO waiting FROM (
                        SELECT FROM procrastinate_jobs
                        WHERE status = 'todo' AND queue_name = NEW.queue_name
                            AND args->>'workspace_id' = NEW.args->>'workspace_id'
                        LIMIT 256
                    ) AS looked_at;
                    NEW.priority := CASE WHEN waiting < 32 THEN 0 WHEN waiting < 128 THEN -1
                                         WHEN waiting < 256 THEN -2 ELSE -3 END;
                    RETURN NEW;
                END $$;

                CREATE TRIGGER rank_by_turn BEFORE INSERT ON procrastinate_jobs FOR EACH ROW
                    WHEN (NEW.lock IS NULL AND NEW.priority = 0 AND NEW.args ? 'workspace_id'
                          AND NEW.queue_name IN ('feedback-ingest', 'feedback-ai'))
                    EXECUTE FUNCTION rank_by_turn();
            """,
            reverse_sql="""
                DROP TRIGGER rank_by_turn ON procrastinate_jobs;
                DROP FUNCTION rank_by_turn();
                DROP INDEX procrastinate_jobs_turns_idx;
            """,
        ),
    ]
