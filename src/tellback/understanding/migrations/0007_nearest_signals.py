"""Signals by where they lie: a narrow table that the database keeps, with an index for each usual size of vectors."""

import django.db.models.deletion
import django.utils.timezone
import pgvector.django.halfvec
from django.db import migrations, models

import tellback.kernel.ids
from tellback.platform.tenancy import each_workspace, foreign_key_from_below, row_security

#: Sizes of vectors that usual models make. Those of any other are compared one by one.
SIZES = (384, 768, 1024, 1536, 3072)

KEPT = """
    CREATE FUNCTION tellback_keep_signal_vector() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.embedding IS NULL OR NEW.embedding_model IS NULL THEN
            DELETE FROM signal_vectors WHERE id = NEW.id;
        ELSE
            INSERT INTO signal_vectors AS kept
                (id, created_at, workspace_id, raw_feedback_item_id, embedding_model, embedding)
            VALUES (NEW.id, NEW.created_at, NEW.workspace_id, NEW.raw_feedback_item_id, NEW.embedding_model,
                    NEW.embedding::halfvec)
            ON CONFLICT (id) DO UPDATE SET embedding_model = excluded.embedding_model, embedding = excluded.embedding
                WHERE kept.embedding_model <> excluded.embedding_model OR kept.embedding <> excluded.embedding;
        END IF;
        RETURN NULL;
    END $$;

    CREATE TRIGGER keep_signal_vector AFTER INSERT OR UPDATE OF embedding, embedding_model ON feedback_signals
        FOR EACH ROW EXECUTE FUNCTION tellback_keep_signal_vector();
"""
FILLED = """
    INSERT INTO signal_vectors (id, created_at, workspace_id, raw_feedback_item_id, embedding_model, embedding)
    SELECT id, created_at, workspace_id, raw_feedback_item_id, embedding_model, embedding::halfvec
    FROM feedback_signals WHERE embedding IS NOT NULL AND embedding_model IS NOT NULL
"""


def _index(size: int) -> migrations.RunSQL:
    """Small (m) and quick to build: an insertion costs a quarter of that with pgvector's own settings."""
    name = f"signal_vectors_nearest_{size}"
    return migrations.RunSQL(
        sql=f"""
            CREATE INDEX {name} ON signal_vectors USING hnsw ((embedding::halfvec({size})) halfvec_cosine_ops)
                WITH (m = 8, ef_construction = 32) WHERE vector_dims(embedding) = {size};
        """,
        reverse_sql=f"DROP INDEX {name};",
    )


class Migration(migrations.Migration):
    """Additive: older code goes on writing signals, and the database the vectors beside them."""

    dependencies = [
        ("understanding", "0006_learning"),
        ("workspaces", "0005_signed_out_and_erased"),
    ]

    operations = [
        migrations.CreateModel(
            name="SignalVector",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("raw_feedback_item_id", models.UUIDField()),
                ("embedding_model", models.TextField()),
                ("embedding", pgvector.django.halfvec.HalfVectorField()),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.workspace"
                    ),
                ),
            ],
            options={"db_table": "signal_vectors"},
        ),
        *row_security("signal_vectors"),
        foreign_key_from_below(table="signal_vectors", column="id", to="feedback_signals", on_delete="CASCADE"),
        migrations.RunSQL(
            sql=KEPT,
            reverse_sql="""
                DROP TRIGGER keep_signal_vector ON feedback_signals;
                DROP FUNCTION tellback_keep_signal_vector();
            """,
        ),
        each_workspace(FILLED),
        # What was filled in is checked now: PostgreSQL indexes no table whose rows still wait for their constraints.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        *(_index(size) for size in SIZES),
    ]
