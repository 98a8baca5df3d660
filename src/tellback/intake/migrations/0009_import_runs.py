"""Imports that can be resumed, changed and undone, and mappings that are saved."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import tellback.kernel.ids
from tellback.platform.tenancy import row_security


class Migration(migrations.Migration):
    """A row of an import comes in once, and the import can be taken back."""

    dependencies = [
        ("intake", "0008_cheaper_to_accept"),
        ("workspaces", "0004_widget_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="ImportItem",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("row", models.PositiveIntegerField(help_text="The row that said it last")),
                ("digest", models.CharField(help_text="Keyed digest of what it says, hex", max_length=64)),
            ],
            options={
                "db_table": "import_item",
            },
        ),
        migrations.CreateModel(
            name="ImportMapping",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("name", models.CharField(max_length=100)),
                ("plan", models.JSONField(default=dict, help_text="As of an import")),
            ],
            options={
                "db_table": "import_mapping",
            },
        ),
        migrations.CreateModel(
            name="ImportRefusal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("table_index", models.PositiveIntegerField()),
                ("row", models.PositiveIntegerField(help_text="1 is the first after the header")),
                ("reason", models.TextField()),
                (
                    "is_left_out",
                    models.BooleanField(default=False, help_text="On purpose, so that there is nothing to mend"),
                ),
            ],
            options={
                "db_table": "import_refusal",
            },
        ),
        migrations.CreateModel(
            name="ImportRevision",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("before", models.JSONField(help_text="The changed columns of the raw item, and its digest")),
            ],
            options={
                "db_table": "import_revision",
            },
        ),
        migrations.RemoveConstraint(
            model_name="importrun",
            name="import_run_file_unique",
        ),
        migrations.RemoveField(
            model_name="importrun",
            name="errors",
        ),
        migrations.RemoveField(
            model_name="importrun",
            name="mapping",
        ),
        migrations.AddField(
            model_name="importrun",
            name="checked",
            field=models.JSONField(blank=True, help_text="What a rehearsal counted", null=True),
        ),
        migrations.AddField(
            model_name="importrun",
            name="done_share",
            field=models.FloatField(default=0, help_text="How much of the file is done, 0 to 1"),
        ),
        migrations.AddField(
            model_name="importrun",
            name="file_parts",
            field=models.PositiveIntegerField(default=0, help_text="How many parts of the file are kept; 0 when none"),
        ),
        migrations.AddField(
            model_name="importrun",
            name="file_size",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="importrun",
            name="plan",
            field=models.JSONField(default=dict, help_text="What its tables and columns mean; see importing.plan"),
        ),
        migrations.AddField(
            model_name="importrun",
            name="problem",
            field=models.TextField(blank=True, default="", help_text="Why it failed, for a person"),
        ),
        migrations.AddField(
            model_name="importrun",
            name="rows_left_out",
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name="importrun",
            name="rows_updated",
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name="importrun",
            name="started_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="importrun",
            name="state",
            field=models.CharField(
                choices=[
                    ("draft", "Not started"),
                    ("checking", "Being checked"),
                    ("running", "Running"),
                    ("finished", "Finished"),
                    ("stopped", "Stopped"),
                    ("failed", "Failed"),
                    ("undoing", "Being undone"),
                    ("undone", "Undone"),
                ],
                default="draft",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="importrun",
            name="table_index",
            field=models.PositiveIntegerField(default=0, help_text="The table that is being read"),
        ),
        migrations.AddField(
            model_name="importrun",
            name="table_row",
            field=models.PositiveIntegerField(default=0, help_text="How many of its rows are done"),
        ),
        migrations.AddField(
            model_name="importrun",
            name="tries",
            field=models.PositiveIntegerField(default=0, help_text="Jobs that began since one last got any further"),
        ),
        migrations.AddField(
            model_name="importrun",
            name="undone",
            field=models.JSONField(default=dict, help_text="How much was removed of each kind"),
        ),
        migrations.AlterField(
            model_name="importrun",
            name="source",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="intake.feedbacksource",
            ),
        ),
        migrations.AddIndex(
            model_name="importrun",
            index=models.Index(fields=["workspace", "-created_at"], name="import_run_time_idx"),
        ),
        migrations.AddConstraint(
            model_name="importrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("done_share__gte", 0), ("done_share__lte", 1)), name="import_run_share_range"
            ),
        ),
        migrations.AddField(
            model_name="importitem",
            name="changed_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="intake.importrun",
            ),
        ),
        migrations.AddField(
            model_name="importitem",
            name="raw_item",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="intake.rawitem"
            ),
        ),
        migrations.AddField(
            model_name="importitem",
            name="run",
            field=models.ForeignKey(
                help_text="That added it",
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="intake.importrun",
            ),
        ),
        migrations.AddField(
            model_name="importitem",
            name="workspace",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.workspace"
            ),
        ),
        migrations.AddField(
            model_name="importmapping",
            name="workspace",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.workspace"
            ),
        ),
        migrations.AddField(
            model_name="importrefusal",
            name="run",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="refusals", to="intake.importrun"
            ),
        ),
        migrations.AddField(
            model_name="importrefusal",
            name="workspace",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.workspace"
            ),
        ),
        migrations.AddField(
            model_name="importrevision",
            name="raw_item",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="intake.rawitem"),
        ),
        migrations.AddField(
            model_name="importrevision",
            name="run",
            field=models.ForeignKey(
                help_text="That changed it",
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="intake.importrun",
            ),
        ),
        migrations.AddField(
            model_name="importrevision",
            name="workspace",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.workspace"
            ),
        ),
        migrations.AddIndex(
            model_name="importitem",
            index=models.Index(fields=["run"], name="import_item_run_idx"),
        ),
        migrations.AddConstraint(
            model_name="importmapping",
            constraint=models.UniqueConstraint(fields=("workspace", "name"), name="import_mapping_name_unique"),
        ),
        migrations.AddConstraint(
            model_name="importrefusal",
            constraint=models.UniqueConstraint(fields=("run", "table_index", "row"), name="import_refusal_once"),
        ),
        *row_security("import_item", "import_revision", "import_refusal", "import_mapping"),
    ]
