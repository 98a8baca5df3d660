"""Changes of themes as a whole, proposed and done."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import tellback.kernel.ids
from tellback.platform.tenancy import row_security


class Migration(migrations.Migration):
    """A row for each, with what it takes to take it back."""

    dependencies = [
        ("themes", "0002_row_security"),
        ("workspaces", "0004_widget_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="ThemeChange",
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
                            ("merge", "Merge"),
                            ("split", "Split"),
                            ("gather", "Gather"),
                            ("rename", "Rename"),
                            ("nest", "Put inside"),
                            ("archive", "Archive"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("done", "Done"),
                            ("declined", "Declined"),
                            ("undone", "Taken back"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "title",
                    models.TextField(blank=True, default="", help_text="The title that a renamed or new theme gets"),
                ),
                ("moves", models.JSONField(default=dict)),
                ("before", models.JSONField(default=dict, help_text="What the theme was, for taking it back")),
                ("reason", models.TextField(blank=True, default="")),
                (
                    "proposed_by",
                    models.TextField(blank=True, default="", help_text="The model that proposed it, or empty"),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
                (
                    "actor",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="workspaces.principal",
                    ),
                ),
                (
                    "into_theme",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="themes.theme",
                    ),
                ),
                (
                    "theme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="changes", to="themes.theme"
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
                "db_table": "feedback_theme_changes",
                "indexes": [
                    models.Index(fields=["workspace", "state", "-created_at"], name="feedback_theme_changes_state"),
                    models.Index(fields=["theme"], name="feedback_theme_changes_theme"),
                ],
            },
        ),
        *row_security("feedback_theme_changes"),
    ]
