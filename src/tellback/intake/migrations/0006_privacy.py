"""The vault, the ledger of erasures, and how long a source's words are kept."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import tellback.kernel.ids
from tellback.platform.tenancy import row_security

# Only for rows with sealed originals or files: stores the items as ever, then keys and values of those that are new.
ACCEPT_SEALED = """
    CREATE FUNCTION tellback_accept_sealed(for_workspace uuid, submitted jsonb)
        RETURNS TABLE (n int, id uuid, receipt_token varchar, outcome text)
        LANGUAGE plpgsql
    AS $$
    #variable_conflict use_column
    BEGIN
        RETURN QUERY SELECT a.n, a.id, a.receipt_token, a.outcome FROM tellback_accept_with_files(for_workspace, submitted) AS a;

        INSERT INTO vault_key (id, workspace_id, principal_id, wrapped, created_at)
        SELECT (i.sealed->>'key_id')::uuid, for_workspace, NULL, decode(i.sealed->>'wrapped', 'base64'), i.now
        FROM jsonb_to_recordset(submitted) AS i(id uuid, sealed jsonb, now timestamptz)
        JOIN raw_feedback_items r ON r.id = i.id
        WHERE i.sealed IS NOT NULL;

        INSERT INTO vault_value (id, workspace_id, raw_item_id, key_id, token, sealed, created_at)
        SELECT gen_random_uuid(), for_workspace, i.id, k.id, v.key, decode(v.value, 'base64'), i.now
        FROM jsonb_to_recordset(submitted) AS i(id uuid, sealed jsonb, now timestamptz)
        JOIN vault_key k ON k.id = (i.sealed->>'key_id')::uuid
        CROSS JOIN LATERAL jsonb_each_text(i.sealed->'values') AS v
        WHERE i.sealed IS NOT NULL;
    END $$;
"""


class Migration(migrations.Migration):
    """Private data is kept sealed, or gone, and that it is gone is remembered."""

    dependencies = [
        ("connections", "0002_row_security"),
        ("intake", "0005_attachments"),
        ("workspaces", "0002_row_security"),
    ]

    operations = [
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("kind", models.CharField(choices=[("person", "Person"), ("item", "Item")], max_length=10)),
                (
                    "subjects",
                    models.JSONField(default=list, help_text="Keyed digests of what identified the subject, hex"),
                ),
                ("because", models.CharField(help_text="request, withdrawn or replay", max_length=20)),
                ("counts", models.JSONField(default=dict, help_text="How many rows of each kind were emptied")),
            ],
            options={
                "db_table": "erasure",
            },
        ),
        migrations.CreateModel(
            name="VaultKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("wrapped", models.BinaryField(help_text="AES-256-GCM: nonce and data key")),
            ],
            options={
                "db_table": "vault_key",
            },
        ),
        migrations.CreateModel(
            name="VaultValue",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("token", models.CharField(max_length=48)),
                ("sealed", models.BinaryField(help_text="AES-256-GCM: nonce and value")),
            ],
            options={
                "db_table": "vault_value",
            },
        ),
        migrations.AddField(
            model_name="feedbacksource",
            name="retention_days",
            field=models.PositiveIntegerField(
                blank=True, help_text="How long what was written is kept; null keeps it", null=True
            ),
        ),
        migrations.AddConstraint(
            model_name="feedbacksource",
            constraint=models.CheckConstraint(
                condition=models.Q(("retention_days__isnull", True), ("retention_days__gte", 1), _connector="OR"),
                name="retention_days_positive",
            ),
        ),
        migrations.AddField(
            model_name="erasure",
            name="actor",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="workspaces.principal",
            ),
        ),
        migrations.AddField(
            model_name="erasure",
            name="workspace",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.workspace"
            ),
        ),
        migrations.AddField(
            model_name="vaultkey",
            name="principal",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="workspaces.principal",
            ),
        ),
        migrations.AddField(
            model_name="vaultkey",
            name="workspace",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.workspace"
            ),
        ),
        migrations.AddField(
            model_name="vaultvalue",
            name="key",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="values", to="intake.vaultkey"
            ),
        ),
        migrations.AddField(
            model_name="vaultvalue",
            name="raw_item",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="intake.rawitem"),
        ),
        migrations.AddField(
            model_name="vaultvalue",
            name="workspace",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.workspace"
            ),
        ),
        migrations.AddIndex(
            model_name="erasure",
            index=models.Index(fields=["workspace", "-created_at"], name="erasure_time_idx"),
        ),
        migrations.AddConstraint(
            model_name="vaultkey",
            constraint=models.UniqueConstraint(
                condition=models.Q(("principal__isnull", False)),
                fields=("workspace", "principal"),
                name="vault_key_of_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="vaultvalue",
            constraint=models.UniqueConstraint(fields=("raw_item", "token"), name="vault_value_token"),
        ),
        *row_security("vault_key", "vault_value", "erasure"),
        migrations.RunSQL(sql=ACCEPT_SEALED, reverse_sql="DROP FUNCTION tellback_accept_sealed(uuid, jsonb);"),
    ]
