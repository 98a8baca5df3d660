"""A signal says in words why its reading may be off."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One column with a default in the database, so that older code may still write signals."""

    dependencies = [("understanding", "0004_language_model")]

    operations = [
        migrations.AddField(
            model_name="signal",
            name="note",
            field=models.TextField(
                blank=True, db_default="", default="", help_text="Why the reading may be off, in words"
            ),
        ),
    ]
