"""What corrections taught: heads, guidance, what an engine said before, and what people were asked about."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import tellback.kernel.ids
from tellback.platform.tenancy import row_security


class Migration(migrations.Migration):
    """Additive: older code may go on writing signals and corrections."""

    dependencies = [
        ("understanding", "0005_notes_on_signals"),
        ("workspaces", "0005_signed_out_and_erased"),
    ]

    operations = [
        migrations.AddField(
            model_name="correction",
            name="is_check",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Asked about at random; the new value may be the previous one",
            ),
        ),
        migrations.AddField(
            model_name="signal",
            name="engine_reading",
            field=models.JSONField(
                blank=True,
                help_text="What the engine said where corrections taught otherwise: {field: [value, confidence]}",
                null=True,
            ),
        ),
        migrations.CreateModel(
            name="Guidance",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("text", models.TextField()),
                ("corrections", models.PositiveIntegerField(help_text="How many corrections it was made of")),
                ("made_at", models.DateTimeField()),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.workspace"
                    ),
                ),
            ],
            options={
                "db_table": "learnt_guidance",
                "constraints": [models.UniqueConstraint(fields=("workspace",), name="learnt_guidance_one")],
            },
        ),
        migrations.CreateModel(
            name="LearntHead",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "field",
                    models.CharField(
                        choices=[
                            ("theme_id", "Theme"),
                            ("signal_type", "Type"),
                            ("sentiment", "Feeling"),
                            ("urgency", "Urgency"),
                            ("board_id", "Board"),
                            ("not_feedback", "Not feedback"),
                        ],
                        max_length=30,
                    ),
                ),
                ("engine", models.TextField(help_text="Model and prompt version that it corrects")),
                ("embedding_model", models.TextField()),
                ("judged", models.PositiveIntegerField(help_text="How many judgements of people it was made of")),
                ("weights", models.JSONField(help_text="As `WorkspaceHead.as_json` writes it")),
                ("trained_at", models.DateTimeField()),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.workspace"
                    ),
                ),
            ],
            options={
                "db_table": "learnt_heads",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("workspace", "field", "engine", "embedding_model"), name="learnt_heads_one"
                    )
                ],
            },
        ),
        *row_security("learnt_heads", "learnt_guidance"),
    ]
