"""Files that come with raw items, stored in the same statement as the items."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import tellback.kernel.ids
from tellback.platform.tenancy import row_security

# As tellback_accept, for rows with files: those of an item that was known already are not stored again.
ACCEPT_WITH_FILES = """
    CREATE FUNCTION tellback_accept_with_files(for_workspace uuid, submitted jsonb)
        RETURNS TABLE (n int, id uuid, receipt_token varchar, outcome text)
        LANGUAGE plpgsql
    AS $$
    #variable_conflict use_column
    BEGIN
        RETURN QUERY SELECT * FROM tellback_accept(for_workspace, submitted);
        INSERT INTO attachment
            (id, workspace_id, raw_item_id, position, name, media_type, size_bytes, digest, file_key, width, height,
             created_at)
        SELECT file.id, for_workspace, item.id, file.position, file.name, file.media_type, file.size_bytes,
               file.digest, file.file_key, file.width, file.height, item.now
        FROM jsonb_to_recordset(submitted) AS item(id uuid, now timestamptz, files jsonb)
        CROSS JOIN LATERAL jsonb_to_recordset(item.files) AS file(
            id uuid, position smallint, name text, media_type text, size_bytes int, digest text, file_key text,
            width int, height int)
        WHERE jsonb_typeof(item.files) = 'array'
            AND EXISTS (SELECT 1 FROM raw_feedback_items r WHERE r.id = item.id);
    END $$;
"""


class Migration(migrations.Migration):
    """Attachments."""

    dependencies = [
        ("intake", "0004_source_of_own_workspace"),
        ("workspaces", "0002_row_security"),
    ]

    operations = [
        migrations.CreateModel(
            name="Attachment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("position", models.PositiveSmallIntegerField()),
                ("name", models.TextField(help_text="Safe to show and to save under; private data is taken out")),
                ("media_type", models.CharField(max_length=60)),
                ("size_bytes", models.PositiveIntegerField()),
                ("digest", models.CharField(help_text="SHA-256 of the content, hex", max_length=64)),
                ("file_key", models.TextField(help_text="Where the content is kept", unique=True)),
                ("width", models.PositiveIntegerField(blank=True, null=True)),
                ("height", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "raw_item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="attachments", to="intake.rawitem"
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.workspace"
                    ),
                ),
            ],
            options={
                "db_table": "attachment",
                "constraints": [
                    models.UniqueConstraint(fields=("raw_item", "position"), name="attachment_position_unique")
                ],
            },
        ),
        *row_security("attachment"),
        migrations.RunSQL(sql=ACCEPT_WITH_FILES, reverse_sql="DROP FUNCTION tellback_accept_with_files(uuid, jsonb);"),
    ]
