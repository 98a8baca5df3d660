"""The shadow that signals and themes are derived into anew, and what became of it."""

import django.db.models.deletion
import django.utils.timezone
import pgvector.django.vector
from django.db import migrations, models

import tellback.kernel.ids
from tellback.platform.tenancy import row_security


class Migration(migrations.Migration):
    """Three tables beside those that are shown."""

    dependencies = [
        ("intake", "0009_import_runs"),
        ("themes", "0004_words_of_a_model"),
        ("workspaces", "0005_signed_out_and_erased"),
    ]

    operations = [
        migrations.CreateModel(
            name="Replay",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("engine", models.CharField(max_length=20)),
                ("model", models.TextField()),
                ("prompt_version", models.CharField(max_length=20)),
                ("embedding_model", models.TextField()),
                (
                    "since",
                    models.DateTimeField(
                        blank=True, help_text="Items that arrived from then on; all when empty", null=True
                    ),
                ),
                ("until", models.DateTimeField(help_text="What arrived later is not replayed")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("reading", "Reading"),
                            ("grouping", "Grouping"),
                            ("wording", "Naming themes"),
                            ("ready", "Ready to look at"),
                            ("adopting", "Being adopted"),
                            ("adopted", "Adopted"),
                            ("discarded", "Discarded"),
                        ],
                        default="reading",
                        max_length=10,
                    ),
                ),
                ("cursor", models.UUIDField(blank=True, null=True)),
                ("named", models.IntegerField(default=0)),
                ("item_count", models.IntegerField(default=0)),
                ("done_count", models.IntegerField(default=0, help_text="Items that the present stage is done with")),
                (
                    "skipped",
                    models.JSONField(
                        default=list, help_text="Ids of items that could not be read; they stay as they are"
                    ),
                ),
                (
                    "emptied",
                    models.JSONField(default=list, help_text="Ids of items with signals in which it found none"),
                ),
                (
                    "waits",
                    models.TextField(
                        blank=True, default="", help_text="Why the language model does not answer, in words"
                    ),
                ),
                (
                    "stood_in_count",
                    models.IntegerField(default=0, help_text="Items that the local engine read in its place"),
                ),
                ("input_tokens", models.BigIntegerField(default=0)),
                ("output_tokens", models.BigIntegerField(default=0)),
                ("space", models.JSONField(blank=True, null=True)),
                (
                    "figures",
                    models.JSONField(default=dict, help_text="What it would change or has changed, in numbers"),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.workspace"
                    ),
                ),
            ],
            options={
                "db_table": "replay",
            },
        ),
        migrations.CreateModel(
            name="ReplayTheme",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("number", models.IntegerField()),
                (
                    "title",
                    models.TextField(blank=True, default="", help_text="Its words in the shadow; empty when they stay"),
                ),
                ("summary", models.TextField(blank=True, default="")),
                ("signal_count", models.IntegerField(default=0)),
                (
                    "centroid_embedding",
                    pgvector.django.vector.VectorField(
                        blank=True, help_text="Empty for one that nothing may join", null=True
                    ),
                ),
                (
                    "replay",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="themes", to="themes.replay"
                    ),
                ),
                (
                    "theme",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="themes.theme",
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
                "db_table": "replay_theme",
            },
        ),
        migrations.CreateModel(
            name="ReplaySignal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("position", models.PositiveSmallIntegerField()),
                ("content", models.JSONField()),
                ("embedding", pgvector.django.vector.VectorField()),
                ("embedding_model", models.TextField()),
                (
                    "raw_feedback_item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="intake.rawitem"
                    ),
                ),
                (
                    "replay",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="signals", to="themes.replay"
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.workspace"
                    ),
                ),
                (
                    "shadow_theme",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="signals",
                        to="themes.replaytheme",
                    ),
                ),
            ],
            options={
                "db_table": "replay_signal",
            },
        ),
        migrations.AddConstraint(
            model_name="replay",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("reading", "grouping", "wording", "ready", "adopting"))),
                fields=("workspace",),
                name="replay_one_under_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="replaytheme",
            constraint=models.UniqueConstraint(fields=("replay", "number"), name="replay_theme_number"),
        ),
        migrations.AddConstraint(
            model_name="replaysignal",
            constraint=models.UniqueConstraint(
                fields=("replay", "raw_feedback_item", "position"), name="replay_signal_position"
            ),
        ),
        *row_security("replay", "replay_theme", "replay_signal"),
    ]
