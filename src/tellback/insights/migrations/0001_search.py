"""The search's tables, the triggers that keep them honest, and the look-up by words."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import tellback.kernel.ids
from tellback.platform.tenancy import each_workspace, foreign_key_from_below, owner_may_look_up, row_security

# Notes are only added, never merged: two transactions that note the same things do not wait for each other.
NOTED = """
    CREATE FUNCTION tellback_note_stale(workspace uuid, what text, thing uuid) RETURNS void LANGUAGE sql AS $$
        INSERT INTO search_stale (id, created_at, workspace_id, kind, thing_id)
        VALUES (gen_random_uuid(), now(), workspace, what, thing)
    $$;

    CREATE FUNCTION tellback_signals_said() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            DELETE FROM search_entry WHERE id IN (SELECT id FROM was);
            PERFORM tellback_note_stale(workspace_id, 'item', item)
                FROM (SELECT DISTINCT workspace_id, raw_feedback_item_id AS item FROM was) AS items;
        ELSIF TG_OP = 'INSERT' THEN
            PERFORM tellback_note_stale(workspace_id, 'item', item)
                FROM (SELECT DISTINCT workspace_id, raw_feedback_item_id AS item FROM is_now) AS items;
        ELSE
            DELETE FROM search_entry WHERE id IN (
                SELECT was.id FROM was JOIN is_now USING (id)
                WHERE (was.summary, was.evidence, was.implicit_need)
                    IS DISTINCT FROM (is_now.summary, is_now.evidence, is_now.implicit_need));
            PERFORM tellback_note_stale(workspace_id, 'item', item) FROM (
                SELECT DISTINCT is_now.workspace_id, is_now.raw_feedback_item_id AS item FROM was JOIN is_now USING (id)
                WHERE (was.summary, was.evidence, was.implicit_need, was.signal_type, was.sentiment, was.urgency,
                       was.board_id)
                    IS DISTINCT FROM (is_now.summary, is_now.evidence, is_now.implicit_need, is_now.signal_type,
                       is_now.sentiment, is_now.urgency, is_now.board_id)) AS items;
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER search_signals_made AFTER INSERT ON feedback_signals REFERENCING NEW TABLE AS is_now
        FOR EACH STATEMENT EXECUTE FUNCTION tellback_signals_said();
    CREATE TRIGGER search_signals_changed AFTER UPDATE ON feedback_signals
        REFERENCING OLD TABLE AS was NEW TABLE AS is_now FOR EACH STATEMENT EXECUTE FUNCTION tellback_signals_said();
    CREATE TRIGGER search_signals_gone AFTER DELETE ON feedback_signals REFERENCING OLD TABLE AS was
        FOR EACH STATEMENT EXECUTE FUNCTION tellback_signals_said();

    CREATE FUNCTION tellback_feedback_opened() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM tellback_note_stale(workspace_id, 'item', raw_item_id) FROM is_now;
        RETURN NULL;
    END $$;
    CREATE TRIGGER search_feedback_opened AFTER INSERT ON feedback REFERENCING NEW TABLE AS is_now
        FOR EACH STATEMENT EXECUTE FUNCTION tellback_feedback_opened();

    CREATE FUNCTION tellback_item_resaid() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.content IS DISTINCT FROM OLD.content THEN
            DELETE FROM search_entry WHERE raw_item_id = NEW.id;
        END IF;
        PERFORM tellback_note_stale(NEW.workspace_id, 'item', NEW.id);
        RETURN NULL;
    END $$;
    CREATE TRIGGER search_item_resaid AFTER UPDATE OF content, principal_id ON raw_feedback_items FOR EACH ROW
        WHEN (NEW.content IS DISTINCT FROM OLD.content
              OR (OLD.principal_id IS NOT NULL AND NEW.principal_id IS DISTINCT FROM OLD.principal_id))
        EXECUTE FUNCTION tellback_item_resaid();

    CREATE FUNCTION tellback_plan_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM tellback_note_stale(workspace_id, 'item', id) FROM raw_feedback_items WHERE principal_id = NEW.id;
        RETURN NULL;
    END $$;
    CREATE TRIGGER search_plan_changed AFTER UPDATE OF plan ON principal FOR EACH ROW
        WHEN (NEW.plan IS DISTINCT FROM OLD.plan) EXECUTE FUNCTION tellback_plan_changed();

    CREATE FUNCTION tellback_thing_worded() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            DELETE FROM search_entry WHERE id = OLD.id;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            PERFORM tellback_note_stale(NEW.workspace_id, TG_ARGV[0], NEW.id);
        END IF;
        RETURN NULL;
    END $$;
    CREATE FUNCTION tellback_thing_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM tellback_note_stale(NEW.workspace_id, TG_ARGV[0], NEW.id);
        RETURN NULL;
    END $$;
    CREATE TRIGGER search_theme_made AFTER INSERT OR DELETE ON feedback_themes FOR EACH ROW
        EXECUTE FUNCTION tellback_thing_worded('theme');
    CREATE TRIGGER search_theme_worded AFTER UPDATE OF title, summary, status ON feedback_themes FOR EACH ROW
        WHEN ((NEW.title, NEW.summary, NEW.status) IS DISTINCT FROM (OLD.title, OLD.summary, OLD.status))
        EXECUTE FUNCTION tellback_thing_worded('theme');
    CREATE TRIGGER search_theme_counted AFTER UPDATE OF board_id, last_signal_at, type_distribution,
            sentiment_distribution, urgency_distribution, source_distribution ON feedback_themes FOR EACH ROW
        WHEN ((NEW.board_id, NEW.last_signal_at, NEW.type_distribution, NEW.sentiment_distribution,
               NEW.urgency_distribution, NEW.source_distribution)
              IS DISTINCT FROM (OLD.board_id, OLD.last_signal_at, OLD.type_distribution, OLD.sentiment_distribution,
               OLD.urgency_distribution, OLD.source_distribution))
        EXECUTE FUNCTION tellback_thing_changed('theme');
    CREATE TRIGGER search_post_made AFTER INSERT OR DELETE ON post FOR EACH ROW
        EXECUTE FUNCTION tellback_thing_worded('post');
    CREATE TRIGGER search_post_worded AFTER UPDATE OF title, body, official_response, canonical_post_id ON post
        FOR EACH ROW
        WHEN ((NEW.title, NEW.body, NEW.official_response, NEW.canonical_post_id)
              IS DISTINCT FROM (OLD.title, OLD.body, OLD.official_response, OLD.canonical_post_id))
        EXECUTE FUNCTION tellback_thing_worded('post');
    CREATE TRIGGER search_post_moved AFTER UPDATE OF board_id ON post FOR EACH ROW
        WHEN (NEW.board_id IS DISTINCT FROM OLD.board_id) EXECUTE FUNCTION tellback_thing_changed('post');
