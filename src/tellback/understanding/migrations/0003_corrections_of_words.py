"""Corrections are about words: they outlive the signals that they were made on."""

import django.db.models.deletion
import pgvector.django.vector
from django.db import migrations, models


class Migration(migrations.Migration):
    """Corrections keep the item, the words and the embedding that they are about. None existed before."""

    dependencies = [
        ("intake", "0006_privacy"),
        ("understanding", "0002_row_security"),
        ("workspaces", "0004_widget_keys"),
    ]

    operations = [
        migrations.AddField(
            model_name="correction",
            name="embedding",
            field=pgvector.django.vector.VectorField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="correction",
            name="embedding_model",
            field=models.TextField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="correction",
            name="evidence_spans",
            field=models.JSONField(default=list, help_text="[{start, end}] of the words it is about"),
        ),
        migrations.AddField(
            model_name="correction",
            name="model",
            field=models.TextField(blank=True, help_text="The model that was wrong", null=True),
        ),
        migrations.AddField(
            model_name="correction",
            name="prompt_version",
            field=models.CharField(blank=True, help_text="The prompt that was wrong", max_length=20, null=True),
        ),
        migrations.AddField(
            model_name="correction",
            name="raw_feedback_item",
            field=models.ForeignKey(
                default=None,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="corrections",
                to="intake.rawitem",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="correction",
            name="undone_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="correction",
            name="field",
            field=models.CharField(
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
        migrations.AlterField(
            model_name="correction",
            name="signal",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="corrections",
                to="understanding.signal",
            ),
        ),
        migrations.AddIndex(
            model_name="correction",
            index=models.Index(fields=["signal"], name="feedback_corrections_signal"),
        ),
        migrations.AddIndex(
            model_name="correction",
            index=models.Index(fields=["raw_feedback_item"], name="feedback_corrections_item"),
        ),
        migrations.AddIndex(
            model_name="correction",
            index=models.Index(
                condition=models.Q(("undone_at", None)),
                fields=["workspace", "-created_at"],
                name="feedback_corrections_latest",
            ),
        ),
    ]
