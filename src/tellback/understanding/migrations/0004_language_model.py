"""What a language model cost and decided: its books, its breaker, its remembered answers, and marks on signals."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import tellback.kernel.ids
from tellback.platform.tenancy import row_security


class Migration(migrations.Migration):
    """Additive: older code may go on writing signals."""

    dependencies = [
        ("intake", "0006_privacy"),
        ("understanding", "0003_corrections_of_words"),
        ("workspaces", "0004_widget_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="ModelAnswer",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "key",
                    models.CharField(help_text="SHA-256 of model, prompt, question and schema, hex", max_length=64),
                ),
                ("content", models.TextField()),
            ],
            options={
                "db_table": "language_model_answer",
            },
        ),
        migrations.CreateModel(
            name="ModelDay",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("day", models.DateField()),
                ("calls", models.PositiveIntegerField(default=0)),
                ("remembered", models.PositiveIntegerField(default=0, help_text="Answers that needed no call")),
                ("input_tokens", models.PositiveBigIntegerField(default=0)),
                ("output_tokens", models.PositiveBigIntegerField(default=0)),
                (
                    "reserved_tokens",
                    models.PositiveBigIntegerField(default=0, help_text="Held for questions that are under way"),
                ),
                ("reserved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "cost",
                    models.DecimalField(
                        decimal_places=6, default=0, help_text="In the currency of the prices", max_digits=14
                    ),
                ),
                ("passes", models.JSONField(default=dict, help_text="Tokens of each pass: {name: [input, output]}")),
                (
                    "stood_in",
                    models.JSONField(default=dict, help_text="How often the local engine stood in: {reason: count}"),
                ),
                ("rejected", models.JSONField(default=dict, help_text="What failed the checks: {kind: count}")),
                (
                    "exhausted_at",
                    models.DateTimeField(blank=True, help_text="When the budget first did not suffice", null=True),
                ),
            ],
            options={
                "db_table": "language_model_day",
            },
        ),
        migrations.CreateModel(
            name="ModelState",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("failures", models.PositiveIntegerField(default=0, help_text="In a row")),
                ("openings", models.PositiveIntegerField(default=0, help_text="In a row")),
                ("open_until", models.DateTimeField(blank=True, null=True)),
                (
                    "trial_at",
                    models.DateTimeField(
                        blank=True, help_text="When the one call of a half-open breaker left", null=True
                    ),
                ),
                ("last_success_at", models.DateTimeField(blank=True, null=True)),
                ("last_failure_at", models.DateTimeField(blank=True, null=True)),
                ("last_error", models.TextField(blank=True, default="")),
            ],
            options={
                "db_table": "language_model_state",
            },
        ),
        migrations.AddField(
            model_name="signal",
            name="fallback_reason",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Why the local engine stood in for the language model",
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="signal",
            name="tag_ids",
            field=models.JSONField(
                db_default=models.Value([], models.JSONField()), default=list, help_text="Tags that fit it: list of ids"
            ),
        ),
        migrations.AddField(
            model_name="signal",
            name="theme_decision",
            field=models.JSONField(
                blank=True,
                help_text="What the language model decided: {theme, confidence, reasoning, title, …}",
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="signal",
            index=models.Index(
                condition=models.Q(("fallback_reason", ""), _negated=True),
                fields=["workspace", "raw_feedback_item"],
                name="feedback_signals_fallback_idx",
            ),
        ),
        migrations.AddField(
            model_name="modelanswer",
            name="workspace",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.workspace"
            ),
        ),
        migrations.AddField(
            model_name="modelday",
            name="workspace",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.workspace"
            ),
        ),
        migrations.AddField(
            model_name="modelstate",
            name="workspace",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.workspace"
            ),
        ),
        migrations.AddIndex(
            model_name="modelanswer",
            index=models.Index(fields=["workspace", "created_at"], name="language_model_answer_age_idx"),
        ),
        migrations.AddConstraint(
            model_name="modelanswer",
            constraint=models.UniqueConstraint(fields=("workspace", "key"), name="language_model_answer_once"),
        ),
        migrations.AddConstraint(
            model_name="modelday",
            constraint=models.UniqueConstraint(fields=("workspace", "day"), name="language_model_day_one"),
        ),
        migrations.AddConstraint(
            model_name="modelstate",
            constraint=models.UniqueConstraint(fields=("workspace",), name="language_model_state_one"),
        ),
        *row_security("language_model_state", "language_model_day", "language_model_answer"),
    ]