"""
UNNOTED = """
    DROP FUNCTION tellback_signals_said() CASCADE;
    DROP FUNCTION tellback_feedback_opened() CASCADE;
    DROP FUNCTION tellback_item_resaid() CASCADE;
    DROP FUNCTION tellback_plan_changed() CASCADE;
    DROP FUNCTION tellback_thing_worded() CASCADE;
    DROP FUNCTION tellback_thing_changed() CASCADE;
    DROP FUNCTION tellback_note_stale(uuid, text, uuid);
"""
ALL_STALE = """
    INSERT INTO search_stale (id, created_at, workspace_id, kind, thing_id)
    SELECT gen_random_uuid(), now(), workspace_id, kind, id FROM (
        SELECT workspace_id, 'item' AS kind, id FROM raw_feedback_items
        UNION ALL SELECT workspace_id, 'theme', id FROM feedback_themes
        UNION ALL SELECT workspace_id, 'post', id FROM post) AS things
"""

# Row security keeps an index from an operator that is not leakproof, as that of text search is. So this acts as the
# owner, and names the workspace itself. Needs are looked for in an index of their own. A row of `asked` is one language with its query, exact and by beginnings; of what
# very many say, the latest are ranked.
FITS = """
    entry.workspace_id = nullif(current_setting('tellback.workspace_id', true), '')::uuid
    AND entry.language = asked.language AND entry.words @@ asked.wide::tsquery AND entry.kind = ANY (kinds)
    AND entry.facets @> wanted AND (since IS NULL OR entry.at >= since) AND (until IS NULL OR entry.at < until)
