"""Ending every session of a login, and knowing of a person that they were erased."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Two columns that older code does not need to know."""

    dependencies = [("workspaces", "0004_widget_keys")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="session_epoch",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="Another number ends every session and every sign-in link of this login",
            ),
        ),
        migrations.AddField(
            model_name="principal",
            name="erased_at",
            field=models.DateTimeField(
                blank=True, help_text="Since when nothing is left but that there was one", null=True
            ),
        ),
    ]
