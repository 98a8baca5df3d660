"""Widget keys that can be shown again, and the keys that sign widget tokens."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import tellback.kernel.ids
from tellback.platform.tenancy import row_security


class Migration(migrations.Migration):
    """Signed identity in the widget."""

    dependencies = [
        ("workspaces", "0003_people_merged"),
    ]

    operations = [
        migrations.CreateModel(
            name="SpentWidgetToken",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("digest", models.CharField(help_text="SHA-256 of the jti, hex", max_length=64)),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "db_table": "spent_widget_token",
            },
        ),
        migrations.CreateModel(
            name="WidgetSigningKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tellback.kernel.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("name", models.CharField(max_length=100)),
                ("slot", models.PositiveSmallIntegerField()),
                (
                    "algorithm",
                    models.CharField(
                        choices=[("HS256", "Shared secret (HS256)"), ("EdDSA", "Your public key (EdDSA)")], max_length=5
                    ),
                ),
                ("material", models.TextField(help_text="HS256: the secret, sealed. EdDSA: the public key, PEM")),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "db_table": "widget_signing_key",
            },
        ),
        migrations.AddField(
            model_name="apikey",
            name="public_key",
            field=models.TextField(
                blank=True,
                default="",
                db_default="",
                help_text="A widget key itself: it stands in public pages anyway. Empty for API keys",
            ),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(("public_key", ""), ("kind", "widget"), _connector="OR"),
                name="api_key_secret_not_kept",
            ),
        ),
        migrations.AddField(
            model_name="spentwidgettoken",
            name="workspace",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.workspace"
            ),
        ),
        migrations.AddField(
            model_name="widgetsigningkey",
            name="created_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="workspaces.principal",
            ),
        ),
        migrations.AddField(
            model_name="widgetsigningkey",
            name="workspace",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces.workspace"
            ),
        ),
        migrations.AddIndex(
            model_name="spentwidgettoken",
            index=models.Index(fields=["workspace", "expires_at"], name="spent_widget_token_expiry_idx"),
        ),
        migrations.AddConstraint(
            model_name="spentwidgettoken",
            constraint=models.UniqueConstraint(fields=("workspace", "digest"), name="spent_widget_token_once"),
        ),
        migrations.AddConstraint(
            model_name="widgetsigningkey",
            constraint=models.CheckConstraint(condition=models.Q(("slot__in", (1, 2))), name="widget_signing_key_slot"),
        ),
        migrations.AddConstraint(
            model_name="widgetsigningkey",
            constraint=models.UniqueConstraint(
                condition=models.Q(("revoked_at", None)),
                fields=("workspace", "slot"),
                name="widget_signing_key_two_active",
            ),
        ),
        *row_security("widget_signing_key", "spent_widget_token"),
    ]