"""
FOUND = """
    CREATE FUNCTION tellback_search_words(
        languages text[], exact text[], wide text[], kinds text[], wanted text[], since timestamptz, until timestamptz,
        ranked int, most int
    ) RETURNS TABLE (id uuid, kind text, raw_item_id uuid, rank real)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public SET enable_seqscan = off
        AS $$
            SELECT found.id, found.kind, found.raw_item_id,
                   (ts_rank(found.words, asked.exact::tsquery, 1)
                    + 0.1 * ts_rank(found.words, asked.wide::tsquery, 1))::real
            FROM unnest(languages, exact, wide) AS asked (language, exact, wide)
            CROSS JOIN LATERAL (
                (SELECT entry.id, entry.kind, entry.raw_item_id, entry.words, entry.at FROM public.search_entry AS entry
                WHERE NOT entry.kind = 'signal' AND FITS
                ORDER BY entry.at DESC, entry.id LIMIT ranked)
                UNION ALL
                (SELECT entry.id, entry.kind, entry.raw_item_id, entry.words, entry.at FROM public.search_entry AS entry
                WHERE entry.kind = 'signal' AND 'signal' = ANY (kinds) AND FITS
                ORDER BY entry.at DESC, entry.id LIMIT ranked)
            ) AS found
            ORDER BY 4 DESC, found.at DESC, found.id
            LIMIT most
        $$;

    CREATE FUNCTION tellback_search_languages() RETURNS TABLE (language text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
        AS $$
            WITH RECURSIVE here AS (
                SELECT nullif(current_setting('tellback.workspace_id', true), '')::uuid AS workspace
            ), known AS (
                SELECT (SELECT min(entry.language) FROM public.search_entry AS entry, here
                        WHERE entry.workspace_id = here.workspace)::text AS language
                UNION ALL
                SELECT (SELECT min(entry.language) FROM public.search_entry AS entry, here
                        WHERE entry.workspace_id = here.workspace AND entry.language > known.language)::text
                FROM known WHERE known.language IS NOT NULL
            )
            SELECT known.language FROM known WHERE known.language IS NOT NULL
        $$;
"""


class Migration(migrations.Migration):
    """Additive. What is there already is noted as stale, and indexed by the job within minutes."""

    initial = True

    dependencies = [
        ("boards", "0003_imported_things"),
        ("intake", "0009_import_runs"),
        ("themes", "0005_replay"),
        ("triage", "0004_duplicates"),
        ("understanding", "0007_nearest_signals"),
        ("workspaces", "0005_signed_out_and_erased"),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("feedback", "Feedback"),
                            ("signal", "Need"),
                            ("theme", "Theme"),
                            ("post", "Post"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "raw_item_id",
                    models.UUIDField(blank=True, help_text="The item that feedback is, or a signal is of", null=True),
                ),
                ("at", models.DateTimeField(help_text="When it was said")),
                ("language", models.CharField(help_text="How its words are stemmed: see languages", max_length=20)),
                (
                    "facets",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), help_text="What it can be narrowed to: name:value", size=None
                    ),
                ),
                ("words", django.contrib.postgres.search.SearchVectorField()),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="workspaces.workspace",
                    ),
                ),
            ],
            options={
                "db_table": "search_entry",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        condition=models.Q(("kind", "signal"), _negated=True),
                        fields=["words"],
                        name="search_entry_words_idx",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        condition=models.Q(("kind", "signal")), fields=["words"], name="search_entry_needs_idx"
                    ),
                    models.Index(fields=["workspace", "language"], name="search_entry_language_idx"),
                    models.Index(fields=["raw_item_id"], name="search_entry_item_idx"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchStale",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "kind",
                    models.CharField(choices=[("item", "Item"), ("theme", "Theme"), ("post", "Post")], max_length=10),
                ),
                ("thing_id", models.UUIDField()),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.workspace"
                    ),
                ),
            ],
            options={"db_table": "search_stale"},
        ),
        *row_security("search_entry", "search_stale"),
        foreign_key_from_below(
            table="search_entry", column="raw_item_id", to="raw_feedback_items", on_delete="CASCADE"
        ),
        *owner_may_look_up("search_entry"),
        migrations.RunSQL(sql=NOTED, reverse_sql=UNNOTED),
        migrations.RunSQL(
            sql=FOUND.replace("FITS", FITS),
            reverse_sql="""
                DROP FUNCTION tellback_search_words(
                    text[], text[], text[], text[], text[], timestamptz, timestamptz, int, int);
                DROP FUNCTION tellback_search_languages();
            """,
        ),
        each_workspace(ALL_STALE),
    ]
