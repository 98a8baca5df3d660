"""Which job holds an item, so that another one does not read it a second time."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Additive: older code leaves the column empty, and what it holds is free when its lease has run out."""

    dependencies = [("intake", "0009_import_runs")]

    operations = [
        migrations.AddField(
            model_name="rawitem",
            name="held_by",
            field=models.BigIntegerField(blank=True, help_text="The number of that job", null=True),
        ),
        migrations.AlterField(
            model_name="rawitem",
            name="lease_until",
            field=models.DateTimeField(blank=True, help_text="Until when a job holds it", null=True),
        ),
    ]
