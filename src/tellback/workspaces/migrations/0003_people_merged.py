"""Two principals that are one person, and which rows followed."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import tellback.kernel.ids
from tellback.platform.tenancy import row_security


class Migration(migrations.Migration):
    """Merging people."""

    dependencies = [
        ("workspaces", "0002_row_security"),
    ]

    operations = [
        migrations.AddField(
            model_name="principal",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                help_text="The same person, whom everything is about from now on",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="workspaces.principal",
            ),
        ),
        migrations.CreateModel(
            name="PrincipalMerge",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("learnt", models.JSONField(default=dict, help_text="What the kept one learnt of the other, by field")),
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
                    "kept",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.principal"
                    ),
                ),
                (
                    "merged",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.principal"
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
                "db_table": "principal_merge",
            },
        ),
        migrations.CreateModel(
            name="PrincipalMove",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("table", models.CharField(max_length=63)),
                ("column", models.CharField(max_length=63)),
                ("row_id", models.UUIDField()),
                (
                    "set_aside",
                    models.JSONField(blank=True, help_text="The whole row, when it was set aside", null=True),
                ),
                (
                    "merge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="moves",
                        to="workspaces.principalmerge",
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
                "db_table": "principal_move",
            },
        ),
        migrations.AddConstraint(
            model_name="principalmerge",
            constraint=models.UniqueConstraint(
                condition=models.Q(("undone_at", None)), fields=("merged",), name="principal_merged_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="principalmerge",
            constraint=models.CheckConstraint(
                condition=models.Q(("kept", models.F("merged")), _negated=True), name="principal_merge_of_two"
            ),
        ),
        migrations.AddConstraint(
            model_name="principalmove",
            constraint=models.UniqueConstraint(
                fields=("merge", "table", "column", "row_id"), name="principal_move_once"
            ),
        ),
        *row_security("principal_merge", "principal_move"),
    ]
