"""What an import brought to the boards, and votes from elsewhere whose voters are not known."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import tellback.kernel.ids
from tellback.platform.tenancy import row_security


class Migration(migrations.Migration):
    """An import of posts can be repeated and taken back."""

    dependencies = [
        ("boards", "0002_row_security"),
        ("intake", "0009_import_runs"),
        ("workspaces", "0004_widget_keys"),
    ]

    operations = [
        migrations.AddField(
            model_name="post",
            name="carried_votes",
            field=models.PositiveIntegerField(default=0, help_text="Votes from elsewhere whose voters are not known"),
        ),
        migrations.CreateModel(
            name="ImportedThing",
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
                            ("post", "post"),
                            ("vote", "vote"),
                            ("comment", "comment"),
                            ("move", "move"),
                            ("tag", "tag"),
                            ("tagging", "tagging"),
                        ],
                        max_length=10,
                    ),
                ),
                ("key", models.CharField(help_text="Keyed digest of its id there, hex", max_length=64)),
                ("thing_id", models.UUIDField(help_text="The post, vote, comment, move or tag of a post")),
                ("digest", models.CharField(help_text="Keyed digest of what it said, hex", max_length=64)),
                ("row", models.PositiveIntegerField(default=0, help_text="The row that said it last")),
                ("said_by", models.UUIDField(blank=True, help_text="The run that said it last", null=True)),
                (
                    "before",
                    models.JSONField(blank=True, help_text="What a post said before `said_by` changed it", null=True),
                ),
                (
                    "stated_votes",
                    models.PositiveIntegerField(blank=True, help_text="The votes that a post had there", null=True),
                ),
                (
                    "run",
                    models.ForeignKey(
                        help_text="That added it",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="intake.importrun",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="intake.feedbacksource"
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
                "db_table": "imported_thing",
                "indexes": [
                    models.Index(fields=["run", "kind"], name="imported_thing_run_idx"),
                    models.Index(fields=["thing_id"], name="imported_thing_thing_idx"),
                ],
                "constraints": [models.UniqueConstraint(fields=("source", "kind", "key"), name="imported_thing_once")],
            },
        ),
        *row_security("imported_thing"),
    ]
