"""What became of mails that came in, by digests."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import tellback.kernel.ids
from tellback.platform.tenancy import row_security


class Migration(migrations.Migration):
    """Received mails."""

    dependencies = [
        ("intake", "0006_privacy"),
        ("workspaces", "0004_widget_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReceivedMail",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("digest", models.CharField(help_text="Keyed digest of what names the mail, hex", max_length=64)),
                (
                    "delivery",
                    models.CharField(
                        help_text="Keyed digest of how it came: a delivery's id, or a mailbox's", max_length=64
                    ),
                ),
                (
                    "thread",
                    models.CharField(
                        blank=True, default="", help_text="Keyed digest of its Message-ID, hex", max_length=64
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("accepted", "New feedback"),
                            ("follow_up", "Follow-up"),
                            ("ignored", "Ignored"),
                            ("unreadable", "Could not be read"),
                            ("too_large", "Too large"),
                        ],
                        max_length=12,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", help_text="Why it was ignored", max_length=20)),
                ("raw_item_id", models.UUIDField(blank=True, help_text="What it became or was added to", null=True)),
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
                "db_table": "received_mail",
                "indexes": [
                    models.Index(fields=["source", "-created_at"], name="received_mail_time_idx"),
                    models.Index(
                        condition=models.Q(("thread", ""), _negated=True),
                        fields=["source", "thread"],
                        name="received_mail_thread_idx",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("source", "digest"), name="received_mail_once"),
                    models.UniqueConstraint(fields=("source", "delivery"), name="received_mail_delivery_once"),
                ],
            },
        ),
        *row_security("received_mail"),
    ]
