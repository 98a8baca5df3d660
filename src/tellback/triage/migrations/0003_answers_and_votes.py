"""Answers that are owed, votes on feedback, and what a sender calls its source."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import tellback.kernel.ids
from tellback.platform.tenancy import row_security

# As the owner, whom forced row security would otherwise hold to a workspace that is not set here.
NAME_SOURCES = """
    ALTER TABLE feedback NO FORCE ROW LEVEL SECURITY;
    UPDATE feedback SET source = item.source_type
        FROM raw_feedback_items AS item WHERE item.id = feedback.raw_item_id AND feedback.source = '';
    ALTER TABLE feedback FORCE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    """What document 2 asks of a piece of feedback."""

    dependencies = [
        ("intake", "0006_privacy"),
        ("triage", "0002_row_security"),
        ("workspaces", "0004_widget_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="FeedbackVote",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "db_table": "feedback_vote",
            },
        ),
        migrations.AddField(
            model_name="feedback",
            name="duplicate_of",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="duplicates",
                to="triage.feedback",
            ),
        ),
        migrations.AddField(
            model_name="feedback",
            name="github_issue_url",
            field=models.CharField(blank=True, max_length=500, null=True),
        ),
        migrations.AddField(
            model_name="feedback",
            name="priority_is_set",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Somebody said it, so that scores leave it alone"
            ),
        ),
        migrations.AddField(
            model_name="feedback",
            name="source",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="What the sender calls it, else its source type",
                max_length=40,
            ),
        ),
        migrations.AddField(
            model_name="feedback",
            name="vote_count",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddIndex(
            model_name="feedback",
            index=models.Index(
                condition=models.Q(("responded_at", None)),
                fields=["workspace", "response_due_at"],
                name="feedback_unanswered_idx",
            ),
        ),
        migrations.AddConstraint(
            model_name="feedback",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("duplicate_of", None), models.Q(("duplicate_of", models.F("id")), _negated=True), _connector="OR"
                ),
                name="feedback_duplicate_of_another",
            ),
        ),
        migrations.AddField(
            model_name="feedbackvote",
            name="feedback",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="votes", to="triage.feedback"
            ),
        ),
        migrations.AddField(
            model_name="feedbackvote",
            name="principal",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.principal"
            ),
        ),
        migrations.AddField(
            model_name="feedbackvote",
            name="workspace",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.workspace"
            ),
        ),
        migrations.AddIndex(
            model_name="feedbackvote",
            index=models.Index(fields=["workspace", "principal"], name="feedback_vote_principal_idx"),
        ),
        migrations.AddConstraint(
            model_name="feedbackvote",
            constraint=models.UniqueConstraint(fields=("feedback", "principal"), name="feedback_vote_once"),
        ),
        *row_security("feedback_vote"),
        migrations.RunSQL(sql=NAME_SOURCES, reverse_sql=migrations.RunSQL.noop),
    ]
